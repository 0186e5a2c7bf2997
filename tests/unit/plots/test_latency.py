from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import stepnb as sn
from scripts.example_conversation import Stage, said
from stepnb.conversation.state import TurnState
from stepnb.plots import latency, waterfall
from stepnb.plots.latency import response_times, stages
from stepnb.recording.recording import Recording
from tests.unit.plots.test_scene import example

MS = 1_000_000


def turn(kind: Any = "speech", **stamps: float) -> TurnState:
    state = TurnState(1, kind)
    state.stamps = {name: round(ms * MS) for name, ms in stamps.items()}
    return state


def typed(delays: list[float], *, unheard: int = 0) -> Recording:
    """Each question is answered, and heard, after its delay; the last ones by nobody."""
    stage = Stage(vad=None)
    for n, delay in enumerate(delays):
        stage.typed(1.0 + 5 * n, n + 1, f"Question {n + 1}")
        play = n < len(delays) - unheard
        stage.answer(1.05 + 5 * n, "Answer.", said(0.2, 1), delay=delay - 0.05 - 0.09, play=play)
    return stage.recording()


def test_the_stages_of_a_spoken_turn_follow_each_other_from_the_end_of_the_voice() -> None:
    found, missing = stages(
        turn(
            speech_started=500, speech_stopped=2600, committed=2610, response_created=2650, first_text=2900,
            first_audio=2950, first_heard=3060,
        ),
        2000 * MS,
    )  # fmt: skip
    assert [(stage.name, stage.start, stage.end) for stage in found] == [
        ("speech_stopped", 0, 600),
        ("committed", 600, 610),
        ("response_created", 610, 650),
        ("first_delta", 650, 900),
        ("first_audio", 900, 950),
        ("first_heard", 950, 1060),
    ]
    assert all(stage.known for stage in found) and not missing


def test_a_missing_stamp_is_named_and_its_successor_holds_its_time() -> None:
    found, missing = stages(turn("text", asked=0, committed=30, first_text=400, first_audio=500), None)
    assert missing == ["response_created", "first_heard"]
    assert [(s.name, s.known) for s in found] == [
        ("committed", True),
        ("first_delta", False),
        ("first_audio", True),
    ]
    assert found[1].start == 30 and found[1].end == 400


def test_events_that_overtook_each_other_take_no_time_of_their_own() -> None:
    found, _ = stages(turn("text", asked=0, response_created=20, committed=90, first_text=200), None)
    assert [(s.name, s.start, s.end) for s in found] == [
        ("committed", 0, 90), ("response_created", 90, 90), ("first_delta", 90, 200),
    ]  # fmt: skip


def test_a_turn_without_any_stamp_has_no_stages() -> None:
    found, missing = stages(turn("unasked"), None)
    assert not found and len(missing) == 6


def test_the_waterfall_draws_the_stages_and_writes_the_sum() -> None:
    recording = example()
    (ax,) = waterfall(recording).axes
    texts = [text.get_text() for text in ax.texts]
    rows: dict[int, float] = {}
    for bar in ax.patches:
        row = round(bar.get_y() + bar.get_height() / 2)  # type: ignore[attr-defined]
        rows[row] = rows.get(row, 0.0) + bar.get_width()  # type: ignore[attr-defined]
    for row, turn_ in enumerate(recording.turns):
        heard = turn_.latency.first_heard
        assert heard is not None
        if row == 2:  # written: the same beginning as the turn's own figure
            assert rows[row] == pytest.approx(heard)
        else:  # spoken: the silence that was waited for comes on top
            assert 400 < rows[row] - heard < 650
        assert f"{rows[row]:,.0f} ms" in texts
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[1] == "2  Wait, and in Lyon?" and labels[0].endswith("…")


def test_what_is_missing_at_the_end_is_said() -> None:
    (ax,) = waterfall(typed([0.5, 0.6], unheard=1)).axes
    assert [text.get_text() for text in ax.texts] == ["500 ms", "510 ms, not heard"]
    silent = Stage(vad=None)
    silent.typed(1.0, 1, "Hello")
    assert [text.get_text() for text in waterfall(silent.recording()).axes[0].texts] == ["30 ms, no audio"]
    assert waterfall(Stage().recording()).axes[0].texts[0].get_text() == "no turns yet"


def test_a_turn_has_a_waterfall_of_one_row() -> None:
    (ax,) = example().turns[1].plot("waterfall").axes
    assert len(ax.get_yticklabels()) == 1


def test_the_distribution_is_that_of_the_turns() -> None:
    delays = list(np.random.default_rng(4).gamma(4, 0.2, 20) + 0.3)
    recording = typed(delays)
    times = response_times(list(recording.conversation.turns.values()), "heard")
    np.testing.assert_allclose(times, np.array(delays) * 1000, atol=1)
    assert times == [turn_.latency.first_heard for turn_ in recording.turns]
    (ax,) = recording.plot("latency").axes
    curve = ax.lines[0]
    np.testing.assert_allclose(np.unique(np.asarray(curve.get_xdata())), np.sort(times))
    text = ax.get_legend().get_texts()[0].get_text()  # type: ignore[union-attr]
    p95 = np.sort(times)[18]
    assert text == f"median {np.median(times):,.0f} ms, 95% within {p95:,.0f} ms (20 turns)"


def test_recordings_are_compared_and_what_they_lack_is_counted() -> None:
    before, after = typed([0.5, 0.6, 0.7], unheard=1), typed([0.9, 1.0])
    (ax,) = latency({"before": before, "after": after}).axes
    texts = [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]
    assert texts[0].startswith("before: median 550 ms") and texts[0].endswith("(2 of 3 turns)")
    assert texts[1].startswith("after: median 950 ms")
    assert "ear" in ax.get_xlabel()
    (ax,) = latency({"a": before, "nobody": Stage().recording()}).axes
    assert ax.get_legend().get_texts()[1].get_text() == "nobody: none of 0 turns has it"  # type: ignore[union-attr]


def test_without_a_player_the_audio_in_the_kernel_counts() -> None:
    (ax,) = latency(typed([0.5, 0.6], unheard=2)).axes
    assert "first audio in the kernel" in ax.get_xlabel()
    with pytest.raises(sn.ConfigError, match="measure is 'smell'"):
        latency(example(), measure="smell")  # type: ignore[arg-type]
    empty = latency(Stage().recording())
    assert "no turn has been answered" in [text.get_text() for text in empty.axes[0].texts]
