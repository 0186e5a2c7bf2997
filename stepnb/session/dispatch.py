"""`Dispatcher`: runs the functions the model calls, away from the I/O thread, and hands their results back.

What a tool raises becomes text for the model and a notice for the user.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..conversation.reducer import Change, turn_event_id
from ..conversation.state import ToolCallState, ToolStatus
from ..protocol import events as ev
from .approval import Approvals, CallKey
from .tools import Approve, Tool, ToolCall, text_for_model
from .usercode import UserCode, cancelled, said

if TYPE_CHECKING:
    from .core import SessionCore

logger = logging.getLogger("stepnb")

CALLS_PER_TURN = 8
# Results of calls that are kept for display; they may be large.
KEPT_RESULTS = 100
_LONGEST_ERROR = 2000


class _Outcome(NamedTuple):
    status: ToolStatus
    output: str
    error: str | None = None
    result: Any = None


class Dispatcher:
    """Runs the calls of one session. I/O thread only, apart from `view`.

    Parameters
    ----------
    core
        The session; its settings hold the tools.
    record
        Logs a local record and has the conversation take it in.
    approve
        Who is asked before calls; see `Session`.

    Attributes
    ----------
    approvals
        The calls that await a decision.
    """

    def __init__(
        self,
        core: SessionCore,
        record: Callable[[str, dict[str, Any]], None],
        approve: Approve | bool | None,
    ) -> None:
        self._user_code = UserCode()
        self.approvals = Approvals(core, approve, self._user_code)
        self._core = core
        self._record = record
        self._running: dict[int, set[asyncio.Task[None]]] = {}  # turn -> its calls
        self._results: OrderedDict[CallKey, Any] = OrderedDict()

    @property
    def busy(self) -> bool:
        """Whether anything is being run."""
        return bool(self._running)

    def on_change(self, change: Change) -> None:
        """Follow the conversation."""
        if change.turn is None:
            return
        match change.kind:
            case "call" if change.call is not None:
                self._begin(change.turn, change.call)
            case "outputs":
                self._core.asking.want(change.turn)
            case "ended":
                for task in self._running.get(change.turn, ()):
                    task.cancel()

    def send_outputs(self, number: int) -> None:
        """Send the results of a turn that have not been sent."""
        conversation = self._core.conversation
        for n, call in enumerate(conversation.calls(conversation.turns[number]), start=1):
            if call.output is not None and not call.sent:
                item = ev.Item(type="function_call_output", call_id=call.call_id, output=call.output)
                self._core.send(
                    ev.ConversationItemCreate(item=item, event_id=turn_event_id(number, f"output{n}"))
                )

    def view(self, response: str, call: ToolCallState) -> ToolCall:
        """Return a call as the user sees it."""
        return view_of(call, self._results.get((response, call.call_id)))

    # Running ------------------------------------------------------------------------------------------------------

    def _begin(self, number: int, key: CallKey) -> None:
        task = self._core.spawn(self._run(number, key))
        running = self._running.setdefault(number, set())
        running.add(task)

        def forget(task: asyncio.Task[None]) -> None:
            running.discard(task)
            if not running and self._running.get(number) is running:
                del self._running[number]
            self._core.activity()  # the status says whether something runs

        task.add_done_callback(forget)

    async def _run(self, number: int, key: CallKey) -> None:
        conversation = self._core.conversation
        response, call_id = key
        call = conversation.responses[response].calls[call_id]
        calls = conversation.calls(conversation.turns[number])
        if [other is call for other in calls].index(True) >= CALLS_PER_TURN:
            if any(other.sent for other in calls[CALLS_PER_TURN:]):
                # It was told, and goes on calling.
                self._core.asking.fail_turn(
                    number, f"The model did not stop calling tools after {CALLS_PER_TURN} calls."
                )
                return
            outcome = _failure(
                f"Not called: a turn may call {CALLS_PER_TURN} tools, and this is one more. "
                "Answer with what is known and call no further tools."
            )
        else:
            outcome = await self._outcome(number, key, call)
        if outcome.result is not None and not call.ended:
            self._results[key] = outcome.result
            while len(self._results) > KEPT_RESULTS:
                self._results.popitem(last=False)
        data = {"status": outcome.status, "output": outcome.output, "error": outcome.error}
        self._record("tool_result", {"response": response, "call": call_id} | data)

    async def _outcome(self, number: int, key: CallKey, call: ToolCallState) -> _Outcome:
        tools = [spec for spec in self._core.settings.config.tools if isinstance(spec, Tool)]
        tool = next((tool for tool in tools if tool.name == call.name), None)
        if tool is None:
            names = ", ".join(tool.name for tool in tools) or "none"
            return _failure(f"There is no tool called {call.name!r}. There are: {names}.")
        if self.approvals.wanted(tool):
            self._started(key, call, "awaiting approval")
            refusal = await self.approvals.refusal(number, key, view_of(call, None))
            if refusal is not None:
                return _Outcome("denied", f"The call was not made: {refusal}.", refusal)
        self._started(key, call, "running")
        try:
            async with asyncio.timeout(tool.timeout) as limit:
                return await self._call(tool, call.arguments)
        except asyncio.CancelledError:
            if cancelled():
                raise
            return self._raised(tool, "it was cancelled from within")
        except Exception as error:
            if limit.expired():
                return self._raised(tool, f"it took longer than {tool.timeout:g} s")
            logger.info("The tool %s failed", tool.name, exc_info=error)
            return self._raised(tool, said(error))

    async def _call(self, tool: Tool, text: str) -> _Outcome:
        arguments = await self._user_code.call(_decode, tool, text)
        if isinstance(arguments, msgspec.DecodeError):
            return _failure(f"The arguments are wrong: {arguments}. Call again with arguments that fit.")
        result = await self._user_code.call(tool.function, **arguments)
        return _Outcome("completed", await self._user_code.call(text_for_model, result), None, result)

    def _raised(self, tool: Tool, reason: str) -> _Outcome:
        reason = reason[:_LONGEST_ERROR]
        self._core.notice("warning", f"The tool {tool.name} failed: {reason}.", "The model was told so.")
        return _failure(f"The tool failed: {reason}.")

    def _started(self, key: CallKey, call: ToolCallState, status: ToolStatus) -> None:
        data = {"response": key[0], "call": key[1], "name": call.name, "status": status}
        self._record("tool_call", data)


def _decode(tool: Tool, text: str) -> dict[str, Any] | msgspec.DecodeError:
    # Returned, not raised: the function itself may raise the same error, and that is another matter.
    try:
        return tool.decode(text)
    except msgspec.DecodeError as error:
        return error


def _failure(reason: str) -> _Outcome:
    return _Outcome("failed", reason, reason)


def view_of(call: ToolCallState, result: Any) -> ToolCall:
    """Return a call as the user sees it, with what the function returned."""
    arguments: dict[str, Any] | str = call.arguments
    with contextlib.suppress(msgspec.DecodeError, RecursionError):  # else shown as it is
        arguments = msgspec.json.decode(call.arguments.strip() or "{}", type=dict[str, Any])
    return ToolCall(
        call.name, arguments, call.call_id, call.status, result, call.output, call.error, call.duration_ms
    )
