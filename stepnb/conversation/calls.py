"""The model's calls of functions: who called what with which arguments, and what came of it."""

from __future__ import annotations

from typing import Any

from ..protocol import events as ev
from .book import Book, Change
from .state import ResponseState, ToolCallState, TurnState


class CallSide:
    """Puts calls together from whichever events carry them.

    A call is ready when its final arguments and its name are known, at the latest when its response is done. A ``call``
    change says so, once. When the response is done and every call of it has a result, an ``outputs`` change says, once,
    that the service is owed the results and a request for the follow-up: whatever came last of them says it.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def item(self, info: ev.Item, response_id: str | None, *, done: bool) -> list[Change]:
        """An item of type function_call was announced or, with all of its arguments, finished."""
        response = self._response_of(info.id, response_id)
        call = self._call(response, info.call_id)
        if response is None or call is None:
            return []
        call.name = info.name or call.name
        call.item = info.id or call.item
        if done and info.status != "incomplete":
            call.final_arguments = call.final_arguments or info.arguments
        return self._news(response, call)

    def arguments_delta(self, event: ev.FunctionCallArgumentsDelta) -> list[Change]:
        """A piece of the arguments came: progress, nothing to act on."""
        response = self._response_of(event.item_id, event.response_id)
        call = self._call(response, event.call_id or self._call_id_of(response, event.item_id))
        if response is None or call is None:
            return []
        call.name = event.name or call.name
        call.arriving += event.delta or event.arguments or ""
        return self._news(response, call)

    def arguments_done(self, event: ev.FunctionCallArgumentsDone) -> list[Change]:
        """The arguments are complete."""
        response = self._response_of(event.item_id, event.response_id)
        call = self._call(response, event.call_id or self._call_id_of(response, event.item_id))
        if response is None or call is None:
            return []
        call.name = event.name or call.name
        call.final_arguments = call.final_arguments or event.arguments
        return self._news(response, call)

    def collect(self, info: ev.ResponseInfo) -> ResponseState | None:
        """A response ends: take from its summary the calls no event had brought; return it, unless it had ended."""
        response = self._book.responses.get(self._book.scoped(info.id)) if info.id else self._book.active
        if response is None or response.status != "in_progress":
            return None
        for item in info.output or []:
            call = self._call(response, item.call_id) if item.type == "function_call" else None
            if call is not None:
                call.name = item.name or call.name
                call.item = item.id or call.item
                call.final_arguments = call.final_arguments or item.arguments
        return response

    def close(self, response: ResponseState) -> list[Change]:
        """A response has ended: what is known of its calls now is all there will be."""
        changes = [change for call in response.calls.values() for change in self._make_ready(response, call)]
        return changes + self._follow_up(response)

    def started(self, data: dict[str, Any], t: int) -> list[Change]:
        """The session asks for approval of a call, or runs it."""
        response, call = self._known(data)
        if call.ended:
            return []
        call.status = data["status"]
        if call.status == "running":
            call.started = t
        return self._changed(response)

    def ended(self, data: dict[str, Any], t: int) -> list[Change]:
        """A call has a result; one that comes after its turn has ended counts for nothing."""
        response, call = self._known(data)
        if call.ended:
            return []
        call.status, call.output, call.error = data["status"], data["output"], data.get("error")
        call.finished = t
        return self._changed(response) + self._follow_up(response)

    def sent(self, turn: TurnState, call_id: str | None) -> None:
        """A result is on its way to the service."""
        for call in self._book.calls(turn):
            if call.call_id == call_id and call.output is not None and not call.sent:
                call.sent = True
                return

    def _follow_up(self, response: ResponseState) -> list[Change]:
        turn = self._book.turns.get(response.turn or 0)
        if turn is None or turn.ended or response.status == "in_progress":
            return []
        if not response.calls or not all(call.ended for call in response.calls.values()):
            return []
        return [Change("outputs", turn.id)]

    def _make_ready(self, response: ResponseState, call: ToolCallState) -> list[Change]:
        turn = self._book.turns.get(response.turn or 0)
        if call.status != "arriving" or turn is None or turn.ended or response.discarded:
            return []
        call.status = "ready"
        return [Change("call", turn.id, call=(response.id, call.call_id)), Change("turn", turn.id)]

    def _news(self, response: ResponseState, call: ToolCallState) -> list[Change]:
        if call.name and call.final_arguments:
            return self._make_ready(response, call)
        return self._changed(response)

    def _changed(self, response: ResponseState) -> list[Change]:
        return [Change("turn", response.turn)] if response.turn is not None else []

    def _known(self, data: dict[str, Any]) -> tuple[ResponseState, ToolCallState]:
        response = self._book.responses[data["response"]]
        return response, response.calls[data["call"]]

    def _response_of(self, item_id: str | None, response_id: str | None) -> ResponseState | None:
        item = self._book.items.get(self._book.scoped(item_id)) if item_id else None
        if item is not None and item.response is not None:
            return self._book.responses.get(item.response)
        return self._book.response(response_id)

    def _call_id_of(self, response: ResponseState | None, item_id: str | None) -> str | None:
        calls = response.calls.values() if response else ()
        return next((call.call_id for call in calls if item_id and call.item == item_id), None)

    def _call(self, response: ResponseState | None, call_id: str | None) -> ToolCallState | None:
        if response is None or call_id is None:
            return None
        call = response.calls.get(call_id)
        if call is None and response.status == "in_progress":
            call = response.calls[call_id] = ToolCallState(call_id)
        return call
