from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

import stepnb as sn
from scripts.example_conversation import Stage, room, said
from stepnb.audio.analysis import level
from stepnb.plots import timeline
from stepnb.plots.figure import PlotFigure
from stepnb.plots.fitted import FittedText
from stepnb.plots.theme import LIGHT, MISSING
from stepnb.plots.timeline import share
from tests.unit.plots._ink import RED, TEAL, VIOLET, inked, rgb
from tests.unit.plots.test_scene import example


def seconds(figure: Figure, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the times of the pixel columns that have ink."""
    left, right = figure.axes[0].get_xlim()
    return left + (np.flatnonzero(shown.any(axis=0)) + 0.5) * (right - left) / shown.shape[1]


def lines(figure: Figure) -> list[tuple[float, float, float, str]]:
    """Return what is really written, after cutting to fit: row, left and right px, text."""
    drawn = []
    original = FittedText._fit

    def note(self: FittedText, renderer: RendererBase, room: float) -> str:
        text = original(self, renderer, room)
        if text:
            assert self.axes is not None
            x, y = self.get_position()
            left = float(self.get_transform().transform((max(x, self.axes.get_xlim()[0]), 0))[0])
            drawn.append((y, left, left + self._width(renderer, text), text))
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FittedText, "_fit", note)
        figure.savefig(io.BytesIO(), format="png")
    return sorted(set(drawn))


def written(figure: Figure) -> list[str]:
    return [text for *_, text in lines(figure)]


def test_bars_are_where_people_spoke() -> None:
    figure = timeline(example())
    ax = figure.axes[0]
    teal, violet = inked(figure, ax, TEAL), inked(figure, ax, VIOLET)
    middle = round(teal.shape[0] * (1.45 - 0.0) / (1.45 + 2.2))
    you, step = teal[middle - 6 : middle], violet[middle : middle + 6]
    for spans, row in (
        ([(1.0, 3.4), (11.05, 12.55), (25.6, 27.4)], you),
        ([(5.72, 11.42), (14.4, 16.3), (19.2, 20.8), (28.4, 29.7)], step),
    ):
        there = seconds(figure, row)
        there = there[np.abs(there - 18.6) > 0.3]  # what was written has a mark there
        inside = np.zeros(there.size, bool)
        for start, end in spans:
            inside |= (there > start - 0.1) & (there < end + 0.1)
            covered = there[(there > start) & (there < end)]
            assert covered.size > 0.9 * (end - start) * row.shape[1] / (ax.get_xlim()[1] - ax.get_xlim()[0])
        assert inside.all()


def test_a_red_line_is_where_the_answer_was_cut_off_and_nothing_else_is_red() -> None:
    figure = timeline(example())
    at = seconds(figure, inked(figure, figure.axes[0], RED, tolerance=40))
    assert at.size and np.abs(at - 11.42).max() < 0.1


def test_what_was_never_heard_is_pale() -> None:
    figure = timeline(example(), since=11.6, until=13.6)
    ax = figure.axes[0]
    white = np.array([255.0, 255.0, 255.0])
    pale = inked(figure, ax, white + 0.28 * (VIOLET - white))
    lane = slice(round(pale.shape[0] * 0.4), round(pale.shape[0] * 0.66))
    assert pale[lane].any(axis=0).mean() > 0.9
    assert not inked(figure, ax, VIOLET)[lane].any()


def test_levels_are_those_of_the_sound() -> None:
    figure = timeline(example(), since=1.0, until=3.4)
    values = figure.axes[0].patches[0].get_data().values  # type: ignore[attr-defined]
    audio = example().turns[0].user
    assert isinstance(audio, sn.Clip)
    assert values.max() == pytest.approx(float(share(level(audio).max())), rel=0.05)
    assert share(9000) == 1 and share(0) == 0 and share(20000) == 1


def test_texts_are_cut_where_the_next_begins() -> None:
    shown = written(timeline(example()))
    assert "Lyon will see rain." in shown
    cut = [line for line in shown if line.startswith(("What is the weather", "It is 21"))]
    assert len(cut) == 2 and all(line.endswith("…") for line in cut)
    wide = written(timeline(example(), since=0, until=11))
    assert "What is the weather in Paris, and should I take an umbrella?" in wide


def test_texts_do_not_overlap() -> None:
    drawn = lines(timeline(example()))
    assert len(drawn) >= 8
    for (row, _, right, _), (other, left, _, _) in itertools.pairwise(drawn):
        assert row != other or right <= left


def test_dollars_are_not_mathematics_and_missing_characters_are_explained() -> None:
    stage = Stage()
    stage.typed(1.0, 1, "What are $x^2$ and \U0010f000?")
    stage.answer(1.1, "Costs $5 and $6.", said(1.0, 3))
    figure = timeline(stage.recording())
    assert any("$x^2$" in line and MISSING in line for line in written(figure))
    assert any("no font here has" in text.get_text() for text in figure.axes[0].texts)


def test_a_turn_is_shown_with_a_second_around_it() -> None:
    turn = example().turns[1]
    left, right = turn.plot().axes[0].get_xlim()
    assert left == pytest.approx(10.05, abs=0.06) and right == pytest.approx(17.25, abs=0.15)


def test_zoom() -> None:
    figure = example().plot(since=9, until=16)
    assert figure.axes[0].get_xlim() == (9, 16)
    assert not any("get_weather" in line for line in written(figure)), "it had ended before"
    with pytest.raises(sn.ConfigError, match="since is 5"):
        timeline(example(), since=5, until=5)


def test_ticks_are_at_most_one_a_pixel_column() -> None:
    figure = timeline(example())
    ticks = next(
        line for line in reversed(figure.axes[0].lines) if np.isnan(np.asarray(line.get_ydata())).any()
    )
    times = np.asarray(ticks.get_xdata(), float)[::3]
    assert 0 < times.size <= 2 * 900
    spoken = [r for r in example().events if r.kind == "input_audio_buffer.speech_started"]
    for record in spoken:
        at = (record.t - example().events.anchor) / 1e9
        assert np.abs(times - at).min() < 0.03


def test_odd_conversations_give_a_picture_or_a_sentence() -> None:
    empty = timeline(Stage().recording())
    empty._repr_png_()  # type: ignore[attr-defined]
    assert [text.get_text() for text in empty.axes[0].texts] == ["nothing happened yet"]

    silent = Stage(keep_audio="none")
    silent.microphone(room(4.0))
    silent.heard("u1", 1.0, 2.0, "Hello?")
    timeline(silent.recording())._repr_png_()  # type: ignore[attr-defined]

    overlapping = Stage()
    overlapping.typed(1.0, 1, "One")
    overlapping.typed(1.01, 2, "Two")
    overlapping.answer(1.2, "First", said(3.0, 3))
    overlapping.answer(1.9, "Second", said(3.0, 4))
    overlapping.microphone(room(6.0, (1.5, said(2.0, 5))))
    overlapping.heard("u3", 1.5, 3.5, "Three")
    timeline(overlapping.recording())._repr_png_()  # type: ignore[attr-defined]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_whole_picture_stays_inside_the_figure(theme: Any) -> None:
    with sn.style(theme):
        figure = timeline(example())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    image = imread(buffer)
    paper = image[0, 0]
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert np.abs(border - paper).max() < 0.02, "something touches the edge"


def test_given_axes_are_drawn_on_and_wrong_kinds_are_named() -> None:
    figure = PlotFigure(8, 6)
    for ax, kind in zip(figure.subplots(3), ("timeline", "waterfall", "latency"), strict=True):
        assert example().plot(kind, ax=ax) is figure  # type: ignore[arg-type]
    with pytest.raises(sn.ConfigError, match="kind is 'spider'"):
        example().plot("spider")  # type: ignore[arg-type]
    with pytest.raises(sn.ConfigError, match="has no conversation"):
        timeline(sn.Clip.silence(1))  # type: ignore[arg-type]


def test_the_legend_names_what_is_there_and_nothing_else() -> None:
    def names(figure: Figure) -> list[str]:
        legend = figure.axes[0].get_legend()
        return [text.get_text() for text in legend.get_texts()] if legend else []

    assert names(timeline(example())) == [
        "generated, never heard",
        "cut off",
        "VAD threshold 1200",
        "written",
    ]
    stage = Stage(vad=None)
    stage.typed(1.0, 1, "Hello")
    stage.answer(1.1, "Hello to you.", said(1.0, 3), play=False)
    assert names(timeline(stage.recording())) == ["generated (no player)", "written"]
    assert rgb(LIGHT.tool).size == 3
