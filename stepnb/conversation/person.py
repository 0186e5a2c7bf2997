"""The person's side of a conversation: speech, messages that were sent, and what the service heard."""

from __future__ import annotations

from collections import deque

from ..protocol import events as ev
from .book import Book, Change
from .inputs import InputStream
from .state import TurnState


class PersonSide:
    """Finds out which turn the service's news about the person belongs to.

    Attributes
    ----------
    speaking
        Whether the service hears speech.
    spoken
        The speech turn the service still owes an answer to.
    """

    def __init__(self, book: Book) -> None:
        self.speaking = False
        self.spoken: int | None = None
        self.input = InputStream()
        self._book = book
        self._asked: deque[int] = (
            deque()
        )  # turns whose item is not acknowledged; 0: a message told of the past
        self._streamed: deque[int] = deque()  # turns that stream a clip and wait for speech to be heard
        self._by_item: dict[str, int] = {}  # a user item's turn

    def reset(self) -> None:
        """The connection is gone."""
        self._asked.clear()
        self._streamed.clear()
        self.spoken, self.speaking = None, False
        self.input.reset()

    def forget(self, turn: int) -> None:
        """A turn has ended without an answer."""
        for queue in (self._asked, self._streamed):
            if turn in queue:
                queue.remove(turn)
        if self.spoken == turn:
            self.spoken = None

    def streams(self, turn: int) -> None:
        """A turn streams a clip: the next speech is its own."""
        self._streamed.append(turn)

    def asked(self, turn: int) -> None:
        """A turn's message is on its way."""
        self._asked.append(turn)

    def speech_started(self, event: ev.SpeechStarted, t: int) -> list[Change]:
        self.speaking = True
        self.input.speech_started(event.audio_start_ms)
        turn = self._open_speech_turn()
        changes = []
        if turn is None:
            changes = self._supersede(t)
            turn = self._book.new_turn("speech")
        turn.stamp("speech_started", t)
        # The same words went on after a pause: the turn has no answer yet, and its clock starts again.
        for name in ("speech_stopped", "last_input"):
            turn.stamps.pop(name, None)
        if event.item_id and turn.item is None:
            self._claim(turn, self._book.scoped(event.item_id))
        self.spoken = turn.id
        return [*changes, Change("speech", turn.id, on=True), Change("turn", turn.id)]

    def _supersede(self, t: int) -> list[Change]:
        """The person speaks again before the last words were answered: those get no answer of their own."""
        turn = self._book.turns.get(self.spoken or 0)
        if turn is None or turn.ended or turn.responses:
            return []
        turn.status = "interrupted"
        turn.stamp("done", t)
        return [Change("turn", turn.id), Change("ended", turn.id)]

    def _open_speech_turn(self) -> TurnState | None:
        if self._streamed:
            turn = self._book.turns[self._streamed.popleft()]
            if not turn.ended:
                return turn
        turn_id = self.spoken
        turn_or_none = self._book.turns.get(turn_id) if turn_id is not None else None
        if turn_or_none is None or turn_or_none.ended or turn_or_none.responses:
            return None
        return None if "committed" in turn_or_none.stamps else turn_or_none

    def speech_stopped(self, event: ev.SpeechStopped, t: int) -> list[Change]:
        self.speaking = False
        changes = [Change("speech", self.spoken, on=False)]
        turn = self._book.turns.get(self.spoken or 0)
        if turn is not None:
            turn.stamp("speech_stopped", t)
            turn.stamps["last_input"] = self.input.sent_at(event.audio_end_ms) or t
            turn.input_audio += self.input.speech_stopped(event.audio_end_ms)
            changes.append(Change("turn", turn.id))
        return changes

    def committed(self, item_id: str | None, t: int) -> list[Change]:
        # Under VAD the service commits by itself; else the oldest unacknowledged turn did.
        turn = self._book.turns.get(self.spoken or 0)
        if turn is None or turn.ended or "committed" in turn.stamps:
            turn = self._book.turns.get(self._asked.popleft()) if self._asked else None
        if turn is None:
            return []
        changes = [Change("turn", turn.id)]
        if self.speaking and turn.id in self._asked:
            # Turn detection was switched off meanwhile: nobody else says that speech stopped.
            self.speaking = False
            changes.append(Change("speech", turn.id, on=False))
        for queue in (self._asked, self._streamed):
            if turn.id in queue:
                queue.remove(turn.id)
        turn.stamp("committed", t)
        if item_id:
            self._claim(turn, self._book.scoped(item_id))
        return changes

    def acknowledged(self, item_id: str, text: str, t: int) -> list[Change]:
        """The service took in a user message: the oldest that waits for it, unless it is known already."""
        changes = []
        if self._book.scoped(item_id) not in self._by_item and self._asked:
            turn = self._book.turns.get(self._asked.popleft())
            if turn is None:
                return []
            turn.stamp("committed", t)
            self._claim(turn, self._book.scoped(item_id))
            changes = [Change("turn", turn.id)]
        heard = self._book.turns.get(self._by_item.get(self._book.scoped(item_id), 0))
        # A written message comes back with its own text; of a spoken one it is what the service heard.
        if text and heard is not None and not heard.written:
            return self.transcribed(item_id, text, final=False)
        return changes

    def _claim(self, turn: TurnState, item_id: str) -> None:
        """The item is the turn's; a transcript may have been waiting under its id."""
        turn.item = item_id
        self._by_item[item_id] = turn.id
        item = self._book.item(item_id)
        item.role = "user"
        if item.text and not turn.written:
            turn.user_transcript = item.text
            turn.transcript_final = item.status == "transcribed"

    def transcribed(self, item_id: str | None, text: str | None, *, final: bool) -> list[Change]:
        number = self._by_item.get(self._book.scoped(item_id)) if item_id else self.spoken
        turn = self._book.turns.get(number or 0)
        if turn is None:
            if item_id:
                # Early: kept under the item until a turn claims it.
                item = self._book.item(self._book.scoped(item_id))
                item.text, item.status = text or item.text, "transcribed" if final else item.status
            return []
        if turn.transcript_final and not final:
            return []
        if text is not None:
            turn.user_transcript = text
        turn.transcript_final = turn.transcript_final or final
        return [Change("turn", turn.id)]


def text_of(item: ev.Item) -> str:
    """Return the text of an item, under whichever key its parts carry it."""
    return "".join(part.text or part.transcript or "" for part in item.content or [])
