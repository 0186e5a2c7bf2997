"""`Conversation`: the pure function from the log to items, turns and changes.

A live session, a replay and a test feed it the same records and get the same objects. It never looks at a clock and
never asks for anything; what should be sent is decided by `Slot` and the session.

Client event ids carry the turn they belong to (``t3.item``, ``t3.create``, ``t3.commit``), so that errors, which echo
the id, and the log itself tell which turn is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import StepnbError, TurnError
from ..protocol import events as ev
from ..protocol.codec import AnyEvent
from ..protocol.faults import BENIGN, Fault, as_exception, classify
from .book import Book, Change
from .calls import CallSide
from .inputs import InputStream
from .person import PersonSide, text_of
from .record import Record
from .service import ServiceSide
from .state import ItemState, ResponseState, ToolCallState, TurnState


def turn_event_id(turn: int, what: str) -> str:
    """Return the client event id for something sent on behalf of a turn."""
    return f"t{turn}.{what}"


def turn_of_event_id(event_id: str | None) -> int | None:
    """Return the turn a client event id names, None when it names none."""
    head, dot, _ = (event_id or "").partition(".")
    return int(head[1:]) if dot and head[:1] == "t" and head[1:].isdecimal() else None


def _what_of_event_id(event_id: str | None) -> str:
    """Return what a client event id of ours says was sent."""
    return (event_id or "").partition(".")[2]


class Conversation:
    """Items, responses and turns of one session."""

    def __init__(self) -> None:
        self._book = Book()
        self._person = PersonSide(self._book)
        self._service = ServiceSide(self._book, self._person)
        self._calls = CallSide(self._book)
        self.by_hand: set[str] = (
            set()
        )  # event ids of what was sent by hand: an error that names one ends nothing

    @property
    def turns(self) -> dict[int, TurnState]:
        return self._book.turns

    @property
    def items(self) -> dict[str, ItemState]:
        return self._book.items

    @property
    def responses(self) -> dict[str, ResponseState]:
        return self._book.responses

    @property
    def active(self) -> ResponseState | None:
        """The running response."""
        return self._book.active

    @property
    def speaking(self) -> bool:
        """Whether the service hears speech."""
        return self._person.speaking

    @property
    def spoken(self) -> int | None:
        """The speech turn the service still owes an answer to."""
        return self._person.spoken

    @property
    def input(self) -> InputStream:
        """The audio sent on this connection."""
        return self._person.input

    def wire_id(self, item_id: str) -> str | None:
        """Return the id the service knows an item by, None when it does not any more."""
        return self._book.wire_id(item_id)

    def next_turn(self) -> int:
        """Return the number of the next turn."""
        return self._book.next_turn()

    def answer(self, turn: TurnState) -> list[ItemState]:
        """Return the items the service made in a turn, in order."""
        return self._book.answer(turn)

    def calls(self, turn: TurnState) -> list[ToolCallState]:
        """Return the functions the model called in a turn, in order."""
        return self._book.calls(turn)

    def begun(self, turn: TurnState) -> bool:
        """Whether the service has said or called anything in a turn."""
        return self._book.begun(turn)

    def concerned(self, event: ev.ErrorEvent | ev.ResponseDone) -> int | None:
        """Return the turn that an error, or the end of a response, is about: if it names none, the one that is on."""
        if isinstance(event, ev.ErrorEvent):
            number = turn_of_event_id(event.error.event_id)
        else:
            response = self.responses.get(self._book.scoped(event.response.id or ""))
            number = response.turn if response else None
        return number or (self.active.turn if self.active else None) or self.spoken

    def between_responses(self) -> list[int]:
        """Return the turns that go on while no response of theirs runs: tools do, or the follow-up has to wait."""
        return [
            turn.id
            for turn in self.turns.values()
            if turn.status == "active"
            and all(self.responses[number].status != "in_progress" for number in turn.responses)
            and not self._service.awaits(turn.id)
        ]

    def apply(self, record: Record, event: AnyEvent | None) -> list[Change]:
        """Take in a record; event is the decoded frame, None for local records."""
        if record.side == "in":
            if isinstance(event, ev.AudioDelta):  # nearly all of the traffic
                return self._service.audio(event, record.audio, record.t)
            return self._on_received(record, event)
        if record.side == "local":
            return self._on_local(record)
        self._on_sent(record, event)
        return []

    # Local records

    def _on_local(self, record: Record) -> list[Change]:
        data: dict[str, Any] = record.data or {}
        match record.kind:
            case "turn":
                turn = TurnState(data["turn"], data["how"], text=data.get("text"))
                turn.stamp("asked", record.t)
                self.turns[turn.id] = turn
                return [Change("turn", turn.id)]
            case "streams":
                self._person.streams(data["turn"])
                return []
            case "turn_failed":
                return self._fail(data["turn"], TurnError(data["reason"], fix=data.get("fix")), record.t)
            case "turn_interrupted":
                return self._interrupted(self.turns[data["turn"]], record.t)
            case "response_lost":
                return self._response_done(ev.ResponseInfo(id=data["response"], status="cancelled"), record.t)
            case "tool_call":
                return self._calls.started(data, record.t)
            case "tool_result":
                return self._calls.ended(data, record.t)
            case "discard":
                response = self.responses[data["response"]]
                response.discarded = True
                if response.turn in self.turns:
                    self.turns[response.turn].stamp("cancelled", record.t)
            case "first":
                return self._first_heard(data["item"], record.t)
            case "playhead":
                return [
                    change
                    for item, ms in data["items"].items()
                    for change in self._played(item, ms, record.t)
                ]
            case "flushed":
                return self._flushed(data, record.t)
            case "sent_by_hand":
                self.by_hand.add(data["event_id"])
            case "disconnected":
                return self._disconnected(data["reason"], data.get("keep", ()), record.t)
        return []

    def _disconnected(self, reason: str, keep: Sequence[int], t: int) -> list[Change]:
        self._book.disconnected()
        self._person.reset()
        self._service.reset()
        error = TurnError(reason, fix="Ask again: the session connects anew.")
        changes: list[Change] = []
        for response in self.responses.values():
            if response.status == "in_progress":
                response.status = "incomplete"
                response.finish_reason = "cancelled" if response.discarded else "incomplete"
        for turn in self.turns.values():
            if turn.ended:
                continue
            if turn.id in keep:
                # It is asked again, as if no answer to it had been announced.
                turn.status, turn.responses = "pending", []
                turn.stamps.pop("response_created", None)
                continue
            # What had been said stays said; the rest of the answer will not come.
            said = any(item.text or item.audio_bytes for item in self.answer(turn))
            changes += self._interrupted(turn, t) if said else self._fail(turn.id, error, t)
        return changes

    def _interrupted(self, turn: TurnState, t: int) -> list[Change]:
        if turn.ended:
            return []
        turn.status = "interrupted"
        turn.stamp("cancelled", t)
        turn.stamp("done", t)
        self._book.cancel_calls(turn, t)
        return [Change("turn", turn.id), Change("ended", turn.id)]

    def _first_heard(self, item_id: str, t: int) -> list[Change]:
        turn = self._book.turn_of_item(item_id)
        if turn is None:
            return []
        turn.stamp("first_heard", t)
        return [Change("turn", turn.id, item_id)]

    def _played(self, item_id: str, ms: float, t: int) -> list[Change]:
        item, turn = self.items.get(item_id), self._book.turn_of_item(item_id)
        if item is None or turn is None:
            return []
        before, item.played_ms = item.played_ms or 0.0, min(max(ms, 0.0), item.audio_ms)
        if item.played_ms > before:
            turn.stamps["last_heard"] = t
        return [Change("turn", turn.id, item_id)]

    def _flushed(self, data: dict[str, Any], t: int) -> list[Change]:
        changes = self._played(data["item"], data["heard_ms"], t)
        turn = self._book.turn_of_item(data["item"])
        if turn is not None and data["unplayed_ms"] > 0:
            turn.cut_ms = data["heard_ms"]
            turn.stamp("cancelled", data.get("since", t))
            if turn.status == "completed":
                turn.status = "interrupted"
        return changes

    # Frames that were sent

    def _on_sent(self, record: Record, event: AnyEvent | None) -> None:
        if isinstance(event, ev.InputAudioBufferAppend):
            if record.audio:
                self.input.append(record.audio, record.t)
            return
        if isinstance(event, ev.InputAudioBufferClear):
            self.input.clear()
            return
        turn = self.turns.get(turn_of_event_id(event.event_id) or 0) if event is not None else None
        if turn is None:
            if isinstance(event, ev.ConversationItemCreate) and event.item.role == "user":
                self._person.asked(0)  # its acknowledgement is nobody else's
            return
        match event:
            case ev.ConversationItemCreate(item=ev.Item(type="function_call_output", call_id=call_id)):
                self._calls.sent(turn, call_id)
            case ev.ConversationItemCreate():
                if record.audio is not None:
                    turn.input_audio = [record.audio]
                    turn.stamps["last_input"] = record.t
                self._person.asked(turn.id)
            case ev.InputAudioBufferCommit():
                turn.stamps["last_input"] = self.input.sent_at() or record.t
                turn.input_audio = self.input.take()
                turn.stamp("input_ended", record.t)
                self._person.asked(turn.id)
            case ev.ResponseCreate():
                self._service.requested(turn.id)

    # Frames that came

    def _on_received(self, record: Record, event: AnyEvent | None) -> list[Change]:
        t = record.t
        match event:
            case ev.AudioTranscriptDelta() | ev.TextDelta():
                return self._service.text(event, event.delta or "", t)
            case ev.AudioTranscriptDone():
                return self._service.set_text(event, event.transcript)
            case ev.TextDone():
                return self._service.set_text(event, event.text)
            case ev.ThinkingDelta():
                return self._service.think(event, event.delta or "")
            case ev.ThinkingDone():
                return self._service.set_thinking(event, event.thinking)
            case ev.AudioDone():
                return self._service.end_audio(self._service.assistant_item(event))
            case ev.SpeechStarted():
                return self._person.speech_started(event, t)
            case ev.SpeechStopped():
                return self._person.speech_stopped(event, t)
            case ev.InputAudioBufferCommitted():
                return self._person.committed(event.item_id, t)
            case ev.ConversationItemCreated():
                return self._on_item_created(event, t)
            case ev.InputTranscriptionDelta():
                return self._person.transcribed(event.item_id, event.delta, final=False)
            case ev.InputTranscriptionCompleted():
                return self._person.transcribed(event.item_id, event.transcript, final=True)
            case ev.InputTranscriptionFailed():
                return self._person.transcribed(event.item_id, None, final=True)
            case ev.ResponseCreated():
                return self._supersede(event.response, t) + self._service.created(event.response, t)
            case ev.ContentPartDone():
                return self._service.fill(self._service.assistant_item(event), [event.part])
            case ev.OutputItemAdded() | ev.OutputItemDone():
                self._service.output_item(event.item, event.response_id)
                done = isinstance(event, ev.OutputItemDone)
                if event.item.type == "function_call":
                    return self._calls.item(event.item, event.response_id, done=done)
                if done and event.item.id is not None:
                    item = self.items[self._book.scoped(event.item.id)]
                    return self._service.fill(item, event.item.content or [])
            case ev.FunctionCallArgumentsDelta():
                return self._calls.arguments_delta(event)
            case ev.FunctionCallArgumentsDone():
                return self._calls.arguments_done(event)
            case ev.ResponseDone():
                return self._response_done(event.response, t)
            case ev.ResponseCancelled():
                info = event.response or ev.ResponseInfo(id=event.response_id)
                info.status = info.status or "cancelled"
                return self._response_done(info, t)
            case ev.ErrorEvent():
                return self._on_error(event.error, t)
        return []

    def _response_done(self, info: ev.ResponseInfo, t: int) -> list[Change]:
        response = self._calls.collect(info)
        changes = self._service.done(info, t)
        return changes + self._calls.close(response) if response is not None else changes

    def _supersede(self, info: ev.ResponseInfo, t: int) -> list[Change]:
        """A response begins: only one runs at a time, so the end of another one got lost."""
        running = self.active
        if running is None or info.id is None or self._book.scoped(info.id) in self.responses:
            return []
        return self._response_done(
            ev.ResponseInfo(status="cancelled" if running.discarded else "completed"), t
        )

    def _on_item_created(self, event: ev.ConversationItemCreated, t: int) -> list[Change]:
        info = event.item
        if info.id is None:
            return []
        if info.role == "assistant" or info.type == "function_call":
            self._service.output_item(info, event.response_id)
            if info.type == "function_call":
                return self._calls.item(info, event.response_id, done=False)
        elif info.role == "user" and info.type != "function_call_output":
            return self._person.acknowledged(info.id, text_of(info), t)
        return []

    def _on_error(self, info: ev.ErrorInfo, t: int) -> list[Change]:
        fault = classify(info)
        number, what = turn_of_event_id(info.event_id), _what_of_event_id(info.event_id)
        if what in ("update", "truncate") or info.event_id in self.by_hand:
            return []  # the settings tell what became of an update, and truncating is a courtesy
        if fault is Fault.SLOT_TAKEN:
            return self._service.give_back(number)
        if fault in BENIGN:
            if number is not None:
                self._person.forget(number)  # no item will come of what was refused
            return []
        if fault is Fault.ENGINE:
            return []  # the session connects anew, or gives up
        if number is None and fault is Fault.NO_SPEECH:
            number = self.spoken
        error = as_exception(info)
        turn = self.turns.get(number or 0)
        # A tool's result that is refused ends nothing: the answer is asked for all the same.
        if turn is not None and not turn.ended and not what.startswith("output"):
            return self._fail(turn.id, error, t)
        return [Change("notice", error=error)]

    def _fail(self, turn_id: int, error: StepnbError, t: int) -> list[Change]:
        changes = self._book.fail(turn_id, error, t)
        if changes:
            self._person.forget(turn_id)
            self._service.forget(turn_id)
        return changes


__all__ = ["Change", "Conversation", "turn_event_id", "turn_of_event_id"]
