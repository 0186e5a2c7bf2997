from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stepnb.audio.clip import AudioFileNotFound, Clip
from stepnb.errors import AudioError, StepnbError

RATES = [8000, 11025, 16000, 22050, 24000, 44100, 48000]
arrays = hnp.arrays(np.int16, st.integers(0, 400))
clips = st.builds(Clip, arrays, st.sampled_from(RATES))
seconds = st.none() | st.floats(-0.05, 0.05)


def tone(duration: float, rate: int = 24000, hertz: float = 440, amplitude: float = 0.5) -> Clip:
    time = np.arange(round(duration * rate)) / rate
    return Clip(amplitude * np.sin(2 * np.pi * hertz * time), rate)


def encoded(samples: np.ndarray, rate: int, **options: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **options)
    return buffer.getvalue()


# --- what a clip is made of


@given(arrays, st.sampled_from(RATES))
def test_int16_samples_are_kept(samples: np.ndarray, rate: int) -> None:
    clip = Clip(samples, rate)
    np.testing.assert_array_equal(clip.samples, samples)
    assert clip.samples.dtype == np.int16 and clip.samples.shape == samples.shape
    assert clip.rate == rate and clip.duration == samples.size / rate
    assert clip.pcm == samples.astype("<i2").tobytes()
    assert Clip.from_pcm(clip.pcm, rate) == clip


def test_a_clip_does_not_change_with_the_array_it_was_made_of() -> None:
    samples = np.zeros(10, np.int16)
    clip = Clip(samples, 24000)
    samples[:] = 7
    assert not clip.samples.any()


def test_a_clip_cannot_be_changed() -> None:
    clip = tone(0.01)
    with pytest.raises(ValueError, match="read-only"):
        clip.samples[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        clip.samples.setflags(write=True)
    for name in ("samples", "rate", "pcm"):
        with pytest.raises(AttributeError):
            setattr(clip, name, None)


@given(clips)
def test_equal_content_is_equal(clip: Clip) -> None:
    for same in (Clip(clip.samples.copy(), clip.rate), pickle.loads(pickle.dumps(clip)), copy.deepcopy(clip)):
        assert same == clip and hash(same) == hash(clip)
    assert clip != Clip(clip.samples, clip.rate + 1)
    assert clip != clip + Clip([0.5], clip.rate)
    assert clip != clip.pcm


@given(arrays)
def test_floats_are_full_scale_one(samples: np.ndarray) -> None:
    assert Clip(samples / 32768, 24000) == Clip(samples, 24000)
    assert Clip((samples / 32768).tolist(), 24000) == Clip(samples, 24000)


def test_channels_are_averaged() -> None:
    assert Clip(np.array([[100, 200], [-3, -6]], np.int16), 8000).samples.tolist() == [150, -4]
    assert Clip(np.array([[32767, 32767]], np.int16), 8000).samples.tolist() == [32767]
    assert Clip([[0.5, -0.5], [1.0, 0.5]], 8000).samples.tolist() == [0, 24576]
    assert Clip(np.zeros((0, 2)), 8000).samples.shape == (0,)


def test_a_little_overshoot_saturates() -> None:
    assert Clip([1.5, -1.5], 24000).samples.tolist() == [32767, -32768]


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        ([0.0, float("nan")], "NaN or infinite"),
        ([[float("-inf"), float("inf")]], "NaN or infinite"),
        ([0.0, 3000.0, float("nan")], "NaN or infinite"),
        ([0.0, 3000.0], "floats up to 3000"),
        ([0, 3000], "int64"),
        (np.zeros(4, np.int32), "int32"),
        (np.zeros(4, np.uint8), "uint8"),
        (np.zeros(4, bool), "bool"),
        (["a"], "<U1"),
        (0.5, r"shape \(\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((5, 0)), r"shape \(5, 0\)"),
        (np.zeros((2, 48000), np.int16), "transpose"),
    ],
)
def test_samples_of_another_kind_are_refused(samples: Any, sentence: str) -> None:
    with pytest.raises(AudioError, match=sentence):
        Clip(samples, 24000)


@pytest.mark.parametrize("rate", [0, -24000, 999, 384001, 24000.5, "24000", None])
def test_a_rate_that_is_none_is_refused(rate: Any) -> None:
    acts: list[Callable[[], object]] = [
        lambda: Clip([0.0], rate),
        lambda: Clip.from_pcm(b"", rate),
        lambda: Clip.silence(1, rate),
        lambda: tone(0.01).resample(rate),
    ]
    for act in acts:
        with pytest.raises(AudioError, match=r"rate is .* whole number of Hz"):
            act()


def test_silence() -> None:
    clip = Clip.silence(0.5)
    assert (clip.rate, clip.duration) == (24000, 0.5) and not clip.samples.any()
    with pytest.raises(AudioError, match="cannot last -1 s"):
        Clip.silence(-1)
    for wrong in ("1", float("nan"), float("inf")):
        with pytest.raises(AudioError, match="not a finite number"):
            Clip.silence(wrong)  # type: ignore[arg-type]


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(AudioError, match="3 bytes"):
        Clip.from_pcm(b"123")


# --- cutting, joining, resampling


@given(clips, seconds)
def test_two_cuts_at_one_place_join_to_the_whole(clip: Clip, at: float | None) -> None:
    if at is not None and round(at * clip.rate) != 0:
        assert clip[:at] + clip[at:] == clip
    assert clip[:] == clip


@given(clips, seconds, seconds)
def test_cuts_are_array_slices_at_rounded_samples(
    clip: Clip, start: float | None, stop: float | None
) -> None:
    first, last = (None if end is None else round(end * clip.rate) for end in (start, stop))
    np.testing.assert_array_equal(clip[start:stop].samples, clip.samples[first:last])
    assert clip[start:stop].rate == clip.rate


def test_cuts_in_seconds() -> None:
    clip = tone(2.0)
    assert clip[0.5:1.25].duration == 0.75
    assert clip[-0.5:] == clip[1.5:] == clip[1.5:99]
    assert clip[1:2].duration == 1.0
    assert clip[1.5:1.0].duration == 0.0
    assert clip[np.float64(0.5) :] == clip[0.5:]


@pytest.mark.parametrize("part", [0, 1.0, slice(0, 1, 2), slice(0.0, 1.0, 1.0), (slice(0, 1), 0), None])
def test_only_ranges_of_seconds_cut(part: Any) -> None:
    with pytest.raises(AudioError, match=r"clip\[1\.0:2\.5\]"):
        tone(0.1)[part]


@pytest.mark.parametrize("end", ["1", float("nan"), float("inf"), [1]])
def test_ends_of_a_cut_are_finite_numbers(end: Any) -> None:
    with pytest.raises(AudioError, match="not a finite number"):
        tone(0.1)[end:]


def test_a_clip_is_not_a_sequence_of_samples() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(tone(0.1))  # type: ignore[call-overload]


def test_joining() -> None:
    first, second = tone(0.5), tone(0.25, hertz=880)
    joined = first + second
    assert joined[:0.5] == first and joined[0.5:] == second
    with pytest.raises(AudioError, match=r"resample\(24000\)"):
        first + second.resample(16000)
    with pytest.raises(TypeError):
        first + second.samples  # type: ignore[operator]


def test_the_same_rate_is_the_same_clip() -> None:
    clip = tone(0.1)
    assert clip.resample(24000) is clip


@given(clips, st.sampled_from(RATES))
def test_resampling_keeps_the_duration_and_repeats_itself(clip: Clip, rate: int) -> None:
    resampled = clip.resample(rate)
    assert resampled.rate == rate
    assert abs(resampled.samples.size - clip.samples.size * rate / clip.rate) <= 1
    assert resampled == clip.resample(rate)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_resampling_there_and_back_keeps_the_sound(rate: int) -> None:
    clip = tone(1.0)
    back = clip.resample(rate).resample(24000)
    middle = slice(2400, -2400)  # the ends ring
    difference = back.samples[middle].astype(int) - clip.samples[middle]
    assert np.abs(difference).max() <= 3


def test_resampling_down_does_not_alias() -> None:
    assert np.abs(tone(1.0, 48000, hertz=20000).resample(24000).samples[2400:-2400]).max() <= 3


def test_resampling_full_scale_saturates() -> None:
    square = Clip(np.where(np.arange(24000) // 50 % 2, 32767, -32768).astype(np.int16), 24000)
    up = square.resample(48000).samples
    # Wrapped-around samples would jump by nearly the whole range inside a plateau.
    assert up.max() == 32767 and up.min() == -32768
    plateau = up.reshape(-1, 100)[5:-5, 20:80].astype(int)
    assert (np.abs(plateau) > 28000).all() and (np.sign(plateau) == np.sign(plateau[:, :1])).all()


# --- files


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
@pytest.mark.parametrize("rate", [8000, 24000, 44100, 96000])
def test_a_saved_clip_loads_as_it_was(tmp_path: Path, suffix: str, rate: int) -> None:
    clip = Clip(np.random.default_rng(1).integers(-32768, 32768, 5000).astype(np.int16), rate)
    path = tmp_path / f"你好{suffix}"
    clip.save(path)
    assert Clip.load(path) == Clip.load(str(path)) == Clip.load(path.read_bytes()) == clip
    assert soundfile.info(path).subtype == "PCM_16"


def test_an_empty_clip_saves_as_wav_only(tmp_path: Path) -> None:
    empty = Clip([], 24000)
    empty.save(tmp_path / "e.wav")
    assert Clip.load(tmp_path / "e.wav") == empty
    with pytest.raises(AudioError, match=r"\.wav"):
        empty.save(tmp_path / "e.flac")
    assert not (tmp_path / "e.flac").exists()


@pytest.mark.parametrize("name", ["q.mp3", "q", "q.wav.txt"])
def test_other_suffixes_are_not_saved(tmp_path: Path, name: str) -> None:
    with pytest.raises(AudioError, match=r"\.wav or \.flac"):
        tone(0.1).save(tmp_path / name)


def test_saving_where_there_is_no_folder_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        tone(0.1).save(tmp_path / "missing" / "q.wav")


@pytest.mark.parametrize("file_format", ["OGG", "MP3"])
def test_compressed_files_load(tmp_path: Path, file_format: str) -> None:
    clip = tone(1.0)
    path = tmp_path / f"q.{file_format.lower()}"
    path.write_bytes(encoded(clip.samples, 24000, format=file_format))
    loaded = Clip.load(path)
    assert loaded.rate == 24000 and loaded.duration == pytest.approx(1.0, abs=0.1)
    # The same tone: its spectrum peaks at 440 Hz, at about the same level.
    middle = loaded[0.2:0.8].samples.astype(float)
    assert np.argmax(np.abs(np.fft.rfft(middle))) / 0.6 == pytest.approx(440, abs=3)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(16384 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_stereo_is_mixed_down(subtype: str) -> None:
    left, right = tone(0.1).samples, tone(0.1, hertz=880).samples
    both = np.stack([left, right], axis=1) / 32768
    clip = Clip.load(encoded(both, 24000, format="WAV", subtype=subtype))
    assert np.abs(clip.samples - (left.astype(int) + right) / 2).max() <= 0.5


def test_float_files_beyond_full_scale_saturate_and_nan_is_refused() -> None:
    loud = encoded(np.array([4.0, -4.0]), 24000, format="WAV", subtype="FLOAT")
    assert Clip.load(loud).samples.tolist() == [32767, -32768]
    with pytest.raises(AudioError, match="NaN"):
        Clip.load(encoded(np.array([np.nan]), 24000, format="WAV", subtype="FLOAT"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nope.wav"
    with pytest.raises(FileNotFoundError, match=r"no file '.*nope\.wav'.*Relative paths start at") as caught:
        Clip.load(path)
    assert isinstance(caught.value, AudioFileNotFound) and isinstance(caught.value, StepnbError)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"This is a text file about audio.\n" * 100, "ffmpeg"),
        (b"\x1aE\xdf\xa3" + bytes(range(256)) * 20, "ffmpeg"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "ffmpeg"),
    ],
    ids=["empty", "text", "webm", "cut off"],
)
def test_an_unreadable_file_is_named_with_the_fix(tmp_path: Path, content: bytes, sentence: str) -> None:
    for name in ("q.wav", "q.mp3", "q.raw"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(AudioError, match=f"{name}.*{sentence}|{name}' is empty"):
            Clip.load(path)
    with pytest.raises(AudioError, match=rf"This data \({len(content)} bytes\)"):
        Clip.load(content)


def test_a_folder_is_not_audio(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be read"):
        Clip.load(tmp_path)


# --- display


def test_reprs() -> None:
    assert repr(tone(1.25)) == "Clip(1.25 s, 24000 Hz)"
    assert repr(Clip([], 16000)) == "Clip(0.00 s, 16000 Hz)"


def test_a_clip_needs_no_plotting_library() -> None:
    code = """
import sys
from stepnb.audio.clip import Clip
Clip.silence(1)._repr_html_()
sys.exit('matplotlib' in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_plot_draws_the_waveform() -> None:
    (axes,) = tone(0.5).plot(who="step").axes
    assert axes.get_xlim() == (0, 0.5)


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_of_a_long_file_no_more_is_read_than_is_wanted(format: str) -> None:
    data = encoded(tone(3).samples, 24_000, format=format)
    assert Clip.load(data, most=1.5).duration == 1.5
    assert Clip.load(data, most=60).duration == pytest.approx(3, abs=0.1)
