from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.example_conversation import Stage, room, said, weather
from stepnb.audio.clip import Clip
from stepnb.conversation.record import AudioRef
from stepnb.plots.lanes import BYTES_PER_S, Stretch, loudest, parts_of, streamed, voiced
from stepnb.plots.scene import Scene, split
from stepnb.protocol import events as ev
from stepnb.recording.recording import Recording
from stepnb.recording.store import AudioStore

example = functools.cache(weather)


def burst(seconds: float, level: int = 6000) -> Clip:
    samples = np.full(round(seconds * 24000), level, np.int16)
    samples[1::2] *= -1
    return Clip(samples, 24000)


def kept(clip: Clip) -> AudioStore:
    store = AudioStore()
    store.append(clip.pcm, "input")
    return store


# Sound in time


def test_a_microphones_chunks_are_one_stretch_in_spite_of_jitter() -> None:
    chunks = [(1.04 + n * 0.04 + 0.03 * (n % 3), n * 1920, 1920) for n in range(100)]
    (stretch,) = streamed(chunks)
    assert (stretch.offset, stretch.length) == (0, 192_000) and stretch.start == pytest.approx(1.0)
    (part,) = parts_of([stretch], AudioRef(48_000, 4_800, "input"))
    assert part == Stretch(48_000, 4_800, pytest.approx(2.0))


def test_a_pause_of_the_microphone_begins_another_stretch() -> None:
    first, second = streamed([(1.0, 0, 4800), (1.1, 4800, 4800), (5.0, 9600, 4800)])
    assert first == Stretch(0, 9600, pytest.approx(0.9))
    assert second == Stretch(9600, 4800, pytest.approx(4.9))
    # What reaches over the pause lies on both sides of it.
    assert parts_of([first, second], AudioRef(4800, 7200, "input")) == [
        Stretch(4800, 4800, pytest.approx(1.0)), Stretch(9600, 2400, pytest.approx(4.9)),
    ]  # fmt: skip
    assert not parts_of([first, second], AudioRef(14_400, 480, "input"))
    assert not parts_of([], AudioRef(0, 480, "input")) and not parts_of([first], AudioRef(-1, 480, "input"))


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(1, 60), st.floats(0, 2), st.floats(0.5, 3))
def test_the_loudest_frames_are_those_found_one_by_one(
    frames: int, bins: int, since: float, length: float
) -> None:
    random = np.random.default_rng(frames)
    clip = Clip(random.integers(-8000, 8000, frames * 480).astype(np.int16), 24000)
    stretch = Stretch(0, len(clip.pcm), 1.0)
    found = loudest(kept(clip).lanes["input"], [stretch], since, since + length, bins)
    # A frame in the middle of the border of two parts may count to either.
    least, most = np.zeros(bins), np.zeros(bins)
    for n, frame in enumerate(clip.samples.reshape(-1, 480).astype(float)):
        rms = np.sqrt(np.mean(frame**2))
        place = (1.0 + (n + 0.5) * 0.02 - since) * bins / length
        near = {int(np.floor(place - 1e-6)), int(np.floor(place + 1e-6))}
        for bin_ in near & set(range(bins)):
            most[bin_] = max(most[bin_], rms)
            if len(near) == 1:
                least[bin_] = max(least[bin_], rms)
    assert (found >= least - 1e-6).all() and (found <= most + 1e-6).all()


@pytest.mark.parametrize("noise", [0, 10, 300])
@pytest.mark.parametrize(("begin", "length"), [(0.5, 1.0), (0.313, 0.777), (0.0, 2.0)])
def test_the_voice_is_found_within_20_ms(noise: int, begin: float, length: float) -> None:
    clip = Clip.silence(begin) + burst(length) + Clip.silence(1.0)
    samples = clip.samples + np.random.default_rng(1).normal(0, noise, clip.samples.size)
    clip = Clip(samples.clip(-32768, 32767).astype(np.int16), 24000)
    found = voiced(kept(clip).lanes["input"], [Stretch(0, len(clip.pcm), 10.0)])
    assert found == pytest.approx((10 + begin, 10 + begin + length), abs=0.02)


def test_silence_and_clicks_have_no_voice() -> None:
    for clip in (Clip([], 24000), Clip.silence(1), Clip.silence(0.5) + burst(0.02) + Clip.silence(0.5)):
        assert voiced(kept(clip).lanes["input"], [Stretch(0, len(clip.pcm), 0.0)]) is None


# Who did what


def test_speech_is_where_it_was_in_the_room() -> None:
    scene = Scene.of(example())
    spoken = [(span.turn, span.start, span.end) for span in scene.speech]
    assert [turn for turn, *_ in spoken] == [1, 2, 4]
    for (_, start, end), truth in zip(spoken, [(1.0, 3.4), (11.05, 12.55), (25.6, 27.4)], strict=True):
        # A syllable swells, so that its edge is not a step.
        assert start == pytest.approx(truth[0], abs=0.06) and end == pytest.approx(truth[1], abs=0.06)
    assert scene.speech[0].text.startswith("What is the weather")


def test_what_was_heard_and_what_was_not() -> None:
    scene = Scene.of(example())
    first, *others = scene.replies
    assert first.heard == pytest.approx(first.start + 5.7) and first.generated == pytest.approx(
        first.start + 8.0
    )
    assert first.cut and not any(reply.cut for reply in others)
    assert "umbrella" not in first.text and first.text.startswith("It is 21 degrees")
    (cut,) = scene.cuts
    assert cut.start == first.heard and cut.turn == 1
    assert [reply.turn for reply in scene.replies] == [1, 2, 3, 4]
    # After the connection was lost ids are others, and are found all the same.
    assert others[-1].heard == pytest.approx(others[-1].start + 1.3)
    seconds = sum(stretch.length for stretch in first.sound) / BYTES_PER_S
    assert seconds == 8.0 and first.sound[0].start == first.start


def test_an_answer_that_is_still_being_played_is_not_cut_off() -> None:
    stage = Stage()
    stage.typed(1.0, 1, "Hello")
    stage.answer(1.1, "Hello to you.", said(2.0, 3), play=False)
    stage.local(1.6, "first", item="a1")
    stage.local(2.2, "playhead", items={"a1": 600.0})
    scene = Scene.of(stage.recording())
    (reply,) = scene.replies
    assert reply.heard == pytest.approx(2.2)
    assert scene.cuts == []


def test_what_else_happened() -> None:
    scene = Scene.of(example())
    (call,), (thought,), (gap,), (error,), (message,) = (
        scene.calls, scene.thinking, scene.gaps, scene.errors, scene.messages,
    )  # fmt: skip
    assert call.text == "get_weather" and call.end - call.start == pytest.approx(0.8)
    assert thought.turn == 2 and 0.9 < thought.end - thought.start < 1.2
    assert (gap.start, gap.end) == pytest.approx((22.0, 24.1))
    assert error.text == "The voice is busy, try again." and error.start == pytest.approx(24.6)
    assert message.text == "用中文说一遍，好吗？" and message.turn == 3
    assert scene.threshold == 1200
    assert scene.span_of(1) == pytest.approx((1.0, scene.replies[0].generated), abs=0.06)
    assert scene.span_of(99) == (scene.start, scene.end)


def test_every_frame_on_the_wire_is_an_event_once() -> None:
    recording = example()
    scene = Scene.of(recording)
    wire = [record for record in recording.events if record.side != "local"]
    assert scene.events.size + scene.streaming.size == len(wire)
    streams = sum(record.kind.endswith((".delta", ".append")) for record in wire)
    assert scene.streaming.size == streams


@pytest.mark.parametrize("keep", ["none", "input", "output"])
def test_without_the_audio_the_events_say_who_spoke(keep: str) -> None:
    stage = Stage(keep_audio=keep)
    stage.microphone(room(6.0, (1.0, burst(1.0))))
    noticed = stage.heard("u1", 1.0, 2.0, "Hello?")
    stage.answer(noticed + 0.02, "Yes.", said(1.0, 3))
    scene = Scene.of(stage.recording())
    (span,), (reply,) = scene.speech, scene.replies
    if keep == "input":
        assert (span.start, span.end) == pytest.approx((1.0, 2.0), abs=0.02)
        assert reply.sound == ()
    else:
        assert (span.start, span.end) == pytest.approx((1.1, noticed))
    assert reply.heard is not None and reply.heard - reply.start == pytest.approx(1.0)


def test_padding_that_reaches_back_over_a_pause_of_the_microphone_moves_nothing() -> None:
    stage = Stage()
    stage.microphone(room(3.0, (0.5, burst(1.0))))
    stage.microphone(room(3.0, (0.1, burst(1.0))), at=9.0)
    stage.heard("u1", 0.5, 1.5, "One")
    # In the stream the second part follows the first at once, so that its padding is of the first.
    stage.heard("u2", 9.1, 10.1, "Two", stream=6.0)
    first, second = Scene.of(stage.recording()).speech
    assert (first.start, first.end) == pytest.approx((0.5, 1.5), abs=0.02)
    assert (second.start, second.end) == pytest.approx((9.1, 10.1), abs=0.02)


def test_without_a_player_nothing_is_said_to_be_heard() -> None:
    stage = Stage()
    stage.typed(1.0, 1, "Hello")
    stage.answer(1.1, "Hello to you.", said(1.0, 3), play=False)
    scene = Scene.of(stage.recording())
    (reply,) = scene.replies
    assert reply.heard is None and not reply.cut
    assert reply.start == pytest.approx(1.45)
    assert scene.end == pytest.approx(2.45), "audio comes faster than it lasts, and all of it is shown"
    assert reply.text == "Hello to you."


def test_speech_that_goes_on_lasts_until_now() -> None:
    stage = Stage(vad=None)
    stage.came(1.0, ev.SpeechStarted(item_id="u1", audio_start_ms=0))
    stage.came(3.0, ev.ResponseCreated(response=ev.ResponseInfo(id="r1", status="in_progress")))
    (span,) = Scene.of(stage.recording()).speech
    assert (span.start, span.end) == pytest.approx((1.0, 3.0))


def test_an_empty_log_is_an_empty_scene() -> None:
    scene = Scene.of(Stage().recording())
    assert scene.end == 0 and not scene.speech and not scene.replies and not scene.events.size


def test_only_conversations_have_scenes() -> None:
    recording: Recording = example()
    assert split(recording) == (recording, None)
    assert split(recording.turns[1]) == (recording, 2)
    with pytest.raises(Exception, match="A Clip has no conversation"):
        split(Clip.silence(1))  # type: ignore[arg-type]
