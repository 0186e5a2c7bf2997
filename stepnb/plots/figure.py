"""The figure all plots are drawn on, and their colours."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

Who = Literal["you", "step"]

_PIXEL_RATIO = 2  # PNGs are drawn at twice the size they are shown at, for dense screens


class PlotFigure(Figure):
    """A matplotlib Figure that a notebook shows by itself, without pyplot and its global state.

    It is opaque and follows matplotlib's style in force: white unless a dark style is in use, so that it
    reads in every theme of the page.
    """

    def __init__(self, width: float, height: float) -> None:
        """Make a figure of `width` by `height` inches."""
        super().__init__(figsize=(width, height), layout="constrained")

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi * _PIXEL_RATIO)
        width, height = self.get_size_inches() * self.dpi
        return buffer.getvalue(), {"width": round(width), "height": round(height)}


@dataclass(frozen=True, slots=True)
class Palette:
    """The speakers' colours on one background, the same as in the panel."""

    you: str
    step: str

    def of(self, who: Who) -> str:
        """Pick the colour of a speaker."""
        return self.you if who == "you" else self.step


LIGHT = Palette(you="#0b7a75", step="#5b54c9")
DARK = Palette(you="#4fc3bb", step="#a49dff")


def palette(ax: Axes) -> Palette:
    """Pick the colours that stand out from the background of `ax`."""
    red, green, blue = to_rgb(ax.get_facecolor())
    return LIGHT if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else DARK


def quiet(ax: Axes) -> None:
    """Leave of the frame what is read: the left and bottom line, thin."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_linewidth(0.6)
    ax.tick_params(width=0.6, labelsize="small")
    ax.margins(x=0)
