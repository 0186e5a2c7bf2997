"""A log as a table for a page: folded, filtered, growing, and read without its audio."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.recording.log import EventLog
from stepnb.recording.redaction import readable
from stepnb.recording.rows import Filter, Rows
from tests.unit.recording.story import append, delta, words

S = 10**9
PCM = b"\1\0" * 2400


@pytest.fixture
def log() -> EventLog:
    """Three appends, two audio and two transcript deltas in turn, an error, a local record; one a second."""
    log = EventLog()
    for n in range(3):
        append(log, b"\1\0" * 480, n * S)
    for n, word in enumerate(("The quick ", "brown fox")):
        delta(log, PCM, (3 + 2 * n) * S)
        words(log, word, (4 + 2 * n) * S)
    log.append_frame("in", "error", '{"type":"error","error":{"message":"Bad <b>"}}', log.anchor + 7 * S)
    log.append_local("page", {"item": "i1"}, log.anchor + 8 * S)
    return log


def table(log: EventLog, **filter: Any) -> Rows:
    rows = log.rows(Filter(**filter))
    rows.update()
    return rows


def test_runs_are_rows_with_count_bytes_and_time(log: EventLog) -> None:
    rows = table(log).window(0, 50)
    assert [(row["n"], row["type"], row["count"]) for row in rows] == [
        (0, "input_audio_buffer.append", 3),
        (3, "response.audio.delta", 2),
        (4, "response.audio_transcript.delta", 2),
        (7, "error", 1),
        (8, "page", 1),
    ]
    assert rows[0]["bytes"] == sum(len(log.frame(log[n])) for n in range(3))
    assert rows[1]["bytes"] == sum(len(log.frame(log[n])) for n in (3, 5))
    assert (rows[1]["at"], rows[1]["last"], rows[1]["audio_ms"]) == (3.0, 5.0, 200.0)
    assert [row["text"] for row in rows] == ["", "", "The quick brown fox", "Bad <b>", '{"item":"i1"}']


def test_unfolded_every_record_is_a_row(log: EventLog) -> None:
    rows = table(log, fold=False)
    assert len(rows) == 9 and [row["n"] for row in rows.window(2, 3)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("filter", "numbers"),
    [
        ({"side": "out"}, [0]),
        ({"type": "Delta"}, [3, 4]),
        ({"type": "*.delta"}, [3, 4]),
        ({"type": "response.audio?*"}, [3, 4]),
        ({"type": "rror"}, [7]),
        ({"text": "QUICK BROWN"}, [4]),
        ({"text": "quick brown", "fold": False}, []),
        ({"text": "bad", "side": "out"}, []),
    ],
)
def test_filters(log: EventLog, filter: dict[str, Any], numbers: list[int]) -> None:
    assert [row["n"] for row in table(log, **filter).window(0, 50)] == numbers


def test_a_row_appears_in_its_place_once_its_words_are_complete(log: EventLog) -> None:
    log = EventLog()
    rows = log.rows(Filter(text="hello"))
    words(log, "hel", 0)
    delta(log, PCM, S)
    rows.update()
    assert len(rows) == 0
    words(log, "lo", 2 * S)
    log.append_local("notice", {"text": "Hello again"})
    rows.update()
    assert [row["text"] for row in rows.window(0, 9)] == ["hello", "Hello again"]
    words(log, " there", 3 * S)
    rows.update()
    assert [row["n"] for row in rows.window(0, 9)] == [0, 3]


@given(
    st.lists(st.sampled_from(["append", "delta", "words", "local"]), max_size=30),
    st.integers(1, 7),
    st.booleans(),
)
def test_taking_in_bit_by_bit_gives_the_same_as_at_once(kinds: list[str], step: int, fold: bool) -> None:
    log = EventLog()
    filters = [
        Filter(fold=fold),
        Filter(text="wordword", fold=fold),
        Filter(side="in", type="delta", fold=fold),
    ]
    live = [log.rows(filter) for filter in filters]
    for n, kind in enumerate(kinds):
        if kind == "append":
            append(log, PCM, n * S)
        elif kind == "delta":
            delta(log, PCM, n * S)
        elif kind == "words":
            words(log, "word", n * S)
        else:
            log.append_local("turn", {"text": "wordword"}, log.anchor + n * S)
        if n % step == 0:
            for rows in live:
                rows.update()
    for rows in live:
        rows.update()
        whole = log.rows(rows.filter)
        whole.update()
        assert rows.window(0, 100) == whole.window(0, 100) and rows.taken == len(kinds)
    log.close()


def test_a_record_is_read_without_its_audio(log: EventLog) -> None:
    rows = table(log)
    sound, said, local = rows.detail(3), rows.detail(4), rows.detail(8)
    assert sound is not None and said is not None and local is not None
    assert json.loads(sound["json"])["delta"] == "(100 ms of audio, 4800 bytes)"
    assert said["together"] == "The quick brown fox" and json.loads(said["json"])["delta"] == "The quick "
    assert json.loads(local["json"]) == {"item": "i1"}
    assert rows.detail(5) is None and rows.detail(99) is None


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"conversation.item.create","item":{"content":[{"type":"input_audio","audio":"%s"}]}}',
        '{"type":"response.audio.done","audio":"%s"}',
        '{"type":"something.new","payload":["%s"]}',
        '{"type":"something.new","url":"data:audio/wav;base64,%s"}',
        "no JSON at all %s",
    ],
)
def test_no_audio_is_read_wherever_it_stands(frame: str) -> None:
    log = EventLog()
    audio = "AQAB" * 200
    log.append_frame("in", "x", frame.replace("%s", audio), log.anchor)
    text = readable(log[0])
    assert "AQABAQAB" * 10 not in text and "characters" in text


def test_what_is_read_is_bounded() -> None:
    log = EventLog()
    log.append_local("notice", {"text": "long " * 10_000, "list": ["long " * 500] * 100})
    text = readable(log[0])
    assert len(text) < 110_000 and "more characters)" in text
