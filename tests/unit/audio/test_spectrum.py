from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from stepnb.audio import spectrum
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError, MissingLibrary


def tone(hz: float, seconds: float = 1.0, rate: int = 24000, db: float = -6.0) -> Clip:
    return Clip(10 ** (db / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate), rate)


@pytest.mark.parametrize("hz", [400, 1000, 3000])
@pytest.mark.parametrize("db", [-3.0, -30.0])
def test_a_tone_has_its_level_at_its_frequency(hz: int, db: float) -> None:
    found = spectrum.spectrogram(tone(hz, db=db))
    middle = found.db[:, found.times.size // 2]
    assert found.hz[middle.argmax()] == hz
    assert middle.max() == pytest.approx(db, abs=0.1)


def test_it_is_what_scipy_computes() -> None:
    clip = Clip(np.random.default_rng(1).normal(0, 0.1, 24000).clip(-1, 1), 24000)
    found = spectrum.spectrogram(clip)
    window = signal.get_window("hann", 600)
    fft = signal.ShortTimeFFT(window, 120, 24000, scale_to="magnitude", phase_shift=None)
    power = np.abs(fft.stft(clip.samples / 32768)) ** 2 * 4
    inside = slice(5, -5)
    times = fft.t(24000)
    first = int(np.argmin(np.abs(times - found.times[0])))
    expected = 10 * np.log10(power[1:-1, first : first + found.times.size][:, inside])
    np.testing.assert_allclose(found.db[1:-1, inside], expected, atol=0.05)


def test_fewer_columns_hold_the_mean_power() -> None:
    clip = tone(500, 0.5) + Clip.silence(0.5) + tone(1500, 1.0)
    fine, coarse = spectrum.spectrogram(clip), spectrum.spectrogram(clip, columns=10)
    assert coarse.times.size == 10
    mean = 10 ** (fine.db / 10)
    expected = 10 * np.log10(mean.reshape(len(mean), 10, -1).mean(axis=2))
    np.testing.assert_allclose(coarse.db, expected, atol=0.05)


def test_mel_rows_are_evenly_apart_in_mel() -> None:
    found = spectrum.mel_spectrogram(tone(1000), rows=40)
    mel = 2595 * np.log10(1 + found.hz / 700)
    np.testing.assert_allclose(np.diff(mel), mel[0])
    row = int(found.db.mean(axis=1).argmax())
    assert abs(found.hz[row] - 1000) <= found.hz[row + 1] - found.hz[row]


def test_pitch_of_a_glide() -> None:
    time = np.arange(2 * 24000) / 24000
    phase = 2 * np.pi * np.cumsum(120 + 60 * time) / 24000
    glide = Clip(sum(0.25 / n * np.sin(n * phase) for n in range(1, 7)), 24000)
    track = spectrum.pitch(glide.resample(16000))
    inside = (track.times > 0.1) & (track.times < 1.9)
    np.testing.assert_allclose(track.hz[inside], 120 + 60 * track.times[inside], rtol=0.02)
    assert track.median == pytest.approx(180, rel=0.02)
    assert repr(track) == f"Pitch({track.times.size} frames, median {track.median:.0f} Hz)"


@pytest.mark.parametrize("size", [0, 1, 2, 10])
def test_the_shortest_clips(size: int) -> None:
    clip = Clip(np.ones(size, np.int16), 24000)
    assert spectrum.spectrogram(clip).db.shape[1] == min(size, 1)
    assert spectrum.mel_spectrogram(clip).db.shape == (80, min(size, 1))
    assert spectrum.pitch(clip).median is None


def test_ranges_are_checked() -> None:
    with pytest.raises(AudioError, match="rows is 0"):
        spectrum.mel_spectrogram(tone(100), rows=0)
    with pytest.raises(AudioError, match="columns is 0"):
        spectrum.spectrogram(tone(100), columns=0)
    with pytest.raises(AudioError, match="within 20 to 2000"):
        spectrum.pitch(tone(100), floor=500, ceiling=100)


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyworld", None)
    with pytest.raises(MissingLibrary, match=r"needs pyworld.*stepnb\[analysis\]"):
        spectrum.pitch(tone(100))
