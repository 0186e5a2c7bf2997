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

    _subscribe(core, subscription)
    user_thread.submit(deliver(subscription, callback, failed))
    return lambda: _unsubscribe(core, subscription)


async def follow(core: SessionCore) -> AsyncIterator[AnyEvent]:
    """Yield every event from now on, until the session closes."""
    subscription = Subscription(asyncio.get_running_loop())
    _subscribe(core, subscription)
    try:
        async for event in subscription:
            yield event
    finally:
        _unsubscribe(core, subscription)


def _subscribe(core: SessionCore, subscription: Subscription) -> None:
    core.loop.call_soon_threadsafe(core.hub.subscriptions.append, subscription)


def _unsubscribe(core: SessionCore, subscription: Subscription) -> None:
    def remove() -> None:
        if subscription in core.hub.subscriptions:
            core.hub.subscriptions.remove(subscription)
        subscription.end()

    core.loop.call_soon_threadsafe(remove)
