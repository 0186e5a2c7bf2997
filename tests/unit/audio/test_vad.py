from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.audio.pcm import RATE
from stepnb.audio.vad import FRAME, MIN_SPEECH_FRAMES, EnergyVAD, SpeechStarted, SpeechStopped, frame_energy
from stepnb.errors import AudioError

MS = RATE // 1000


def sound(*parts: tuple[int, int]) -> bytes:
    """Make a square wave: each part is (ms, amplitude), and the RMS of its frames is that amplitude."""
    halves = [np.full(ms * MS, amplitude, np.int16) for ms, amplitude in parts]
    samples = np.concatenate(halves)
    samples[1::2] *= -1
    return samples.astype("<i2").tobytes()


# Stretches that do and do not line up with frames, clicks, pauses, and levels around the threshold of 2500.
sounds = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from([0, 40, 2500, 2501, 9000, 32767])), min_size=1, max_size=12
).map(lambda parts: sound(*parts))
settings = st.fixed_dictionaries(
    {
        "prefix_padding_ms": st.integers(0, 700),
        "silence_duration_ms": st.integers(0, 300),
        "energy_awakeness_threshold": st.integers(0, 5000),
    }
)


def test_an_utterance_has_padding_before_and_silence_after() -> None:
    vad = EnergyVAD(prefix_padding_ms=300, silence_duration_ms=200, energy_awakeness_threshold=2500)
    started, stopped = vad.feed(sound((1000, 0), (600, 9000), (1000, 0)))
    assert started == SpeechStarted(start=700 * MS, onset=1000 * MS)
    assert stopped == SpeechStopped(end=1800 * MS, offset=1600 * MS)
    assert isinstance(started, SpeechStarted) and started.audio_start_ms == 700
    assert isinstance(stopped, SpeechStopped) and stopped.audio_end_ms == 1800
    assert vad.clock == 2600 * MS and not vad.speaking


def test_speech_is_told_with_the_frame_that_makes_it_certain() -> None:
    vad = EnergyVAD()
    frame = sound((20, 9000))
    told = [len(vad.feed(frame)) for _ in range(6)]
    assert told == [0, 0, 1, 0, 0, 0] and MIN_SPEECH_FRAMES == 3
    assert vad.speaking


def test_silence_is_told_only_when_enough_was_received() -> None:
    vad = EnergyVAD(silence_duration_ms=500)
    vad.feed(sound((400, 9000), (480, 0)))
    assert vad.speaking
    assert vad.feed(sound((20, 0))) == [SpeechStopped(end=900 * MS, offset=400 * MS)]


def test_a_pause_shorter_than_the_silence_is_part_of_the_speech() -> None:
    vad = EnergyVAD(silence_duration_ms=200)
    events = vad.feed(sound((200, 9000), (180, 0), (200, 9000), (400, 0)))
    assert [type(event) for event in events] == [SpeechStarted, SpeechStopped]


def test_a_click_is_not_speech() -> None:
    assert EnergyVAD().feed(sound((500, 0), (40, 32767), (500, 0), (40, 32767), (500, 0))) == []


def test_the_threshold_itself_is_not_loud() -> None:
    assert EnergyVAD(energy_awakeness_threshold=2500).feed(sound((1000, 2500))) == []
    assert EnergyVAD(energy_awakeness_threshold=2500).feed(sound((1000, 2501))) != []


def test_full_scale_does_not_overflow() -> None:
    full = np.full(FRAME, -32768, np.int16)
    assert frame_energy(full, FRAME).tolist() == [FRAME * 32768**2]


def test_padding_does_not_reach_into_the_utterance_before() -> None:
    vad = EnergyVAD(prefix_padding_ms=500, silence_duration_ms=100)
    first, stop, second = vad.feed(sound((200, 9000), (160, 0), (200, 9000)))
    assert isinstance(first, SpeechStarted) and first.start == 0
    assert isinstance(stop, SpeechStopped) and stop.end == 300 * MS
    assert isinstance(second, SpeechStarted) and (second.start, second.onset) == (300 * MS, 360 * MS)


def test_parameters_change_while_it_runs() -> None:
    vad = EnergyVAD(energy_awakeness_threshold=5000, silence_duration_ms=400)
    assert vad.feed(sound((200, 3000))) == []
    vad.update(energy_awakeness_threshold=1000)
    assert vad.feed(sound((200, 3000))) == [SpeechStarted(start=0, onset=200 * MS)]
    vad.update(silence_duration_ms=100)
    assert vad.feed(sound((200, 0))) == [SpeechStopped(end=500 * MS, offset=400 * MS)]


def test_clear_forgets_the_utterance_and_its_padding_but_not_the_time() -> None:
    vad = EnergyVAD(prefix_padding_ms=500)
    vad.feed(sound((310, 9000)))
    vad.clear()
    assert not vad.speaking and vad.clock == 310 * MS
    assert vad.feed(sound((200, 9000))) == [SpeechStarted(start=310 * MS, onset=310 * MS)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"prefix_padding_ms": -1},
        {"prefix_padding_ms": 60_001},
        {"silence_duration_ms": 100.5},
        {"silence_duration_ms": "500"},
        {"energy_awakeness_threshold": 5001},
        {"energy_awakeness_threshold": float("nan")},
    ],
)
def test_a_wrong_parameter_is_named_and_changes_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(AudioError, match=f"{next(iter(wrong))} is .* whole number"):
        EnergyVAD(**wrong)
    vad = EnergyVAD(energy_awakeness_threshold=5000)
    with pytest.raises(AudioError):
        vad.update(**{"energy_awakeness_threshold": 0, **wrong})
    assert vad.feed(sound((200, 4000))) == []


@given(sounds, settings, st.lists(st.integers(0, 5000), max_size=20))
def test_events_do_not_depend_on_the_chunking(data: bytes, setting: dict[str, int], cuts: list[int]) -> None:
    whole, chunked = EnergyVAD(**setting), EnergyVAD(**setting)
    expected = whole.feed(data)
    events, at = [], 0
    for length in cuts:
        events += chunked.feed(data[at : at + length])
        at += length
    events += chunked.feed(data[at:])
    assert events == expected
    assert chunked.clock == whole.clock == len(data) // 2
    assert chunked.speaking == whole.speaking


@given(sounds, settings)
def test_events_alternate_in_time_and_fit_the_audio(data: bytes, setting: dict[str, int]) -> None:
    vad = EnergyVAD(**setting)
    events = vad.feed(data)
    assert [isinstance(event, SpeechStarted) for event in events] == [i % 2 == 0 for i in range(len(events))]
    assert vad.speaking == (len(events) % 2 == 1)
    floor = 0
    for event in events:
        if isinstance(event, SpeechStarted):
            assert floor <= event.start <= event.onset
            assert event.onset - event.start <= setting["prefix_padding_ms"] * MS
            assert event.start == max(floor, event.onset - setting["prefix_padding_ms"] * MS)
            floor = event.onset + MIN_SPEECH_FRAMES * FRAME
        else:
            assert floor <= event.offset < event.end <= vad.clock
            silence = setting["silence_duration_ms"] * MS
            assert silence <= event.end - event.offset <= max(silence + FRAME - 1, FRAME)
            floor = event.end


@given(sounds, settings)
def test_events_agree_with_the_frames(data: bytes, setting: dict[str, int]) -> None:
    samples = np.frombuffer(data, "<i2").astype(np.float64)
    whole = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
    loud = np.sqrt((whole**2).mean(axis=1)) > setting["energy_awakeness_threshold"]
    for event in EnergyVAD(**setting).feed(data):
        if isinstance(event, SpeechStarted):
            first = event.onset // FRAME
            assert loud[first : first + MIN_SPEECH_FRAMES].all() and (first == 0 or not loud[first - 1])
        else:
            last, end = event.offset // FRAME, event.end // FRAME
            assert loud[last - 1] and not loud[last:end].any()


@given(st.integers(0, 3000), st.integers(0, 5000), settings)
def test_what_is_not_above_the_threshold_never_starts(
    ms: int, amplitude: int, setting: dict[str, int]
) -> None:
    setting["energy_awakeness_threshold"] = amplitude
    assert EnergyVAD(**setting).feed(sound((ms, amplitude))) == []


@given(sounds, settings)
def test_enough_silence_ends_every_utterance(data: bytes, setting: dict[str, int]) -> None:
    vad = EnergyVAD(**setting)
    vad.feed(data)
    vad.feed(bytes(2 * (setting["silence_duration_ms"] * MS + 2 * FRAME)))
    assert not vad.speaking
