"""`Book`: the items, responses and turns of a conversation, and who belongs to whom."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ..errors import StepnbError
from .state import ItemState, ResponseState, ToolCallState, TurnKind, TurnState

ChangeKind = Literal["turn", "ended", "audio", "audio_end", "speech", "notice", "call", "outputs"]


class Change(Struct, frozen=True, gc=False):
    """Something that is different now.

    Attributes
    ----------
    kind
        ``turn``: a turn's text, status or figures; ``ended``: it came to its end; ``audio`` and ``audio_end``: speech
        of an item that is to be played; ``speech``: the service heard speech start or stop; ``notice``: something to
        tell; ``call``: a function is to be called; ``outputs``: all that was called has a result, and the service is
        owed them with a request for the follow-up.
    turn, item
        Whom it concerns.
    on
        Start or stop of speech.
    error
        What to tell.
    call
        (response, call id) of the function call.
    """

    kind: ChangeKind
    turn: int | None = None
    item: str | None = None
    on: bool = False
    error: StepnbError | None = None
    call: tuple[str, str] | None = None


class Book:
    """The records, with the lookups between them.

    Attributes
    ----------
    active
        The running response.
    """

    def __init__(self) -> None:
        self.turns: dict[int, TurnState] = {}
        self.items: dict[str, ItemState] = {}
        self.responses: dict[str, ResponseState] = {}
        self.active: ResponseState | None = None
        self._connection = 0

    def disconnected(self) -> None:
        """The ids of the next connection are other ones, even where they read the same."""
        self._connection += 1
        self.active = None

    def scoped(self, wire_id: str) -> str:
        """Return an id of this connection as one that is unique in the conversation."""
        return wire_id if self._connection == 0 else f"{wire_id}~{self._connection}"

    def wire_id(self, item_id: str) -> str | None:
        """Return the id of an item on this connection, None for an item of an earlier one."""
        wire_id = item_id.removesuffix(f"~{self._connection}")
        return wire_id if item_id in self.items and self.scoped(wire_id) == item_id else None

    def next_turn(self) -> int:
        """Return the number of the next turn."""
        return len(self.turns) + 1

    def new_turn(self, kind: TurnKind) -> TurnState:
        turn = TurnState(self.next_turn(), kind)
        self.turns[turn.id] = turn
        return turn

    def item(self, item_id: str) -> ItemState:
        item = self.items.get(item_id)
        if item is None:
            item = self.items[item_id] = ItemState(item_id)
        return item

    def link(self, item: ItemState, response_id: str | None) -> None:
        """Note which response an item belongs to; a frame that does not say belongs to the running one."""
        response = self.response(response_id)
        if item.response is None and response is not None:
            item.response = response.id
            response.items.append(item.id)

    def response(self, wire_id: str | None) -> ResponseState | None:
        """Return the response a frame names; one that names none, or an unknown one, means the running one."""
        named = self.responses.get(self.scoped(wire_id)) if wire_id else None
        return named or self.active

    def turn_of_item(self, item_id: str) -> TurnState | None:
        item = self.items.get(item_id)
        response = self.responses.get(item.response or "") if item else None
        return self.turns.get(response.turn or 0) if response else None

    def changed(self, item: ItemState) -> list[Change]:
        turn = self.turn_of_item(item.id)
        return [Change("turn", turn.id, item.id)] if turn else []

    def answer(self, turn: TurnState) -> list[ItemState]:
        """Return the items the service made in a turn, in order."""
        responses = [self.responses[number] for number in list(turn.responses)]
        return [self.items[item] for response in responses for item in list(response.items)]

    def begun(self, turn: TurnState) -> bool:
        """Whether the service has said or called anything in a turn."""
        return bool(self.calls(turn)) or any(item.text or item.audio_bytes for item in self.answer(turn))

    def calls(self, turn: TurnState) -> list[ToolCallState]:
        """Return the functions the model called in a turn, in order."""
        responses = [self.responses[number] for number in list(turn.responses)]
        return [call for response in responses for call in list(response.calls.values())]

    def cancel_calls(self, turn: TurnState, t: int) -> None:
        """The turn ends: what is still called gets no result."""
        for call in self.calls(turn):
            if not call.ended:
                call.status, call.finished = "cancelled", t

    def fail(self, turn_id: int, error: StepnbError, t: int) -> list[Change]:
        """End a turn without an answer, unless it has ended."""
        turn = self.turns[turn_id]
        if turn.ended:
            return []
        turn.status, turn.error = "failed", error
        turn.stamp("done", t)
        self.cancel_calls(turn, t)
        return [Change("turn", turn_id, error=error), Change("ended", turn_id, error=error)]
