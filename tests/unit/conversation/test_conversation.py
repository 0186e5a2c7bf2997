"""The reducer on frames as the service sends them, in their usual and their odd orders."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.audio.pcm import encode
from stepnb.conversation.reducer import Change, Conversation, turn_event_id, turn_of_event_id
from stepnb.errors import ServiceError, TurnError
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.recording.log import EventLog


class Story:
    """Feeds a conversation through a real log, one second per record."""

    def __init__(self) -> None:
        self.log = EventLog()
        self.conversation = Conversation()
        self.clock = itertools.count(1_000_000_000, 1_000_000_000)
        self.changes: list[Change] = []

    def _apply(self, side: Any, event: ev.Event) -> None:
        frame = codec.encode(event)
        decoded = codec.decode(frame)
        record = self.log.append_frame(side, event.type, frame, next(self.clock), decoded.audio)
        self.changes += self.conversation.apply(record, decoded.event)

    def sent(self, event: ev.Event) -> None:
        self._apply("out", event)

    def came(self, *events: ev.Event) -> None:
        for event in events:
            self._apply("in", event)

    def local(self, kind: str, **data: Any) -> None:
        self.changes += self.conversation.apply(self.log.append_local(kind, data, next(self.clock)), None)

    def ask(self, text: str = "hello") -> int:
        number = self.conversation.next_turn()
        self.local("turn", turn=number, how="text", text=text)
        item = ev.Item(type="message", role="user", content=[ev.Part(type="input_text", text=text)])
        self.sent(ev.ConversationItemCreate(item=item, event_id=turn_event_id(number, "item")))
        self.sent(ev.ResponseCreate(event_id=turn_event_id(number, "create")))
        return number

    def user_item(self, item_id: str) -> None:
        self.came(ev.ConversationItemCreated(item=ev.Item(id=item_id, type="message", role="user")))

    def begin(self, response: str, item: str) -> None:
        self.came(
            ev.ResponseCreated(response=ev.ResponseInfo(id=response, status="in_progress", output=[])),
            ev.OutputItemAdded(
                response_id=response, item=ev.Item(id=item, type="message", role="assistant", content=[])
            ),
            ev.ConversationItemCreated(item=ev.Item(id=item, type="message", role="assistant")),
        )

    def say(self, item: str | None, text: str, ms: int = 100, response: str | None = None) -> None:
        delta = encode(b"\1\0" * (24 * ms))
        self.came(
            ev.AudioTranscriptDelta(item_id=item, response_id=response, delta=text),
            ev.AudioDelta(item_id=item, response_id=response, delta=delta),
        )

    def end(self, response: str | None, status: str = "completed", **info: Any) -> None:
        self.came(ev.ResponseDone(response=ev.ResponseInfo(id=response, status=status, **info)))

    def kinds(self) -> list[str]:
        return [change.kind for change in self.changes]


@pytest.mark.parametrize("what", ["item", "create", "commit"])
def test_event_ids_name_their_turn(what: str) -> None:
    assert turn_of_event_id(turn_event_id(12, what)) == 12


@pytest.mark.parametrize("foreign", [None, "", "e12", "t", "t.item", "tx.item", "12.item"])
def test_other_event_ids_name_no_turn(foreign: str | None) -> None:
    assert turn_of_event_id(foreign) is None


def test_a_text_turn() -> None:
    story = Story()
    number = story.ask("What time is it?")
    story.user_item("server-id")
    story.begin("r1", "a1")
    story.say("a1", "It is ")
    story.say("a1", "noon.")
    story.came(ev.AudioDone(item_id="a1"), ev.AudioTranscriptDone(item_id="a1", transcript="It is noon."))
    story.end("r1", usage={"total_tokens": 7})
    turn = story.conversation.turns[number]
    assert turn.status == "completed" and turn.item == "server-id"
    (item,) = story.conversation.answer(turn)
    assert item.text == "It is noon." and item.audio_ms == 200
    assert story.kinds().count("audio") == 2 and story.kinds().count("audio_end") == 1
    assert story.kinds()[-1] == "ended"
    stamps = turn.stamps
    assert stamps["asked"] < stamps["committed"] < stamps["response_created"] < stamps["first_text"]
    assert stamps["first_text"] < stamps["first_audio"] < stamps["done"]


def test_a_delta_that_comes_after_the_whole_adds_nothing() -> None:
    story = Story()
    number = story.ask()
    story.begin("r1", "a1")
    story.say("a1", "It is ")
    story.came(
        ev.AudioTranscriptDone(item_id="a1", transcript="It is noon."),
        ev.AudioTranscriptDelta(item_id="a1", delta="noon."),
        ev.ThinkingDone(item_id="a1", thinking="Which hour?"),
        ev.ThinkingDelta(item_id="a1", delta="hour?"),
    )
    story.end("r1")
    (item,) = story.conversation.answer(story.conversation.turns[number])
    assert (item.text, item.thinking) == ("It is noon.", "Which hour?")


@pytest.mark.parametrize(("discarded", "status"), [(False, "completed"), (True, "interrupted")])
def test_a_response_whose_end_is_lost_is_over_when_the_next_begins(discarded: bool, status: str) -> None:
    story = Story()
    first = story.ask("One?")
    story.begin("r1", "a1")
    story.say("a1", "One.")
    if discarded:
        story.local("discard", response="r1")
    second = story.ask("Two?")
    story.begin("r2", "a2")
    assert story.conversation.turns[first].status == status
    story.end("r1")  # late
    story.end("r2")
    assert [story.conversation.turns[n].status for n in (first, second)] == [status, "completed"]
    assert story.kinds().count("ended") == 2


def test_frames_without_ids_belong_to_the_running_response() -> None:
    story = Story()
    number = story.ask()
    story.came(ev.ResponseCreated(response=ev.ResponseInfo(id="r1")))
    story.came(ev.OutputItemAdded(item=ev.Item(id="a1", type="message", role="assistant")))
    story.say(None, "Hi.")
    story.end(None)
    turn = story.conversation.turns[number]
    assert [item.text for item in story.conversation.answer(turn)] == ["Hi."]
    assert turn.status == "completed"


def test_the_summary_at_the_end_fills_what_no_event_brought() -> None:
    story = Story()
    number = story.ask()
    story.came(ev.ResponseCreated(response=ev.ResponseInfo(id="r1")))
    part = ev.Part(type="audio", transcript="Only here.")
    story.end("r1", output=[ev.Item(id="a1", role="assistant", type="message", content=[part])])
    assert story.conversation.answer(story.conversation.turns[number])[0].text == "Only here."


def speech_turn(story: Story, item: str = "u1", start: int = 0, end: int = 0) -> None:
    story.came(
        ev.SpeechStarted(item_id=item, audio_start_ms=start),
        ev.SpeechStopped(item_id=item, audio_end_ms=end),
        ev.InputAudioBufferCommitted(item_id=item),
        ev.ConversationItemCreated(item=ev.Item(id=item, type="message", role="user")),
    )


def test_a_spoken_turn_keeps_its_audio_and_transcript() -> None:
    story = Story()
    for n in range(100):
        story.sent(ev.InputAudioBufferAppend(audio=encode(bytes([n, 0]) * 480)))
    speech_turn(story, start=200, end=1000)
    story.begin("r1", "a1")
    story.came(ev.InputTranscriptionDelta(item_id="u1", delta="what"))
    story.came(ev.InputTranscriptionDelta(item_id="u1", delta="what time"))
    story.end("r1")
    story.came(ev.InputTranscriptionCompleted(item_id="u1", transcript="What time is it?"))
    story.came(ev.InputTranscriptionDelta(item_id="u1", delta="what time"))
    turn = story.conversation.turns[1]
    assert turn.kind == "speech" and turn.user_transcript == "What time is it?"
    pcm = story.log.audio.read(turn.input_audio)
    assert len(pcm) == 800 * 48
    assert pcm[0] == 10 and pcm[-2] == 49


def test_epoch_times_fall_back_to_our_own_clock() -> None:
    story = Story()
    story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(960 * 10))))
    story.came(ev.SpeechStarted(item_id="u1", audio_start_ms=1_790_000_000_000))
    story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(960 * 5))))
    story.came(ev.SpeechStopped(item_id="u1", audio_end_ms=1_790_000_000_900))
    assert sum(ref.length for ref in story.conversation.turns[1].input_audio) == 960 * 5


def test_a_transcript_may_come_before_its_item() -> None:
    story = Story()
    story.came(ev.InputTranscriptionCompleted(item_id="u1", transcript="Early."))
    speech_turn(story)
    assert story.conversation.turns[1].user_transcript == "Early."


def test_speaking_again_before_the_answer_begins_a_new_turn_and_settles_the_old() -> None:
    story = Story()
    speech_turn(story, "u1")
    speech_turn(story, "u2")
    story.begin("r1", "a1")
    story.end("r1")
    assert [turn.status for turn in story.conversation.turns.values()] == ["interrupted", "completed"]


def test_push_to_talk_takes_what_was_appended_since_the_clear() -> None:
    story = Story()
    story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(960))))
    story.local("turn", turn=1, how="speech")
    story.sent(ev.InputAudioBufferClear())
    story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(960 * 50))))
    story.sent(ev.InputAudioBufferCommit(event_id="t1.commit"))
    story.sent(ev.ResponseCreate(event_id="t1.create"))
    story.came(ev.InputAudioBufferCommitted(item_id="u1"))
    story.user_item("u1")
    story.begin("r1", "a1")
    story.end("r1")
    turn = story.conversation.turns[1]
    assert turn.status == "completed" and turn.item == "u1"
    assert sum(ref.length for ref in turn.input_audio) == 960 * 50


def test_discarded_audio_is_kept_but_not_played() -> None:
    story = Story()
    number = story.ask()
    story.begin("r1", "a1")
    story.say("a1", "Long ")
    story.local("discard", response="r1")
    story.say("a1", "story.")
    story.end("r1", "incomplete")
    turn = story.conversation.turns[number]
    assert story.kinds().count("audio") == 1
    assert turn.status == "interrupted"
    assert story.conversation.answer(turn)[0].audio_ms == 200


def test_an_answer_cut_after_it_had_been_sent_is_interrupted_too() -> None:
    story = Story()
    number = story.ask()
    story.begin("r1", "a1")
    story.say("a1", "aaaa aaaa ", 1000)
    story.say("a1", "bbbb bbbb ", 1000)
    story.end("r1")
    story.local("flushed", item="a1", heard_ms=1500.0, unplayed_ms=500.0)
    turn = story.conversation.turns[number]
    assert turn.status == "interrupted" and turn.cut_ms == 1500
    assert story.conversation.answer(turn)[0].heard_chars() == 14  # in whole words


def test_a_flush_with_nothing_left_to_play_changes_nothing() -> None:
    story = Story()
    number = story.ask()
    story.begin("r1", "a1")
    story.say("a1", "Done.")
    story.end("r1")
    story.local("flushed", item="a1", heard_ms=100.0, unplayed_ms=0.0)
    assert story.conversation.turns[number].status == "completed"


def test_a_failed_response_fails_the_turn_with_its_reason() -> None:
    story = Story()
    number = story.ask()
    story.begin("r1", "a1")
    story.end("r1", "failed", status_details={"error": {"message": "out of luck"}})
    error = story.conversation.turns[number].error
    assert isinstance(error, ServiceError) and "out of luck" in str(error)


def test_an_error_that_names_a_turns_event_fails_that_turn() -> None:
    story = Story()
    first, second = story.ask(), story.ask()
    story.came(ev.ErrorEvent(error=ev.ErrorInfo(message="bad item", event_id=f"t{first}.item")))
    turns = story.conversation.turns
    assert turns[first].status == "failed" and turns[second].status == "pending"
    story.user_item("u2")
    assert turns[second].item == "u2"


def test_no_speech_found_ends_the_spoken_turn_with_advice() -> None:
    story = Story()
    story.came(ev.SpeechStarted(item_id="u1"), ev.SpeechStopped(item_id="u1"))
    story.came(ev.ErrorEvent(error=ev.ErrorInfo(message="no speech found")))
    error = story.conversation.turns[1].error
    assert error is not None and error.fix is not None


def test_an_error_nobody_waits_for_becomes_a_notice() -> None:
    story = Story()
    story.came(ev.ErrorEvent(error=ev.ErrorInfo(message="something odd")))
    assert story.kinds() == ["notice"]


def test_the_cancel_race_is_silent() -> None:
    story = Story()
    story.came(ev.ErrorEvent(error=ev.ErrorInfo(message="no ongoing response to cancel")))
    assert story.changes == []


def test_a_create_refused_after_an_automatic_response_began_gives_that_response_to_the_speaker() -> None:
    story = Story()
    asked = story.ask()
    story.came(ev.SpeechStarted(item_id="u1"), ev.SpeechStopped(item_id="u1"))
    story.begin("auto", "a1")  # matched to the asked turn at first
    story.came(
        ev.ErrorEvent(
            error=ev.ErrorInfo(message="ongoing response already exists", event_id=f"t{asked}.create")
        )
    )
    story.say("a1", "For the speaker.")
    story.end("auto")
    turns = story.conversation.turns
    assert turns[asked].status == "pending" and turns[asked].responses == []
    assert turns[2].status == "completed"


def test_a_response_nobody_asked_for_is_a_turn_of_its_own() -> None:
    story = Story()
    story.begin("r1", "a1")
    story.say("a1", "Hello!")
    story.end("r1")
    turn = story.conversation.turns[1]
    assert turn.kind == "unasked" and turn.status == "completed"


def test_a_lost_connection_settles_every_open_turn() -> None:
    story = Story()
    story.ask()
    story.came(ev.SpeechStarted(item_id="u1"))
    story.local("disconnected", reason="The connection broke off.")
    for turn in story.conversation.turns.values():
        assert turn.status == "failed" and isinstance(turn.error, TurnError)
    assert not story.conversation.speaking


def test_a_repeated_end_changes_nothing() -> None:
    story = Story()
    number = story.ask()
    story.begin("r1", "a1")
    story.end("r1")
    before = len(story.changes)
    story.came(ev.ResponseCancelled(response_id="r1"))
    story.end("r1", "cancelled")
    assert len(story.changes) == before
    assert story.conversation.turns[number].status == "completed"


ANY_EVENT = st.sampled_from(
    [
        ev.SpeechStarted(item_id="u1", audio_start_ms=0),
        ev.SpeechStopped(item_id="u1", audio_end_ms=40),
        ev.InputAudioBufferCommitted(item_id="u1"),
        ev.InputAudioBufferCommitted(),
        ev.ConversationItemCreated(item=ev.Item(id="u1", role="user", type="message")),
        ev.ConversationItemCreated(item=ev.Item(id="a1", role="assistant", type="message")),
        ev.ConversationItemCreated(item=ev.Item()),
        ev.InputTranscriptionCompleted(item_id="u1", transcript="said"),
        ev.InputTranscriptionFailed(item_id="u1"),
        ev.ResponseCreated(response=ev.ResponseInfo(id="r1")),
        ev.ResponseCreated(response=ev.ResponseInfo()),
        ev.OutputItemAdded(item=ev.Item(id="a1", role="assistant", type="message")),
        ev.OutputItemAdded(item=ev.Item(id="f1", type="function_call", name="x"), response_id="r1"),
        ev.AudioTranscriptDelta(delta="word "),
        ev.AudioTranscriptDelta(item_id="a2", delta="other "),
        ev.AudioDelta(item_id="a1", delta=encode(b"\1\0" * 480)),
        ev.AudioDelta(delta=encode(b"\1\0" * 480)),
        ev.ThinkingDelta(delta="hm"),
        ev.AudioDone(item_id="a1"),
        ev.ResponseDone(response=ev.ResponseInfo(id="r1", status="completed")),
        ev.ResponseDone(response=ev.ResponseInfo(status="incomplete")),
        ev.ResponseDone(response=ev.ResponseInfo(id="r9", status="failed")),
        ev.ResponseCancelled(response_id="r1"),
        ev.ErrorEvent(error=ev.ErrorInfo(message="ongoing response already exists", event_id="t1.create")),
        ev.ErrorEvent(error=ev.ErrorInfo(message="no speech found")),
        ev.ErrorEvent(error=ev.ErrorInfo(message="boom", event_id="t1.item")),
        ev.ErrorEvent(error=ev.ErrorInfo(message="boom", event_id="t99.item")),
    ]
)
ANY_STEP = st.one_of(
    ANY_EVENT.map(lambda event: ("came", event)),
    st.sampled_from([("ask", None), ("append", None), ("playhead", None), ("flushed", None), ("lost", None)]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ANY_STEP, max_size=40))
def test_any_order_of_events_keeps_the_books(steps: list[tuple[str, Any]]) -> None:
    """No exception, no audio lost or counted twice, every end told once, and a lost connection settles the rest."""
    story = Story()
    audio = 0
    for kind, event in [*steps, ("lost", None)]:
        match kind:
            case "came":
                audio += 960 if isinstance(event, ev.AudioDelta) else 0
                story.came(event)
            case "ask":
                story.ask()
            case "append":
                story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(960))))
            case "playhead":
                story.local("playhead", items={"a1": 10.0, "unknown": 5.0})
            case "flushed":
                story.local("flushed", item="a1", heard_ms=5.0, unplayed_ms=15.0)
            case "lost":
                story.local("disconnected", reason="gone")
    conversation = story.conversation
    assert sum(item.audio_bytes for item in conversation.items.values()) == audio
    assert all(
        turn.ended
        for turn in conversation.turns.values()
        if turn.kind != "unasked" or turn.status != "active"
    )
    ends = [change.turn for change in story.changes if change.kind == "ended"]
    assert len(ends) == len(set(ends))
    owners = [response for turn in conversation.turns.values() for response in turn.responses]
    assert len(owners) == len(set(owners))


def test_ids_that_come_again_after_a_reconnect_are_other_ones() -> None:
    story = Story()
    for text in ("first", "second"):
        story.ask(text)
        story.user_item("u1")
        story.begin("r1", "a1")
        story.say("a1", text)
        story.end("r1")
        story.local("disconnected", reason="gone")
    conversation = story.conversation
    assert [turn.status for turn in conversation.turns.values()] == ["completed", "completed"]
    assert [conversation.answer(turn)[0].text for turn in conversation.turns.values()] == ["first", "second"]


def test_an_item_of_an_earlier_connection_is_unknown_to_the_service() -> None:
    story = Story()
    story.ask()
    story.begin("r1", "a1")
    item = next(iter(story.conversation.items))
    assert story.conversation.wire_id(item) == "a1"
    story.local("disconnected", reason="gone")
    assert story.conversation.wire_id(item) is None


@pytest.mark.parametrize(
    ("text", "heard"), [("one two three ", 7), ("onetwothreefour", 0), ("一二三四五六七八九十", 5), ("", 0)]
)
def test_what_was_heard_is_counted_in_whole_words(text: str, heard: int) -> None:
    story = Story()
    story.ask()
    story.begin("r1", "a1")
    story.say("a1", text, 1000)
    story.local("playhead", items={"a1": 560.0 if " " in text else 500.0})
    assert story.conversation.items["a1"].heard_chars() == heard
