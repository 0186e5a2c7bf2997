"""Records as lines: everything comes back, and no line breaks the file."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.conversation.record import AudioRef, Record
from stepnb.protocol.codec import decode
from stepnb.recording.records import Index, line_of, record_of
from stepnb.recording.store import Blob

text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
)
frames = st.one_of(
    text,  # not JSON at all
    values.map(json.dumps),
    st.tuples(st.dictionaries(text, values), st.sampled_from([None, 1])).map(
        lambda pair: json.dumps({"type": "x", **pair[0]}, indent=pair[1], ensure_ascii=False)
    ),
)
times = st.integers(0, 2**62 - 1)
audio = st.none() | st.builds(
    AudioRef, st.integers(-1, 2**40), st.integers(0, 2**25), st.sampled_from(["input", "output"])
)


@given(frames, times, audio, st.integers(-1, 1000), st.lists(text).map(tuple))
def test_a_frame_comes_back_to_the_letter(
    frame: str, t: int, ref: AudioRef | None, cut: int, repairs: tuple[str, ...]
) -> None:
    record = Record(3, t, "in", decode(frame).event.type, frame, cut, ref, None, repairs)
    line = line_of(record)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert json.loads(line)["side"] == "in"
    assert record_of(3, line) == record


@given(times, st.dictionaries(text, values))
def test_a_local_record_comes_back(t: int, data: dict[str, Any]) -> None:
    record = Record(0, t, "local", "page", data=data)
    assert record_of(0, line_of(record)) == record


def test_a_frame_stands_in_its_line_as_json() -> None:
    line = line_of(Record(0, 5, "out", "response.cancel", '{"type":"response.cancel"}'))
    assert json.loads(line) == {
        "t": 5, "side": "out", "kind": "response.cancel", "frame": {"type": "response.cancel"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b"nonsense", b'{"t":1,"side":"in","kind":"x"}', b'{"t":1,"side":"local","kind":"x","frame":{}}',
        b'{"t":1,"side":"up","kind":"x","frame":{}}', b'{"t":99999999999999999999,"side":"in","kind":"x","frame":{}}',
        b'{"t":1,"side":"in","kind":"x","frame":{},"audio":["input",0,-5]}',
        b'{"t":1,"side":"in","kind":"x","frame":{},"audio":["else",0,5]}',
    ],
)  # fmt: skip
def test_other_lines_are_no_records(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        record_of(0, line)


def test_text_is_what_people_said_and_wrote() -> None:
    frame = '{"type":"conversation.item.created","item":{"id":"text","content":[{"type":"text","text":"H\\u00e9llo"}]}}'
    assert Record(0, 0, "in", "conversation.item.created", frame).text == "Héllo"
    assert Record(0, 0, "local", "notice", data={"level": "info", "text": "Done.", "fix": ""}).text == "Done."
    assert Record(0, 0, "in", "malformed", "no JSON").text == "no JSON"


def test_the_index_reads_what_it_was_given() -> None:
    index, records = Index(Blob()), []
    for n in range(1000):
        record = Record(n, n * 10, "local", f"kind{n % 3}", data={"text": "x" * (n % 700)})
        line = line_of(record)
        assert index.add(line, index.lines.append(line)) == record
        records.append(record)
    assert list(index.records(range(1000))) == records
    assert list(index.records([999, 5, 500, 6])) == [records[n] for n in (999, 5, 500, 6)]
    assert index.record(77) == records[77] and index.end == index.lines.size
