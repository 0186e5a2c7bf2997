from __future__ import annotations

import numpy as np
import pytest

from stepnb.audio.clip import Clip
from stepnb.errors import AudioError
from stepnb.plots.figure import PlotFigure
from stepnb.plots.theme import LIGHT
from tests.unit.plots._ink import inked, rgb

KINDS = ("waveform", "level", "spectrogram", "mel", "pitch")


def tone(hz: float, seconds: float = 1.0, rate: int = 24000, amplitude: float = 0.5) -> Clip:
    return Clip(amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate), rate)


def voice(hz: float, seconds: float = 1.0) -> Clip:
    """A harmonic sound."""
    time = np.arange(round(seconds * 24000)) / 24000
    return Clip(sum(0.3 / n * np.sin(2 * np.pi * hz * n * time) for n in range(1, 9)), 24000)


@pytest.mark.parametrize(("kind", "hz", "share"), [("spectrogram", 2000, 0.25), ("mel", 2000, None)])
def test_a_tone_is_dark_at_its_place_and_nowhere_else(kind: str, hz: float, share: float | None) -> None:
    figure = tone(hz).plot(kind)  # type: ignore[arg-type]
    ax = figure.axes[0]
    dark = inked(figure, ax, rgb(LIGHT.ink)).sum(axis=1)
    row = 1 - (dark.argmax() + 0.5) / dark.size
    if share is None:
        share = np.log1p(hz / 700) / np.log1p(12000 / 700)
    assert row == pytest.approx(share, abs=0.02)
    assert (dark > 10).sum() < 0.1 * dark.size


def test_the_mel_axis_says_where_a_frequency_is() -> None:
    figure = tone(1000).plot("mel")
    figure.draw_without_rendering()
    ax = figure.axes[0]
    places = {
        label.get_text(): float(place)
        for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    }
    image = ax.images[0].get_array()
    assert image is not None
    row = int(np.asarray(image).mean(axis=1).argmax())
    assert places["1"] == pytest.approx(row + 0.5, abs=0.6)
    assert list(places) == ["0", "0.25", "0.5", "1", "2", "4", "8"]


def test_the_pitch_is_a_line_at_its_height_with_gaps_in_silence() -> None:
    figure = (voice(200) + Clip.silence(0.5) + voice(150)).plot("pitch")
    ax = figure.axes[0]
    time, hz = (np.asarray(values, float) for values in ax.lines[0].get_data())
    assert hz[(time > 0.1) & (time < 0.9)] == pytest.approx(200, rel=0.01)
    assert hz[(time > 1.6) & (time < 2.4)] == pytest.approx(150, rel=0.01)
    assert np.isnan(hz[(time > 1.1) & (time < 1.4)]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("clip", "said"),
    [
        (Clip([], 24000), "empty clip"),
        (Clip(np.array([9000], np.int16), 24000), None),
        (Clip(np.zeros(24000, np.int16), 24000), None),
        (Clip(np.zeros(1000, np.int16), 1000), None),
        (Clip(np.full(2400, 32767, np.int16), 48000), None),
    ],
    ids=["empty", "one sample", "silence", "1 kHz", "a wall"],
)
def test_every_clip_gives_a_picture_or_a_sentence(kind: str, clip: Clip, said: str | None) -> None:
    figure = clip.plot(kind)  # type: ignore[arg-type]
    figure._repr_png_()  # type: ignore[attr-defined] # any warning is an error
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert said is None or said in texts
    if kind in ("spectrogram", "mel") and clip.pcm and not clip.samples.any():
        assert "digital silence" in texts
    if kind == "pitch" and clip.pcm:
        assert "no voice in it" in texts


def test_nan_never_becomes_a_clip() -> None:
    with pytest.raises(AudioError, match="NaN"):
        Clip([0.0, float("nan")], 24000)


def test_given_axes_are_drawn_on_and_a_wrong_kind_is_named() -> None:
    figure = PlotFigure(6, 8)
    for ax, kind in zip(figure.subplots(5), KINDS, strict=True):
        assert voice(150).plot(kind, ax=ax) is figure  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="kind is 'cepstrum'"):
        tone(100).plot("cepstrum")  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="more than 0"):
        tone(100).plot("spectrogram", max_hz=0)
