"""What every tutorial has: a title, a cell that leads to the real service, exercises, and outputs that can be shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.key_scan import CANARY

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# What stands in the files of this machine's user, and of others'.
MACHINE = re.compile(r"(?<![\w.])/(home|root|tmp|Users|work|var|private|opt)/\w|[A-Z]:\\\\|site-packages")
EMBEDDED = re.compile(r"[A-Za-z0-9+/=]{200,}")

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def outputs(path: Path) -> list[Any]:
    return [output for cell in read(path).cells for output in cell.get("outputs", [])]


def test_it_is_small_and_valid(path: Path) -> None:
    assert path.stat().st_size < 1_000_000
    notebook = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(notebook)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}, "store it with `make tutorials`"


def test_it_begins_with_a_title_and_ends_with_exercises(path: Path) -> None:
    texts = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    assert re.match(r"# \S", texts[0])
    real = [text for text in texts if "## With the real service" in text]
    assert len(real) == 1
    assert "STEPFUN_API_KEY" in real[0]
    _, _, exercises = texts[-1].partition("## Exercises")
    assert len(re.findall(r"^\d\. ", exercises, re.MULTILINE)) >= 3


def test_its_outputs_are_stored_with_pictures_and_players(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    shown = [output.get("data", {}) for output in outputs(path)]
    assert any("image/png" in data for data in shown), "no picture"
    assert any("<audio" in data.get("text/html", "") for data in shown), "no player"
    # A widget's view is nothing without its kernel.
    assert all({"image/png", "text/html", "text/plain"} & set(data) for data in shown if data)


def test_its_outputs_name_no_error_no_machine_and_no_key(path: Path) -> None:
    for output in outputs(path):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"
        text = EMBEDDED.sub("", json.dumps(output, ensure_ascii=False))
        assert not MACHINE.search(text), MACHINE.search(text)
        assert CANARY not in text
        assert not re.search(r"\bsk-\w|Bearer \w", text)


def test_what_is_compared_waits_and_prints(path: Path) -> None:
    """Displays change after their cell has ended, and widgets' views differ with each run."""
    for cell in read(path).cells:
        if cell.cell_type == "code" and "nbval-ignore-output" not in cell.metadata.get("tags", []):
            assert {output.output_type for output in cell.outputs} <= {"stream"}, cell.source
