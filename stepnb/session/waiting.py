"""Waiting in a cell for the end of a turn."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any

from ..errors import ApprovalBlocked, TurnTimeout
from .cells import waits_alone
from .tools import ToolCall

if TYPE_CHECKING:
    from .core import SessionCore


def wait_for_ending(
    ending: Future[None], timeout: float | None, core: SessionCore | None, number: Callable[[], int | None]
) -> None:
    """Block until a turn has ended; see `Turn.wait`.

    Parameters
    ----------
    ending
        Resolved when the turn has ended.
    core
        The session, None for a turn of the past.
    number
        Returns the turn's number, None as long as it has none.
    """
    alarm: Future[ToolCall] = Future()
    both: tuple[Future[Any], ...] = (ending, alarm)
    approvals = core.tools.approvals if core is not None else None
    if core is not None and approvals is not None and waits_alone():
        core.loop.call_soon_threadsafe(approvals.watch, alarm, number)
    try:
        wait(both, timeout, return_when=FIRST_COMPLETED)
    finally:
        if core is not None and approvals is not None:
            core.loop.call_soon_threadsafe(approvals.unwatch, alarm)
    if ending.done():
        ending.result()
    elif alarm.done():
        name = alarm.result().name
        raise ApprovalBlocked(
            f"The call of {name} awaits your approval, and while this cell waits no button can be heard.",
            fix="The turn goes on: press the button now, or call session.approve(turn.tool_calls[0]). Next time let "
            "the cell end without wait(), decide in code with Session(approve=callback), or show the panel in "
            "JupyterLab 4.4 with ipykernel 7.4, or newer.",
        )
    else:
        fix = "Wait longer: t.wait(timeout=...), or look at session.status."
        raise TurnTimeout(f"The turn has not ended within {timeout:g} s; it goes on.", fix=fix)
