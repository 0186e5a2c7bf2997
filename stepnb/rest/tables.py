"""Tables of what the service has, as HTML that reads on a saved page too."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

_CELL = (
    "padding:3px 12px 3px 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid color-mix(in srgb, currentColor 15%, transparent)"
)


class Markup(str):
    """HTML that is put into a table as it is."""

    __slots__ = ()


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> str:
    """Return a table; everything but `Markup` is escaped, None is left blank.

    Parameters
    ----------
    heads
        What is above the columns.
    rows
        One value for each column.
    empty
        The sentence in the place of a table without rows.
    """
    lines = [f"<tr>{''.join(_cell('td', value) for value in row)}</tr>" for row in rows]
    if not lines:
        return f"<div style='font-size:13px'>{html.escape(empty)}</div>"
    head = "".join(_cell("th", name) for name in heads)
    return (
        "<div style='overflow-x:auto'><table style='border-collapse:collapse;font-size:13px;margin:0'>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(tag: str, value: object) -> str:
    inner = value if isinstance(value, Markup) else html.escape("" if value is None else str(value))
    weight = ";font-weight:600" if tag == "th" else ""
    return f"<{tag} style='{_CELL}{weight}'>{inner}</{tag}>"
