"""Tables, summaries, pictures and reports of runs that were put into the store by hand."""

from __future__ import annotations

import csv
import re
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import stepnb as sn
from stepnb.experiments.perform import Outcome
from stepnb.experiments.store import ScoreRow
from stepnb.experiments.summary import TurnSummary

EVIL = "<img src=x onerror=alert(1)>"


def recording() -> bytes:
    buffer = BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    return buffer.getvalue()


def made(folder: Path, values: dict[tuple[str, str], float | None], repeats: int = 6) -> sn.Experiment:
    """Return an experiment with a score for each (voice, prompt); None: not exercised."""
    x = sn.Experiment(
        "made",
        grid={"voice": ["low", "high"], "instructions": {"calm": "Be calm.", "quick": f"Be quick. {EVIL}"}},
        inputs=[sn.Input("Who are you?", name="who", expect=EVIL)],
        repeats=repeats,
        fixed={"cluster": "local"},
        scorers=[sn.scorers.Duration()],
        folder=folder,
    )
    with x.store.writing() as db:
        for case in x._cases:
            value = values[case.variant.factors["voice"], case.variant.factors["instructions"]]
            score = ScoreRow(
                key=case.key, scorer=x.scorers[0].id, name="duration",
                value=None if value is None else value + 0.01 * case.repeat,
            )  # fmt: skip
            turn = TurnSummary(said="Who are you?", spoken=False, answer=f"I am {EVIL}", status="completed")
            outcome = Outcome(key=case.key, recording=recording(), started=time.time(), seconds=1)
            x.store.put(db, case, outcome, [turn], [score])
    return x


FULL = {("low", "calm"): 2.0, ("low", "quick"): 1.0, ("high", "calm"): 2.0, ("high", "quick"): 1.0}
PARTLY: dict[tuple[str, str], float | None] = {**FULL, ("high", "quick"): None}


def test_what_was_not_exercised_is_missing_and_counted(tmp_path: Path) -> None:
    x = made(tmp_path / "x", PARTLY)
    df = x.df()
    assert df["duration"].isna().sum() == 6
    summary = x.summary()
    assert summary.missing["high, quick", "duration"] == 6
    assert "6 not exercised" in summary._repr_html_()
    assert "high, quick: 6 runs; duration –" in repr(summary)
    (one,) = x.compare("duration", by="voice")
    assert (one.pairs, one.unpaired) == (6, 6)
    table = summary.df().set_index(["variant", "metric"])
    assert table.loc[("low, calm", "duration"), "n"] == 6


def test_factors_are_compared_over_everything_else(tmp_path: Path) -> None:
    x = made(tmp_path / "x", FULL)
    by_prompt, by_voice = x.compare("duration", by="instructions")[0], x.compare("duration", by="voice")[0]
    assert str(by_prompt) == "quick is shorter than calm by 1 s [1, 1], 12 pairs."
    assert by_voice.difference == 0 and not by_voice.differs
    with pytest.raises(sn.ConfigError, match=r"There are: variant, voice, instructions\."):
        x.compare("duration", by="speed")
    with pytest.raises(sn.ConfigError, match="no score 'wer'"):
        x.compare("wer")
    with pytest.raises(sn.ConfigError, match="no voice 'x'"):
        x.compare("duration", by="voice", baseline="x")


def test_two_variants_are_shown_with_prompts_and_results(tmp_path: Path) -> None:
    found = made(tmp_path / "x", FULL).diff("low, calm", "low, quick")
    assert repr(found).startswith("Be [-calm.-]{+quick. <img")
    assert "duration: low, quick is shorter than low, calm by 1 s [1, 1], 6 pairs." in repr(found)
    shown = found._repr_html_()
    assert "<ins" in shown and "<table>" in shown and "<img" not in shown


def test_tables_are_written(tmp_path: Path) -> None:
    import pandas as pd

    x = made(tmp_path / "x", PARTLY)
    x.to_csv(tmp_path / "x.csv")
    x.to_parquet(tmp_path / "x.parquet")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert rows[0]["answer"] == f"I am {EVIL}"
    assert len(pd.read_parquet(tmp_path / "x.parquet")) == 24


def test_pictures_are_drawn_without_pyplot(tmp_path: Path) -> None:
    x = made(tmp_path / "x", PARTLY)
    figure = x.plot("duration")
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "low, calm",
        "low, quick",
        "high, calm",
        "high, quick",
    ]
    assert ax.get_xlabel() == "duration, s"
    assert "6 not exercised" in [text.get_text() for text in ax.texts]
    lines = x.plot("duration", by="instructions", across="voice").axes[0]
    legend = lines.get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["calm", "quick"]
    nothing = made(tmp_path / "y", dict.fromkeys(FULL))
    assert "No run has a score" in nothing.plot("duration").axes[0].texts[0].get_text()


def test_a_report_holds_everything_and_runs_nothing(tmp_path: Path) -> None:
    x = made(tmp_path / "x", FULL)
    page = x.report(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page and "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page), "something would be loaded"
    assert "quick is shorter than calm by 1 s" in page
    assert "Be calm." in page  # the prompts
    assert "numpy" in page  # the versions
    assert "Duration(name=" in page  # the scorers, with their settings
    assert page.index("What was found") < page.index("Scores") < page.index("Side by side")


def test_a_report_that_cannot_be_says_why(tmp_path: Path) -> None:
    x = made(tmp_path / "x", FULL)
    with pytest.raises(sn.ConfigError, match=r"\.html"):
        x.report(tmp_path / "r.pdf")
    with pytest.raises(sn.ExperimentError, match="Choose another place"):
        x.report(tmp_path / "missing" / "r.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(sn.ExperimentError, match="Choose another place"):
        x.report(tmp_path / "folder.html")
    assert not list(tmp_path.glob(".*")), "a draft is left"
    empty = sn.Experiment(
        "empty", grid={"voice": ["a"]}, inputs=["x"], fixed={"cluster": "local"}, folder=tmp_path / "e"
    )
    with pytest.raises(sn.ExperimentError, match="no run is kept"):
        empty.report(tmp_path / "e.html")
    with pytest.raises(sn.ConfigError, match="no scores to draw"):
        empty.plot()
    assert "0 of 1 runs done" in repr(empty)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "../x"}, "cannot be called"),
        ({"repeats": 0}, "repeats is 0"),
        ({"grid": {"noise": [10]}}, "the input 'x' is text"),
        ({"fixed": {"cluster": "mars"}}, "'mars' is not known"),
    ],
)
def test_a_wrong_experiment_says_what_to_write(
    tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    right = {
        "name": "x", "grid": {"voice": ["a"]}, "inputs": ["x"], "fixed": {"cluster": "local"}, "folder": tmp_path,
    }  # fmt: skip
    with pytest.raises(sn.ConfigError, match=message):
        sn.Experiment(**right | arguments)  # type: ignore[arg-type]


def test_what_a_gallery_leaves_on_a_saved_page_is_text(tmp_path: Path) -> None:
    saved = made(tmp_path / "x", FULL).gallery()._repr_mimebundle_()[0]["text/html"]
    assert EVIL not in saved
    assert saved.count("I am &lt;img") == 4
