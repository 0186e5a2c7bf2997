"""The two READMEs say the same: sections, code, pictures, tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")


def test_the_sections_and_tables_are_the_same() -> None:
    def shape(text: str) -> list[tuple[str, int]]:
        """Headings by their level, rows of tables by their cells, items of lists."""
        found = re.findall(r"^(#+ |\||- )(.*)$", text, re.MULTILINE)
        return [(mark, rest.count("|") if mark == "|" else 0) for mark, rest in found]

    assert shape(ENGLISH) == shape(CHINESE)


def test_the_examples_are_the_same() -> None:
    def code(text: str) -> list[str]:
        """The code without comments and without what is said to the model or the shell in words."""
        blocks = re.findall(r"```(?:python|bash)\n(.*?)```", text, re.DOTALL)
        return [re.sub(r'\s*#.*|"[^"]*"', "", block) for block in blocks]

    assert code(ENGLISH) == code(CHINESE)
    assert len(code(ENGLISH)) == 7, "the two commands, the installation and five examples"


def test_the_links_are_the_same() -> None:
    def links(text: str) -> list[str]:
        return [link for link in re.findall(r"\]\(([^)]*)\)", text) if not link.startswith("README")]

    assert links(ENGLISH) == links(CHINESE)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_what_is_linked_is_there(text: str) -> None:
    """Sphinx sees to the links of all other pages; the READMEs are no part of the site."""
    links = [link.split("#") for link in re.findall(r"\]\(([^)]*)\)", text)]
    assert [path for path, *_ in links if not (ROOT / path).exists()] == []
    for path, *anchors in links:
        headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.M) if anchors else []
        assert set(anchors) <= {heading.lower().replace(" ", "-") for heading in headings}, path
