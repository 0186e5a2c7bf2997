"""Choosing, folding and tabulating records."""

from __future__ import annotations

import sys

import pytest

from stepnb.errors import ConfigError, MissingLibrary
from stepnb.recording.log import EventLog
from tests.unit.recording.story import append, delta, words

S = 10**9


@pytest.fixture
def log() -> EventLog:
    """Three appends, four deltas, one error with markup, one local record; one a second."""
    log = EventLog()
    for n in range(3):
        append(log, b"\1\0" * 480, n * S)
    delta(log, b"\1\0" * 2400, 3 * S)
    words(log, "Grüß ", 4 * S)
    delta(log, b"\1\0" * 2400, 5 * S)
    words(log, "Gott", 6 * S)
    log.append_frame("in", "error", '{"type":"error","error":{"message":"Bad <b>"}}', log.anchor + 7 * S)
    log.append_local("<script>", {"text": "Grüße", "item": "i1"}, log.anchor + 8 * S)
    return log


def test_filters_combine(log: EventLog) -> None:
    assert len(log.filter(side="in")) == 5
    assert [r.n for r in log.filter(type="response.*.delta")] == [3, 4, 5, 6]
    assert [r.n for r in log.filter(type="response.*.delta", since=4, until=6)] == [4, 5]
    assert [r.n for r in log.filter(text="grüß")] == [4, 8]
    assert [r.n for r in log.filter(text="grüß").filter(side="local")] == [8]
    assert len(log.filter(type="nothing")) == 0 and repr(log.filter(type="nothing")) == "Events(empty)"
    assert log.filter(side="in")[-1].kind == "error" and [r.n for r in log.filter(side="in")[1:3]] == [4, 5]


def test_a_view_stays_as_it_is_and_the_log_grows(log: EventLog) -> None:
    view = log.filter(side="out")
    append(log, b"\1\0", 9 * S)
    assert len(view) == 3 and len(log.filter(side="out")) == 4


def test_another_side_is_refused(log: EventLog) -> None:
    with pytest.raises(ConfigError, match="side is 'server'"):
        log.filter(side="server")  # type: ignore[arg-type]


def test_folding(log: EventLog) -> None:
    rows = [(first.n, count, size) for first, count, size in log.folded()]
    assert rows == [(0, 3, 2880), (3, 2, 9600), (4, 2, 0), (7, 1, 0), (8, 1, 0)]


def test_the_page_shows_kinds_as_text_and_no_audio(log: EventLog) -> None:
    page = log._repr_html_()
    assert "&lt;script&gt;" in page and "<script>" not in page
    assert "input_audio_buffer.append × 3" in page and "60 ms" in page
    assert "AQAB" not in page


def test_a_table(log: EventLog) -> None:
    pandas = pytest.importorskip("pandas")
    table = log.df()
    assert isinstance(table, pandas.DataFrame) and len(table) == 9
    assert list(table[table.type == "response.audio_transcript.delta"].text) == ["Grüß ", "Gott"]
    assert table.audio_ms.sum() == 3 * 20 + 2 * 100
    assert list(table.item.dropna().unique()) == ["i1"] and table.time.is_monotonic_increasing
    assert list(log.filter(type="nothing").df().columns) == list(table.columns)


def test_without_pandas_it_says_what_to_install(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingLibrary, match=r"stepnb\[data\]"):
        log.df()
