"""`Book`: the items, responses and turns of a conversation, and who belongs to whom."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ..errors import StepnbError
from .state import ItemState, ResponseState, TurnKind, TurnState

ChangeKind = Literal["turn", "ended", "audio", "audio_end", "speech", "notice"]


class Change(NamedTuple):
    """Something that is different now.

    Attributes
    ----------
    kind
        ``turn``: a turn's text, status or figures; ``ended``: it came to its end; ``audio`` and ``audio_end``: speech
        of an item that is to be played; ``speech``: the service heard speech start or stop; ``notice``: something to
        tell.
    turn, item
        Whom it concerns.
    on
        Start or stop of speech.
    error
        What to tell.
    """

    kind: ChangeKind
    turn: int | None = None
    item: str | None = None
    on: bool = False
    error: StepnbError | None = None


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
        response = self.responses.get(response_id or "") or self.active
        if item.response is None and response is not None:
            item.response = response.id
            response.items.append(item.id)

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

    def fail(self, turn_id: int, error: StepnbError, t: int) -> list[Change]:
        """End a turn without an answer, unless it has ended."""
        turn = self.turns[turn_id]
        if turn.ended:
            return []
        turn.status, turn.error = "failed", error
        turn.stamp("done", t)
        return [Change("turn", turn_id, error=error), Change("ended", turn_id, error=error)]
