"""A row of the doctor's table, and the table as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "fails", "open"]
"""It works; it works with a restriction; voice does not work without it; it was not looked at."""

# The page has them in its language too (js/src/ui/labels); the last five are its own checks.
NAMES = {
    "python": "Python",
    "package": "stepnb",
    "jupyterlab": "JupyterLab",
    "widgets": "Widget manager",
    "server": "Server extension",
    "engine": "Local engine",
    "audio": "Audio files",
    "kernel": "Kernel",
    "busy": "Busy cell",
    "key": "API key",
    "global": "Cluster global",
    "cn": "Cluster cn",
    "clock": "Clock",
    "page": "Page",
    "microphone": "Microphone",
    "output": "Loudspeaker",
    "messages": "Messages",
    "subshells": "Subshells",
}
_WORDS: dict[State, str] = {"ok": "OK", "note": "note", "fails": "FAILS", "open": "-"}
_NAME_WIDTH = 18
_STATE_WIDTH = 7


@dataclass(frozen=True)
class Row:
    """What came of one check.

    Attributes
    ----------
    check
        Its id, a key of `NAMES`.
    state
        "ok", "note", "fails" or "open", see `State`.
    text
        What was found.
    fix
        What to do about it; "" when there is nothing to do.
    """

    check: str
    state: State
    text: str
    fix: str = ""

    @property
    def name(self) -> str:
        """What the check is called."""
        return NAMES[self.check]


def lines(row: Row, width: int) -> str:
    """Return a row as plain text.

    Parameters
    ----------
    width
        Of the terminal, characters.
    """
    indent = " " * (_STATE_WIDTH + _NAME_WIDTH)
    head = f"{_WORDS[row.state]:<{_STATE_WIDTH}}{row.name:<{_NAME_WIDTH}}"
    room = max(width, len(indent) + 30)
    shown = textwrap.wrap(
        row.text, room, initial_indent=head, subsequent_indent=indent, break_long_words=False
    )
    if row.fix:
        shown += textwrap.wrap(
            row.fix,
            room,
            initial_indent=f"{indent}→ ",
            subsequent_indent=f"{indent}  ",
            break_long_words=False,
        )
    return "\n".join(shown or [head.rstrip()])


def table(rows: Iterable[Row], width: int = 110) -> str:
    """Return the table as plain text."""
    return "\n".join(lines(row, width) for row in rows)
