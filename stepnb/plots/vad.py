"""Where a VAD would find turns: the level, its threshold, the words, and the turns under one or two settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepnb.audio import vad
from stepnb.errors import ConfigError
from stepnb.plots.figure import SMALL, SMALLER, axes_of, columns, quiet, seconds_axis
from stepnb.plots.theme import palette
from stepnb.protocol.config import ServerVAD

if TYPE_CHECKING:
    from stepnb.plots.whatif import Outcome, VadLab

_HEIGHT = 3.0  # inches
_WORDS, _TURNS = -0.10, -0.24  # rows below the level, shares of its height
_BOTTOM = -0.34


def draw(
    lab: VadLab,
    setting: ServerVAD,
    *,
    ax: Axes | None = None,
    since: float | None = None,
    until: float | None = None,
) -> Figure:
    """Draw what a setting would have done.

    Above: the level in the service's units, with the threshold. Below: the words, those that would be cut off in red;
    and the turns, full from the first to the last loud frame, pale where audio is kept before and silence is waited
    for after.

    Parameters
    ----------
    lab, setting
        What to try.
    ax
        Where to draw; None makes a figure.
    since, until
        Which part, s.

    Returns
    -------
    Figure
        That of `ax`, if given.
    """
    start, end = since or 0.0, lab.clip.duration if until is None else until
    if not start < end:
        raise ConfigError(f"since is {since!r} and until {until!r}.", fix="Give seconds, since before until.")
    outcome = lab.outcome(setting)
    figure, ax = axes_of(ax, _HEIGHT, 9.0)
    colors = palette(ax)
    rms = lab.rms
    threshold = setting.energy_awakeness_threshold
    first, last = int(start / vad.FRAME_MS * 1000), max(1, int(np.ceil(end / vad.FRAME_MS * 1000)))
    shown = rms[first:last]
    top = max(float(shown.max(initial=0.0)), threshold, 500.0) * 1.05
    if shown.size:
        step = -(-shown.size // columns(ax))
        starts = np.arange(0, shown.size, step)
        bars = np.maximum.reduceat(shown, starts)
        edges = (first + np.append(starts, shown.size)) * vad.FRAME_MS / 1000
        for loud, alpha in ((bars > threshold, 1.0), (bars <= threshold, 0.35)):
            ax.stairs(np.where(loud, bars, 0), edges, fill=True, color=colors.you, alpha=alpha, linewidth=0)
    ax.axhline(threshold, color=colors.ink, linewidth=0.8, dashes=(4, 3))
    height = 0.09 * top
    for (begin, stop), cut in zip(lab.words, lab.cut(outcome.turns), strict=True):
        color = colors.live if cut else colors.ink
        ax.broken_barh([(begin, stop - begin)], (_WORDS * top - height / 2, height * 0.55), color=color, lw=0)
    for turn in outcome.turns:
        row = (_TURNS * top - height / 2, height)
        ax.broken_barh(
            [(turn.start, min(turn.end, end) - turn.start)], row, color=colors.you, alpha=0.3, lw=0
        )
        ax.broken_barh([(turn.onset, turn.offset - turn.onset)], row, color=colors.you, lw=0)
    for y, name in ((_WORDS, "words"), (_TURNS, "turns")):
        ax.annotate(
            name, (0, y * top), xycoords=ax.get_yaxis_transform(), xytext=(-6, 0), textcoords="offset points",
            ha="right", va="center", fontsize=SMALL, color=colors.quiet,
        )  # fmt: skip
    quiet(ax)
    ax.set_ylim(_BOTTOM * top, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= top])
    ax.set_ylim(_BOTTOM * top, top)
    ax.set_ylabel("energy")
    seconds_axis(ax, start, end)
    ax.annotate(
        describe(outcome), (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", va="bottom",
        fontsize=SMALL, color=colors.ink,
    )  # fmt: skip
    if lab.agreement is not None:
        ax.annotate(
            f"scale {lab.scale:.2f}, fitted: agrees with the service {lab.agreement:.0%} of the time", (1, 1),
            xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", ha="right", va="bottom",
            fontsize=SMALLER, color=colors.quiet,
        )  # fmt: skip
    return figure


def describe(outcome: Outcome) -> str:
    """Say what a setting would have done, in a line."""
    wait = f", {outcome.wait_ms:,.0f} ms wait" if outcome.wait_ms is not None else ""
    turns = len(outcome.turns)
    false = f", {outcome.false_turns} without a word" if outcome.false_turns else ""
    false += f", {outcome.endless} without end" if outcome.endless else ""
    return f"{turns} turn{'s' if turns != 1 else ''}{false}; {outcome.cut_off} of {outcome.words} words cut off{wait}"
