"""Text that fits: what people said, cut with an ellipsis where the room ends. Untrusted, so it is never mathematics."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text

from stepnb.plots.theme import MISSING, families, readable

_LEAST = 5  # characters: fewer tell nothing
_ADVANCES: dict[tuple[object, ...], dict[str, float]] = {}
_NO_FONT = f"{MISSING}: no font here has these characters; for Chinese install Noto Sans CJK"


class FittedText(Text):
    """A line of text from one time to another, as much of it as fits when it is drawn."""

    def __init__(self, start: float, end: float, y: float, text: str, **options: Any) -> None:
        self._whole = readable(text)
        super().__init__(start, y, self._whole, family=families(), parse_math=False, clip_on=True, **options)
        self._end = end
        self.set_in_layout(False)

    @property
    def incomplete(self) -> bool:
        """Whether a character is missing in every font."""
        return MISSING in self._whole

    def draw(self, renderer: RendererBase) -> None:
        """Draw what fits."""
        assert self.axes is not None
        begin = self.get_position()[0]
        left, right = sorted(self.axes.get_xlim())
        # What began before the left edge is written from there on.
        shown, end = max(begin, left), min(self._end, right)
        x = self.get_transform().transform([(shown, 0.0), (end, 0.0)])[:, 0]
        text = self._fit(renderer, float(x[1] - x[0])) if shown < end else ""
        if text:
            self.set(text=text, x=shown)
            super().draw(renderer)
            self.set(text=self._whole, x=begin)

    def _fit(self, renderer: RendererBase, room: float) -> str:
        ends = list(itertools.accumulate(map(self._advances(renderer), self._whole)))
        if not ends or ends[-1] <= room:
            return self._whole
        # A hundred of these measured as wholes, again and again, would take longer than all the rest of a picture.
        dots = self._advances(renderer)("…")
        length = bisect_right(ends, room - dots)
        return self._whole[:length].rstrip() + "…" if length >= _LEAST else ""

    def _advances(self, renderer: RendererBase) -> Callable[[str], float]:
        """Return how far each character moves the pen, px; measured once for a font, size and resolution."""
        font = self.get_fontproperties()
        known = _ADVANCES.setdefault(
            (*font.get_family(), font.get_size_in_points(), renderer.points_to_pixels(1.0)), {}
        )

        def advance(character: str) -> float:
            found = known.get(character)
            if found is None:
                few, many = (self._width(renderer, f"|{character * n}|") for n in (1, 9))
                found = known[character] = (many - few) / 8
            return found

        return advance

    def _width(self, renderer: RendererBase, text: str) -> float:
        return float(renderer.get_text_width_height_descent(text, self.get_fontproperties(), ismath=False)[0])


def write(ax: Axes, start: float, end: float, y: float, text: str, **options: Any) -> FittedText:
    """Write a line from a time to another; see `FittedText`."""
    line = FittedText(start, end, y, text, **options)
    ax.add_artist(line)
    return line


def note_missing_fonts(ax: Axes, lines: list[FittedText], **options: Any) -> None:
    """Say below the axes what the boxes in the text are."""
    if any(line.incomplete for line in lines):
        ax.annotate(
            _NO_FONT,
            (0, 0),
            xycoords="axes fraction",
            xytext=(0, -30),
            textcoords="offset points",
            va="top",
            **options,
        )
