"""Following a session's events: by callback on the user's loop thread, or as a stream on one's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from ..errors import ConfigError
from ..protocol.codec import AnyEvent
from ..service.loop import user_thread
from .core import SessionCore
from .subscription import Callback, Subscription, deliver


def call_back(core: SessionCore, type: str, callback: Callback) -> Callable[[], None]:
    """Call back for every event of a type, "*" for all; return what ends it."""
    if not callable(callback):
        raise ConfigError("on() takes a function of the event.", fix='Write s.on("response.done", print).')
    subscription = Subscription(user_thread.loop, None if type == "*" else type)

    def failed(callback: Callback, error: Exception) -> None:
        name = getattr(callback, "__name__", repr(callback))
        text = f"Your callback {name} for {type!r} failed: {error!r}"
        core.loop.call_soon_threadsafe(core.notice, "error", text)

    core.loop.call_soon_threadsafe(core.hub.subscribe, subscription)
    user_thread.submit(deliver(subscription, callback, failed))
    return lambda: _end(core, subscription)


async def follow(core: SessionCore) -> AsyncIterator[AnyEvent]:
    """Yield every event from now on, until the session closes."""
    subscription = Subscription(asyncio.get_running_loop())
    core.loop.call_soon_threadsafe(core.hub.subscribe, subscription)
    try:
        async for event in subscription:
            yield event
    finally:
        _end(core, subscription)


def _end(core: SessionCore, subscription: Subscription) -> None:
    core.loop.call_soon_threadsafe(core.hub.unsubscribe, subscription)
