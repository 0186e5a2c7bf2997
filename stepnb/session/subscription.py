"""Handing events to the user's code, away from the I/O thread and with a bound."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from ..protocol.codec import AnyEvent

Callback = Callable[[AnyEvent], Any]
# Events a slow subscriber may lag behind before the oldest are dropped, and counted.
BACKLOG = 10_000


class Subscription:
    """Events on their way to one subscriber, which lives on an asyncio loop.

    Attributes
    ----------
    dropped
        Events lost because the subscriber was too slow.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, kind: str | None = None) -> None:
        self.dropped = 0
        self._kind = kind
        self._loop = loop
        # Filled on one thread and emptied on another; a deque needs no lock for that, and drops the oldest by itself.
        self._events: deque[AnyEvent] = deque(maxlen=BACKLOG)
        self._ready = asyncio.Event()
        self._awake = False
        self._ended = False

    def push(self, events: Sequence[AnyEvent]) -> None:
        """Queue events and have the subscriber take them. Called on the I/O thread."""
        if self._kind is not None:
            events = [event for event in events if event.type == self._kind]
        self.dropped += max(len(self._events) + len(events) - BACKLOG, 0)
        self._events.extend(events)
        if self._events and not self._awake:
            self._awake = True
            self._wake()

    def end(self) -> None:
        """No more events will come."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:
            self._ended = True  # the subscriber's loop is closed

    async def batches(self) -> AsyncIterator[deque[AnyEvent]]:
        """Yield what is queued, to be emptied from the left, as often as there is something."""
        while True:
            if not self._events:
                self._awake = False  # before it looks again: what comes from now on wakes it
                if not self._events:
                    if self._ended:
                        return
                    await self._ready.wait()  # ends with `end`, which every close of the session calls
                    self._ready.clear()
            yield self._events

    async def __aiter__(self) -> AsyncIterator[AnyEvent]:
        async for events in self.batches():
            while events:
                yield events.popleft()


async def deliver(
    subscription: Subscription, callback: Callback, failed: Callable[[Callback, Exception], None]
) -> None:
    """Call back for every event, on the user's loop thread; an exception is reported and the next event comes."""
    async for events in subscription.batches():
        while events:
            try:
                result = callback(events.popleft())
                if result is not None and inspect.isawaitable(result):
                    await result
            except Exception as error:  # noqa: BLE001 - user code may raise anything; it becomes a notice
                failed(callback, error)
