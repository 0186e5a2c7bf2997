"""Right verdicts on made clips; the speech is the engine's."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from stepnb.audio import noise, quality
from stepnb.audio.clip import Clip
from stepnb.audio.quality import Check, Quality
from stepnb.errors import AudioError, MissingLibrary
from tests.engine.rest import HIGH_FAST, LOW_SLOW, clip


@pytest.fixture(scope="module")
def low() -> Clip:
    return Clip.load(clip(LOW_SLOW))


@pytest.fixture(scope="module")
def high() -> Clip:
    return Clip.load(clip(HIGH_FAST))


def white(seconds: float, rate: int = 24_000) -> Clip:
    random = np.random.default_rng(3)
    return Clip((random.standard_normal(round(seconds * rate)) * 0.05).clip(-1, 1), rate)


def not_good(judged: Quality) -> dict[str, str]:
    return {check.name: check.verdict for check in judged if check.verdict != "good"}


def test_a_clean_clip_is_good_in_every_row(low: Clip, high: Clip) -> None:
    for clean in (low, high):
        judged = clean.quality()
        assert not_good(judged) == {}
        assert judged.verdict == "good"
        assert len(judged.checks) == 7
        assert not any(check.advice for check in judged)


@pytest.mark.parametrize("color", ["white", "pink"])
@pytest.mark.parametrize("snr", [5, 10, 15, 20, 25, 30])
def test_the_signal_to_noise_ratio_is_found_within_3_db(
    low: Clip, high: Clip, color: str, snr: float
) -> None:
    for speech in (low, high):
        hiss = white(9) if color == "white" else Clip.pink_noise(9, seed=2)
        noisy = speech.mix(hiss, snr)
        measured = noisy.quality()["signal to noise"]
        assert measured.value == pytest.approx(snr, abs=3)


def test_a_noisy_clip(low: Clip) -> None:
    judged = low.mix(white(9), 8).quality()
    assert judged["signal to noise"].verdict == judged["noise floor"].verdict == "bad"
    assert "quieter room" in judged["signal to noise"].advice
    assert low.mix(white(9), 16).quality()["signal to noise"].verdict == "fair"


def test_a_clipped_clip(low: Clip) -> None:
    samples = low.samples.astype(float)
    judged = Clip((samples * 8).clip(-32768, 32767).astype(np.int16), low.rate).quality()
    assert judged["clipping"].verdict == "bad"
    assert "Turn the microphone down" in judged["clipping"].advice
    assert judged["loudness"].verdict in ("fair", "bad")
    peak = np.abs(samples).max()
    hardly = Clip((samples * (32767 / peak) * 1.05).clip(-32768, 32767).astype(np.int16), low.rate).quality()
    assert hardly["clipping"].verdict == "fair"


@pytest.mark.parametrize(("seconds", "words"), [(4.9, "at least 5 s"), (12.0, r"clip[0:10]")])
def test_too_short_and_too_long(low: Clip, seconds: float, words: str) -> None:
    judged = (low + low)[0:seconds].quality()
    assert not_good(judged) == {"duration": "bad"}
    assert words in judged["duration"].advice


def test_silence_and_hardly_anything(low: Clip) -> None:
    judged = Clip.silence(6).quality()
    assert not_good(judged) == {"loudness": "bad"}
    assert "check the microphone" in judged["loudness"].advice
    whisper = Clip((low.samples * 0.001).astype(np.int16), low.rate).quality()
    assert whisper["loudness"].verdict == "bad"
    assert Clip.silence(0).quality().verdict == "bad"
    assert Clip(np.ones(1, np.int16), 24_000).quality().verdict == "bad"


def test_long_pauses(low: Clip) -> None:
    speech = low[0:2.5]
    assert not_good((speech + Clip.silence(4)).quality()) == {"pauses": "bad"}
    assert not_good((speech + Clip.silence(2.2) + low[0:0.5]).quality()) == {"pauses": "fair"}


def test_a_telephone(low: Clip, high: Clip) -> None:
    for speech in (low, high):
        judged = speech.telephone().quality()
        assert not_good(judged)["bandwidth"] == "bad"
        assert "telephone" in judged["bandwidth"].advice


@pytest.mark.parametrize(
    ("rate", "verdict"),
    [(8_000, "bad"), (12_000, "fair"), (16_000, "good"), (44_100, "good"), (48_000, "good")],
)
def test_rates(low: Clip, rate: int, verdict: str) -> None:
    judged = low.resample(rate).quality()
    assert judged["bandwidth"].verdict == verdict
    assert set(not_good(judged)) <= {"bandwidth"}
    # The rate of the file alone does not bring back what was cut off.
    back = low.resample(rate).resample(48_000).quality()
    assert back["bandwidth"].verdict == verdict


def test_files(low: Clip, tmp_path: Path) -> None:
    stereo = np.stack([low.samples, low.samples], axis=1)
    soundfile.write(tmp_path / "stereo.wav", stereo, low.rate)
    for name, data in (("a.mp3", clip(LOW_SLOW, "MP3")), ("a.ogg", clip(LOW_SLOW, "OGG"))):
        (tmp_path / name).write_bytes(data)
    for name in ("stereo.wav", "a.mp3", "a.ogg"):
        assert not_good(Clip.load(tmp_path / name).quality()) == {}, name
    opposite = np.stack([low.samples, -low.samples], axis=1)
    buffer = io.BytesIO()
    soundfile.write(buffer, opposite, low.rate, format="WAV")
    assert Clip.load(buffer.getvalue()).quality()["loudness"].verdict == "bad"


def test_loudness_agrees_with_the_definition() -> None:
    # BS.1770: a full-scale sine of 997 Hz in one channel is -3.01 LUFS.
    tone = Clip(np.sin(2 * np.pi * 997 * np.arange(48_000 * 3) / 48_000) * 0.5, 48_000)
    assert quality.loudness(tone) == pytest.approx(-3.01 - 6.02, abs=0.1)


def test_without_pyloudnorm_the_rest_is_judged(low: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyloudnorm", None)
    judged = low.quality()
    assert not_good(judged) == {"loudness": "unknown"}
    assert "stepnb[analysis]" in judged["loudness"].advice
    with pytest.raises(MissingLibrary, match="pyloudnorm"):
        low.normalize()


def test_trimming(low: Clip) -> None:
    padded = Clip.silence(1.5) + low + Clip.silence(2)
    trimmed = padded.trim_silence()
    assert low.duration < trimmed.duration < low.duration + 0.25
    assert low.trim_silence() == low  # there is nothing to cut
    noisy = padded.mix(white(12), 20).trim_silence()
    assert noisy.duration == pytest.approx(trimmed.duration, abs=0.25)
    assert Clip.silence(2).trim_silence().duration == 0
    assert Clip.silence(0).trim_silence().duration == 0


def test_normalizing(low: Clip) -> None:
    quiet = Clip((low.samples * 0.05).astype(np.int16), low.rate)
    assert quality.loudness(quiet.normalize(-26)) == pytest.approx(-26, abs=0.1)
    loud = quiet.normalize(-3)  # the peak comes first
    assert np.abs(loud.samples).max() == pytest.approx(32768 * 10 ** (-1 / 20), abs=2)
    for wrong in (Clip.silence(2), low[0:0.3]):
        with pytest.raises(AudioError, match="no loudness"):
            wrong.normalize()
    with pytest.raises(AudioError, match="-70 to 0"):
        low.normalize(5)


def test_what_it_looks_like(low: Clip) -> None:
    judged = low.mix(white(9), 8).quality()
    text = repr(judged)
    assert text.startswith("Quality: bad\n")
    assert "signal to noise" in text
    page = judged._repr_html_()
    assert "<svg" in page
    assert "quieter room" in page
    assert judged["duration"].figure == f"{low.duration:.1f} s"
    assert Check("signal to noise", 80.0, "dB", "good").figure == "≥ 60 dB"
    with pytest.raises(KeyError, match="clipping"):
        judged["hum"]


def test_noise_alone_is_not_speech() -> None:
    heard = noise.listen(white(6))
    assert heard.active.mean() < 0.1
    assert heard.noise_dbfs == pytest.approx(20 * np.log10(0.05), abs=1)
