"""Frames go into the log and come out again byte for byte."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.recording.log import EventLog
from tests.unit.recording.story import append

even = st.binary(max_size=400).map(lambda data: data[: len(data) // 2 * 2])


@given(even, st.text(st.characters(exclude_categories=["Cs"])))
def test_an_audio_frame_comes_back_to_the_letter(pcm: bytes, item: str) -> None:
    payload = base64.b64encode(pcm).decode()
    frame = codec.encode(ev.AudioDelta(delta=payload, item_id=item))
    log = EventLog()
    record = log.append_frame("in", "response.audio.delta", frame, 1, codec.decode(frame).audio)
    assert log.frame(record) == frame
    if pcm:
        assert record.audio is not None and log.audio.read([record.audio]) == pcm
        assert payload not in (record.skeleton or "") or payload in frame.replace(payload, "", 1)


def test_base64_that_another_encoder_would_write_stays_in_the_frame() -> None:
    payload = "AAE="  # canonical; the same bytes with other padding bits:
    odd = "AAF="
    assert base64.b64decode(payload) == base64.b64decode(odd)
    frame = f'{{"type":"response.audio.delta","delta":"{odd}"}}'
    log = EventLog()
    record = log.append_frame("in", "response.audio.delta", frame, 1, codec.decode(frame).audio)
    assert record.cut == -1 and log.frame(record) == frame


def test_a_local_record_was_never_on_the_wire() -> None:
    log = EventLog()
    with pytest.raises(ValueError, match="never on the wire"):
        log.frame(log.append_local("page", {}))


def test_half_a_character_spoils_nothing() -> None:
    log = EventLog()
    log.append_local("turn", {"text": "Hello \ud83d!"})
    append(log, b"\1\0" * 100)
    log.flush()
    assert [record.text for record in log] == ["Hello ?!", ""] and log.spool.failure is None


def test_reading_needs_no_flush_and_survives_one() -> None:
    log = EventLog()
    records = [append(log, bytes([n, 0]) * 100) for n in range(10)]
    assert list(log) == records
    log.flush()
    records += [append(log, bytes([n, 0]) * 100) for n in range(10, 20)]
    assert list(log) == records and log[15] == records[15] and list(log[8:12]) == records[8:12]
    assert log.audio.read([r.audio for r in records if r.audio]) == b"".join(
        bytes([n, 0]) * 100 for n in range(20)
    )


def test_a_record_costs_little_memory() -> None:
    log = EventLog()
    for _ in range(100):
        append(log, b"\1\0" * 480)
    log.flush()
    assert log.audio.lanes["input"].waiting == 0 == log.lines.waiting
