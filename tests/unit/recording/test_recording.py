"""Packing and opening recordings, whole and damaged ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

import stepnb.recording.archive as archive_module
from stepnb.errors import RecordingError
from stepnb.recording.archive import pack
from stepnb.recording.log import EventLog
from stepnb.recording.recording import Recording
from tests.unit.recording.story import append, delta, words

SENT = np.random.default_rng(1).integers(-32768, 32767, 4800, np.int16).tobytes()
CAME = np.random.default_rng(2).integers(-32768, 32767, 7200, np.int16).tobytes()


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    log = EventLog(tmp_path / "run", model="stepaudio", where="local engine")
    for start in range(0, len(SENT), 960):
        append(log, SENT[start : start + 960], start)
    log.append_frame(
        "in", "response.created", '{"type":"response.created","response":{"id":"r1"}}', log.anchor
    )
    words(log, "Hello")
    delta(log, CAME)
    log.flush()
    return log


def same(recording: Recording, log: EventLog) -> None:
    assert list(recording.events) == list(log)
    assert [recording.events.frame(r) for r in recording.events] == [log.frame(r) for r in log]
    assert recording.started == log.started and recording.events.anchor == log.anchor
    (turn,) = recording.turns
    assert turn.transcript == "Hello" and turn.audio.pcm == CAME


def test_a_file_holds_the_same(log: EventLog, tmp_path: Path) -> None:
    path = pack(log, tmp_path / "run.stepnb")
    with zipfile.ZipFile(path) as archive:
        names = {"header.json", "config.json", "versions.json", "events.jsonl", "input.flac", "output.flac"}
        assert set(archive.namelist()) == names
        with archive.open("input.flac") as flac:
            assert soundfile.read(flac, dtype="int16")[0].tobytes() == SENT
    recording = Recording.load(path)
    same(recording, log)
    assert recording.notices == [] and "stepaudio" in repr(recording) and "Hello" in recording._repr_html_()
    same(Recording.load(recording.save(tmp_path / "again.stepnb")), log)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.stepnb", "run", "run.stepnb"]


def test_a_folder_holds_the_same(log: EventLog, tmp_path: Path) -> None:
    recording = Recording.load(tmp_path / "run")
    same(recording, log)
    assert recording.notices == []


def test_an_empty_log_can_be_saved(tmp_path: Path) -> None:
    recording = Recording.load(pack(EventLog(), tmp_path / "x.stepnb"))
    assert len(recording.events) == 0 and recording.turns == [] and recording.notices == []


def test_a_torn_end_is_tolerated_and_reported(log: EventLog, tmp_path: Path) -> None:
    events, audio = tmp_path / "run" / "events.jsonl", tmp_path / "run" / "output.pcm"
    whole = list(log)
    events.write_bytes(events.read_bytes()[:-30])
    audio.write_bytes(audio.read_bytes()[:2401])
    recording = Recording.load(tmp_path / "run")
    assert list(recording.events) == whole[:-1]
    assert recording.notices == [
        "The last record is incomplete: the session ended in the middle of writing it."
    ]


def test_missing_audio_is_reported(log: EventLog, tmp_path: Path) -> None:
    audio = tmp_path / "run" / "output.pcm"
    audio.write_bytes(audio.read_bytes()[:4801])
    recording = Recording.load(tmp_path / "run")
    assert recording.notices == ["The last 0.20 s of the output audio are missing."]
    assert recording.turns[0].audio.pcm == CAME[:4800]


def test_damaged_records_are_left_out_and_counted(log: EventLog, tmp_path: Path) -> None:
    events = tmp_path / "run" / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    odd = b'{"t":1,"side":"local","kind":"discard","data":{"response":"never"}}\n'
    count = len(log)
    events.write_bytes(b"".join([*lines[:2], b"\x00\xff garbage\n", odd, *lines[2:]]))
    recording = Recording.load(tmp_path / "run")
    assert len(recording.events) == count + 1 and recording.turns[0].transcript == "Hello"
    assert recording.notices == [
        "1 records cannot be read and are left out.",
        "1 records do not fit the conversation and are left out of it.",
    ]


def test_an_unfinished_turn_says_so(log: EventLog, tmp_path: Path) -> None:
    (turn,) = Recording.load(tmp_path / "run").turns
    with pytest.raises(Exception, match="recording ends before"):
        turn.wait()


def test_a_turn_is_shown_as_it_was(log: EventLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (turn,) = Recording.load(tmp_path / "run").turns
    turn._ipython_display_()
    shown = capsys.readouterr().out
    assert "text/html" in shown and "Hello" in shown and turn.tool_calls == []


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 half a zip"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.stepnb").write_bytes(content)
    with pytest.raises(RecordingError, match="no recording, or damaged"):
        Recording.load(tmp_path / "x.stepnb")


def test_other_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="There is no recording"):
        Recording.load(tmp_path / "nothing.stepnb")
    with pytest.raises(RecordingError, match="no header"):
        Recording.load(tmp_path)


def test_a_newer_format_is_refused(log: EventLog, tmp_path: Path) -> None:
    header = tmp_path / "run" / "header.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | {"format": 2, "started": "whenever"}))
    with pytest.raises(RecordingError, match=r"format 2.*Update stepnb"):
        Recording.load(tmp_path / "run")


@pytest.mark.parametrize("bound", ["MOST_EVENTS", "MOST_AUDIO", "MOST_ABOUT"])
def test_what_would_unpack_to_too_much_is_refused(
    log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    path = pack(log, tmp_path / "run.stepnb")
    monkeypatch.setattr(archive_module, bound, 100)
    with pytest.raises(RecordingError, match="is the most that is opened"):
        Recording.load(path)


def test_silence_that_flac_makes_tiny_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog()
    delta(log, bytes(1 << 20))
    path = pack(log, tmp_path / "run.stepnb")
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(archive_module, "MOST_AUDIO", 1 << 19)
    with pytest.raises(RecordingError, match=r"output\.flac .* is the most"):
        Recording.load(path)


def test_names_in_a_file_lead_nowhere(log: EventLog, tmp_path: Path) -> None:
    path = pack(log, tmp_path / "run.stepnb")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../outside", "x")
    same(Recording.load(path), log)
    assert not (tmp_path.parent / "outside").exists()


def test_a_file_appears_only_when_it_is_complete(log: EventLog, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be written"):
        pack(log, tmp_path / "no" / "such" / "place.stepnb")
    (tmp_path / "folder.stepnb").mkdir()
    with pytest.raises(RecordingError, match="cannot be written"):
        pack(log, tmp_path / "folder.stepnb")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.stepnb", "run"]
