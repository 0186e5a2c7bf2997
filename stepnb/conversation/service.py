"""The service's side of a conversation: responses and the items they are made of."""

from __future__ import annotations

from collections import deque

from ..protocol import events as ev
from ..protocol.faults import Fault, as_exception, classify, failure_of
from .book import Book, Change
from .finish import finish_reason
from .person import PersonSide
from .record import AudioRef
from .state import ItemState, ResponseState


class ServiceSide:
    """Finds out which response, item and turn the service's news about its answers belongs to."""

    def __init__(self, book: Book, person: PersonSide) -> None:
        self._book = book
        self._person = person
        self._creates: deque[int] = deque()  # turns whose response.create is not answered

    def reset(self) -> None:
        """The connection is gone."""
        self._creates.clear()

    def forget(self, turn: int) -> None:
        """A turn has ended without an answer."""
        if turn in self._creates:
            self._creates.remove(turn)

    def awaits(self, turn: int) -> bool:
        """Whether a response for the turn was asked for and has not begun."""
        return turn in self._creates

    def requested(self, turn: int) -> None:
        """A response for a turn was asked for."""
        self._creates.append(turn)

    def created(self, info: ev.ResponseInfo, t: int) -> list[Change]:
        """A response began; it says nothing of the request, so requests are matched in order."""
        response_id = self._book.scoped(info.id or f"response-{len(self._book.responses) + 1}")
        if response_id in self._book.responses:
            return []
        if self._creates:
            turn_id = self._creates.popleft()
        else:
            # Nobody asked and nobody spoke: the service began by itself, and that is a turn of its own.
            turn_id = self._person.spoken or self._book.new_turn("unasked").id
            self._person.spoken = None
        response = ResponseState(response_id, turn_id)
        self._book.responses[response.id] = response
        self._book.active = response
        turn = self._book.turns[turn_id]
        turn.responses.append(response.id)
        if turn.ended:
            return []
        turn.status = "active"
        turn.stamp("response_created", t)
        return [Change("turn", turn.id)]

    def give_back(self, number: int | None) -> list[Change]:
        """A create was refused because an automatic response came first; that one is nobody's but the speaker's."""
        if number is None or number in self._creates:
            if self._creates:
                self._creates.popleft()
            return []
        active = self._book.active
        if active is None or active.turn != number:
            return []
        turn = self._book.turns[number]
        turn.responses.remove(active.id)
        if not turn.responses and not turn.ended:
            turn.status = "pending"
            turn.stamps.pop("response_created", None)
        owner = self._book.turns.get(self._person.spoken or 0) or self._book.new_turn("unasked")
        self._person.spoken = None
        active.turn = owner.id
        owner.responses.append(active.id)
        owner.status = owner.status if owner.ended else "active"
        return [Change("turn", turn.id), Change("turn", owner.id)]

    def output_item(self, info: ev.Item, response_id: str | None) -> None:
        """An item of a response was announced or finished."""
        if info.id is None:
            return
        item = self._book.item(self._book.scoped(info.id))
        item.role, item.type = info.role or item.role, info.type or item.type
        item.status = info.status or item.status
        self._book.link(item, response_id)

    def audio(self, event: ev.AudioDelta, audio: AudioRef | None, t: int) -> list[Change]:
        """A piece of speech came."""
        item = self.assistant_item(event)
        if audio is None:
            return []
        item.audio.append(audio)
        item.audio_bytes += audio.length
        response = self._book.responses.get(item.response or "")
        if response is None:
            return [Change("audio", None, item.id)]
        if response.turn is not None:
            stamps = self._book.turns[response.turn].stamps
            stamps.setdefault("first_audio", t)
            stamps["last_audio"] = t
        return [] if response.discarded else [Change("audio", response.turn, item.id)]

    def end_audio(self, item: ItemState) -> list[Change]:
        """No more speech of an item will come."""
        if item.audio_done:
            return []
        item.audio_done = True
        response = self._book.responses.get(item.response or "")
        if response is not None and response.discarded:
            return []
        return [Change("audio_end", response.turn if response else None, item.id)]

    def text(self, event: ev.PartEvent, delta: str, t: int) -> list[Change]:
        """A piece of text came, spoken or written."""
        item = self.assistant_item(event)
        if ("text", event.content_index or 0) in item.whole:
            return []
        if not item.marks or item.audio_bytes > item.marks[-1][1]:
            item.marks.append((len(item.text), item.audio_bytes))
        item.text += delta
        turn = self._book.turn_of_item(item.id)
        if turn is not None:
            turn.stamp("first_text", t)
        return self._book.changed(item)

    def set_text(self, event: ev.PartEvent, text: str | None) -> list[Change]:
        """The whole text of an item is known."""
        item = self.assistant_item(event)
        if text is not None:
            item.text = text
            item.whole.add(("text", event.content_index or 0))
        return self._book.changed(item)

    def think(self, event: ev.PartEvent, delta: str) -> list[Change]:
        """A piece of the thinking came."""
        item = self.assistant_item(event)
        if ("thinking", event.content_index or 0) in item.whole:
            return []
        item.thinking += delta
        return self._book.changed(item)

    def set_thinking(self, event: ev.PartEvent, thinking: str | None) -> list[Change]:
        """The whole thinking is known."""
        item = self.assistant_item(event)
        if thinking is not None:
            item.thinking = thinking
            item.whole.add(("thinking", event.content_index or 0))
        return self._book.changed(item)

    def done(self, info: ev.ResponseInfo, t: int) -> list[Change]:
        """A response ended, and with it its turn, unless results of calls are to follow."""
        response = self._book.responses.get(self._book.scoped(info.id)) if info.id else self._book.active
        if response is None or response.status != "in_progress":
            return []
        response.status = info.status or "completed"
        response.status_details, response.usage = info.status_details, info.usage
        response.finish_reason = finish_reason(
            info,
            discarded=response.discarded,
            speaking=self._person.speaking,
            calls=bool(response.calls),
        )
        if self._book.active is response:
            self._book.active = None
        self._fill_from_output(response, info.output or [])
        changes = [change for item in response.items for change in self.end_audio(self._book.items[item])]
        turn = self._book.turns.get(response.turn or 0)
        if turn is None or turn.ended:
            return changes
        if response.status == "failed":
            error = failure_of(info)
            if classify(error) is Fault.ENGINE:
                return [*changes, Change("turn", turn.id)]  # the session connects anew, or gives up
            error.message = error.message or "the answer failed"
            return changes + self._book.fail(turn.id, as_exception(error), t)
        cut = response.discarded or response.status == "cancelled"
        cut = cut or (response.status == "incomplete" and self._person.speaking)
        if response.calls and not cut:
            return [*changes, Change("turn", turn.id)]
        turn.status = "interrupted" if cut else "completed"
        self._book.cancel_calls(turn, t)
        turn.stamp("done", t)
        return [*changes, Change("turn", turn.id), Change("ended", turn.id)]

    def _fill_from_output(self, response: ResponseState, output: list[ev.Item]) -> None:
        """Take from the summary at the end what no event had brought before."""
        for info in output:
            self.output_item(info, response.id)
            if info.id is not None:
                self.fill(self._book.items[self._book.scoped(info.id)], info.content or [])

    def fill(self, item: ItemState, parts: list[ev.Part]) -> list[Change]:
        """Take from finished parts what no event had brought before."""
        text = item.text or "".join(part.transcript or part.text or "" for part in parts)
        thinking = item.thinking or "".join(part.thinking or "" for part in parts)
        if (text, thinking) == (item.text, item.thinking):
            return []
        item.text, item.thinking = text, thinking
        return self._book.changed(item)

    def assistant_item(self, event: ev.PartEvent) -> ItemState:
        """Return the item an event is about; one that names none means the last of its response."""
        if event.item_id is not None:
            item = self._book.item(self._book.scoped(event.item_id))
        else:
            response = self._book.response(event.response_id)
            last = response.items[-1] if response is not None and response.items else None
            item = self._book.item(last or self._book.scoped("item-without-id"))
        if item.response is None:
            item.role, item.type = item.role or "assistant", item.type or "message"
            self._book.link(item, event.response_id)
        return item
