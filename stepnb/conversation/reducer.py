"""`Conversation`: the pure function from the log to items, turns and changes.

A live session, a replay and a test feed it the same records and get the same objects. It never looks at a clock and never
asks for anything; what should be sent is decided by `Slot` and the session.

Client event ids carry the turn they belong to (``t3.item``, ``t3.create``, ``t3.commit``), so that errors, which echo the
id, and the log itself tell which turn is meant.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Literal, NamedTuple

from ..errors import StepnbError, TurnError
from ..protocol import events as ev
from ..protocol.codec import AnyEvent
from ..protocol.faults import BENIGN, Fault, as_exception, classify
from ..recording.log import AudioRef, Record
from .inputs import InputStream
from .state import ItemState, ResponseState, TurnKind, TurnState

ChangeKind = Literal["turn", "ended", "audio", "audio_end", "speech", "notice"]


class Change(NamedTuple):
    """Something that is different now.

    Attributes
    ----------
    kind
        ``turn``: a turn's text, status or figures; ``ended``: it came to its end; ``audio`` and ``audio_end``: speech of
        an item that is to be played; ``speech``: the service heard speech start or stop; ``notice``: something to tell.
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


def turn_event_id(turn: int, what: str) -> str:
    """Return the client event id for something sent on behalf of a turn."""
    return f"t{turn}.{what}"


def turn_of_event_id(event_id: str | None) -> int | None:
    """Return the turn a client event id names, None when it names none."""
    head, dot, _ = (event_id or "").partition(".")
    return int(head[1:]) if dot and head[:1] == "t" and head[1:].isdecimal() else None


class Conversation:
    """Items, responses and turns of one session."""

    def __init__(self) -> None:
        self.turns: dict[int, TurnState] = {}
        self.items: dict[str, ItemState] = {}
        self.responses: dict[str, ResponseState] = {}
        self.active: ResponseState | None = None
        self.speaking = False
        self.input = InputStream()
        self._asked: deque[int] = deque()  # turns whose item is not acknowledged
        self._creates: deque[int] = deque()  # turns whose response.create is not answered
        self._streamed: deque[int] = deque()  # turns that stream a clip and wait for speech to be heard
        self._by_item: dict[str, int] = {}  # a user item's turn
        self._spoken: int | None = None  # the speech turn that the next automatic response answers

    # Records in ---------------------------------------------------------------------------------------------------

    def apply(self, record: Record, event: AnyEvent | None) -> list[Change]:
        """Take in a record; event is the decoded frame, None for local records."""
        if record.side == "local":
            return self._on_local(record)
        if record.side == "out":
            return self._on_sent(record, event)
        return self._on_received(record, event)

    @property
    def spoken(self) -> int | None:
        """The speech turn the service still owes an answer to."""
        return self._spoken

    def answer(self, turn: TurnState) -> list[ItemState]:
        """Return the items the service made in a turn, in order."""
        responses = [self.responses[number] for number in list(turn.responses)]
        return [self.items[item] for response in responses for item in list(response.items)]

    def next_turn(self) -> int:
        """Return the number of the next turn."""
        return len(self.turns) + 1

    # Local records ------------------------------------------------------------------------------------------------

    def _on_local(self, record: Record) -> list[Change]:
        data: dict[str, Any] = record.data or {}
        match record.kind:
            case "turn":
                turn = TurnState(data["turn"], data["how"], text=data.get("text"))
                turn.stamp("asked", record.t)
                if data.get("streams"):
                    self._streamed.append(turn.id)
                self.turns[turn.id] = turn
                return [Change("turn", turn.id)]
            case "turn_failed":
                return self._fail(data["turn"], TurnError(data["reason"], fix=data.get("fix")), record.t)
            case "discard":
                return self._discard(data["response"], record.t)
            case "first":
                return self._first_heard(data["item"], record.t)
            case "playhead":
                return [change for item, ms in data["items"].items() for change in self._played(item, ms)]
            case "flushed":
                return self._flushed(data["item"], data["heard_ms"], data["unplayed_ms"], record.t)
            case "disconnected":
                return self._disconnected(data["reason"], record.t)
        return []

    def _disconnected(self, reason: str, t: int) -> list[Change]:
        error = TurnError(reason, fix="Ask again: the session connects anew.")
        self._asked.clear()
        self._creates.clear()
        self._streamed.clear()
        self._spoken, self.active, self.speaking = None, None, False
        self.input.reset()
        open_turns = [turn.id for turn in self.turns.values() if not turn.ended]
        return [change for turn in open_turns for change in self._fail(turn, error, t)]

    def _discard(self, response_id: str, t: int) -> list[Change]:
        response = self.responses[response_id]
        response.discarded = True
        if response.turn is not None:
            self.turns[response.turn].stamp("cancelled", t)
        return []

    def _first_heard(self, item_id: str, t: int) -> list[Change]:
        turn = self._turn_of_item(item_id)
        if turn is None:
            return []
        turn.stamp("first_heard", t)
        return [Change("turn", turn.id, item_id)]

    def _played(self, item_id: str, ms: float) -> list[Change]:
        item, turn = self.items.get(item_id), self._turn_of_item(item_id)
        if item is None or turn is None:
            return []
        item.played_ms = min(ms, item.audio_ms)
        return [Change("turn", turn.id, item_id)]

    def _flushed(self, item_id: str, heard_ms: float, unplayed_ms: float, t: int) -> list[Change]:
        changes = self._played(item_id, heard_ms)
        turn = self._turn_of_item(item_id)
        if turn is not None and unplayed_ms > 0:
            turn.cut_ms = heard_ms
            turn.stamp("cancelled", t)
            if turn.status == "completed":
                turn.status = "interrupted"
        return changes

    # Frames that were sent ----------------------------------------------------------------------------------------

    def _on_sent(self, record: Record, event: AnyEvent | None) -> list[Change]:
        match event:
            case ev.InputAudioBufferAppend():
                if record.audio:
                    self.input.append(record.audio)
            case ev.InputAudioBufferClear():
                self.input.clear()
            case ev.ConversationItemCreate():
                turn = self.turns.get(turn_of_event_id(event.event_id) or 0)
                if turn is not None:
                    turn.input_audio = [record.audio] if record.audio else []
                    self._asked.append(turn.id)
            case ev.InputAudioBufferCommit():
                turn = self.turns.get(turn_of_event_id(event.event_id) or 0)
                if turn is not None:
                    turn.input_audio = self.input.take()
                    self._asked.append(turn.id)
            case ev.ResponseCreate():
                number = turn_of_event_id(event.event_id)
                if number in self.turns:
                    self._creates.append(number)
        return []

    # Frames that came ---------------------------------------------------------------------------------------------

    def _on_received(self, record: Record, event: AnyEvent | None) -> list[Change]:
        t = record.t
        match event:
            case ev.AudioDelta():
                return self._on_audio(event, record.audio, t)
            case ev.AudioTranscriptDelta() | ev.TextDelta():
                return self._on_text(event, event.delta or "", t)
            case ev.AudioTranscriptDone():
                return self._set_text(event, event.transcript)
            case ev.TextDone():
                return self._set_text(event, event.text)
            case ev.ThinkingDelta():
                item = self._assistant_item(event)
                item.thinking += event.delta or ""
                return self._changed(item)
            case ev.ThinkingDone():
                item = self._assistant_item(event)
                item.thinking = event.thinking or item.thinking
                return self._changed(item)
            case ev.AudioDone():
                return self._end_audio(self._assistant_item(event))
            case ev.SpeechStarted():
                return self._on_speech_started(event, t)
            case ev.SpeechStopped():
                return self._on_speech_stopped(event, t)
            case ev.InputAudioBufferCommitted():
                return self._on_committed(event.item_id, t)
            case ev.ConversationItemCreated():
                return self._on_item_created(event, t)
            case ev.InputTranscriptionDelta():
                return self._on_user_text(event.item_id, event.delta, final=False)
            case ev.InputTranscriptionCompleted():
                return self._on_user_text(event.item_id, event.transcript, final=True)
            case ev.ResponseCreated():
                return self._on_response_created(event.response, t)
            case ev.OutputItemAdded() | ev.OutputItemDone():
                return self._on_output_item(event)
            case ev.ResponseDone():
                return self._on_response_done(event.response, t)
            case ev.ResponseCancelled():
                info = event.response or ev.ResponseInfo(id=event.response_id)
                info.status = info.status or "cancelled"
                return self._on_response_done(info, t)
            case ev.ErrorEvent():
                return self._on_error(event.error, t)
        return []

    # The person's side

    def _on_speech_started(self, event: ev.SpeechStarted, t: int) -> list[Change]:
        self.speaking = True
        self.input.speech_started(event.audio_start_ms)
        turn = self._open_speech_turn()
        changes = []
        if turn is None:
            changes = self._supersede(t)
            turn = self._new_turn("speech")
        turn.stamp("speech_started", t)
        # The same words went on after a pause: the turn has no answer yet, and its clock starts again.
        turn.stamps.pop("speech_stopped", None)
        if event.item_id and turn.item is None:
            self._claim(turn, event.item_id)
        self._spoken = turn.id
        return [*changes, Change("speech", turn.id, on=True), Change("turn", turn.id)]

    def _supersede(self, t: int) -> list[Change]:
        """The person speaks again before the last words were answered: those get no answer of their own."""
        turn = self.turns.get(self._spoken or 0)
        if turn is None or turn.ended or turn.responses:
            return []
        turn.status = "interrupted"
        turn.stamp("done", t)
        return [Change("turn", turn.id), Change("ended", turn.id)]

    def _open_speech_turn(self) -> TurnState | None:
        if self._streamed:
            turn = self.turns[self._streamed.popleft()]
            if not turn.ended:
                return turn
        turn_id = self._spoken
        turn_or_none = self.turns.get(turn_id) if turn_id is not None else None
        if turn_or_none is None or turn_or_none.ended or turn_or_none.responses:
            return None
        return None if "committed" in turn_or_none.stamps else turn_or_none

    def _on_speech_stopped(self, event: ev.SpeechStopped, t: int) -> list[Change]:
        self.speaking = False
        changes = [Change("speech", self._spoken, on=False)]
        turn = self.turns.get(self._spoken or 0)
        if turn is not None:
            turn.stamp("speech_stopped", t)
            turn.input_audio += self.input.speech_stopped(event.audio_end_ms)
            changes.append(Change("turn", turn.id))
        return changes

    def _on_committed(self, item_id: str | None, t: int) -> list[Change]:
        # Under VAD the service commits by itself; else the oldest unacknowledged turn did.
        turn = self.turns.get(self._spoken or 0)
        if turn is None or turn.ended or "committed" in turn.stamps:
            turn = self.turns[self._asked.popleft()] if self._asked else None
        if turn is None:
            return []
        turn.stamp("committed", t)
        if item_id:
            self._claim(turn, item_id)
        return [Change("turn", turn.id)]

    def _on_item_created(self, event: ev.ConversationItemCreated, t: int) -> list[Change]:
        info = event.item
        if info.id is None:
            return []
        item = self._item(info.id)
        item.role, item.type = info.role or item.role, info.type or item.type
        item.status = info.status or item.status
        if info.role != "user":
            if info.role == "assistant" or info.type == "function_call":
                self._link(item, event.response_id)
            return []
        if info.id in self._by_item or not self._asked:
            return []
        turn = self.turns[self._asked.popleft()]
        turn.stamp("committed", t)
        self._claim(turn, info.id)
        return [Change("turn", turn.id)]

    def _claim(self, turn: TurnState, item_id: str) -> None:
        """The item is the turn's; a transcript may have been waiting under its id."""
        turn.item = item_id
        self._by_item[item_id] = turn.id
        item = self._item(item_id)
        item.role = "user"
        if item.text and turn.kind != "text":
            turn.user_transcript = item.text
            turn.transcript_final = item.status == "transcribed"

    def _on_user_text(self, item_id: str | None, text: str | None, *, final: bool) -> list[Change]:
        number = self._by_item.get(item_id) if item_id else self._spoken
        turn = self.turns.get(number or 0)
        if turn is None:
            if item_id:
                # Early: kept under the item until a turn claims it.
                item = self._item(item_id)
                item.text, item.status = text or item.text, "transcribed" if final else item.status
            return []
        if turn.transcript_final and not final:
            return []
        if text is not None:
            turn.user_transcript = text
        turn.transcript_final = turn.transcript_final or final
        return [Change("turn", turn.id)]

    # The service's side

    def _on_response_created(self, info: ev.ResponseInfo, t: int) -> list[Change]:
        if self._creates:
            turn_id: int | None = self._creates.popleft()
        else:
            # Nobody asked and nobody spoke: the service began by itself, and that is a turn of its own.
            turn_id = self._spoken or self._new_turn("unasked").id
            self._spoken = None
        response = ResponseState(info.id or f"response-{len(self.responses) + 1}", turn_id)
        self.responses[response.id] = response
        self.active = response
        turn = self.turns.get(turn_id or 0)
        if turn is None or turn.ended:
            return []
        turn.responses.append(response.id)
        turn.status = "active"
        turn.stamp("response_created", t)
        return [Change("turn", turn.id)]

    def _on_output_item(self, event: ev.OutputItemAdded | ev.OutputItemDone) -> list[Change]:
        info = event.item
        if info.id is None:
            return []
        item = self._item(info.id)
        item.role, item.type = info.role or item.role, info.type or item.type
        item.status = info.status or item.status
        self._link(item, event.response_id)
        return []

    def _on_audio(self, event: ev.AudioDelta, audio: AudioRef | None, t: int) -> list[Change]:
        item = self._assistant_item(event)
        if audio is None:
            return []
        item.audio.append(audio)
        item.audio_bytes += audio.length
        response = self.responses.get(item.response or "")
        if response is None:
            return [Change("audio", None, item.id)]
        turn = self.turns.get(response.turn or 0)
        if turn is not None and "first_audio" not in turn.stamps:
            turn.stamp("first_audio", t)
        if response.discarded:
            return []
        return [Change("audio", response.turn, item.id)]

    def _end_audio(self, item: ItemState) -> list[Change]:
        if item.audio_done:
            return []
        item.audio_done = True
        response = self.responses.get(item.response or "")
        if response is not None and response.discarded:
            return []
        return [Change("audio_end", response.turn if response else None, item.id)]

    def _on_text(self, event: ev.AudioTranscriptDelta | ev.TextDelta, delta: str, t: int) -> list[Change]:
        item = self._assistant_item(event)
        if not item.marks or item.audio_bytes > item.marks[-1][1]:
            item.marks.append((len(item.text), item.audio_bytes))
        item.text += delta
        turn = self._turn_of_item(item.id)
        if turn is not None:
            turn.stamp("first_text", t)
        return self._changed(item)

    def _set_text(self, event: ev.PartEvent, text: str | None) -> list[Change]:
        item = self._assistant_item(event)
        if text is not None:
            item.text = text
        return self._changed(item)

    def _on_response_done(self, info: ev.ResponseInfo, t: int) -> list[Change]:
        response = self.responses.get(info.id or "") or (self.active if info.id is None else None)
        if response is None or response.status != "in_progress":
            return []
        response.status = info.status or "completed"
        response.status_details, response.usage = info.status_details, info.usage
        if self.active is response:
            self.active = None
        self._fill_from_output(response, info.output or [])
        changes = [change for item in response.items for change in self._end_audio(self.items[item])]
        turn = self.turns.get(response.turn or 0)
        if turn is None or turn.ended:
            return changes
        if response.status == "failed":
            details = (info.status_details or {}).get("error")
            error = ev.ErrorInfo(message=_message_of(details) or "The answer failed.")
            return changes + self._fail(turn.id, as_exception(error), t)
        cut = response.discarded or response.status == "cancelled"
        turn.status = "interrupted" if cut or (response.status == "incomplete" and self.speaking) else "completed"
        turn.stamp("done", t)
        return [*changes, Change("turn", turn.id), Change("ended", turn.id)]

    def _fill_from_output(self, response: ResponseState, output: list[ev.Item]) -> None:
        """Take from the summary at the end what no event had brought before."""
        for info in output:
            if info.id is None:
                continue
            item = self._item(info.id)
            self._link(item, response.id)
            item.role, item.type = info.role or item.role, info.type or item.type
            item.status = info.status or item.status
            parts = [part.transcript or part.text or "" for part in info.content or []]
            item.text = item.text or "".join(parts)

    def _on_error(self, info: ev.ErrorInfo, t: int) -> list[Change]:
        fault = classify(info)
        number = turn_of_event_id(info.event_id)
        if fault is Fault.SLOT_TAKEN:
            self._give_back(number)
            return []
        if fault in BENIGN and number is None:
            return []
        error = as_exception(info)
        turn = self.turns.get(number or 0)
        if turn is None and fault is Fault.NO_SPEECH:
            turn = self.turns.get(self._spoken or 0)
        if turn is not None and not turn.ended:
            return self._fail(turn.id, error, t)
        return [Change("notice", error=error)]

    def _give_back(self, number: int | None) -> None:
        """The create was refused because an automatic response came first; that one is nobody's but the speaker's."""
        if number is None or number in self._creates:
            if self._creates:
                self._creates.popleft()
            return
        if self.active is not None and self.active.turn == number:
            turn = self.turns[number]
            turn.responses.remove(self.active.id)
            turn.status = "pending"
            turn.stamps.pop("response_created", None)
            self.active.turn, self._spoken = self._spoken, None
            owner = self.turns.get(self.active.turn or 0)
            if owner is not None:
                owner.responses.append(self.active.id)
                owner.status = "active"

    def _fail(self, turn_id: int, error: StepnbError, t: int) -> list[Change]:
        turn = self.turns[turn_id]
        if turn.ended:
            return []
        turn.status, turn.error = "failed", error
        turn.stamp("done", t)
        for queue in (self._asked, self._creates, self._streamed):
            if turn_id in queue:
                queue.remove(turn_id)
        if self._spoken == turn_id:
            self._spoken = None
        return [Change("turn", turn_id, error=error), Change("ended", turn_id, error=error)]

    def _new_turn(self, kind: TurnKind) -> TurnState:
        turn = TurnState(self.next_turn(), kind)
        self.turns[turn.id] = turn
        return turn

    # Lookups ------------------------------------------------------------------------------------------------------

    def _item(self, item_id: str) -> ItemState:
        item = self.items.get(item_id)
        if item is None:
            item = self.items[item_id] = ItemState(item_id)
        return item

    def _link(self, item: ItemState, response_id: str | None) -> None:
        """Note which response an item belongs to; a frame that does not say belongs to the running one."""
        response = self.responses.get(response_id or "") or self.active
        if item.response is None and response is not None:
            item.response = response.id
            response.items.append(item.id)

    def _assistant_item(self, event: ev.PartEvent) -> ItemState:
        item_id = event.item_id
        if item_id is None:
            response = self.responses.get(event.response_id or "") or self.active
            item_id = response.items[-1] if response and response.items else "item-without-id"
        item = self.items.get(item_id)
        if item is None:
            item = self.items[item_id] = ItemState(item_id, role="assistant", type="message")
        if item.response is None:
            self._link(item, event.response_id)
        return item

    def _turn_of_item(self, item_id: str) -> TurnState | None:
        item = self.items.get(item_id)
        response = self.responses.get(item.response or "") if item else None
        return self.turns.get(response.turn or 0) if response else None

    def _changed(self, item: ItemState) -> list[Change]:
        turn = self._turn_of_item(item.id)
        return [Change("turn", turn.id, item.id)] if turn else []


def _message_of(details: object) -> str | None:
    if isinstance(details, dict):
        message = details.get("message")
        return message if isinstance(message, str) else None
    return details if isinstance(details, str) else None
