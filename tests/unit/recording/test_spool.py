"""The folder: what is in it, when, and what happens when it cannot be written."""

from __future__ import annotations

import gc
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

import stepnb.recording.log as log_module
from stepnb.errors import RecordingError
from stepnb.recording.log import EventLog
from stepnb.recording.recording import Recording
from tests.unit.recording.story import append, delta

needs_posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions and open files")


def test_a_flush_brings_everything_into_the_folder(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "run", model="m", where="somewhere")
    append(log, b"\1\0" * 480)
    log.append_local("page", {"visible": True})
    assert not (tmp_path / "run" / "events.jsonl").read_bytes()
    log.flush()
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["side"] for line in lines] == ["out", "local"]
    assert (tmp_path / "run" / "input.pcm").read_bytes() == b"\1\0" * 480
    assert json.loads((tmp_path / "run" / "header.json").read_text())["model"] == "m"
    assert "python" in json.loads((tmp_path / "run" / "versions.json").read_text())


@needs_posix
def test_only_the_owner_may_look(tmp_path: Path) -> None:
    kept, private = EventLog(tmp_path / "run"), EventLog()
    for log in (kept, private):
        append(log, b"\1\0")
        log.flush()
        folder = log.spool.folder
        assert folder is not None and stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "input.pcm").stat().st_mode) == 0o600


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(RecordingError, match="is not empty"):
        EventLog(tmp_path)
    assert (tmp_path / "precious").read_text() == "x"


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RecordingError, match=r"Nothing can be recorded in .*file"):
        EventLog(tmp_path / "file" / "run")


def test_a_private_folder_goes_with_the_log() -> None:
    log = EventLog()
    delta(log, b"\1\0" * 100)
    log.flush()
    folder = log.spool.folder
    assert folder is not None and folder.exists()
    del log
    gc.collect()
    assert not folder.exists()


@needs_posix
def test_after_close_a_private_folder_is_gone_and_the_log_still_reads() -> None:
    log = EventLog()
    first = delta(log, b"\1\0" * 100)
    log.flush()
    second = delta(log, b"\2\0" * 100)
    folder = log.spool.folder
    log.close()
    assert folder is not None and not folder.exists()
    assert list(log) == [first, second]
    assert first.audio is not None and second.audio is not None
    assert log.audio.read([first.audio, second.audio]) == b"\1\0" * 100 + b"\2\0" * 100


def test_close_writes_the_rest(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    delta(log, b"\1\0" * 100)
    log.close()
    assert len(Recording.load(tmp_path).events) == 1


@needs_posix
def test_a_removed_folder_stops_the_recording_and_nothing_else(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "run")
    before = delta(log, b"\1\0" * 100)
    log.flush()
    shutil.rmtree(tmp_path / "run")
    log.flush()
    assert log.spool.failure is not None and "was removed" in log.spool.failure.message
    after = delta(log, b"\2\0" * 100)
    log.flush()
    assert list(log) == [before, after] and log.frame(after).count("AgAC")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_stops_the_recording_and_memory_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(tmp_path / "run")
    full = os.open("/dev/full", os.O_WRONLY)
    log.audio.lanes["output"].attach(full)
    monkeypatch.setattr(log_module, "MOST_IN_MEMORY", 1000)
    records = [delta(log, b"\1\0" * 300) for _ in range(3)]
    assert log.spool.failure is not None and "No space left" in log.spool.failure.message
    kept = [record.audio.kept for record in records if record.audio]
    assert kept == [True, True, False]
    with pytest.raises(RecordingError, match="was not kept"):
        log.frame(records[-1])
    for _ in range(20):
        log.append_local("page", {"text": "x" * 100})
    assert log.lost > 0 and len(log) + log.lost == 23
    assert len(list(log)) == len(log)
    os.close(full)
