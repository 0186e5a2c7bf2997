"""``stepnb notebooks`` and ``stepnb lab``: what is copied, what is left alone, and that JupyterLab comes up on it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from stepnb import cli, tutorials
from stepnb.errors import StepnbError
from stepnb.tutorials import FIRST, Fate, copy_tutorials

SECOND = "data/second.ipynb"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tutorials, which a test may change as a newer version would."""
    folder = tmp_path / "shipped"
    (folder / "data").mkdir(parents=True)
    (folder / ".ipynb_checkpoints").mkdir()
    for name in (FIRST, SECOND, ".ipynb_checkpoints/left-out.ipynb"):
        (folder / name).write_text(f"{name}, version 1")
    monkeypatch.setattr(tutorials, "shipped", lambda: folder)
    return folder


def test_the_tutorials_of_this_checkout_are_found_and_copied_whole(tmp_path: Path) -> None:
    fates = copy_tutorials(tmp_path)
    assert FIRST in fates and set(fates.values()) == {Fate.COPIED}
    for name in fates:
        assert (tmp_path / name).read_bytes() == (tutorials.shipped() / name).read_bytes()
    assert json.loads((tmp_path / FIRST).read_text(encoding="utf-8"))["cells"]


def test_what_was_changed_is_never_written_over(source: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert copy_tutorials(mine) == {FIRST: Fate.COPIED, SECOND: Fate.COPIED}
    assert copy_tutorials(mine) == {FIRST: Fate.CURRENT, SECOND: Fate.CURRENT}
    (mine / FIRST).write_text("changed by me")
    for name in (FIRST, SECOND):
        (source / name).write_text(f"{name}, version 2")
    assert copy_tutorials(mine) == {FIRST: Fate.KEPT, SECOND: Fate.UPDATED}
    assert (mine / FIRST).read_text() == "changed by me"
    assert (mine / SECOND).read_text() == f"{SECOND}, version 2"
    (mine / FIRST).unlink()
    assert copy_tutorials(mine) == {FIRST: Fate.COPIED, SECOND: Fate.CURRENT}
    left = {path.relative_to(mine).as_posix() for path in mine.rglob("*") if path.is_file()}
    assert left == {FIRST, SECOND, ".stepnb-copied.json"}


@pytest.mark.parametrize("notes", [None, "{", "[]", '{"01_quickstart.ipynb": 7}'])
def test_without_a_note_of_what_was_copied_every_other_file_is_mine(
    source: Path, tmp_path: Path, notes: str | None
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / FIRST).write_text("found here")
    if notes is not None:
        (mine / ".stepnb-copied.json").write_text(notes)
    assert copy_tutorials(mine) == {FIRST: Fate.KEPT, SECOND: Fate.COPIED}
    assert (mine / FIRST).read_text() == "found here"


def test_a_link_and_a_folder_in_the_place_of_a_tutorial_stay(source: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / FIRST).mkdir(parents=True)
    (mine / "data").mkdir()
    (mine / SECOND).symlink_to(tmp_path / "nowhere")
    assert copy_tutorials(mine) == {FIRST: Fate.KEPT, SECOND: Fate.KEPT}
    assert (mine / FIRST).is_dir() and (mine / SECOND).is_symlink()


def test_a_folder_that_cannot_be_written_is_one_sentence(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["notebooks", str(tmp_path / "file")]) == 1
    assert re.fullmatch(
        r"stepnb: The tutorials cannot be written to \S+: File exists\. Name .*\n", capsys.readouterr().err
    )
    with pytest.raises(StepnbError, match="holds the tutorials themselves"):
        copy_tutorials(source / "data" / "..")


def test_the_command_says_what_became_of_each(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = str(tmp_path / "mine")
    assert cli.main(["notebooks", mine]) == 0
    assert capsys.readouterr().out == f"{FIRST}: copied\n{SECOND}: copied\n"
    (tmp_path / "mine" / SECOND).write_text("changed")
    assert cli.main(["notebooks", mine]) == 0
    assert capsys.readouterr().out == (
        f"{FIRST}: is there already\n{SECOND}: kept as you changed it\n"
        "For a fresh copy of what was kept name another folder.\n"
    )


def test_lab_without_jupyterlab_says_what_to_install(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    assert cli.main(["lab", str(tmp_path / "mine")]) == 1
    assert "pip install 'stepnb[lab]'" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_what_was_copied_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    copy_tutorials(tmp_path)
    notebook = nbformat.read(tmp_path / FIRST, as_version=4)
    notary = NotebookNotary()
    assert not notary.check_signature(notebook)
    tutorials.trust([tmp_path / FIRST, tmp_path / "data" / "no notebook.txt"])
    assert notary.check_signature(notebook)
    notebook.cells[1].outputs[0].text = "of somebody else"
    assert not notary.check_signature(notebook)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    folders = {
        name: str(tmp_path / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "stepnb.cli", "lab", str(tmp_path / "mine"), "--no-browser", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **folders, "JUPYTER_PREFER_ENV_PATH": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_lab_serves_the_first_tutorial(lab: subprocess.Popen[str], tmp_path: Path) -> None:
    assert lab.stderr is not None
    said = []
    for line in lab.stderr:  # the test's own timeout ends a server that never says it
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/lab/tree/01_quickstart\.ipynb\?token=(\w+)", line):
            break
    else:
        pytest.fail("".join(said))
    wait_until_it_listens(int(found[1]))
    address = f"http://127.0.0.1:{found[1]}/api/contents/{FIRST}?content=0&token={found[2]}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert json.load(answer)["type"] == "notebook"
    lab.send_signal(signal.SIGTERM)
    lab.communicate(timeout=60)
    assert (tmp_path / "mine" / FIRST).is_file()


def wait_until_it_listens(port: int) -> None:
    """Jupyter says its address before it listens there, and nothing afterwards."""
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return
