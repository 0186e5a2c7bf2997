"""Slot and conversation together, under any order of events: a client, a person, a service and a line that misbehaves.

The client here does what a session does with commands and changes, without sockets and clocks. The service follows its
rules (one response at a time, automatic responses after speech); the line repeats, delays and swallows what it sends,
and breaks, after which the same ids come again. Whatever happens: nothing raises, every turn ends, every byte of sound
and every character of text is where it belongs, and the log alone gives the same conversation again.
"""

from __future__ import annotations

from collections import Counter, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stepnb.audio.pcm import encode
from stepnb.conversation.reducer import Change, Conversation, turn_event_id
from stepnb.conversation.slot import Abandon, Command, GiveUp, SendCancel, SendCreate, Slot
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.recording.log import EventLog

# What the line may swallow: nothing of it carries text or sound.
DISPENSABLE = (
    ev.OutputItemAdded,
    ev.ConversationItemCreated,
    ev.ContentPartAdded,
    ev.AudioDone,
    ev.ResponseDone,
    ev.InputAudioBufferCommitted,
    ev.InputTranscriptionCompleted,
)


class SlotAndConversation(RuleBasedStateMachine):
    """The client's side, and under it the service's."""

    def __init__(self) -> None:
        super().__init__()
        self.log = EventLog(keep_audio="all")
        self.conversation = Conversation()
        self.slot = Slot()
        self.now = 0.0
        self.samples = 0  # every piece of sound has a number of its own
        self.to_send: dict[int, str] = {}  # questions that have not been sent
        self.ready_calls: deque[tuple[str, str]] = deque()
        self.ended: Counter[int] = Counter()
        self.sound: dict[str, bytes] = {}  # what came, by item
        self.words: dict[str, str] = {}
        self.whole: set[str] = set()
        self.sent_sound = b""
        # The service
        self.connection = 0
        self.inbox: deque[ev.ClientEvent] = deque()
        self.running: str | None = None
        self.responses = self.items = self.calls = 0
        self.item: str | None = None
        self.speaking: str | None = None  # the item of what is being said
        self.late: deque[ev.ServerEvent] = deque()
        self.fate = "arrives"

    # The client ---------------------------------------------------------------------------------------------------

    def local(self, kind: str, **data: object) -> None:
        record = self.log.append_local(kind, data, round(self.now * 1e9))
        self.follow(self.conversation.apply(record, None))

    def send(self, event: ev.ClientEvent) -> None:
        frame = codec.encode(event)
        decoded = codec.decode(frame)
        record = self.log.append_frame("out", event.type, frame, round(self.now * 1e9), decoded.audio)
        self.follow(self.conversation.apply(record, decoded.event))
        if not isinstance(event, ev.InputAudioBufferAppend):  # sound is not answered
            self.inbox.append(event)

    def take(self, event: ev.ServerEvent) -> None:
        """An event reaches the client."""
        self.now += 0.01
        frame = codec.encode(event)
        decoded = codec.decode(frame)
        record = self.log.append_frame("in", event.type, frame, round(self.now * 1e9), decoded.audio)
        changes = self.conversation.apply(record, decoded.event)
        if isinstance(event, ev.SpeechStarted):
            self.interrupt(by_speech=True)
        commands = self.slot.on_event(decoded.event, self.now)
        self.follow(changes)
        self.carry_out(commands)

    def follow(self, changes: list[Change]) -> None:
        for change in changes:
            if change.kind == "ended" and change.turn is not None:
                self.ended[change.turn] += 1
                self.to_send.pop(change.turn, None)
            elif change.kind == "call" and change.call is not None:
                self.ready_calls.append(change.call)
            elif change.kind == "outputs" and change.turn is not None:
                self.carry_out(self.slot.want(change.turn, self.now))

    def carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case SendCreate(turn):
                    self.send_question(turn)
                    self.send(ev.ResponseCreate(event_id=turn_event_id(turn, "create")))
                case SendCancel():
                    self.send(ev.ResponseCancel())
                case Abandon(response):
                    self.local("response_lost", response=response)
                case GiveUp(turn, reason):
                    lost = turn if turn is not None else self.conversation.spoken
                    if lost is not None:
                        self.slot.forget(lost)
                        self.local("turn_failed", turn=lost, reason=reason)

    def send_question(self, turn: int) -> None:
        if text := self.to_send.pop(turn, ""):
            part = ev.Part(type="input_text", text=text)
            item = ev.Item(type="message", role="user", content=[part])
            self.send(ev.ConversationItemCreate(item=item, event_id=turn_event_id(turn, "item")))
        for n, call in enumerate(self.conversation.calls(self.conversation.turns[turn])):
            if call.output is not None and not call.sent:
                item = ev.Item(type="function_call_output", call_id=call.call_id, output=call.output)
                self.send(ev.ConversationItemCreate(item=item, event_id=turn_event_id(turn, f"output{n}")))

    def interrupt(self, *, by_speech: bool) -> None:
        active = self.conversation.active
        if active is not None and not active.discarded:
            self.local("discard", response=active.id)
        if not by_speech:
            for number in self.conversation.between_responses():
                self.slot.forget(number)
                self.local("turn_interrupted", turn=number)
        self.carry_out(self.slot.cancel(self.now))

    @rule(text=st.sampled_from(["Hello", "What time is it?", "你好"]))
    def ask(self, text: str) -> None:
        number = self.conversation.next_turn()
        self.local("turn", turn=number, how="text", text=text)
        self.to_send[number] = text
        self.carry_out(self.slot.want(number, self.now))

    @rule()
    def stop(self) -> None:
        self.interrupt(by_speech=False)

    @precondition(lambda self: self.ready_calls)
    @rule(status=st.sampled_from(["completed", "failed"]))
    def a_tool_ends(self, status: str) -> None:
        response, call = self.ready_calls.popleft()
        self.local("tool_call", response=response, call=call, status="running")
        self.local("tool_result", response=response, call=call, status=status, output="42")

    @rule(size=st.sampled_from([20, 100]))
    def microphone(self, size: int) -> None:
        pcm = self.new_sound(size)
        self.sent_sound += pcm
        self.send(ev.InputAudioBufferAppend(audio=encode(pcm)))

    @precondition(lambda self: not self.inbox)
    @rule(seconds=st.sampled_from([0.5, 4.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.carry_out(self.slot.on_time(self.now))

    # The line -----------------------------------------------------------------------------------------------------

    @rule(fate=st.sampled_from(["is late", "is repeated", "is swallowed"]))
    def the_next_event(self, fate: str) -> None:
        self.fate = fate

    def tell(self, event: ev.ServerEvent) -> None:
        """The service sends an event."""
        fate, self.fate = self.fate, "arrives"
        if fate == "arrives" or not isinstance(event, DISPENSABLE):
            self.take(event)
        elif fate == "is late":
            self.late.append(event)
        elif fate == "is repeated":
            self.take(event)
            self.take(event)

    @precondition(lambda self: self.late)
    @rule()
    def what_was_late_arrives(self) -> None:
        self.take(self.late.popleft())

    @rule()
    def the_connection_breaks(self) -> None:
        self.slot.reset()
        keep = [
            turn.id
            for turn in self.conversation.turns.values()
            if turn.text is not None and not turn.ended and not self.conversation.begun(turn)
        ]
        self.local("disconnected", reason="The connection broke off.", keep=keep)
        self.inbox.clear()
        self.late.clear()
        self.running = self.item = None
        self.speaking = None
        self.connection += 1
        self.responses = self.items = self.calls = 0
        for number in keep:
            self.to_send[number] = self.conversation.turns[number].text or ""
            self.carry_out(self.slot.want(number, self.now))

    # The service --------------------------------------------------------------------------------------------------

    def new_sound(self, size: int) -> bytes:
        self.samples += 1
        return self.samples.to_bytes(2, "little") * size

    def begin(self) -> None:
        self.responses += 1
        self.running, self.item = f"r{self.responses}", None
        self.tell(ev.ResponseCreated(response=ev.ResponseInfo(id=self.running, status="in_progress")))

    def end(self, status: str) -> None:
        ended, self.running, self.item = self.running, None, None
        self.tell(ev.ResponseDone(response=ev.ResponseInfo(id=ended, status=status)))

    @precondition(lambda self: self.inbox)
    @rule()
    def the_service_takes_an_event(self) -> None:
        match self.inbox.popleft():
            case ev.ConversationItemCreate(item=ev.Item(type="message")):
                self.items += 1
                item = ev.Item(id=f"i{self.items}", type="message", role="user")
                self.tell(ev.ConversationItemCreated(item=item))
            case ev.ResponseCreate(event_id=name) if self.running is not None:
                said = "ongoing response already exists"
                self.tell(ev.ErrorEvent(error=ev.ErrorInfo(message=said, event_id=name)))
            case ev.ResponseCreate():
                self.begin()
            case ev.ResponseCancel() if self.running is None:
                self.tell(ev.ErrorEvent(error=ev.ErrorInfo(message="no ongoing response to cancel")))
            case ev.ResponseCancel():
                self.end("incomplete")

    @precondition(lambda self: self.running is not None and self.item is None)
    @rule()
    def an_item_begins(self) -> None:
        self.items += 1
        self.item = f"i{self.items}"
        item = ev.Item(id=self.item, type="message", role="assistant")
        self.tell(ev.OutputItemAdded(response_id=self.running, item=item))
        self.tell(ev.ConversationItemCreated(item=item))

    @precondition(lambda self: self.item is not None)
    @rule(words=st.text(max_size=4), size=st.sampled_from([0, 10, 50]))
    def an_item_goes_on(self, words: str, size: int) -> None:
        assert self.item is not None
        place = self.place(self.item)
        ids = {"response_id": self.running, "item_id": self.item}
        if place not in self.whole:
            self.words[place] = self.words.get(place, "") + words
            self.tell(ev.AudioTranscriptDelta(delta=words, **ids))
        pcm = self.new_sound(size)
        self.sound[place] = self.sound.get(place, b"") + pcm
        self.tell(ev.AudioDelta(delta=encode(pcm), **ids))

    @precondition(lambda self: self.item is not None)
    @rule()
    def an_item_is_whole(self) -> None:
        assert self.item is not None
        place = self.place(self.item)
        self.whole.add(place)
        ids = {"response_id": self.running, "item_id": self.item}
        self.tell(ev.AudioTranscriptDone(transcript=self.words.setdefault(place, ""), **ids))
        self.tell(ev.AudioDone(**ids))

    @precondition(lambda self: self.running is not None)
    @rule()
    def a_function_is_called(self) -> None:
        self.items += 1
        self.calls += 1
        item, call = f"i{self.items}", f"c{self.calls}"
        ids = {"response_id": self.running, "item_id": item, "call_id": call}
        info = ev.Item(id=item, type="function_call", call_id=call, name="f")
        self.tell(ev.OutputItemAdded(response_id=self.running, item=info))
        self.tell(ev.FunctionCallArgumentsDone(arguments="{}", name="f", **ids))

    # A response lasts longer than a command takes to arrive: `response.created` names no request, so a client could not
    # tell otherwise.
    @precondition(lambda self: self.running is not None and not self.inbox)
    @rule(status=st.sampled_from(["completed", "completed", "failed", "incomplete"]))
    def the_response_ends(self, status: str) -> None:
        self.end(status)

    @precondition(lambda self: not self.speaking)
    @rule()
    def the_person_speaks(self) -> None:
        self.items += 1
        self.speaking = f"i{self.items}"
        self.tell(ev.SpeechStarted(item_id=self.speaking))

    @precondition(lambda self: self.speaking)
    @rule(answered=st.booleans())
    def the_person_stops(self, answered: bool) -> None:
        item, self.speaking = self.speaking, None
        self.tell(ev.SpeechStopped(item_id=item))
        self.tell(ev.InputAudioBufferCommitted(item_id=item))
        self.tell(ev.ConversationItemCreated(item=ev.Item(id=item, type="message", role="user")))
        self.tell(ev.InputTranscriptionCompleted(item_id=item, transcript="spoken"))
        if answered and self.running is None:
            self.begin()

    # What holds ---------------------------------------------------------------------------------------------------

    def place(self, item: str) -> str:
        """The item's name in the conversation: ids come again on another connection."""
        return item if not self.connection else f"{item}~{self.connection}"

    @invariant()
    def every_byte_and_character_is_in_its_place(self) -> None:
        items = self.conversation.items
        for place, pcm in self.sound.items():
            assert self.log.audio.read(items[place].audio) == pcm and items[place].audio_bytes == len(pcm)
        for place, words in self.words.items():
            assert (items[place].text if place in items else "") == words
        assert self.log.audio.lanes["output"].size == sum(map(len, self.sound.values()))
        sent = self.log.audio.lanes["input"]
        assert sent.read(0, sent.size) == self.sent_sound

    @invariant()
    def no_turn_ends_twice(self) -> None:
        assert all(count == 1 for count in self.ended.values()), self.ended
        assert set(self.ended) == {turn.id for turn in self.conversation.turns.values() if turn.ended}

    def teardown(self) -> None:
        """Once the person is silent and the line behaves, everything comes to its end."""
        self.fate = "arrives"
        if self.speaking:
            self.the_person_stops(answered=True)
        for _ in range(20 * (len(self.conversation.turns) + 2)):
            if self.inbox:
                self.the_service_takes_an_event()
            elif self.late:
                self.what_was_late_arrives()
            elif self.ready_calls:
                self.a_tool_ends("completed")
            elif self.running is not None:
                self.end("completed")
            else:
                self.time_passes(40.0)
        stuck = [turn for turn in self.conversation.turns.values() if not turn.ended]
        assert not stuck, stuck
        assert self.slot.state == "idle" and not self.slot.busy
        self.every_byte_and_character_is_in_its_place()
        again = Conversation()
        for record in self.log:
            again.apply(record, record.event)
        # Errors are equal to nothing but themselves, so what they say is compared.
        assert repr(again.turns) == repr(self.conversation.turns)
        assert again.items == self.conversation.items
        assert again.responses == self.conversation.responses


TestSlotAndConversation = SlotAndConversation.TestCase
TestSlotAndConversation.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
