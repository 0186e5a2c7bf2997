"""`Recovery`: the service reports a fault of its own, so the session goes on with a new connection. I/O thread only.

About one session in seventy meets such a fault. The conversation is told again, and what had no answer is asked again,
unless the same happens again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConnectionLost
from ..protocol import events as ev
from ..protocol.codec import AnyEvent
from ..protocol.faults import Fault, as_exception, classify, failure_of

if TYPE_CHECKING:
    from .core import SessionCore

# New connections for faults with no answer between them.
MOST_RESTARTS = 2


class Recovery:
    """Replaces the connection when the service says that its engine failed."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self._restarts = 0

    def takes(self, event: AnyEvent) -> bool:
        """Take in an event; return whether the connection is being replaced because of it."""
        error = fault_in(event)
        if error is None:
            if isinstance(event, ev.ResponseDone) and event.response.status == "completed":
                self._restarts = 0
            return False
        if not self._core.lifeline.ready:
            return False  # who connects deals with it
        if self._restarts >= MOST_RESTARTS:
            self._give_up(event, error)
            return False
        self._restarts += 1
        self._core.lifeline.restart(ConnectionLost(f"The service had a fault of its own: {error.message}."))
        return True

    def _give_up(self, event: AnyEvent, info: ev.ErrorInfo) -> None:
        core = self._core
        error = as_exception(info, trace_id=core.lifeline.trace_id)
        number = (
            core.conversation.concerned(event) if isinstance(event, ev.ErrorEvent | ev.ResponseDone) else None
        )
        if number is None:
            core.notice("error", error.message, error.fix or "")
        else:
            core.asking.fail_turn(number, error.message, error.fix)


def fault_in(event: AnyEvent) -> ev.ErrorInfo | None:
    """Return the error of an event that tells of a fault of the service's engine."""
    match event:
        case ev.ErrorEvent():
            error = event.error
        case ev.ResponseDone() if event.response.status == "failed":
            error = failure_of(event.response)
        case _:
            return None
    return error if classify(error) is Fault.ENGINE else None
