"""What an event costs: a session beside a bare loop, openai-python and the vendor's client, on the same stream.

    python -m tests.bench.event_cost

A server in its own process sends 50 answers of 10 s: 100 audio deltas of 100 ms each, 25 pieces of the transcript, and
the usual events around them, as fast as they are taken. All clients receive it in the same run, by turns; the figures
are medians of CPU seconds, user and system, of all threads.

bare
    ``websockets`` and a msgspec decoder of the same Structs, and nothing else: the floor.
stepnb
    A session: base64 decoded and checked, everything in the log and on disk, the conversation derived, and one
    subscriber called with every event. The network thread does all but the last and the writing; its share is
    what decides how many sessions a process can have, and has a line of its own.
openai-python
    Its realtime connection, events parsed and dropped. Half of the service's event types are unknown to the current
    one; the types of the older, ``beta``, are those of the stream.
stepfun-realtime-api
    The vendor's client: events parsed, the audio decoded and joined in its conversation, one handler for every event.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import multiprocessing
import operator
import os
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import msgspec
import pybase64
from openai import AsyncOpenAI
from stepfun_realtime_api import RealtimeClient
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

import stepnb as sn
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.service.loop import io_thread

T = TypeVar("T")

ANSWERS = 50
DELTAS = 100
WORDS = 25
REPEATS = 15
AUDIO_BYTES = 4_800
MOST_OF_BARE = 1.5
# What a machine with other work to do may measure beyond that.
NOISE = 1.2
MOST_OF_OPENAI = 0.25


def stream() -> list[str]:
    """Return the frames of all answers."""
    audio = pybase64.b64encode_as_string(os.urandom(AUDIO_BYTES))
    return [codec.encode(event) for n in range(ANSWERS) for event in _answer(f"r{n}", f"a{n}", audio)]


def _answer(response: str, item: str, audio: str) -> list[ev.Event]:
    ids: dict[str, Any] = {
        "response_id": response,
        "item_id": item,
        "output_index": 0,
        "content_index": 0,
    }
    message = ev.Item(
        id=item, object="realtime.item", type="message", role="assistant", status="in_progress", content=[]
    )
    part = ev.Part(type="audio", transcript="")
    info = ev.ResponseInfo(id=response, object="realtime.response", status="in_progress", output=[])
    deltas: list[ev.Event] = []
    for n in range(DELTAS):
        if n % (DELTAS // WORDS) == 0:
            deltas.append(ev.AudioTranscriptDelta(delta="word ", **ids))
        deltas.append(ev.AudioDelta(delta=audio, **ids))
    events: list[ev.Event] = [
        ev.ResponseCreated(response=info),
        ev.OutputItemAdded(response_id=response, output_index=0, item=message),
        ev.ConversationItemCreated(item=message),
        ev.ContentPartAdded(part=part, **ids),
        *deltas,
        ev.AudioTranscriptDone(transcript="word " * WORDS, **ids),
        ev.ContentPartDone(part=part, **ids),
        ev.OutputItemDone(response_id=response, output_index=0, item=message),
        ev.ResponseDone(
            response=ev.ResponseInfo(id=response, object="realtime.response", status="completed")
        ),
    ]
    for n, event in enumerate(events):
        event.event_id = f"event_{response}_{n:04d}"
    return events


EVENTS = len(_answer("", "", "")) * ANSWERS


def _serve(port: Connection) -> None:
    frames = stream()
    session = ev.SessionInfo(id="s1", voice="linjiajiejie")

    async def answer(socket: ServerConnection) -> None:
        await socket.send(codec.encode(ev.SessionCreated(session=session)))
        async for frame in socket:
            match codec.decode(frame).event:
                case ev.SessionUpdate(session=update):
                    await socket.send(codec.encode(ev.SessionUpdated(session=update)))
                case ev.ResponseCreate():
                    for line in frames:
                        await socket.send(line)

    async def main() -> None:
        async with serve(answer, "127.0.0.1", 0, compression=None, max_size=None) as server:
            port.send(next(iter(server.sockets)).getsockname()[1])
            await asyncio.to_thread(port.recv)

    asyncio.run(main())


def bare(url: str) -> float:
    """CPU seconds of a loop that decodes."""
    events: Any = functools.reduce(operator.or_, ev.SERVER_EVENTS.values())
    decode = msgspec.json.Decoder(events).decode

    async def main() -> float:
        async with connect(url, compression=None, max_size=None) as socket:
            await socket.recv()
            left = ANSWERS
            start = time.process_time()
            await socket.send(codec.encode(ev.ResponseCreate()))
            async for frame in socket:
                left -= isinstance(decode(frame), ev.ResponseDone)
                if not left:
                    break
            return time.process_time() - start

    return asyncio.run(main())


def stepnb(url: str) -> tuple[float, float]:
    """CPU seconds of a session, until everything is in the spool and with the subscriber, and of its network thread."""

    async def io_time() -> float:
        return time.thread_time()

    with sn.Session(url, api_key="bench") as s:
        s.connect()
        seen = threading.Event()
        ended = count = 0

        def subscriber(event: object) -> None:
            nonlocal ended, count
            count += 1
            ended += isinstance(event, ev.ResponseDone)
            if ended == ANSWERS:
                seen.set()

        s.on("*", subscriber)
        io_start = io_thread.submit(io_time()).result(10)
        start = time.process_time()
        s.ask("go")
        assert seen.wait(60)
        io_used = io_thread.submit(io_time()).result(10) - io_start
        s.events.flush()
        used = time.process_time() - start
        assert count == EVENTS, count
        assert sum(len(turn.audio.pcm) for turn in s.turns) == ANSWERS * DELTAS * AUDIO_BYTES
        assert s.events.audio.lanes["output"].waiting == s.events.lines.waiting == 0
        return used, io_used


def openai_python(url: str, *, beta: bool) -> float:
    """CPU seconds of openai-python's realtime connection."""

    async def main() -> float:
        client = AsyncOpenAI(api_key="bench", websocket_base_url=url.removesuffix("/realtime"))
        options: Any = {"compression": None, "max_size": None}
        realtime: Any = client.beta.realtime if beta else client.realtime
        async with realtime.connect(model="step", websocket_connection_options=options) as connection:
            await connection.recv()
            left = ANSWERS
            start = time.process_time()
            await connection.response.create()
            async for event in connection:
                left -= event.type == "response.done"
                if not left:
                    break
            return time.process_time() - start

    return asyncio.run(main())


def vendor(url: str) -> float:
    """CPU seconds of the vendor's client."""

    async def main() -> float:
        client = RealtimeClient(url=url, secret="bench")
        left = ANSWERS
        done = asyncio.Event()

        def handler(event: dict[str, Any]) -> None:
            nonlocal left
            left -= event["type"] == "response.done"
            if not left:
                done.set()

        await client.api.connect(model="step")
        await client.wait_for_session_created()
        client.api.on("server.*", handler)
        start = time.process_time()
        await client.api.send({"type": "response.create"})
        await asyncio.wait_for(done.wait(), 120)
        used = time.process_time() - start
        heard = sum(len(item["formatted"]["audio"]) for item in client.conversation.items)
        assert heard == ANSWERS * DELTAS * AUDIO_BYTES
        await client.disconnect()
        return used

    return asyncio.run(main())


def _alone(client: Callable[[str], T], url: str) -> T:
    """Measure a client without the garbage of the one before."""
    gc.collect()
    return client(url)


def measure(url: str) -> dict[str, list[float]]:
    """Return the CPU seconds of every client, by turns."""
    used: dict[str, list[float]] = defaultdict(list)
    for _ in range(REPEATS):
        used[BARE].append(_alone(bare, url))
        both, io_alone = _alone(stepnb, url)
        used[STEPNB].append(both)
        used[NETWORK].append(io_alone)
        used[OPENAI].append(_alone(functools.partial(openai_python, beta=False), url))
        used["openai-python, beta"].append(_alone(functools.partial(openai_python, beta=True), url))
        used["stepfun-realtime-api"].append(_alone(vendor, url))
    return used


BARE, OPENAI = "bare websockets + msgspec", "openai-python"
STEPNB, NETWORK = "stepnb", "  its network thread"


def main() -> bool:
    """Print the table; return whether the goals are met."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    used = measure(f"ws://127.0.0.1:{ours.recv()}/v1/realtime")
    ours.send(None)
    server.join(10)
    median = {name: statistics.median(seconds) for name, seconds in used.items()}
    print(
        f"{EVENTS} events, {ANSWERS * DELTAS} with 100 ms of audio; CPU of all threads, median of {REPEATS}"
    )
    for name, seconds in median.items():
        each, least = seconds / EVENTS * 1e6, min(used[name]) / EVENTS * 1e6
        print(
            f"  {name:26} {each:6.1f} us an event (least {least:5.1f}) {seconds / median[BARE]:6.2f} x bare"
        )
    # Turn by turn, for the machine is faster at some times than at others.
    of_bare = statistics.median(ours / floor for ours, floor in zip(used[STEPNB], used[BARE], strict=True))
    of_openai = median[STEPNB] / median[OPENAI]
    print(f"stepnb, spool written: {of_bare:.2f} x bare (goal {MOST_OF_BARE})")
    print(f"stepnb, spool written: {of_openai:.2f} x openai-python (goal {MOST_OF_OPENAI})")
    return of_bare <= MOST_OF_BARE * NOISE and of_openai <= MOST_OF_OPENAI


if __name__ == "__main__":
    sys.exit(not main())
