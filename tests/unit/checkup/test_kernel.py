"""Kernels that do not come up, and one that holds messages back: each a real one. A good one, test_command.py sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from stepnb.checkup import kernel

OLDER = """
import stepnb.widgets.page_widget as page_widget
page_widget.keep_requested_subshell = lambda comm: False
import stepnb
stepnb.__version__ = "0.0.9"
"""


@pytest.fixture
def startup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the kernel runs first."""
    folder = tmp_path / "profile_default" / "startup"
    folder.mkdir(parents=True)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    return folder / "first.py"


def test_an_older_package_and_messages_that_wait_for_the_cell(startup: Path) -> None:
    startup.write_text(OLDER)
    up, busy = kernel.kernel()
    assert up.state == "note" and "stepnb 0.0.9, not this one" in up.text and busy.check == "busy"
    assert busy.state == "note" and busy.text == "A widget's messages wait until the cell ends."
    assert "ipykernel>=7.4" in busy.fix


def test_a_kernel_without_this_package_is_told_from_a_good_one(startup: Path) -> None:
    startup.write_text("import sys; sys.modules['stepnb'] = None")
    (row,) = kernel.kernel()
    assert row.state == "fails" and sys.executable in row.text and "ModuleNotFoundError" in row.text
    assert f"{sys.executable} -m pip install stepnb" in row.fix


def test_a_kernel_that_dies_leaves_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kernels" / "broken"
    folder.mkdir(parents=True)
    code = "import sys; sys.exit('No module named ipykernel_launcher')"
    spec = {"argv": [sys.executable, "-c", code], "display_name": "broken", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr(kernel, "NAME", "broken")
    (row,) = kernel.kernel()
    assert row.state == "fails" and row.text.endswith("did not come up: No module named ipykernel_launcher")


def test_no_such_kernel_and_no_jupyter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "NAME", "no-such-kernel")
    (row,) = kernel.kernel()
    assert row.state == "fails" and "ipykernel install --sys-prefix" in row.fix
    monkeypatch.setitem(sys.modules, "jupyter_client.manager", None)
    (row,) = kernel.kernel()
    assert row.state == "fails" and 'pip install "stepnb[lab]"' in row.fix
