"""Stamps of a turn, and the figures that are functions of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.conversation.reducer import turn_event_id
from stepnb.conversation.timing import Latency, Stamp, Stamps
from stepnb.protocol import events as ev
from tests.unit.conversation.test_conversation import Story

MS = 1_000_000
NAMES = list(Stamps.__dataclass_fields__)


def test_stamps_are_in_ns_and_in_seconds_into_the_log() -> None:
    stamps = Stamps.of({"first_audio": 5_500 * MS, "asked": 4_000 * MS, "first_text": 5_000 * MS}, 3_000 * MS)
    assert stamps.asked == Stamp(4_000 * MS, 1.0) and stamps.first_audio == Stamp(5_500 * MS, 2.5)
    assert stamps.done is None and stamps.first_delta == stamps.first_text
    assert [name for name, _ in stamps] == ["asked", "first_text", "first_audio"]
    assert stamps.ns == {"asked": 4_000 * MS, "first_text": 5_000 * MS, "first_audio": 5_500 * MS}
    assert repr(stamps) == "Stamps(asked=1.000 s, first_text=2.000 s, first_audio=2.500 s)"


@pytest.mark.parametrize(
    ("times", "figures"),
    [
        ({}, {}),
        ({"asked": 0}, {}),
        ({"first_audio": 900 * MS}, {}),
        (
            {"asked": 0, "response_created": 5 * MS, "first_text": 700 * MS},
            {"response_created": 5.0, "first_text": 700.0},
        ),
        (
            {"asked": 0, "input_ended": 100 * MS, "first_audio": 900 * MS, "first_heard": 950 * MS},
            {"first_audio": 800.0, "first_heard": 850.0},
        ),
        (
            {"speech_started": 0, "last_input": 40 * MS, "speech_stopped": 540 * MS, "first_heard": 840 * MS},
            {"turn_detection": 500.0, "first_heard": 300.0},
        ),
        ({"asked": 0, "cancelled": 10 * MS, "last_heard": 60 * MS}, {"silence": 50.0}),
    ],
)
def test_latency_is_a_function_of_the_stamps(times: dict[str, int], figures: dict[str, float]) -> None:
    assert Latency.of(times) == Latency(**figures)


@given(st.dictionaries(st.sampled_from([*NAMES, "unknown"]), st.integers(0, 10**18)), st.integers(0, 10**18))
def test_any_stamps_give_figures(times: dict[str, int], anchor: int) -> None:
    stamps = Stamps.of(times, anchor)
    assert stamps.ns == {name: ns for name, ns in times.items() if name in NAMES}
    assert Latency.of(times) == Latency.of(stamps.ns)


def append(story: Story, ms: int) -> None:
    from stepnb.audio.pcm import encode

    story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(48 * ms))))


def test_the_last_input_of_speech_is_the_sample_the_service_names() -> None:
    story = Story()
    for _ in range(6):
        append(story, 100)  # sent at 1 s, 2 s, ...
    story.came(
        ev.SpeechStarted(item_id="u1", audio_start_ms=50), ev.SpeechStopped(item_id="u1", audio_end_ms=250)
    )
    stamps = story.conversation.turns[1].stamps
    assert stamps["last_input"] == 3_000 * MS and stamps["speech_stopped"] == 8_000 * MS
    # The same words went on: the end of before counts no more.
    append(story, 100)
    story.came(ev.SpeechStarted(item_id="u1", audio_start_ms=650))
    assert "last_input" not in stamps
    story.came(ev.SpeechStopped(item_id="u1"))
    assert stamps["last_input"] == 9_000 * MS


def test_the_last_input_of_push_to_talk_and_of_a_clip() -> None:
    story = Story()
    story.local("turn", turn=1, how="speech")
    append(story, 100)
    append(story, 100)
    story.sent(ev.InputAudioBufferCommit(event_id=turn_event_id(1, "commit")))
    stamps = story.conversation.turns[1].stamps
    assert stamps["last_input"] == 3_000 * MS and stamps["input_ended"] == 4_000 * MS
    text = story.ask("no audio")
    assert "last_input" not in story.conversation.turns[text].stamps


def test_the_first_and_the_last_audio_and_what_was_heard_of_it() -> None:
    story = Story()
    story.ask()
    story.begin("r1", "a1")
    story.say("a1", "One ", ms=400)
    story.say("a1", "two.", ms=600)
    story.end("r1")
    stamps = story.conversation.turns[1].stamps
    assert stamps["first_audio"] < stamps["last_audio"] < stamps["done"]
    story.local("playhead", items={"a1": 300.0})
    heard = stamps["last_heard"]
    story.local("playhead", items={"a1": 300.0})
    assert stamps["last_heard"] == heard, "nothing more was rendered"
    story.local("flushed", item="a1", heard_ms=500.0, unplayed_ms=500.0, since=heard + MS)
    assert stamps["last_heard"] > heard and stamps["cancelled"] == heard + MS
    assert Latency.of(stamps).silence == (stamps["last_heard"] - heard) / 1e6 - 1
