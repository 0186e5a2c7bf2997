"""Following what a session says of itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import stepnb as sn
from stepnb.session.status import Status

TIMEOUT = 30


class States:
    """Follows the status of a session."""

    def __init__(self, session: sn.Session) -> None:
        self.seen: list[str] = []
        self.details: dict[str, str] = {}  # of each state, what was said first
        self._changed = threading.Condition()
        session._core.loop.call_soon_threadsafe(session._core.hub.listeners.append, self)

    def on_status(self, status: Status) -> None:
        with self._changed:
            self.seen.append(status.state)
            self.details.setdefault(status.state, status.detail)
            self._changed.notify_all()

    def wait_for(self, *states: str) -> None:
        """Wait until these have been seen, in this order."""

        def done() -> bool:
            rest = iter(self.seen)
            return all(state in rest for state in states)

        with self._changed:
            assert self._changed.wait_for(done, TIMEOUT), self.seen

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None
