"""Many sessions at one engine: ``python -m tests.bench.engine_load [typed sessions] [spoken sessions]``.

The engine runs in a process of its own with its usual settings (audio at four times real time). First 50 clients ask
three typed questions each, at once, and get spoken answers. Then 8 clients speak three questions each: their
microphones send 20 ms frames in real time, silence included, from beginning to end, and each speaks again when the
answer has come.
Every session must complete, in order and with the right answers.

Printed are the CPU time of the engine's process and its children, for every second that was spoken; how long the first
audio took after ``speech_stopped``; and what memory, threads, descriptors and child processes were before and after.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect

from stepnb.local.engine import LocalEngine
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import VoiceSettings
from tests.engine.client import MODEL, VAD
from tests.engine.order import Event, OrderChecker

TURNS = 3
FRAME = bytes(960)  # 20 ms of silence
FRAME_S = 0.02
TIMEOUT_S = 300.0

QUESTIONS = ("What is two plus two?", "What is your name?", "What is nine minus three?")
ANSWERS = ("4", "Step", "6")


@dataclass
class Tally:
    """What sessions have seen.

    Attributes
    ----------
    completed
        Responses that ended as they should, with the right answer.
    first_audio_s
        From ``speech_stopped`` to the first audio of the answer, one for each spoken turn.
    asked_s, answered_s
        Seconds of speech in each direction.
    """

    completed: int = 0
    first_audio_s: list[float] = field(default_factory=list)
    asked_s: float = 0.0
    answered_s: float = 0.0


class Line:
    """One session of a client."""

    def __init__(self, socket: ClientConnection, tally: Tally) -> None:
        self.socket = socket
        self.tally = tally
        self.order = OrderChecker()

    async def send(self, type: str, **body: Any) -> None:
        await self.socket.send(json.dumps({"type": type, **body}))

    async def until(self, type: str, on_event: Callable[[Event], None] = lambda _: None) -> Event:
        while True:
            event: Event = json.loads(await self.socket.recv())
            self.order.feed(event)
            assert event["type"] != "error", event
            on_event(event)
            if event["type"] == type:
                return event

    async def answer(self, number: int, stopped_at: Callable[[], float | None] = lambda: None) -> None:
        """Wait for the answer to a question and check it."""
        words: list[str] = []
        waited = False

        def note(event: Event) -> None:
            nonlocal waited
            if event["type"] == "response.audio_transcript.delta":
                words.append(event["delta"])
            elif event["type"] == "response.audio.delta":
                if not waited and (began := stopped_at()) is not None:
                    self.tally.first_audio_s.append(time.perf_counter() - began)
                waited = True
                self.tally.answered_s += len(event["delta"]) * 3 / 4 / 48_000

        done = await self.until("response.done", note)
        said = "".join(words)
        assert done["response"]["status"] == "completed", done
        assert ANSWERS[number % len(ANSWERS)] in said, f"{QUESTIONS[number % len(QUESTIONS)]} - {said}"
        self.tally.completed += 1


@contextmanager
def _opened(url: str, key: str) -> Iterator[Any]:
    yield connect(
        f"{url}?model={MODEL}",
        additional_headers={"Authorization": f"Bearer {key}"},
        max_size=None,
        compression=None,
        proxy=None,
        open_timeout=TIMEOUT_S,
    )


async def typed(url: str, key: str, tally: Tally, turns: int = TURNS) -> None:
    """Hold one session of typed questions with spoken answers."""
    with _opened(url, key) as opening:
        async with opening as socket:
            line = Line(socket, tally)
            await line.until("session.created")
            for number in range(turns):
                content = [{"type": "input_text", "text": QUESTIONS[number % len(QUESTIONS)]}]
                item = {"type": "message", "role": "user", "content": content}
                await line.send("conversation.item.create", item=item)
                await line.send("response.create")
                await line.answer(number)


async def spoken(url: str, key: str, tally: Tally, questions: list[bytes], turns: int = TURNS) -> None:
    """Hold one session of spoken questions, with a microphone that is always on."""
    with _opened(url, key) as opening:
        async with opening as socket:
            line = Line(socket, tally)
            await line.until("session.created")
            await line.send("session.update", session={"turn_detection": VAD})
            await line.until("session.updated")
            to_say = bytearray()
            microphone = asyncio.create_task(_microphone(socket, to_say))
            try:
                for number in range(turns):
                    question = questions[number % len(questions)]
                    tally.asked_s += len(question) / 48_000
                    to_say += question
                    await line.until("input_audio_buffer.speech_stopped")
                    stopped = time.perf_counter()
                    await line.answer(number, lambda stopped=stopped: stopped)  # type: ignore[misc]
            finally:
                microphone.cancel()


async def _microphone(socket: ClientConnection, to_say: bytearray) -> None:
    """Send a frame every 20 ms, late ones at once as a real one does."""
    due = time.perf_counter()
    while True:
        frame = bytes(to_say[: len(FRAME)]).ljust(len(FRAME), b"\0")
        del to_say[: len(FRAME)]
        audio = base64.b64encode(frame).decode()
        await socket.send(f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}')
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def hold(
    url: str, key: str, *, typed_sessions: int = 0, spoken_sessions: int = 0, turns: int = TURNS
) -> Tally:
    """Hold sessions at once.

    Raises
    ------
    AssertionError
        One did not complete as it should.
    """
    tally = Tally()
    questions = await speak() if spoken_sessions else []
    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as group:
        for _ in range(typed_sessions):
            group.create_task(typed(url, key, tally, turns))
        for _ in range(spoken_sessions):
            group.create_task(spoken(url, key, tally, questions, turns))
    assert tally.completed == turns * (typed_sessions + spoken_sessions)
    return tally


async def speak() -> list[bytes]:
    """Speak the questions: PCM16LE mono 24 kHz."""
    mouth = EspeakMouth()
    return [await mouth.speak(question, VoiceSettings(variant="f3")) for question in QUESTIONS]


# In a process of its own ----------------------------------------------------------------------------------------------


def _serve(pipe: Connection) -> None:
    with LocalEngine(seed=7) as engine:
        pipe.send((engine.url, engine.key))
        pipe.recv()


class Process:
    """An engine's process, and what it has used."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def cpu_s(self) -> float:
        """CPU time so far, with the children that ended and those that run."""
        times = self._process.cpu_times()
        total: float = times.user + times.system + times.children_user + times.children_system
        for child in self._process.children(recursive=True):
            used = child.cpu_times()
            total += used.user + used.system
        return total

    def state(self) -> dict[str, int]:
        """Return what must not grow: MB, threads, descriptors, children."""
        return {
            "MB": self._process.memory_info().rss >> 20,
            "threads": self._process.num_threads(),
            "descriptors": self._process.num_fds(),
            "children": len(self._process.children(recursive=True)),
        }


@contextmanager
def engine_process() -> Iterator[tuple[str, str, Process]]:
    """Run an engine in a process of its own: its URL, its key, and the process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_serve, args=(there,))
    child.start()
    try:
        url, key = here.recv()
        assert child.pid
        yield url, key, Process(child.pid)
        here.send(None)
        child.join(30)
    finally:
        child.kill()


def main(typed_sessions: int = 50, spoken_sessions: int = 8) -> None:
    """Print the figures."""
    with engine_process() as (url, key, process):
        asyncio.run(
            hold(url, key, typed_sessions=1, spoken_sessions=1, turns=1)
        )  # it has loaded what it needs
        print(f"before: {process.state()}")
        began, used = time.perf_counter(), process.cpu_s()
        tally = asyncio.run(hold(url, key, typed_sessions=typed_sessions))
        elapsed, used = time.perf_counter() - began, process.cpu_s() - used
        print(
            f"{typed_sessions} sessions of {TURNS} typed questions: all complete in {elapsed:.1f} s, "
            f"{tally.answered_s:.0f} s of answers, {used / tally.answered_s:.3f} CPU s for each of them"
        )
        print(f"after:  {process.state()}")
        began, used = time.perf_counter(), process.cpu_s()
        tally = asyncio.run(hold(url, key, spoken_sessions=spoken_sessions))
        elapsed, used = time.perf_counter() - began, process.cpu_s() - used
        both = tally.asked_s + tally.answered_s
        p50, p95 = np.percentile(np.array(tally.first_audio_s) * 1000, [50, 95])
        print(
            f"{spoken_sessions} sessions of {TURNS} spoken questions: all complete in {elapsed:.1f} s, "
            f"{tally.asked_s:.0f} s of questions and {tally.answered_s:.0f} s of answers\n"
            f"  CPU: {used / tally.asked_s:.3f} s for a second of questions, "
            f"{used / both:.3f} s for a second of questions and answers\n"
            f"  first audio after speech_stopped: p50 {p50:.0f} ms, p95 {p95:.0f} ms"
        )
        print(f"after:  {process.state()}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
