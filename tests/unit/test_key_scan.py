"""The scan for API keys can fail: a planted key is found wherever and however it lies."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from stepnb.audio.clip import Clip
from tests.key_scan import CANARY, KeyScan

KEY = "sk-planted-0123456789abcdef"  # the scan of this very run is not told of it


@pytest.fixture
def scan() -> KeyScan:
    scan = KeyScan()
    scan.know(KEY)
    return scan


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
@pytest.mark.parametrize("after", [b"", b"z", b"zz"])
def test_a_key_is_found_in_every_form(scan: KeyScan, before: bytes, after: bytes) -> None:
    plain = before + KEY.encode() + after
    for data in (plain, base64.b64encode(plain), base64.urlsafe_b64encode(plain)):
        scan.found.clear()
        scan.data("file", data, "here")
        assert scan.found and KEY not in scan.found[0]
    scan.found.clear()
    scan.text("file", plain.decode().replace("sk-", "sk_"), "here")
    assert not scan.found


def test_a_key_is_found_in_files_their_names_and_recordings(scan: KeyScan, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "notes.txt").write_bytes(KEY.encode("utf-16-le"))
    (tmp_path / f"{KEY}.wav").touch()
    with zipfile.ZipFile(tmp_path / "run.stepnb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.jsonl", f'"{KEY}"\n' * 50)
    (tmp_path / "damaged.zip").write_bytes((tmp_path / "run.stepnb").read_bytes()[:80])
    (tmp_path / ".env").write_text(f"STEPFUN_API_KEY={KEY}")
    Clip.from_pcm(bytes(4800)).save(tmp_path / "silence.flac")
    scan.folder("file", tmp_path)
    assert [place.rsplit("/", 1)[-1] for place in scan.found] == [
        "notes.txt: a key in UTF-16",
        "run.stepnb, events.jsonl: a key",
        f"{KEY}.wav: a key",
    ]


TEST = """
import logging

from ipywidgets import Text

from stepnb import LocalEngine, Session
from stepnb.recording.log import EventLog

KEY = CANARY + "xyz"


def test_printed(): print(KEY)
def test_logged(): logging.getLogger("x").warning("with %s", KEY)
def test_raised(): raise ValueError(f"refused: {KEY}")
def test_file(tmp_path): (tmp_path / "notes.txt").write_text(KEY)
def test_message(): Text().send({"key": KEY})
def test_engine(): print(LocalEngine().key)


def record(folder=None):
    log = EventLog(folder)
    log.append_local("page", {"key": KEY})
    log.flush()
    log.close()


def test_private_recording(): record()
def test_recording(tmp_path): record(tmp_path / "kept")


def test_session():
    Session("ws://127.0.0.1:9", api_key="sk-given-" + "0123456789")
    print("sk-given-" + "0123456789")
"""
PLACES = [
    r"Captured stdout call of .*test_printed: a key",
    r"Captured log call of .*test_logged: a key",
    r"the log of x: a key",
    r"the traceback of .*test_raised: a key",
    r"notes\.txt: a key",
    r"a message of Text: a key",
    r"Captured stdout call of .*test_engine: a key",
    r"stepnb-[^/]*/events\.jsonl: a key",
    r"kept/events\.jsonl: a key",
    r"Captured stdout call of .*test_session: a key",
]


def run(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_planted.py").write_text(test, encoding="utf-8")
    options = ["-q", "-p", "tests.key_scan", "-p", "no:cacheprovider", f"--rootdir={folder}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--basetemp={folder / 'base'}", str(folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_run_with_planted_keys_fails_and_names_the_places() -> None:
    with tempfile.TemporaryDirectory() as folder:  # out of the sight of the scan of this very run
        ended = run(Path(folder), TEST.replace("CANARY", repr(CANARY)))
    assert ended.returncode != 0 and "8 passed" in ended.stdout, ended.stdout
    assert [place for place in PLACES if not re.search(f"FOUND in .*{place}", ended.stdout)] == []


def test_a_run_without_a_key_passes() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ended = run(Path(folder), "def test_nothing(tmp_path): print('sk-other')")
    assert ended.returncode == 0 and "the key is nowhere" in ended.stdout, ended.stdout
