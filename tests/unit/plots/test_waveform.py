from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from stepnb.audio.analysis import speech_segments
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError
from stepnb.plots import level, waveform
from stepnb.plots.figure import PlotFigure
from tests.unit.plots._ink import RED, TEAL, VIOLET, inked


def burst(*parts: tuple[float, int]) -> Clip:
    """Make a square wave: each part is (s, RMS)."""
    samples = np.concatenate([np.full(round(seconds * 24000), rms, np.int16) for seconds, rms in parts])
    samples[1::2] *= -1
    return Clip(samples, 24000)


def test_the_waveform_is_drawn_where_the_sound_is() -> None:
    figure = waveform(burst((1.0, 0), (1.0, 20000), (2.0, 0)))
    (ax,) = figure.axes
    ink = inked(figure, ax, TEAL).sum(axis=0)
    quarter = ink.size // 4
    assert (ink[quarter + 4 : 2 * quarter - 4] > 0.8 * figure.bbox.height * 0.5).all()
    assert (ink[: quarter - 4] <= 2).all() and (ink[2 * quarter + 4 :] <= 2).all()
    assert ax.get_xlim() == (0, 4)


def test_a_single_loud_sample_in_a_minute_is_seen() -> None:
    samples = np.zeros(60 * 24000, np.int16)
    samples[30 * 24000] = 30000
    figure = waveform(Clip(samples, 24000))
    ink = inked(figure, figure.axes[0], TEAL).sum(axis=0)
    assert ink.max() > 20 and abs(int(ink.argmax()) - ink.size / 2) <= 2


def test_silence_is_a_line_and_its_noise_does_not_fill_the_axis() -> None:
    figure = waveform(burst((1.0, 10)))
    assert inked(figure, figure.axes[0], TEAL).sum(axis=0).max() <= 6


def test_who_speaks_gives_the_colour() -> None:
    clip = burst((1.0, 9000))
    for draw in (waveform, level):
        figure = draw(clip, who="step")
        (ax,) = figure.axes
        assert inked(figure, ax, VIOLET).any() and not inked(figure, ax, TEAL).any()


def test_segments_are_shaded() -> None:
    clip = burst((1.0, 0), (1.0, 9000), (2.0, 0))
    segments = speech_segments(clip)
    (ax,) = waveform(clip, segments=segments).axes
    (shade,) = [patch for patch in ax.patches if not isinstance(patch, StepPatch)]
    box = shade.get_extents().transformed(ax.transData.inverted())
    assert (box.x0, box.x1) == pytest.approx((0.5, 2.5))
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), [1.0, 2.0])


def test_level_is_full_above_the_threshold_and_pale_below() -> None:
    figure = level(burst((1.0, 2000), (1.0, 4000)), threshold=3000)
    (ax,) = figure.axes
    full = inked(figure, ax, TEAL).mean(axis=0)
    half = full.size // 2
    assert (full[: half - 4] == 0).all()
    # 4000 of an axis up to 5250, less the threshold line and the baseline
    np.testing.assert_allclose(full[half + 4 : -4], 4000 / 5250, atol=0.05)
    pale = inked(figure, ax, 255 - 0.35 * (255 - TEAL)).mean(axis=0)
    np.testing.assert_allclose(pale[4 : half - 4], 2000 / 5250, atol=0.05)


def test_level_names_the_threshold_and_grows_with_the_sound() -> None:
    (ax,) = level(burst((1.0, 9000)), threshold=1200).axes
    assert [text.get_text() for text in ax.texts] == ["- - threshold 1200 = −28.7 dBFS"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1200, 1200])
    assert ax.get_ylim()[1] > 9000
    assert level(burst((1.0, 100))).axes[0].get_ylim() == (0, 5250)


def test_a_long_level_keeps_its_peaks() -> None:
    (ax,) = level(burst((60.04, 100), (0.02, 8000), (60.0, 100))).axes
    values = np.maximum(*(patch.get_data().values for patch in ax.patches))  # type: ignore[attr-defined]
    assert values.size <= 2 * 720 and values.max() == 8000


def test_level_has_the_other_unit_at_the_right_where_it_is_the_same_level() -> None:
    figure = level(burst((1.0, 9000)))
    figure.draw_without_rendering()
    (other,) = figure.axes[0].child_axes
    for place, label in zip(other.get_yticks(), other.get_yticklabels(), strict=True):
        assert 20 * np.log10(place / 32768) == pytest.approx(float(label.get_text().replace("−", "-")))


def test_level_in_dbfs_is_right_to_a_tenth() -> None:
    tone = np.sin(2 * np.pi * 400 * np.arange(24000) / 24000) * 10 ** (-20 / 20)  # its RMS is 3 dB lower
    (ax,) = level(Clip(tone, 24000), unit="dbfs").axes
    values = np.maximum(*(patch.get_data().values for patch in ax.patches))  # type: ignore[attr-defined]
    np.testing.assert_allclose(values, -23.01, atol=0.1)
    assert [round(float(line.get_ydata()[0]), 1) for line in ax.lines] == [-22.4]
    with pytest.raises(AudioError, match="unit is 'lufs'"):
        level(Clip(tone, 24000), unit="lufs")  # type: ignore[arg-type]


def test_clipping_is_marked_where_it_is_and_a_peak_is_not() -> None:
    samples = np.zeros(4 * 24000, np.int16)
    samples[24000:24010] = 32767
    samples[3 * 24000 : 3 * 24000 + 3] = -32768
    samples[2 * 24000 : 2 * 24000 + 2] = 32767  # two in a row are not clipping
    figure = waveform(Clip(samples, 24000))
    (ax,) = figure.axes
    red = inked(figure, ax, RED).any(axis=0)
    np.testing.assert_allclose(np.unique(np.round(np.flatnonzero(red) / red.size * 4, 1)), [1.0, 3.0])
    assert [text.get_text() for text in ax.texts] == ["clipped in 2 places"]
    assert not waveform(burst((1.0, 30000))).axes[0].texts


def test_clipping_across_two_pixel_columns_is_one_place() -> None:
    samples = np.full(24000, 32767, np.int16)
    assert [text.get_text() for text in waveform(Clip(samples, 24000)).axes[0].texts] == [
        "clipped in 1 place"
    ]


@pytest.mark.parametrize("threshold", [-1, 5001])
def test_a_threshold_out_of_range_is_refused(threshold: int) -> None:
    with pytest.raises(AudioError, match="from 0 to 5000"):
        level(Clip.silence(1), threshold=threshold)


def test_an_empty_clip_is_named() -> None:
    for plot in (waveform, level):
        figure = plot(Clip([], 24000))
        assert "empty clip" in [text.get_text() for text in figure.axes[0].texts]
        assert inked(figure, figure.axes[0], TEAL).sum() == 0


@pytest.mark.parametrize("samples", [1, 2, 479, 480, 481])
def test_the_shortest_clips_are_drawn(samples: int) -> None:
    clip = Clip(np.full(samples, 9000, np.int16), 24000)
    for plot in (waveform, level):
        plot(clip)._repr_png_()  # type: ignore[attr-defined]


def test_given_axes_are_drawn_on() -> None:
    figure = PlotFigure(6, 4)
    above, below = figure.subplots(2)
    assert waveform(burst((1.0, 9000)), ax=above) is figure
    assert level(burst((1.0, 9000)), ax=below) is figure
    nested = figure.add_subfigure(figure.add_gridspec(1)[0]).add_subplot()
    assert waveform(burst((1.0, 9000)), ax=nested) is figure
    assert len(above.patches) == 1 and below.patches


def test_the_outline_holds_every_sample_and_nothing_but_its_neighbourhood() -> None:
    samples = np.random.default_rng(2).normal(0, 3000, 100_000).clip(-32768, 32767).astype(np.int16)
    (ax,) = waveform(Clip(samples, 24000)).axes
    (shape,) = (patch for patch in ax.patches if isinstance(patch, StepPatch))
    top, edges, bottom = shape.get_data()
    place = np.minimum(
        np.searchsorted(edges, np.arange(samples.size) / 24000, side="right") - 1, len(top) - 1
    )
    assert (samples <= top[place]).all() and (samples >= np.asarray(bottom)[place]).all()
    # The tops are levels of samples at most one column away, but for the thickness of a line.
    near = np.stack([np.roll(place, shift) for shift in (-100, 0, 100)])
    highest = np.full(len(top), -np.inf)
    for places in near:
        np.maximum.at(highest, places, samples)
    line = float((top - np.maximum(highest, np.maximum(np.roll(highest, 1), np.roll(highest, -1)))).max())
    assert 0 <= line < 0.01 * samples.max()


def test_few_samples_are_joined_by_straight_lines() -> None:
    (ax,) = waveform(burst((0.01, 9000))).axes
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), burst((0.01, 9000)).samples)
