"""The page of a turn-taking report: figures, the timeline, response times, talk and silences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepnb.plots.figure import SMALL, SMALLER, PlotFigure, clock, minus, quiet, sentence
from stepnb.plots.theme import Palette, palette
from stepnb.plots.timeline import draw

if TYPE_CHECKING:
    from stepnb.plots.turntaking import TurnTaking

_WIDTH, _HEIGHT = 9.0, 7.0  # inches
_MOST_TURNS = 80


def page(report: TurnTaking) -> Figure:
    """Draw a turn-taking report as one page."""
    figure = PlotFigure(_WIDTH, _HEIGHT)
    rows = figure.add_gridspec(4, 2, height_ratios=[0.45, 2.6, 1.9, 0.9], width_ratios=[1.5, 1])
    head = figure.add_subplot(rows[0, :])
    colors = palette(head)
    _figures(head, report, colors)
    draw(report.scene, report.source, ax=figure.add_subplot(rows[1, :]))
    _responses(figure.add_subplot(rows[2, 0]), report, colors)
    _silences(figure.add_subplot(rows[2, 1]), report, colors)
    _talk(figure.add_subplot(rows[3, :]), report, colors)
    return figure


def _figures(ax: Axes, report: TurnTaking, colors: Palette) -> None:
    """Write the figures that matter, each above its name."""
    found = report.summary
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(0, 1))

    def number(name: str, unit: str = "", digits: int = 0) -> str:
        value = found[name]
        return f"{value:,.{digits}f}{unit}" if isinstance(value, int | float) else "\N{EM DASH}"

    currency = found["currency"] or ""
    shown = [
        (number("turns"), "turns"),
        (clock(round(float(found["seconds"] or 0))), "min:s of talk"),
        (number("response_ms", " ms"), "median response"),
        (number("response_p95_ms", " ms"), "95% within"),
        (number("interruptions"), "interruptions"),
        (number("stop_ms", " ms"), "until silent"),
        (number("self_interruptions"), "self-interruptions"),
        (number("cost", f" {currency}", 4) if found["cost"] else number("cost"), "cost"),
    ]
    for place, (value, name) in zip(np.linspace(0, 1, len(shown) + 1), shown, strict=False):
        ax.text(place, 0.45, value, fontsize=11, color=colors.ink, va="bottom", fontweight="bold")
        ax.text(place, 0.35, name, fontsize=SMALLER, color=colors.quiet, va="top")


def _responses(ax: Axes, report: TurnTaking, colors: Palette) -> None:
    """Draw the response time of every turn, those of interrupted answers with a red end."""
    quiet(ax)
    ax.set_title("response time", loc="left", fontsize=SMALL, color=colors.ink)
    rows = [row for row in report.rows if row.response_ms is not None][-_MOST_TURNS:]
    if not rows:
        ax.set_axis_off()
        sentence(ax, "no turn has been answered")
        return
    times = [row.response_ms or 0.0 for row in rows]
    places = range(len(rows))
    ax.vlines(places, 0, times, color=colors.line, linewidth=1)
    for who, marker in ((None, "o"), ("person", "X"), ("self", "D"), ("stop", "s")):
        chosen = [n for n, row in enumerate(rows) if row.interrupted_by == who]
        if chosen:
            label = {None: "", "person": "interrupted", "self": "interrupted by itself", "stop": "stopped"}[
                who
            ]
            ax.plot(
                chosen, [times[n] for n in chosen], marker, color=colors.live if who else colors.step, markersize=5,
                label=label or "answered", linewidth=0,
            )  # fmt: skip
    ax.axhline(0, color=colors.line, linewidth=0.8)
    ax.set_xlim(-0.6, len(rows) - 0.4)
    step = -(-len(rows) // 16)
    ax.set_xticks(list(places)[::step], [str(row.turn) for row in rows][::step])
    ax.set_ylim(min(0.0, min(times) * 1.15), max(times) * 1.15 or 1)
    ax.set_xlabel("turn")
    ax.set_ylabel("ms")
    if any(row.interrupted_by for row in rows):
        ax.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=SMALLER, frameon=False, labelcolor=colors.quiet,
            handletextpad=0.2, columnspacing=1.0, borderpad=0,
        )  # fmt: skip


def _silences(ax: Axes, report: TurnTaking, colors: Palette) -> None:
    """Draw how long nobody spoke."""
    quiet(ax)
    ax.set_title("silences of a second and more", loc="left", fontsize=SMALL, color=colors.ink)
    lengths = report.silences
    if not lengths:
        ax.set_axis_off()
        sentence(ax, "none")
        return
    most = max(1, int(np.ceil(max(lengths))))
    ax.hist(
        lengths,
        bins=np.linspace(1, max(most, 2), min(20, max(most, 2)) + 1).tolist(),
        color=colors.quiet,
        rwidth=0.86,
    )
    ax.set_xlabel("length, s")
    ax.set_ylabel("how often")
    ax.yaxis.get_major_locator().set_params(integer=True, nbins=4)  # type: ignore[call-arg]


def _talk(ax: Axes, report: TurnTaking, colors: Palette) -> None:
    """Draw whose the time was, as one bar, with the speed of each."""
    found = report.summary
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(-0.9, 1.2))

    def speed(name: str) -> str:
        value = found[name]
        return f", {value:.0f} words/min" if isinstance(value, float) else ""

    parts = [
        ("you_share", colors.you, 1.0, f"You{{}}{speed('you_wpm')}"),
        ("both_share", colors.ink, 1.0, "both{}"),
        ("step_share", colors.step, 1.0, f"Step{{}}{speed('step_wpm')}"),
        ("silence_share", colors.quiet, 0.25, "nobody{}"),
    ]
    if not found["seconds"]:
        sentence(ax, "nobody has spoken")
        return
    at = 0.0
    labels: list[tuple[float, str, str]] = []
    for name, color, alpha, text in parts:
        share = found[name]
        if isinstance(share, float) and share > 0:
            ax.barh(0.35, share, left=at, height=0.6, color=color, alpha=alpha, linewidth=0)
            labels.append((at, text.format(f" {share:.0%}"), color))
            at += share
    edge = 0.0
    for place, text, color in labels:
        left = max(place, edge)
        ax.text(left, -0.15, minus(text), fontsize=SMALL, color=color, va="top")
        edge = left + 0.011 * len(text) + 0.02
    ax.text(0, 0.8, "whose the time was", fontsize=SMALL, color=colors.ink, va="bottom")
