"""A conversation over time: two lanes, what was said, heard and cut off, and what else happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, StepPatch
from numpy.typing import NDArray

from stepnb.audio import vad
from stepnb.errors import ConfigError
from stepnb.plots.figure import SMALL, SMALLER, axes_of, columns, quiet, seconds_axis, sentence
from stepnb.plots.fitted import FittedText, note_missing_fonts, write
from stepnb.plots.lanes import loudest
from stepnb.plots.scene import Reply, Scene, Source, Span, TurnLike, split
from stepnb.plots.theme import Palette, palette

WIDTH, HEIGHT = 9.0, 3.0  # inches

# As the panel's ribbon draws levels: this is full height, and quiet speech still shows.
_LOUDEST, _POWER = 9000.0, 0.6
_PALE = 0.28  # generated and never heard
_NOISE = 0.4  # the microphone's sound outside speech
_LANE, _BAR = 1.0, 0.08  # heights: of a lane, of the bar that says who spoke
_YOU_TEXT, _STEP_TEXT = 1.22, -1.22
_ACTIVITY, _TICKS = -1.62, -2.02
_TOP, _BOTTOM = 1.45, -2.2
_AROUND = 1.0  # a turn is shown with so much around it, s


def timeline(
    what: Source | TurnLike, *, ax: Axes | None = None, since: float | None = None, until: float | None = None
) -> Figure:
    """Draw a conversation over time: the person above, the assistant below.

    Bars at the middle line say who spoke, by the person's audio and the player's report; behind them stands the level
    of the sound, in the scale of the panel, with the VAD threshold the session began with. What was generated and
    never heard is pale. A red line is where an answer was cut off. Below: functions called, thinking, errors, and a
    tick for every event, streams of audio and text in pale.

    Parameters
    ----------
    what
        A `Session`, a `Recording` or a `Turn`, which is shown with a second around it. Without audio the bars are there
        and the levels are not.
    ax
        Where to draw; None makes a figure.
    since, until
        Which part, s from the beginning; None for the beginning and the end.

    Returns
    -------
    Figure
        That of `ax`, if given.

    Raises
    ------
    ConfigError
        `since` is not before `until`.
    """
    source, number = split(what)
    scene = Scene.of(source)
    if number is not None:
        first, last = scene.span_of(number)
        since = max(0.0, first - _AROUND) if since is None else since
        until = last + _AROUND if until is None else until
    return draw(scene, source, ax=ax, since=since, until=until)


def draw(
    scene: Scene,
    source: Source,
    *,
    ax: Axes | None = None,
    since: float | None = None,
    until: float | None = None,
) -> Figure:
    """Draw a scene as `timeline` does."""
    start = scene.start if since is None else since
    end = max(scene.end, start + 0.1) if until is None else until
    if not start < end:
        raise ConfigError(f"since is {start!r} and until {end!r}.", fix="Give seconds, since before until.")
    figure, ax = axes_of(ax, HEIGHT, WIDTH)
    colors = palette(ax)
    quiet(ax)
    seconds_axis(ax, start, end)
    ax.set_ylim(_BOTTOM, _TOP)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    if not (scene.speech or scene.messages or scene.replies or scene.events.size):
        ax.set_axis_off()
        sentence(ax, "nothing happened yet")
        return figure
    ax.axhline(0, color=colors.line, linewidth=0.8, zorder=1)
    _names(ax, colors, scene)
    _levels(ax, colors, scene, source, start, end)
    _bars(ax, colors, scene)
    texts = _texts(ax, colors, scene, end)
    _activity(ax, colors, scene)
    _ticks(ax, colors, scene, start, end)
    _legend(ax, colors, scene, start, end)
    note_missing_fonts(ax, texts, fontsize=SMALLER, color=colors.quiet)
    return figure


def share(rms: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return a level as a share of a lane's height."""
    return np.minimum(1.0, np.asarray(rms) / _LOUDEST) ** _POWER


def _names(ax: Axes, colors: Palette, scene: Scene) -> None:
    """Name the rows, left of the axes."""
    rows = [(0.5, "You", colors.you, "bold"), (-0.5, "Step", colors.step, "bold")]
    if scene.calls or scene.thinking or scene.errors or scene.gaps:
        rows.append((_ACTIVITY, "activity", colors.quiet, "normal"))
    if scene.events.size or scene.streaming.size:
        rows.append((_TICKS, "events", colors.quiet, "normal"))
    for y, name, color, weight in rows:
        ax.annotate(
            name, (0, y), xycoords=ax.get_yaxis_transform(), xytext=(-6, 0), textcoords="offset points",
            ha="right", va="center", fontsize=SMALL, color=color, fontweight=weight,
        )  # fmt: skip


def _levels(ax: Axes, colors: Palette, scene: Scene, source: Source, start: float, end: float) -> None:
    # A bin is longer than a frame of 20 ms, or some would have none.
    bins = max(1, min(columns(ax), int((end - start) * 1000 / vad.FRAME_MS / 1.5)))
    edges = np.linspace(start, end, bins + 1)
    lanes = source.events.audio.lanes

    def bars(
        heights: NDArray[np.float64], shown: NDArray[np.bool_], up: int, color: str, alpha: float
    ) -> None:
        if shown.any():
            values = np.where(shown, up * share(heights), 0)
            # Not by `stairs`, which goes through every corner to find limits that are set already.
            ax.add_artist(
                StepPatch(values, edges, fill=True, color=color, alpha=alpha, linewidth=0, zorder=2)
            )

    spoke = loudest(lanes["input"], scene.sound, start, end, bins)
    inside = _covered(scene.speech, edges)
    bars(spoke, inside & (spoke > 0), 1, colors.you, 0.75)
    bars(spoke, ~inside & (spoke > 0), 1, colors.you, _NOISE * 0.75)
    heard, unheard = [], []
    for reply in scene.replies:
        ends = reply.generated if reply.heard is None else reply.heard
        heard += [part for stretch in reply.sound if (part := stretch.cut(reply.start, ends))]
        unheard += [part for stretch in reply.sound if (part := stretch.cut(ends, reply.generated))]
    for parts, alpha in ((unheard, _PALE), (heard, 0.75)):
        level = loudest(lanes["output"], parts, start, end, bins)
        bars(level, level > 0, -1, colors.step, alpha)
    if scene.threshold is not None and scene.sound:
        height = float(share(scene.threshold))
        ax.axhline(height, color=colors.you, linewidth=0.8, dashes=(3, 4), alpha=0.9, zorder=3)


def _bars(ax: Axes, colors: Palette, scene: Scene) -> None:
    """Say who spoke: bars at the middle line."""
    heard = [
        (reply.start, reply.generated if reply.heard is None else reply.heard) for reply in scene.replies
    ]
    unheard = [
        (reply.heard, reply.generated) for reply in scene.replies if reply.cut and reply.heard is not None
    ]
    spoken = [(span.start, span.end) for span in scene.speech]
    for spans, bottom, color, alpha in (
        (spoken, 0.0, colors.you, 1.0),
        (heard, -_BAR, colors.step, 1.0),
        (unheard, -_BAR, colors.step, _PALE),
    ):
        lengths = [(start, end - start) for start, end in spans]
        ax.broken_barh(lengths, (bottom, _BAR), color=color, alpha=alpha, lw=0, zorder=4)
    written = [span.start for span in scene.messages]
    ax.plot(written, [_BAR] * len(written), "v", markersize=5, color=colors.you, zorder=5)
    cuts = [cut.start for cut in scene.cuts]
    ax.vlines(cuts, -_LANE, _LANE, color=colors.live, linewidth=1.2, zorder=6)
    for gap in scene.gaps:
        ax.axvspan(gap.start, gap.end, facecolor=(colors.quiet, 0.14), edgecolor="none", zorder=0)


def _texts(ax: Axes, colors: Palette, scene: Scene, end: float) -> list[FittedText]:
    """Write what was said, each from its beginning up to the next."""
    lines = []
    left, right = ax.get_xlim()
    spans = [span for span in (*scene.speech, *scene.messages) if span.end >= left]
    mine = [(span.start, span.text) for span in spans]
    replies = [reply for reply in scene.replies if reply.generated >= left]
    theirs = [(reply.start, reply.text + (" —" if reply.cut else "")) for reply in replies]
    for said, y, color in ((sorted(mine), _YOU_TEXT, colors.you), (sorted(theirs), _STEP_TEXT, colors.step)):
        for n, (start, text) in enumerate(said):
            until = said[n + 1][0] if n + 1 < len(said) else end
            if text.strip():
                lines.append(
                    write(
                        ax,
                        start,
                        until - 0.006 * (right - left),
                        y,
                        text,
                        color=color,
                        fontsize=SMALL,
                        va="center",
                    )
                )
    return lines


def _activity(ax: Axes, colors: Palette, scene: Scene) -> None:
    """Draw functions, thinking, errors and lost connections."""
    marks = [
        *((span, colors.tool, 1.0, span.text) for span in scene.calls),
        *((span, colors.step, 0.45, "thinking") for span in scene.thinking),
        *((span, colors.quiet, 0.0, "offline") for span in scene.gaps),
    ]
    left, _ = ax.get_xlim()
    marks = [mark for mark in marks if mark[0].end >= left]
    starts = sorted([*(span.start for span, *_ in marks), *(error.start for error in scene.errors)])
    for span, color, alpha, text in marks:
        ax.broken_barh(
            [(span.start, span.end - span.start)],
            (_ACTIVITY - 0.17, 0.08),
            color=color,
            alpha=alpha,
            lw=0,
            zorder=4,
        )
        _label(ax, span.start, starts, text, color)
    for error in (error for error in scene.errors if error.start >= left):
        ax.plot(
            [error.start], [_ACTIVITY - 0.13], marker="x", markersize=4, color=colors.ink, mew=1.2, zorder=5
        )
        _label(ax, error.start, starts, error.text, colors.ink)


def _label(ax: Axes, start: float, starts: Sequence[float], text: str, color: str) -> None:
    left, right = ax.get_xlim()
    until = next((other for other in starts if other > start), right)
    write(
        ax,
        start,
        until - 0.006 * (right - left),
        _ACTIVITY + 0.06,
        text,
        color=color,
        fontsize=SMALLER,
        va="center",
    )


def _ticks(ax: Axes, colors: Palette, scene: Scene, start: float, end: float) -> None:
    """Draw a tick for every pixel column that has events: twenty thousand of them are as quick as twenty."""
    for times, color, height in ((scene.streaming, colors.line, 0.1), (scene.events, colors.quiet, 0.2)):
        places = _columns_of(times, start, end, columns(ax))
        # One broken line: a line for each would take longer than all the rest.
        x = np.stack([places, places, np.full(places.size, np.nan)], axis=1).ravel()
        y = np.tile([_TICKS - height / 2, _TICKS + height / 2, np.nan], places.size)
        ax.plot(x, y, color=color, linewidth=0.6, zorder=2, scalex=False, scaley=False)


def _columns_of(times: NDArray[np.float64], start: float, end: float, count: int) -> NDArray[np.float64]:
    inside = times[(times >= start) & (times <= end)]
    cells = np.unique(((inside - start) / (end - start) * count).astype(np.intp))
    return start + (cells + 0.5) * (end - start) / count


def _covered(spans: Sequence[Span], edges: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell of every bin whether some of it lies in a span."""
    inside = np.zeros(edges.size - 1, bool)
    for span in spans:
        first, last = np.searchsorted(edges, [span.start, span.end])
        inside[max(0, int(first) - 1) : int(last)] = True
    return inside


def _legend(ax: Axes, colors: Palette, scene: Scene, start: float, end: float) -> None:
    """Name what is in the picture and does not say itself what it is."""

    def within(things: Sequence[Span | Reply]) -> bool:
        return any(thing.start <= end for thing in things)

    handles: list[Any] = []
    if any(reply.cut for reply in scene.replies):
        handles.append(Patch(facecolor=colors.step, alpha=_PALE, label="generated, never heard"))
    if within(scene.replies) and all(reply.heard is None for reply in scene.replies):
        handles.append(Patch(facecolor=colors.step, label="generated (no player)"))
    if within(scene.cuts):
        handles.append(Line2D([], [], color=colors.live, linewidth=1.2, label="cut off"))
    if scene.threshold is not None and scene.sound:
        label = f"VAD threshold {scene.threshold}"
        handles.append(Line2D([], [], color=colors.you, linewidth=0.8, dashes=(3, 4), label=label))
    if within(scene.messages):
        handles.append(
            Line2D([], [], color=colors.you, marker="v", markersize=5, linewidth=0, label="written")
        )
    if handles:
        ax.legend(
            handles=handles, loc="lower right", bbox_to_anchor=(1, 0.99), ncols=len(handles), fontsize=SMALLER,
            frameon=False, labelcolor=colors.quiet, handlelength=1.4, columnspacing=1.4, borderpad=0, borderaxespad=0.2,
        )  # fmt: skip
