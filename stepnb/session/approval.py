"""`Approvals`: calls that may be made only when somebody says so. I/O thread only.

Who decides first, decides: the session's callback, a button in the panel, or ``session.approve`` and ``session.deny``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigError
from .tools import Approve, Tool, ToolCall
from .usercode import UserCode, cancelled, said

if TYPE_CHECKING:
    from .core import SessionCore

# Somebody has to look at the call first, s.
APPROVAL_TIMEOUT = 120.0

CallKey = tuple[str, str]  # response, call id


class _Pending(NamedTuple):
    turn: int
    call: ToolCall
    decision: asyncio.Future[bool]


class Approvals:
    """The calls of one session that await a decision.

    Parameters
    ----------
    approve
        What `Session` was given: a callback, True to ask for every call, or None to ask only where a tool wants it.
    user_code
        Runs the callback.

    Attributes
    ----------
    page_beside_cells
        Whether a page's message has ever been taken in beside the main thread: then a button works while a cell is
        busy, too.
    """

    def __init__(self, core: SessionCore, approve: Approve | bool | None, user_code: UserCode) -> None:
        self.approve = approve
        self.page_beside_cells = False
        self._core = core
        self._user_code = user_code
        self._pending: dict[CallKey, _Pending] = {}
        self._alarms: dict[Future[ToolCall], Callable[[], int | None]] = {}

    def wanted(self, tool: Tool) -> bool:
        """Whether a call of the tool needs a decision."""
        return bool(self.approve) if tool.approve is None else tool.approve

    async def refusal(self, turn: int, key: CallKey, call: ToolCall) -> str | None:
        """Wait for the decision about a call; return why it may not be made, None when it may."""
        decision = asyncio.get_running_loop().create_future()
        self._pending[key] = _Pending(turn, call, decision)
        asked = None
        if callable(self.approve):
            asked = asyncio.ensure_future(self._ask(self.approve, key, call))
        else:
            self._alarm()
        try:
            async with asyncio.timeout(APPROVAL_TIMEOUT):
                allowed = await decision
        except TimeoutError:
            return f"nobody approved it within {APPROVAL_TIMEOUT:.0f} s"
        finally:
            del self._pending[key]
            if asked is not None:
                asked.cancel()
        return None if allowed else "the person did not approve it"

    def decide(self, call_id: str, *, allow: bool, by: str) -> None:
        """Decide about a call that waits; by: who does, for the log.

        Raises
        ------
        ConfigError
            No such call waits any more.
        """
        for key, pending in self._pending.items():
            if key[1] == call_id and not pending.decision.done():
                self._settle(key, allow, by)
                return
        raise ConfigError(
            f"No call {call_id!r} awaits approval.",
            fix="It was decided already, its time ran out, or its turn has ended.",
        )

    def _settle(self, key: CallKey, allow: bool, by: str) -> None:
        pending = self._pending.get(key)
        if pending is not None and not pending.decision.done():
            record = {"response": key[0], "call": key[1], "allow": allow, "by": by}
            self._core.log.append_local("approval", record)
            pending.decision.set_result(allow)

    async def _ask(self, approve: Approve, key: CallKey, call: ToolCall) -> None:
        allowed = False
        try:
            allowed = await self._user_code.call(approve, call) is True
        except asyncio.CancelledError:
            if cancelled():
                raise
        except Exception as error:  # noqa: BLE001 - user code may raise anything; then it is no approval
            text = f"The approve callback failed, so {call.name} was not called: {said(error)}"
            self._core.notice("error", text)
        self._settle(key, allowed, "callback")

    # Whoever waits where nobody can decide ------------------------------------------------------------------------

    def watch(self, alarm: Future[ToolCall], turn: Callable[[], int | None]) -> None:
        """Resolve the alarm with the first call of a turn that only a person can decide about."""
        self._alarms[alarm] = turn
        self._alarm()

    def unwatch(self, alarm: Future[ToolCall]) -> None:
        """Nobody waits there any more."""
        self._alarms.pop(alarm, None)

    def _alarm(self) -> None:
        if callable(self.approve) or self.page_beside_cells:
            return
        for alarm, turn in self._alarms.items():
            call = next((waits.call for waits in self._pending.values() if waits.turn == turn()), None)
            if call is not None and not alarm.done():
                alarm.set_result(call)
