"""A small client of the engine over a real socket; every event it receives passes the order checker."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

from stepnb.local.engine import LocalEngine
from tests.engine.order import Event, OrderChecker

MODEL = "stepaudio-2.5-realtime"
TIMEOUT_S = 60.0
VAD = {
    "type": "server_vad",
    "prefix_padding_ms": 500,
    "silence_duration_ms": 500,
    "energy_awakeness_threshold": 800,
}


class Client:
    """One session; `orderly`: what comes must keep the order rules."""

    def __init__(self, engine: LocalEngine, model: str = MODEL, *, orderly: bool = True) -> None:
        self.events: list[Event] = []
        self.order = OrderChecker()
        self._orderly = orderly
        self._sent = 0
        self.socket: ClientConnection = connect(
            f"{engine.url}?model={model}",
            additional_headers={"Authorization": f"Bearer {engine.key}"},
            max_size=None,
            max_queue=None,  # what comes while a test only sends must not stop the engine
            compression=None,
            proxy=None,
        )

    def __enter__(self) -> Self:
        self.socket.__enter__()
        self.created = self.receive()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, type: str, **body: Any) -> str:
        """Send an event; returns its event_id."""
        self._sent += 1
        event_id = f"c_{self._sent}"
        self.socket.send(json.dumps({"type": type, "event_id": event_id, **body}))
        return event_id

    def receive(self, timeout: float = TIMEOUT_S) -> Event:
        event: Event = json.loads(self.socket.recv(timeout))
        self.events.append(event)
        if self._orderly:
            self.order.feed(event)
        return event

    def until(self, type: str, where: Callable[[Event], bool] = lambda _: True) -> list[Event]:
        """Receive up to an event of this type, included."""
        deadline = time.monotonic() + TIMEOUT_S
        received = []
        while True:
            received.append(self.receive(max(0.0, deadline - time.monotonic())))
            if received[-1]["type"] == type and where(received[-1]):
                return received

    def update(self, **session: Any) -> Event:
        self.send("session.update", session=session)
        (event,) = self.until("session.updated")[-1:]
        return event

    def add_text(self, text: str) -> Event:
        """Create a user message; returns its acknowledgement."""
        content = [{"type": "input_text", "text": text}]
        self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        return self.until("conversation.item.created")[-1]

    def ask(self, text: str, **response: Any) -> list[Event]:
        """One text turn; returns the events of its response."""
        self.add_text(text)
        self.send("response.create", **({"response": response} if response else {}))
        return self.until("response.done")

    def append(self, pcm: bytes, chunk: int = 4800) -> None:
        for start in range(0, len(pcm), chunk):
            self.send("input_audio_buffer.append", audio=b64(pcm[start : start + chunk]))

    def refusal(self, type: str, **body: Any) -> Event:
        """Send an event that must be refused; returns the error."""
        event_id = self.send(type, **body)
        event = self.receive()
        assert event["type"] == "error", event
        assert event["error"]["event_id"] == event_id
        error: Event = event["error"]
        return error


def b64(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode()


def audio_of(events: list[Event]) -> bytes:
    """The audio of the deltas among these events."""
    return b"".join(
        base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta"
    )


def transcript_of(events: list[Event]) -> str:
    """The text of the deltas among these events."""
    kinds = ("response.audio_transcript.delta", "response.text.delta")
    return "".join(event["delta"] for event in events if event["type"] in kinds)


def silence(ms: int) -> bytes:
    return bytes(48 * ms)
