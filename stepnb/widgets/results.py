"""What a tool returned, as HTML for a notebook's output.

Only the notebook's own outputs show it: the objects are the user's, and so is the HTML they make of themselves. The
panel's page gets text alone.
"""

from __future__ import annotations

import base64
import functools
import html
import io
from typing import Any

from IPython.core.formatters import DisplayFormatter
from IPython.core.getipython import get_ipython

# A saved notebook keeps what is shown here, for every call.
_LARGEST = 1_000_000


def result_html(value: object) -> str:
    """Return the rich form of a value as HTML, "" where it has none that text would not tell as well."""
    if value is None or isinstance(value, str | bytes | int | float | bool | dict | list | tuple | set):
        return ""
    data, metadata = _formatter().format(value, include={"text/html", "image/png", "image/svg+xml"})  # type: ignore[no-untyped-call]
    page = data.get("text/html") or data.get("image/svg+xml")
    if not isinstance(page, str):
        png = data.get("image/png") or _figure_png(value)
        page = _image(png, metadata.get("image/png", {})) if png else ""
    if len(page) > _LARGEST:
        kind = html.escape(type(value).__name__)
        return f"<div><i>The {kind} is too large to be shown here: look at turn.tool_calls.</i></div>"
    return f"<div style='margin:.3em 0 .3em 5em;overflow-x:auto'>{page}</div>" if page else ""


@functools.cache
def _bare() -> DisplayFormatter:
    return DisplayFormatter()


def _formatter() -> DisplayFormatter:
    """The notebook's own formatters, which know what the user registered; outside of one, fresh ones."""
    shell = get_ipython()
    formatter = shell.display_formatter if shell is not None else None
    return formatter or _bare()


def _figure_png(value: object) -> bytes | None:
    """Figures show themselves only where matplotlib's inline backend is in use; a tool's need not be."""
    from matplotlib.figure import Figure

    if not isinstance(value, Figure):
        return None
    buffer = io.BytesIO()
    value.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()


def _image(png: bytes | str, size: dict[str, Any]) -> str:
    text = png if isinstance(png, str) else base64.b64encode(png).decode()
    width = f" width='{int(size['width'])}'" if "width" in size else ""
    return f"<img alt='' style='max-width:100%'{width} src='data:image/png;base64,{text}'>"
