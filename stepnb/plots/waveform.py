"""A clip over time: its waveform and its level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from stepnb.audio import analysis, pcm, vad
from stepnb.audio.analysis import SpeechSegment
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError
from stepnb.plots.figure import SMALL, axes_of, columns, minus, quiet, remark, seconds_axis, sentence
from stepnb.plots.theme import Who, palette

_HEIGHT = 1.9  # inches
_MARGINS = (0.78, 0.42, 0.16, 0.22)  # no label of int16 samples is wider than the left one, inches
_LINE = 0.5  # px, half the thickness of silence
_QUIETEST = 500  # the waveform's axis spans at least this, or the noise of silence would fill it
_FLOOR_DB = -70.0
_ROUND_UNITS = (10, 100, 500, 2500, 10000, 32768)
_ROUND_DB = (-40, -30, -25, -20, -15, -10, -5, 0)


def waveform(
    clip: Clip, *, ax: Axes | None = None, segments: Sequence[SpeechSegment] = (), who: Who = "you"
) -> Figure:
    """Draw a clip's waveform: the smallest and largest sample of every pixel column.

    Where at least three samples in a row are at full scale, a red mark above says that the sound was clipped.

    Parameters
    ----------
    clip
        May be empty.
    ax
        Where to draw; None makes a figure.
    segments
        Utterances to shade, from `stepnb.audio.analysis.speech_segments`: pale what would be sent on, and a
        line below from the first to the last loud frame.
    who
        Whose voice it is: ``"you"`` is teal, ``"step"`` violet.

    Returns
    -------
    Figure
        That of `ax`, if given.
    """
    figure, ax = axes_of(ax, _HEIGHT, margins=_MARGINS)
    colors = palette(ax)
    color = colors.of(who)
    low, high = analysis.envelope(clip.samples, columns(ax))
    peak = max(int(high.max(initial=0)), -int(low.min(initial=0)), _QUIETEST)
    _outline(
        ax, low, high, clip.duration, color, line=_LINE * 2.2 * peak / max(1.0, ax.get_window_extent().height)
    )
    for segment in segments:
        ax.axvspan(segment.start, segment.end, facecolor=(color, 0.1), edgecolor="none", zorder=0)
        ax.plot(
            [segment.onset, segment.offset],
            [0.02, 0.02],
            color=color,
            linewidth=2.5,
            solid_capstyle="butt",
            transform=ax.get_xaxis_transform(),
        )
    clipped = _clipped(clip.samples, low, high)
    if clipped.size:
        ax.vlines(
            clipped.mean(axis=1) / clip.rate, 0.94, 1.0, color=colors.live, linewidth=2,
            transform=ax.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
        remark(ax, f"clipped in {len(clipped)} place{'s' if len(clipped) > 1 else ''}", colors.live)
    ax.set_ylim(-1.1 * peak, 1.1 * peak)
    ax.set_ylabel("sample, int16")
    _finish(ax, clip)
    return figure


def level(
    clip: Clip,
    *,
    ax: Axes | None = None,
    threshold: int = 2500,
    unit: Literal["energy", "dbfs"] = "energy",
    who: Who = "you",
) -> Figure:
    """Draw a clip's level, the RMS of 20 ms frames: in the service's energy units and in dBFS, one axis on each side.

    Frames above the threshold, which the energy VAD takes for speech, are in full colour.

    Parameters
    ----------
    clip
        May be empty.
    ax
        Where to draw; None makes a figure.
    threshold
        Where to draw the threshold, 0 to 5000, as ``energy_awakeness_threshold``.
    unit
        Which axis is the even one, on the left: "energy" (0 to 5000 and more, as the threshold) or "dbfs".
    who
        Whose voice it is: ``"you"`` is teal, ``"step"`` violet.

    Returns
    -------
    Figure
        That of `ax`, if given.

    Raises
    ------
    AudioError
        `threshold` is out of range, or the unit another.
    """
    if not 0 <= threshold <= vad.MAX_THRESHOLD:
        raise AudioError(f"threshold is {threshold!r}, but must be from 0 to {vad.MAX_THRESHOLD}.")
    if unit not in ("energy", "dbfs"):
        raise AudioError(f"unit is {unit!r}.", fix="Write unit='energy' or unit='dbfs'.")
    figure, ax = axes_of(ax, _HEIGHT)
    colors = palette(ax)
    rms = analysis.level(clip)
    loudest = max(float(rms.max(initial=0)), vad.MAX_THRESHOLD)
    bottom = _FLOOR_DB if unit == "dbfs" else 0.0
    if rms.size:
        step = -(-rms.size // columns(ax))  # frames per bar: one, until they are narrower than a pixel
        starts = np.arange(0, rms.size, step)
        bars = np.maximum.reduceat(rms, starts)
        heights = np.maximum(analysis.dbfs(bars), bottom) if unit == "dbfs" else bars
        edges = np.append(starts * analysis.frame_size(clip) / clip.rate, clip.duration)
        for shown, alpha in ((bars > threshold, 1.0), (bars <= threshold, 0.35)):
            ax.stairs(
                np.where(shown, heights, bottom), edges, baseline=bottom, fill=True, color=colors.of(who),
                alpha=alpha, linewidth=0,
            )  # fmt: skip
    db = float(analysis.dbfs(threshold))
    ax.axhline(
        max(db, bottom) if unit == "dbfs" else threshold, color=colors.ink, linewidth=0.8, dashes=(4, 3)
    )
    remark(ax, f"- - threshold {threshold}" + (f" = {minus(f'{db:.1f}')} dBFS" if threshold else ""))
    if unit == "dbfs":
        ax.set_ylim(bottom, max(0.0, float(analysis.dbfs(loudest))) + 1)
        ax.set_ylabel("level, dBFS")
        _second_axis(ax, [(float(analysis.dbfs(value)), str(value)) for value in _ROUND_UNITS], "energy")
    else:
        ax.set_ylim(0, 1.05 * loudest)
        ax.set_ylabel("energy (RMS, int16)")
        ticks = [(pcm.PEAK * 10 ** (value / 20), minus(str(value))) for value in _ROUND_DB]
        _second_axis(ax, ticks, "dBFS")
    _finish(ax, clip)
    return figure


def _outline(
    ax: Axes, low: NDArray[np.int16], high: NDArray[np.int16], seconds: float, color: str, line: float
) -> None:
    """Draw the space between the smallest and the largest sample of each stretch, at least a line thick."""
    if low.size == 0:
        return
    if low.size < columns(ax):
        # Each sample is a stretch, and the sound goes straight from one to the next.
        time = np.linspace(0, seconds, low.size) if low.size > 1 else np.array([0.0, seconds])
        level = low if low.size != 1 else low.repeat(2)
        ax.plot(time, level, color=color, linewidth=1)
        return
    # Each as wide as its neighbours too, or a single loud sample would be half a pixel, and stretches without a level
    # in common would come apart. A stroked outline does the same in twice the time.
    top = np.maximum(high, np.maximum(np.roll(high, 1), np.roll(high, -1))).astype(np.float64) + line
    bottom = np.minimum(low, np.minimum(np.roll(low, 1), np.roll(low, -1))).astype(np.float64) - line
    for ends in (slice(None, 1), slice(-1, None)):  # the clip does not go in a circle
        top[ends], bottom[ends] = high[ends] + line, low[ends] - line
    edges = np.linspace(0, seconds, low.size + 1)
    shape: Any = StepPatch(top, edges, baseline=bottom, fill=True, color=color, linewidth=0)  # type: ignore[arg-type]
    ax.add_artist(shape)


def _second_axis(ax: Axes, ticks: list[tuple[float, str]], label: str) -> None:
    """Show another unit at the right: its round values, at the height they have on the left axis."""
    low, high = ax.get_ylim()
    shown: list[tuple[float, str]] = []
    for place, name in ticks:
        if low <= place <= high and (not shown or place - shown[-1][0] > 0.09 * (high - low)):
            shown.append((place, name))
    other = ax.secondary_yaxis("right")
    other.yaxis.set_major_locator(FixedLocator([place for place, _ in shown]))
    other.yaxis.set_minor_locator(NullLocator())
    names = dict(shown)
    other.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: names.get(min(names, key=lambda place: abs(place - value)), ""))
    )
    other.set_ylabel(label)
    colors = palette(ax)
    other.tick_params(width=0.8, length=3, labelsize=SMALL, color=colors.line, labelcolor=colors.quiet)
    other.yaxis.label.set(fontsize=SMALL, color=colors.quiet)
    other.spines["right"].set(visible=True, linewidth=0.8, color=colors.line)


def _clipped(samples: NDArray[np.int16], low: NDArray[np.int16], high: NDArray[np.int16]) -> NDArray[np.intp]:
    """Find clipped runs, (k, 2), looking only into those stretches of the envelope that reach full scale."""
    hot = np.flatnonzero((high >= analysis.FULL_SCALE) | (low <= -analysis.FULL_SCALE))
    if not hot.size or samples.size < analysis.CLIPPED_RUN:
        return np.empty((0, 2), np.intp)
    groups = np.split(hot, np.flatnonzero(np.diff(hot) > 1) + 1)
    runs = []
    for group in groups:
        start = int(group[0]) * samples.size // low.size
        end = (int(group[-1]) + 1) * samples.size // low.size
        runs.append(analysis.clipped(samples[start:end]) + start)
    return np.concatenate(runs)


def _finish(ax: Axes, clip: Clip) -> None:
    quiet(ax)
    seconds_axis(ax, 0, clip.duration)
    if not clip.pcm:
        sentence(ax, "empty clip")
