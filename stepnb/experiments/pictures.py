"""Pictures of scores: a metric by variant, by factor, and two factors together."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..plots.figure import SMALL, axes_of, quiet, remark, sentence
from ..plots.theme import palette
from .stats import mean
from .words import unit_of

_ROW = 0.42  # inches
# Levels of the second factor; with colour alone they could not all be told apart.
_MARKS = "osD^v<>pX*"


def by_level(metric: str, groups: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Figure:
    """Draw every score, and the mean with its interval, a row a level.

    Parameters
    ----------
    groups
        The scores by level; NaN where there is none.
    ax
        Where to draw; None for a figure of its own.
    """
    figure, ax = axes_of(ax, 0.9 + _ROW * max(len(groups), 1))
    colors = palette(ax)
    quiet(ax)
    if not any(np.isfinite(np.asarray(values, float)).any() for values in groups.values()):
        ax.set_yticks([])
        sentence(ax, f"No run has a score for {metric}.")
        return figure
    for row, (level, values) in enumerate(groups.items()):
        there = np.asarray(values, float)
        there = there[np.isfinite(there)]
        # The same jitter for the same level, so that a picture drawn again is the same.
        spread = np.random.default_rng(zlib.crc32(level.encode())).uniform(-0.16, 0.16, there.size)
        ax.plot(there, row + spread, "o", ms=3, color=colors.quiet, alpha=0.45, mew=0)
        found = mean(there)
        if found.n:
            if np.isfinite(found.low):
                ax.plot(
                    [found.low, found.high], [row, row], color=colors.step, lw=2.2, solid_capstyle="round"
                )
            ax.plot([found.value], [row], "o", ms=6.5, color=colors.step, mec=ax.get_facecolor(), mew=1)
        missing = len(values) - there.size
        if missing:
            ax.annotate(
                f"{missing} not exercised", (1, row), xycoords=("axes fraction", "data"), xytext=(-2, 8),
                textcoords="offset points", ha="right", fontsize=SMALL - 1, color=colors.quiet,
            )  # fmt: skip
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.4, -0.6)
    ax.margins(x=0.06)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(_label(metric))
    remark(ax, "mean and 95 % interval; every run a dot")
    return figure


def interaction(
    metric: str, cells: Mapping[tuple[str, str], Sequence[float]], ax: Axes | None = None
) -> Figure:
    """Draw the means of one factor across another: lines that are not parallel say that they act together.

    Parameters
    ----------
    cells
        The scores by (level on the axis, level of the line).
    """
    figure, ax = axes_of(ax, 3.0)
    colors = palette(ax)
    quiet(ax)
    across = list(dict.fromkeys(first for first, _ in cells))
    lines = list(dict.fromkeys(second for _, second in cells))
    shades = [colors.step, colors.you, colors.tool, colors.ink, colors.quiet]
    for number, line in enumerate(lines):
        found = [mean(cells.get((level, line), ())) for level in across]
        color = shades[number % len(shades)]
        places = np.arange(len(across)) + 0.06 * (number - (len(lines) - 1) / 2)
        values = np.array([one.value for one in found])
        spans = np.array([[one.value - one.low, one.high - one.value] for one in found]).T
        ax.errorbar(
            places, values, np.nan_to_num(np.maximum(spans, 0)), color=color, lw=1.4, elinewidth=1,
            marker=_MARKS[number % len(_MARKS)], ms=5, label=line,
        )  # fmt: skip
    ax.set_xticks(range(len(across)), across)
    ax.set_xlim(-0.4, len(across) - 0.6)
    ax.margins(y=0.1)
    ax.set_ylabel(_label(metric))
    ax.legend(frameon=False, fontsize=SMALL, loc="best")
    return figure


def _label(metric: str) -> str:
    unit = unit_of(metric).suffix.strip()
    name = metric.replace("_", " ").replace(".", ": ")
    return f"{name}, {unit}" if unit else name
