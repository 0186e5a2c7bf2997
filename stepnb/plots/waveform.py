"""A clip over time: its waveform and its level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepnb.audio import analysis, vad
from stepnb.audio.analysis import SpeechSegment
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError
from stepnb.plots.figure import PlotFigure, Who, palette, quiet

_WIDTH = 7.2  # inches
_QUIETEST = 500  # the waveform's axis spans at least this, or the noise of silence would fill it


def waveform(
    clip: Clip, *, ax: Axes | None = None, segments: Sequence[SpeechSegment] = (), who: Who = "you"
) -> Figure:
    """Draw a clip's waveform: the smallest and largest sample of every pixel column.

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
    figure, ax = _axes(ax, 1.9)
    color = palette(ax).of(who)
    low, high = analysis.envelope(clip.samples, _columns(ax))
    if low.size:
        # Over the middle of its stretch each; the outline's own width joins stretches that do not overlap.
        time = (np.arange(low.size) + 0.5) * clip.duration / low.size
        ax.fill_between(time, low, high, color=color, linewidth=0.7)
    for segment in segments:
        ax.axvspan(
            segment.start,
            segment.end,
            facecolor=(color, 0.12),
            edgecolor=(color, 0.6),
            linewidth=0.7,
            zorder=0,
        )
        ax.plot(
            [segment.onset, segment.offset],
            [0.02, 0.02],
            color=color,
            linewidth=2.5,
            solid_capstyle="butt",
            transform=ax.get_xaxis_transform(),
        )
    peak = max(int(high.max(initial=0)), -int(low.min(initial=0)), _QUIETEST)
    ax.set_ylim(-1.1 * peak, 1.1 * peak)
    ax.set_ylabel("sample, int16")
    _finish(ax, clip)
    return figure


def level(clip: Clip, *, ax: Axes | None = None, threshold: int = 2500, who: Who = "you") -> Figure:
    """Draw a clip's level: the RMS of 20 ms frames, in the unit of ``energy_awakeness_threshold``.

    Frames above the threshold, which the energy VAD takes for speech, are in full colour.

    Parameters
    ----------
    clip
        May be empty.
    ax
        Where to draw; None makes a figure.
    threshold
        Where to draw the threshold, 0 to 5000.
    who
        Whose voice it is: ``"you"`` is teal, ``"step"`` violet.

    Returns
    -------
    Figure
        That of `ax`, if given.

    Raises
    ------
    AudioError
        `threshold` is out of range.
    """
    if not 0 <= threshold <= vad.MAX_THRESHOLD:
        raise AudioError(f"threshold is {threshold!r}, but must be from 0 to {vad.MAX_THRESHOLD}.")
    figure, ax = _axes(ax, 1.9)
    color = palette(ax).of(who)
    rms = analysis.level(clip)
    if rms.size:
        step = -(-rms.size // _columns(ax))  # frames per bar: one, until they are narrower than a pixel
        starts = np.arange(0, rms.size, step)
        bars = np.maximum.reduceat(rms, starts)
        time = starts * analysis.frame_size(clip) / clip.rate
        edges = np.append(time, clip.duration)
        for shown, alpha in ((bars > threshold, 1.0), (bars <= threshold, 0.35)):
            ax.stairs(np.where(shown, bars, 0), edges, fill=True, color=color, alpha=alpha, linewidth=0)
    ax.axhline(threshold, color=ax.yaxis.label.get_color(), linewidth=0.8, dashes=(4, 3))
    # Beside the axes, where no bar runs into it.
    ax.annotate(
        f"threshold\n{threshold}",
        (1, threshold),
        xycoords=ax.get_yaxis_transform(),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
    )
    ax.set_ylim(0, 1.05 * max(float(rms.max(initial=0)), vad.MAX_THRESHOLD))
    ax.set_ylabel("RMS, int16")
    _finish(ax, clip)
    return figure


def _axes(ax: Axes | None, height: float) -> tuple[Figure, Axes]:
    if ax is None:
        figure = PlotFigure(_WIDTH, height)
        return figure, figure.add_subplot()
    return ax.figure.figure, ax


def _columns(ax: Axes) -> int:
    """Count the pixel columns of `ax` as a dense screen shows it."""
    return max(1, round(2 * ax.get_window_extent().width))


def _finish(ax: Axes, clip: Clip) -> None:
    quiet(ax)
    if clip.pcm:
        ax.set_xlim(0, clip.duration)
    else:
        ax.set_xlim(0, 1)
        ax.text(0.5, 0.5, "empty clip", transform=ax.transAxes, ha="center", va="center")
    ax.set_xlabel("time, s")
