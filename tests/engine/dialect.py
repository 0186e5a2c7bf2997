"""What the tests of the protocol's dialects share: services that say odd things, and listeners of a session."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable
from typing import Any

import stepnb as sn
from tests.engine.scripted import Event, ScriptedServer, Step
from tests.engine.test_session_tools import Waiter, session


def echo(**changes: Any) -> Callable[[Event], Iterable[Event]]:
    """Answer a session.update with what it said, apart from the changes."""
    return lambda event: [{"type": "session.updated", "session": event["session"] | changes}]


def settings(*steps: Step, **options: Any) -> tuple[sn.Session, ScriptedServer]:
    """Connect to a service whose steps answer the session.update."""
    with ScriptedServer(*steps, settings=False) as server, session(server, **options) as s:
        s.connect(timeout=5)
    return s, server


def refusal(text: str, event_id: str | None = None, **more: Any) -> Event:
    return {
        "type": "error",
        "error": {"message": text, **more} | ({"event_id": event_id} if event_id else {}),
    }


def audio(response: str, item: str, ms: int) -> Event:
    delta = base64.b64encode(b"\1\0" * (24 * ms)).decode()
    return {"type": "response.audio.delta", "response_id": response, "item_id": item, "delta": delta}


class Watcher(Waiter):
    """Is woken by notices and settings too."""

    def on_notice(self, notice: object) -> None:  # type: ignore[override]
        self.on_status(notice)

    def on_config(self) -> None:  # type: ignore[override]
        self.on_status(None)


class Player:
    """Plays nothing, and says at every flush how much of an item was heard."""

    def __init__(self, s: sn.Session, item: str, heard_ms: float, unplayed_ms: float) -> None:
        self._core, self._report = s._core, (item, heard_ms, unplayed_ms)
        self.flushes = 0
        self._core.loop.call_soon_threadsafe(self._core.hub.listeners.append, self)

    def on_flush(self, flush_id: int) -> None:
        self.flushes += 1
        self._core.loop.call_soon(self._core.bargein.flushed, flush_id, *self._report, time.monotonic_ns())

    def ignore(self, *_: object) -> None: ...

    on_change = on_status = on_notice = on_config = ignore
