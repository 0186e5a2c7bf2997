"""What runs the documentation's examples notices when one of them is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sybil.example import Example

from tests.snippets import PAGES, ROOT, sybil


def run(folder: Path, page: str) -> None:
    path = folder / "page.md"
    path.write_text(page, encoding="utf-8")
    collected = sybil()
    document = collected.parse(path)
    assert collected.setup is not None and collected.teardown is not None
    collected.setup(document.namespace)
    try:
        for example in document.examples():
            assert isinstance(example, Example)
            example.evaluate()
    finally:
        collected.teardown(document.namespace)


def block(language: str, *lines: str) -> str:
    return "\n".join([f"```{language}", *lines, "```", ""])


def test_a_page_is_one_namespace_and_its_cells_may_await(tmp_path: Path) -> None:
    run(
        tmp_path,
        block("python", "import asyncio", "n = 1")
        + block("python", "await asyncio.sleep(0)", "n += 1")
        + block("python", "assert n == 2", "(await asyncio.sleep(0, n)) == 2"),
    )


def test_a_page_begins_with_nothing_of_another(tmp_path: Path) -> None:
    run(tmp_path, block("python", "n = 1"))
    with pytest.raises(NameError):
        run(tmp_path, block("python", "n"))


@pytest.mark.parametrize(
    "line", ["nobody_defined_this", "1 / 0", "class Bad:\n  def _repr_html_(self): return 1 / 0\nBad()"]
)
def test_a_wrong_example_fails(tmp_path: Path, line: str) -> None:
    with pytest.raises((NameError, ZeroDivisionError)):
        run(tmp_path, block("python", line))


def test_a_test_that_fails_in_an_example_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="1 failed"):
        run(tmp_path, block("python test", "def test_it():", "    assert False"))


@pytest.mark.parametrize(
    "line",
    [
        "make nonsense",
        "stepnb nonsense",
        "stepnb serve --nonsense",
        "stepnb serve --port many",
        'pip install "stepnb[nonsense]"',
        "python -m tests.bench.nonsense",
        ".venv/bin/pytest tests/nonsense",
        "nonsense",
    ],
)
def test_a_command_that_does_not_exist_fails(tmp_path: Path, line: str) -> None:
    with pytest.raises((AssertionError, ModuleNotFoundError, SystemExit)):
        run(tmp_path, block("bash", line))


def test_commands_that_exist_pass(tmp_path: Path) -> None:
    run(
        tmp_path,
        block(
            "bash",
            "make PYTHON=python3.13 setup  # or so",
            "export A=b",
            "stepnb serve --port 0 \\",
            "  --seed 3",
        ),
    )


@pytest.mark.parametrize("language", ["", "pyhton", "py"])
def test_a_block_that_would_not_be_run_fails(tmp_path: Path, language: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="a block of"):
        run(tmp_path, block(language, "x"))


def test_what_is_skipped_says_why() -> None:
    for pattern in PAGES:
        for page in ROOT.glob(pattern):
            for skip in re.findall(r"<!-- *skip:.*?-->", page.read_text("utf-8")):
                assert re.fullmatch(r'<!-- skip: (next|start) "[^"]{10,}" -->|<!-- skip: end -->', skip), (
                    page,
                    skip,
                )
