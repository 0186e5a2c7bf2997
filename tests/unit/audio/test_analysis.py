from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stepnb.audio.analysis import SpeechSegment, dbfs, envelope, frame_size, level, speech_segments
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError

arrays = hnp.arrays(np.int16, st.integers(0, 3000))


def burst(*parts: tuple[float, int], rate: int = 24000) -> Clip:
    """Make a sine of 300 Hz whose RMS is given: each part is (s, RMS)."""
    rms = np.concatenate([np.full(round(seconds * rate), value) for seconds, value in parts])
    sine = np.sin(2 * np.pi * 300 * np.arange(rms.size) / rate)
    return Clip(np.rint(rms * np.sqrt(2) * sine).astype(np.int16), rate)


@given(arrays, st.integers(1, 700))
def test_envelope_equals_brute_force(samples: np.ndarray, bins: int) -> None:
    low, high = envelope(samples, bins)
    n = samples.size
    count = min(bins, n)
    parts = [samples[i * n // count : (i + 1) * n // count] for i in range(count)]
    assert low.tolist() == [part.min() for part in parts]
    assert high.tolist() == [part.max() for part in parts]


def test_an_envelope_has_at_least_one_bin() -> None:
    with pytest.raises(AudioError, match="bins is 0"):
        envelope(np.zeros(3, np.int16), 0)


@given(arrays, st.sampled_from([8000, 11025, 22050, 24000]))
def test_level_equals_brute_force(samples: np.ndarray, rate: int) -> None:
    clip = Clip(samples, rate)
    size = frame_size(clip)
    frames = [samples[i : i + size].astype(float) for i in range(0, samples.size, size)]
    np.testing.assert_allclose(level(clip), [np.sqrt(np.mean(frame**2)) for frame in frames], rtol=1e-12)


def test_level_is_rms_in_int16_units() -> None:
    np.testing.assert_allclose(level(burst((1.0, 2500))), 2500, rtol=1e-3)
    assert level(Clip(np.full(480, -32768, np.int16), 24000)).tolist() == [32768]


def test_dbfs() -> None:
    assert dbfs(32768) == 0
    assert dbfs(16384) == pytest.approx(-6.02, abs=0.01)
    assert dbfs(0) == float("-inf")


@pytest.mark.parametrize("rate", [16000, 24000, 48000])
def test_segments_are_found_at_every_rate(rate: int) -> None:
    clip = burst((1.0, 0), (0.6, 8000), (1.0, 0), (0.4, 8000), (1.0, 0), rate=rate)
    first, second = speech_segments(clip, prefix_padding_ms=200, silence_duration_ms=300)
    # A frame of 20 ms is as exact as it gets after resampling.
    for found, expected in (
        (first, (0.8, 1.0, 1.6, 1.9)),
        (second, (2.4, 2.6, 3.0, 3.3)),
    ):
        assert (found.start, found.onset, found.offset, found.end) == pytest.approx(expected, abs=0.021)


def test_speech_at_the_very_end_is_found_and_ends_with_the_clip() -> None:
    clip = burst((0.5, 0), (0.313, 8000))
    (found,) = speech_segments(clip, silence_duration_ms=100)
    assert found == SpeechSegment(start=0.0, onset=0.5, offset=clip.duration, end=clip.duration)


@given(st.integers(0, 5000), st.integers(0, 400), st.integers(0, 400))
def test_segments_are_in_order_and_inside_the_clip(threshold: int, silence: int, prefix: int) -> None:
    clip = burst((0.1, 1000), (0.2, 4000), (0.3, 500), (0.2, 6000), (0.15, 0), (0.1, 2000))
    segments = speech_segments(
        clip, energy_awakeness_threshold=threshold, silence_duration_ms=silence, prefix_padding_ms=prefix
    )
    times = [time for one in segments for time in (one.start, one.onset, one.offset, one.end)]
    assert times == sorted(times)
    assert all(0 <= time <= clip.duration for time in times)
    assert bool(segments) == (threshold < 6000)


def test_a_higher_threshold_hears_less() -> None:
    clip = burst((0.5, 0), (0.5, 2000), (0.5, 0))
    assert len(speech_segments(clip, energy_awakeness_threshold=1200)) == 1
    assert speech_segments(clip) == speech_segments(Clip([], 24000)) == []


def test_a_wrong_parameter_is_refused() -> None:
    with pytest.raises(AudioError, match="silence_duration_ms"):
        speech_segments(Clip.silence(1), silence_duration_ms=-5)
