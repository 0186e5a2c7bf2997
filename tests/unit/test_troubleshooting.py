from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stepnb as sn
from stepnb import errors

ROOT = Path(sn.__file__).parents[1]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ANCHORS = re.findall(r"^\(([\w-]+)\)=$", PAGE, re.MULTILINE)


def classes() -> Iterator[type[sn.StepnbError]]:
    """Every class of error, wherever in the package it is made."""
    for module in pkgutil.walk_packages(sn.__path__, "stepnb."):
        if not module.name.endswith(("__main__", "silero", "whisper_ears")):
            importlib.import_module(module.name)
    waiting = [errors.StepnbError]
    while waiting:
        yield (cls := waiting.pop())
        waiting += cls.__subclasses__()


def test_every_class_of_error_names_a_section_of_its_own_choice() -> None:
    found = list(classes())
    assert len(found) > 25
    for cls in found:
        assert "anchor" in vars(cls), cls
        assert cls.anchor in ANCHORS, cls


def test_every_public_error_is_drawn_from_the_tree() -> None:
    tree = {cls.__name__ for cls in classes() if cls.__module__ == "stepnb.errors"}
    assert tree == {name for name in sn.__all__ if getattr(sn, name) in classes_of(sn)}


def classes_of(module: Any) -> list[type]:
    values = [getattr(module, name) for name in module.__all__]
    return [value for value in values if isinstance(value, type) and issubclass(value, errors.StepnbError)]


def test_sections_are_told_apart() -> None:
    assert len(set(ANCHORS)) == len(ANCHORS)
    assert len(re.findall(r"^### ", PAGE, re.MULTILINE)) == len(ANCHORS)


@pytest.mark.parametrize("anchor", ANCHORS)
def test_a_section_is_shown_whole(anchor: str) -> None:
    # As far as the next section, or the next heading.
    _, _, rest = PAGE.partition(f"({anchor})=\n### ")
    whole = re.split(r"^(?:\([\w-]+\)=|## .*)$", rest, maxsplit=1, flags=re.MULTILINE)[0]
    words = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", whole).split()
    advice = sn.troubleshoot(anchor)
    # Without what stands for the links.
    shown = re.sub(r" \((?:documentation: [\w/-]+|`sn\.troubleshoot\('[\w-]+'\)`)\)", "", advice.text)
    assert f"{advice.title} {shown}".split() == words


def test_links_of_the_site_become_words() -> None:
    for anchor in ANCHORS:
        assert not re.search(r"\]\((?!https?:)", sn.troubleshoot(anchor).text), anchor
    assert "the key comes from (documentation: howto/keys)." in sn.troubleshoot("wrong-cluster").text
    assert "not heard (`sn.troubleshoot('not-heard')`)" in sn.troubleshoot("service-error").text


def test_a_notebook_shows_markdown_and_a_terminal_text() -> None:
    advice = sn.troubleshoot("no-microphone")
    assert advice._repr_markdown_().startswith("### No microphone\n\n")
    assert repr(advice).startswith("No microphone\n\n") and "localhost" in repr(advice)


def test_an_error_leads_to_its_section() -> None:
    error = errors.AuthenticationError("The key was refused.", status=401)
    assert sn.troubleshoot(error) == sn.troubleshoot("wrong-cluster")
    assert str(error) == "The key was refused."
    assert "".join(traceback.format_exception(error)).endswith("\nMore: sn.troubleshoot('wrong-cluster')\n")


def test_without_a_problem_all_sections_are_listed() -> None:
    advice = sn.troubleshoot()
    assert all(f"`{anchor}`" in advice.text for anchor in ANCHORS)


def test_an_unknown_section_is_refused_with_those_that_are_near() -> None:
    with pytest.raises(sn.ConfigError, match=r"no section 'microphone'\. Perhaps 'no-microphone'"):
        sn.troubleshoot("microphone")
    with pytest.raises(sn.ConfigError, match=r"sn\.troubleshoot\(\) lists all"):
        sn.troubleshoot(ValueError("x"))  # type: ignore[arg-type]


def test_every_section_named_anywhere_exists() -> None:
    named = re.compile(r"troubleshoot\(\\?['\"]([\w-]+)\\?['\"]\)|troubleshooting\.md#([\w-]+)")
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("notebooks/*.ipynb"),
        *ROOT.glob("stepnb/**/*.py"),
    ]
    found = {a or b for page in pages for a, b in named.findall(page.read_text("utf-8"))}
    assert found and found <= set(ANCHORS)


def test_the_wheel_brings_the_page(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"HATCH_JUPYTER_BUILDER_SKIP_NPM": "1"},
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = tmp_path.glob("*.whl")
    # Beside the package's modules, where the function looks first.
    assert zipfile.ZipFile(wheel).read("stepnb/docs/troubleshooting.md").decode() == PAGE
