"""Prompts as files: a folder of Markdown with ``{variables}``, and what is different between two of them."""

from __future__ import annotations

import difflib
import html
import os
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError

_LIKE = 0.5


class Prompts(Mapping[str, str]):
    """The prompts of a folder by name, for ``grid={"instructions": sn.Prompts("prompts", city="Paris")}``.

    Every ``*.md`` file is one; its name is the file's without ``.md``. ``{city}`` in it is filled with the variable of
    that name; ``{{`` and ``}}`` stand for braces.

    Parameters
    ----------
    folder
        Where they are.
    variables
        What the variables stand for.

    Raises
    ------
    ConfigError
        There is no such folder, no prompt in it, a variable without a value, or a value nobody asks for.
    """

    def __init__(self, folder: str | os.PathLike[str], **variables: object) -> None:
        self.folder = Path(folder).expanduser()
        files = sorted(self.folder.glob("*.md"))
        if not files:
            raise ConfigError(
                f"There are no prompts in {str(self.folder)!r}.", fix="Put files named *.md there."
            )
        self.variables = {name: str(value) for name, value in variables.items()}
        self._asked: set[str] = set()
        self._prompts = {path.stem: self._filled(path) for path in files}
        unused = sorted(set(self.variables) - self._asked)
        if unused:
            raise ConfigError(
                f"No prompt asks for {', '.join(unused)}.", fix="Write {name} in it, or leave it out."
            )

    def _filled(self, path: Path) -> str:
        text = path.read_text(encoding="utf-8").strip()
        try:
            self._asked |= {name for _, name, _, _ in string.Formatter().parse(text) if name}
            return string.Formatter().vformat(text, (), self.variables)
        except KeyError as error:
            name = str(error).strip("'")
            raise ConfigError(
                f"{path.name} asks for {{{name}}}, which has no value.", fix=f"Prompts(..., {name}='...')."
            ) from None
        except (ValueError, IndexError, AttributeError) as error:
            raise ConfigError(
                f"{path.name} has braces that name no variable: {error}.", fix="Write {{ and }} for braces."
            ) from None

    def __getitem__(self, name: str) -> str:
        return self._prompts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._prompts)

    def __len__(self) -> int:
        return len(self._prompts)

    def diff(self, first: str, second: str) -> Difference:
        """Show what is different between two prompts."""
        return Difference(first, self[first], second, self[second])

    def __repr__(self) -> str:
        return f"Prompts({self.folder.name}: {', '.join(self)})"


class Difference:
    """What is different between two texts, word by word; a notebook shows it in colours."""

    def __init__(self, first_name: str, first: str, second_name: str, second: str) -> None:
        self.first_name, self.second_name = first_name, second_name
        self._words = re.findall(r"\s+|\S+", first), re.findall(r"\s+|\S+", second)

    @property
    def likeness(self) -> float:
        """How much of them is the same, 0 to 1: below a half a reader sees more in the texts themselves."""
        return difflib.SequenceMatcher(None, *self._words, autojunk=False).ratio()

    def parts(self) -> list[tuple[str, str]]:
        """Return (kind, text): "same", "gone" (in the first only) and "new" (in the second only), in order."""
        a, b = self._words
        found: list[tuple[str, str]] = []
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if tag == "equal":
                found.append(("same", "".join(a[i1:i2])))
                continue
            found += [("gone", "".join(a[i1:i2]))] if i2 > i1 else []
            found += [("new", "".join(b[j1:j2]))] if j2 > j1 else []
        return found

    def __repr__(self) -> str:
        marks = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}
        return "".join(marks[kind].format(text) for kind, text in self.parts())

    def _repr_html_(self) -> str:
        names = f"{html.escape(self.first_name)} → {html.escape(self.second_name)}"
        return f'<div style="max-width:62ch"><small>{names}</small><div>{difference_html(self.parts())}</div></div>'


def marked(before: str | None, text: str) -> list[tuple[str, str]]:
    """Return a text in parts that say what differs from another one, where enough is the same for marks to help."""
    if before is None:
        return [("same", text)]
    difference = Difference("", before, "", text)
    return difference.parts() if difference.likeness >= _LIKE else [("same", text)]


def difference_html(parts: list[tuple[str, str]]) -> str:
    """Write the parts of a difference as HTML; what is gone is struck out and what is new underlined, in colour too."""
    tags = {
        "same": "<span>{}</span>",
        "gone": '<del style="color:#b42318">{}</del>',
        "new": '<ins style="color:#0f766e">{}</ins>',
    }
    return "".join(tags[kind].format(html.escape(text).replace("\n", "<br>")) for kind, text in parts)


def as_python(settings: Mapping[str, Any]) -> str:
    """Write settings as the Python that makes a session of them; functions are named, not written out."""
    lines = ["import stepnb as sn", ""]
    functions = [tool for tool in settings.get("tools") or () if callable(tool)]
    if functions:
        names = ", ".join(getattr(tool, "__name__", "?") for tool in functions)
        lines += [f"# These functions of the experiment have to be there: {names}", ""]
    lines += ["s = sn.Session("]
    lines += [
        f"    {name}={_written(value)},"
        for name, value in settings.items()
        if value is not None or name == "vad"
    ]
    return "\n".join([*lines, ")", ""])


def _written(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        body = value.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        return f'"""{body}"""'
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(inner) for inner in value)}]"
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    text = repr(value)
    known = type(value).__module__.startswith("stepnb.")
    return f"sn.{text}" if known and text.startswith(type(value).__name__) else text
