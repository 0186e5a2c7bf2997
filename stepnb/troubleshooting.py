"""The troubleshooting page, section by section: ``sn.troubleshoot("no-microphone")``."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import ConfigError, StepnbError

_PAGE = "docs/troubleshooting.md"
_SECTION = re.compile(
    r"^\((?P<anchor>[\w-]+)\)=\n### (?P<title>.+)\n(?P<text>(?:(?!\([\w-]+\)=$|#).*\n)*)", re.MULTILINE
)
# To another section or page: it leads nowhere in a notebook. Links to the web stay.
_RELATIVE_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?!https?:)(?:#(?P<anchor>[\w-]+)|(?P<page>[^)]+)\.md)\)")


@dataclass(frozen=True)
class Advice:
    """A section of the troubleshooting page: Markdown in a notebook, plain text elsewhere.

    Attributes
    ----------
    anchor
        Its name; None for the list of all sections.
    title
        What one sees.
    text
        What to do, as Markdown.
    """

    anchor: str | None
    title: str
    text: str

    def _repr_markdown_(self) -> str:
        return f"### {self.title}\n\n{self.text}"

    def __repr__(self) -> str:
        return f"{self.title}\n\n{self.text}"


def troubleshoot(problem: str | StepnbError | None = None) -> Advice:
    """Show what the troubleshooting page says about a problem.

    Parameters
    ----------
    problem
        The name of a section, as "no-microphone"; an error; or None for the list of all sections.

    Raises
    ------
    ConfigError
        There is no section of this name.
    """
    sections = _sections()
    if problem is None:
        lines = [f"- `{anchor}`: {advice.title}" for anchor, advice in sections.items()]
        return Advice(None, "What do you see? sn.troubleshoot('...') with one of these:", "\n".join(lines))
    anchor = problem.anchor if isinstance(problem, StepnbError) else problem
    if anchor in sections:
        return sections[anchor]
    near = difflib.get_close_matches(str(anchor), sections, n=3, cutoff=0.4)
    meant = f"Perhaps {' or '.join(map(repr, near))}; sn" if near else "sn"
    raise ConfigError(
        f"The troubleshooting page has no section {anchor!r}.", fix=f"{meant}.troubleshoot() lists all."
    )


@cache
def _sections() -> dict[str, Advice]:
    return {
        found["anchor"]: Advice(
            found["anchor"], found["title"], _RELATIVE_LINK.sub(_told, found["text"]).strip()
        )
        for found in _SECTION.finditer(_page().read_text(encoding="utf-8"))
    }


def _told(link: re.Match[str]) -> str:
    if link["anchor"]:
        return f"{link['text']} (`sn.troubleshoot({link['anchor']!r})`)"
    return f"{link['text']} (documentation: {link['page']})"


def _page() -> Path:
    """Return the page: a part of the package, or of the source checkout it runs from."""
    package = Path(__file__).parent
    return next(path for path in (package / _PAGE, package.parent / _PAGE) if path.is_file())
