"""A session without a socket, with scripted ears, mouth and brain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from stepnb.audio.pcm import encode
from stepnb.local.outbox import Entry, Hangup
from stepnb.local.parts import BrainReply, BrainRequest, Heard, StreamingBrain, ToolCall, VoiceSettings
from stepnb.local.profile import LIVE, Profile
from stepnb.local.turns import Session, Setup
from tests.engine.order import Event, OrderChecker

MODEL = "stepaudio-2.5-realtime"
VAD = {
    "type": "server_vad",
    "prefix_padding_ms": 100,
    "silence_duration_ms": 100,
    "energy_awakeness_threshold": 1000,
}
WAIT_S = 10.0


def tone(ms: int, level: int = 8000) -> bytes:
    samples = level * np.sin(np.arange(24 * ms) * 2 * np.pi * 200 / 24000)
    return bytes(samples.astype("<i2"))


def silence(ms: int) -> bytes:
    return bytes(48 * ms)


class ScriptedEars:
    def __init__(self, text: str = "hello there") -> None:
        self.text = text
        self.heard: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def hear(self, pcm: bytes) -> Heard:
        self.heard.append(pcm)
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return Heard(self.text, 1.0)

    async def close(self) -> None: ...


class ScriptedMouth:
    """100 ms of sound per word; may be stopped before a sentence."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.allowed = asyncio.Semaphore(1000)
        self.failure: Exception | None = None

    async def speak(self, text: str, voice: VoiceSettings) -> bytes:
        self.spoken.append(text)
        await self.allowed.acquire()
        if self.failure:
            raise self.failure
        return tone(100 * len(text.split()))

    async def close(self) -> None: ...


class ScriptedBrain:
    def __init__(self, text: str = "One two three. Four five six.") -> None:
        self.text = text
        self.thinking = ""
        self.calls: tuple[ToolCall, ...] = ()
        self.requests: list[BrainRequest] = []
        self.failure: Exception | None = None

    def reply(self, request: BrainRequest) -> BrainReply:
        self.requests.append(request)
        if self.failure:
            raise self.failure
        return BrainReply(text=self.text, language="en", thinking=self.thinking, calls=self.calls)


class Desk:
    """A session without a socket."""

    def __init__(
        self,
        profile: Profile = LIVE,
        model: str = MODEL,
        brain: StreamingBrain | None = None,
        *,
        orderly: bool = True,
    ) -> None:
        self.ears, self.mouth, self.brain = ScriptedEars(), ScriptedMouth(), ScriptedBrain()
        self.events: list[Event] = []
        self.order = OrderChecker()
        self.hangup: Hangup | None = None
        self._orderly = orderly
        self._arrived = asyncio.Event()
        setup = Setup(
            ears=self.ears,
            mouth=self.mouth,
            brain=brain or self.brain,
            voice_settings=lambda _: VoiceSettings(),
            profile=profile,
            seed=3,
            speed=None,
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC),
        )
        self.session = Session(setup, 1, model, self._take, self._room)
        self.session.start()

    def _take(self, entry: Entry) -> None:
        if isinstance(entry, Hangup):
            self.hangup = entry
            return
        assert isinstance(entry, str)
        event = json.loads(entry)
        self.events.append(event)
        if self._orderly:
            self.order.feed(event)
        self._arrived.set()

    async def _room(self) -> None:
        await asyncio.sleep(0)

    def send(self, type: str, **body: Any) -> None:
        self.session.handle(json.dumps({"type": type, "event_id": "mine", **body}))

    async def until(self, type: str, count: int = 1) -> Event:
        """Wait until `count` events of this type have come; returns the last of them."""
        async with asyncio.timeout(WAIT_S):
            while len(found := self.all(type)) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return found[count - 1]

    def all(self, type: str) -> list[Event]:
        return [event for event in self.events if event["type"] == type]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def refused(self, type: str, **body: Any) -> Event:
        """Send what must be refused; returns the error."""
        before = len(self.events)
        self.send(type, **body)
        (event,) = self.events[before:]
        assert event["type"] == "error" and event["error"]["event_id"] == "mine"
        error: Event = event["error"]
        return error

    def say(self, text: str) -> Event:
        content = [{"type": "input_text", "text": text}]
        self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        item: Event = self.events[-1]["item"]
        return item

    async def ask(self, text: str = "hi", **body: Any) -> Event:
        count = len(self.all("response.done")) + 1
        self.say(text)
        self.send("response.create", **body)
        return await self.until("response.done", count)

    def vad(self) -> None:
        self.send("session.update", session={"turn_detection": VAD})
        assert self.types[-1] == "session.updated"

    def append(self, pcm: bytes) -> None:
        self.send("input_audio_buffer.append", audio=encode(pcm))


def run(script: Callable[[Desk], Awaitable[None]], profile: Profile = LIVE, **desk_options: Any) -> Desk:
    """Run a script at a desk and close its session."""

    async def main() -> Desk:
        desk = Desk(profile, **desk_options)
        try:
            await script(desk)
        finally:
            await desk.session.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return desk

    return asyncio.run(main())
