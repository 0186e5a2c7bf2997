from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.image import imread

import stepnb as sn
from scripts.example_conversation import Stage, room, said
from stepnb.plots.theme import LIGHT
from stepnb.plots.turntaking import TurnTaking, words_in
from tests.unit.plots._ink import inked, rgb
from tests.unit.plots.test_scene import burst, example


def talk() -> Stage:
    """You speak 1-3, Step 4-6, both 5.5-6 (you until 7), silence until 10, Step 10-11."""
    stage = Stage()
    stage.microphone(room(14.0, (1.0, burst(2.0)), (5.5, burst(1.5))))
    stage.heard("u1", 1.0, 3.0, "one two three four")
    stage.answer(3.56, "alpha beta gamma delta", said(4.0, 3), delay=0.35, played=2.0)
    stage.heard("u2", 5.5, 7.0, "five six")
    stage.answer(9.56, "epsilon", said(1.0, 4), delay=0.35)
    return stage


def test_a_conversation_of_known_times_is_counted_right() -> None:
    report = talk().recording().report()
    assert isinstance(report, TurnTaking)
    first, second = report.rows
    assert first.response_ms == pytest.approx(1000, abs=20) and second.response_ms == pytest.approx(
        3000, abs=20
    )
    assert first.speech_s == pytest.approx(2.0, abs=0.03) and first.answer_s == pytest.approx(2.0, abs=0.01)
    assert (first.words, second.words, second.answer_words) == (4, 2, 1)
    assert first.interrupted_by == "person" and first.stop_ms == pytest.approx(500, abs=20)
    assert second.interrupted_by is None and second.stop_ms is None
    assert first.overlap_s == pytest.approx(0.5, abs=0.03)
    found = report.summary
    assert found["seconds"] == pytest.approx(10.0, abs=0.03)
    shares = [found[name] for name in ("you_share", "both_share", "step_share", "silence_share")]
    assert shares == pytest.approx([0.3, 0.05, 0.25, 0.4], abs=0.01)
    assert sum(share for share in shares if isinstance(share, float)) == pytest.approx(1.0)
    assert (found["interruptions"], found["self_interruptions"], found["stops"]) == (1, 0, 0)
    assert found["silences"] == 2 and found["longest_silence_s"] == pytest.approx(3.0, abs=0.03)
    assert found["you_wpm"] == pytest.approx(60 * 6 / 3.5, rel=0.03)
    assert found["response_ms"] == pytest.approx(2000, abs=20)


def test_who_ended_an_answer() -> None:
    stage = Stage()
    stage.microphone(room(20.0, (5.0, burst(1.0))))
    stage.typed(1.0, 1, "Tell me a story")
    stage.answer(1.1, "Once upon a time there was a", said(8.0, 3), played=4.0)
    stage.heard("u2", 5.0, 6.0, "")  # the service heard speech, and made no words of it
    stage.answer(7.0, "Pardon?", said(3.0, 4), played=1.0)  # and Stop, without a word
    rows = stage.recording().report().rows
    assert [row.interrupted_by for row in rows] == ["self", "stop"]
    assert rows[0].stop_ms == pytest.approx(540, abs=40) and rows[1].stop_ms is None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("It's 21.5 degrees, isn't it?", 5),
        ("用中文说一遍，好吗？", 8),
        ("Hello 你好 world", 4),
        ("—…!", 0),
    ],
)
def test_words_of_latin_and_characters_of_mandarin_are_counted(text: str, count: int) -> None:
    assert words_in(text) == count


def test_the_table_has_a_row_a_turn_and_costs_what_the_turns_cost() -> None:
    recording = example()
    table = recording.report().df()
    assert list(table.turn) == [1, 2, 3, 4] and len(table.columns) == 13
    for turn, cost in zip(recording.turns, table.cost, strict=True):
        assert turn.cost is not None and cost == turn.cost.amount
    assert list(Stage().recording().report().df().columns) == list(table.columns)


def test_the_page_shows_shares_as_long_as_they_are_and_stays_inside_the_figure() -> None:
    report = talk().recording().report()
    figure = report.plot()
    bar = figure.axes[-1]
    ink = {
        name: inked(figure, bar, rgb(color)).sum(axis=0) > 8
        for name, color in {"you": LIGHT.you, "step": LIGHT.step, "both": LIGHT.ink}.items()
    }
    assert ink["you"].mean() == pytest.approx(0.3, abs=0.03)
    assert ink["step"].mean() == pytest.approx(0.25, abs=0.03)
    assert ink["both"].mean() == pytest.approx(0.05, abs=0.02)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    image = imread(buffer)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert np.abs(border - image[0, 0]).max() < 0.02, "something touches the edge"


def test_an_empty_conversation_gives_a_page_and_figures() -> None:
    report = Stage().recording().report()
    png, _ = report._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert report.summary["turns"] == 0 and report.summary["response_ms"] is None
    assert repr(report) == "TurnTaking(0 turns, 0.0 s)"


def test_a_recording_without_audio_is_counted_by_its_events() -> None:
    stage = Stage(keep_audio="none")
    stage.microphone(room(8.0, (1.0, burst(2.0))))
    stage.heard("u1", 1.0, 3.0, "one two")
    stage.answer(3.6, "three", said(1.0, 3))
    (row,) = stage.recording().report().rows
    assert row.speech_s == pytest.approx(2.44, abs=0.05) and row.answer_s == pytest.approx(1.0)
    stage.recording().plot()
    with sn.style("dark"):
        stage.recording().report().plot()
