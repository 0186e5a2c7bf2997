"""The figure all plots are drawn on, and what their axes have in common."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from stepnb.plots.theme import palette

WIDTH = 7.2  # inches
SMALL, SMALLER = 8.0, 7.0  # points

_PIXEL_RATIO = 2  # PNGs are drawn at twice the size they are shown at, for dense screens


class PlotFigure(Figure):
    """A matplotlib Figure that a notebook shows by itself, without pyplot and its global state.

    It is opaque and follows matplotlib's style in force: white unless a dark style is in use, so that it
    reads in every theme of the page.
    """

    def __init__(self, width: float, height: float) -> None:
        """Make a figure of `width` by `height` inches."""
        super().__init__(figsize=(width, height), layout="constrained")

    def png(self) -> bytes:
        """Draw the figure as a PNG for dense screens."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi * _PIXEL_RATIO)
        return buffer.getvalue()

    @property
    def shown_at(self) -> tuple[int, int]:
        """Width and height the PNG is shown at, px."""
        width, height = self.get_size_inches() * self.dpi
        return round(width), round(height)

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        width, height = self.shown_at
        return self.png(), {"width": width, "height": height}

    def __repr__(self) -> str:
        return f"PlotFigure({self.get_figwidth():g} x {self.get_figheight():g} inches)"


def axes_of(
    ax: Axes | None,
    height: float,
    width: float = WIDTH,
    margins: tuple[float, float, float, float] | None = None,
) -> tuple[Figure, Axes]:
    """Return where to draw: the given axes, or those of a new figure.

    Parameters
    ----------
    margins
        Left, bottom, right and top of the axes in a new figure, inches, where they are known beforehand. None: they are
        found when the figure is drawn, by drawing it twice.
    """
    if ax is not None:
        return ax.figure.figure, ax
    figure = PlotFigure(width, height)
    if margins is None:
        return figure, figure.add_subplot()
    left, bottom, right, top = margins
    figure.set_layout_engine("none")
    sides = (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    return figure, figure.add_axes(sides)


def columns(ax: Axes) -> int:
    """Count the pixel columns of `ax` as a dense screen shows it."""
    return max(1, round(_PIXEL_RATIO * ax.get_window_extent().width))


def quiet(ax: Axes) -> None:
    """Leave of the frame what is read: the left and bottom line, thin."""
    colors = palette(ax)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set(linewidth=0.8, color=colors.line)
    ax.tick_params(width=0.8, length=3, labelsize=SMALL, color=colors.line, labelcolor=colors.quiet)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set(fontsize=SMALL, color=colors.quiet)
    ax.margins(x=0)


def seconds_axis(ax: Axes, start: float, end: float) -> None:
    """Let the horizontal axis show time: seconds, from a minute on minutes and seconds."""
    ax.set_xlim(start, end if end > start else start + 1)
    if end <= 60:
        ax.set_xlabel("time, s")
        return
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 1.2, 1.5, 2, 3, 6, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value)))
    ax.set_xlabel("time, min:s")


def clock(seconds: float) -> str:
    """Write a time as minutes and seconds, 1:02.5."""
    minutes, rest = divmod(round(seconds, 2), 60)
    text = f"{rest:05.2f}".rstrip("0").rstrip(".")
    return f"{int(minutes)}:{text}"


def sentence(ax: Axes, text: str) -> None:
    """Say something in place of a picture."""
    ax.text(
        0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=SMALL, color=palette(ax).quiet,
        bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 3},
    )  # fmt: skip


def remark(ax: Axes, text: str, color: str | None = None, *, right: bool = True, offset: float = 0) -> Text:
    """Write a short remark above the axes, at its right or left end; `offset` in points moves it inwards."""
    side = -1 if right else 1
    return ax.annotate(
        text, (1.0 if right else 0.0, 1.0), xycoords="axes fraction", xytext=(side * offset, 3),
        textcoords="offset points", ha="right" if right else "left", va="bottom", fontsize=SMALL,
        color=color or palette(ax).quiet,
    )  # fmt: skip


def minus(text: str) -> str:
    """Write negative numbers with a minus sign."""
    return text.replace("-", "\N{MINUS SIGN}")
