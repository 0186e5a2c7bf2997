"""`Hub`: who is told what. Status, notices, changes and events on their way out of a session. I/O thread only."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..conversation.reducer import Change
from ..protocol.codec import AnyEvent
from .status import Level, Notice, Status
from .subscription import Subscription

logger = logging.getLogger("stepnb")

# Events that follow one another so soon are handed over together, s: waking another thread costs more than an event.
_TOGETHER = 0.002


class Listener(Protocol):
    """Somebody who follows a session; must return at once."""

    def on_change(self, change: Change, pcm: bytes | None) -> None: ...
    def on_status(self, status: Status) -> None: ...
    def on_notice(self, notice: Notice) -> None: ...
    def on_flush(self, flush_id: int) -> None: ...
    def on_config(self) -> None: ...


class Hub:
    """Hands changes to the listeners, which are ours, and events to the subscriptions, which are the user's."""

    def __init__(self) -> None:
        self.status = Status("idle")
        self.notices: deque[Notice] = deque(maxlen=500)
        self.listeners: list[Listener] = []
        self.subscriptions: list[Subscription] = []
        self._events: list[AnyEvent] = []
        self._handing_over: asyncio.Handle | None = None
        self._handed_over = 0.0  # when, by the loop's clock

    def change(self, change: Change, pcm: bytes | None) -> None:
        if self.listeners:
            self._tell(lambda listener: listener.on_change(change, pcm))

    def set_status(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self._tell(lambda listener: listener.on_status(status))

    def notice(self, level: Level, text: str, fix: str = "") -> Notice:
        note = Notice(level, text, fix)
        self.notices.append(note)
        logger.log(logging.INFO if level == "info" else logging.WARNING, "%s", note)
        self._tell(lambda listener: listener.on_notice(note))
        return note

    def flush(self, flush_id: int) -> None:
        self._tell(lambda listener: listener.on_flush(flush_id))

    def config_changed(self) -> None:
        self._tell(lambda listener: listener.on_config())

    def event(self, event: AnyEvent) -> None:
        if not self.subscriptions:
            return
        self._events.append(event)
        if self._handing_over is None:
            loop = asyncio.get_running_loop()
            self._handing_over = loop.call_at(self._handed_over + _TOGETHER, self._hand_over)

    def _hand_over(self) -> None:
        self._handing_over = None
        self._handed_over = asyncio.get_running_loop().time()
        events, self._events = self._events, []
        for subscription in self.subscriptions:
            subscription.push(events)

    def subscribe(self, subscription: Subscription) -> None:
        """Hand over every event from now on."""
        self._hand_over()
        self.subscriptions.append(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Hand over no more events."""
        if subscription in self.subscriptions:
            self.subscriptions.remove(subscription)
        subscription.end()

    def end(self) -> None:
        self._hand_over()
        for subscription in self.subscriptions:
            subscription.end()

    def _tell(self, call: Callable[[Listener], None]) -> None:
        for listener in list(self.listeners):
            try:
                call(listener)
            except Exception as error:
                # A page or a kernel that is going away may fail at any moment; the session goes on without it.
                logger.exception("A display of the session failed")
                if listener in self.listeners:
                    self.listeners.remove(listener)
                self.notices.append(
                    Notice("error", f"A display of the session failed and is left out: {error!r}")
                )
