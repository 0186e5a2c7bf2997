"""What a clip is made of: its spectrogram, on an even or a mel scale, and the pitch of the voice."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter
from numpy.typing import NDArray

from stepnb.audio import spectrum
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError
from stepnb.plots.figure import SMALL, axes_of, columns, minus, quiet, remark, seconds_axis, sentence
from stepnb.plots.theme import Who, palette

_HEIGHT = 2.3  # inches
_RANGE_DB = 70.0
_LOWEST_TOP_DB = -40.0  # or the noise of silence would be drawn as loud as speech
_VOICE_HZ = 8_000
_MEL_TICKS = (0, 250, 500, 1000, 2000, 4000, 8000, 16_000)


def spectrogram(
    clip: Clip, *, ax: Axes | None = None, max_hz: float | None = None, who: Who = "you"
) -> Figure:
    """Draw a clip's spectrogram: what is 70 dB below the loudest is background. Needs scipy.

    Parameters
    ----------
    clip
        May be empty.
    ax
        Where to draw; None makes a figure.
    max_hz
        Top of the frequency axis; None for 8000 Hz, where voices end, or half the rate if that is less.
    who
        Whose voice it is: ``"you"`` is teal, ``"step"`` violet.

    Returns
    -------
    Figure
        That of `ax`, if given.

    Raises
    ------
    AudioError
        `max_hz` is not positive.
    MissingLibrary
        scipy is not installed.
    """
    if max_hz is not None and not max_hz > 0:
        raise AudioError(f"max_hz is {max_hz!r}, but must be more than 0.")
    figure, ax = axes_of(ax, _HEIGHT)
    found = spectrum.spectrogram(clip, columns=columns(ax))
    top = min(clip.rate / 2, max_hz or _VOICE_HZ)
    shown = found.hz <= top
    _image(ax, clip, found.db[shown], float(found.hz[shown][-1]), who)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g}"))
    ax.set_ylim(0, top)
    ax.set_ylabel("frequency, kHz")
    return figure


def mel(clip: Clip, *, ax: Axes | None = None, rows: int = 80, who: Who = "you") -> Figure:
    """Draw a clip's mel spectrogram, whose rows are as far apart as the ear tells pitches apart. Needs scipy.

    Parameters
    ----------
    clip
        May be empty.
    ax
        Where to draw; None makes a figure.
    rows
        Filters, 1 to 256.
    who
        Whose voice it is: ``"you"`` is teal, ``"step"`` violet.

    Returns
    -------
    Figure
        That of `ax`, if given.

    Raises
    ------
    AudioError
        `rows` is out of range.
    MissingLibrary
        scipy is not installed.
    """
    figure, ax = axes_of(ax, _HEIGHT)
    found = spectrum.mel_spectrogram(clip, rows=rows, columns=columns(ax))
    _image(ax, clip, found.db, rows, who)
    # The rows are evenly apart in mel; the axis is labelled in Hz.
    ticks = [hz for hz in _MEL_TICKS if hz <= clip.rate / 2]
    places = np.interp(ticks, [0.0, *found.hz, clip.rate / 2], [0.0, *(np.arange(rows) + 0.5), float(rows)])
    ax.yaxis.set_major_locator(FixedLocator(list(places)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda _, n: f"{ticks[n or 0] / 1000:g}"))
    ax.set_ylim(0, rows)
    ax.set_ylabel("frequency, kHz (mel)")
    return figure


def pitch(
    clip: Clip, *, ax: Axes | None = None, floor: float = 60.0, ceiling: float = 500.0, who: Who = "you"
) -> Figure:
    """Draw the pitch of the voice in a clip; gaps are where there is none. Needs pyworld.

    Parameters
    ----------
    clip
        May be empty.
    ax
        Where to draw; None makes a figure.
    floor, ceiling
        Where to look for the pitch, Hz.
    who
        Whose voice it is: ``"you"`` is teal, ``"step"`` violet.

    Returns
    -------
    Figure
        That of `ax`, if given.

    Raises
    ------
    AudioError
        The range is none.
    MissingLibrary
        pyworld is not installed.
    """
    track = spectrum.pitch(clip, floor=floor, ceiling=ceiling)
    figure, ax = axes_of(ax, 1.9)
    color = palette(ax).of(who)
    low, high = floor, ceiling
    if track.median is None:
        sentence(ax, "no voice in it" if clip.pcm else "empty clip")
    else:
        ax.plot(track.times, track.hz, color=color, linewidth=1.8, solid_capstyle="round")
        ax.axhline(track.median, color=color, linewidth=0.8, alpha=0.6, dashes=(4, 3))
        remark(ax, f"- - median {track.median:.0f} Hz")
        low, high = max(floor, 0.85 * np.nanmin(track.hz)), min(ceiling, 1.1 * np.nanmax(track.hz))
    ax.set_ylim(low, high)
    ax.set_ylabel("pitch, Hz")
    quiet(ax)
    seconds_axis(ax, 0, clip.duration)
    return figure


def _image(ax: Axes, clip: Clip, db: NDArray[np.float64], top: float, who: Who) -> None:
    """Draw levels as shades: from the background over the speaker's colour to that of text."""
    colors = palette(ax)
    quiet(ax)
    seconds_axis(ax, 0, clip.duration)
    if not db.size:
        sentence(ax, "empty clip")
        return
    loudest = max(float(db.max()), _LOWEST_TOP_DB)
    shades = [(0.0, ax.get_facecolor()), (0.6, colors.of(who)), (1.0, colors.ink)]
    image = ax.imshow(
        db, origin="lower", aspect="auto", interpolation="antialiased", extent=(0.0, clip.duration, 0.0, top),
        cmap=LinearSegmentedColormap.from_list("speaker", shades),
        vmin=loudest - _RANGE_DB, vmax=loudest,
    )  # fmt: skip
    bar = ax.figure.figure.colorbar(image, ax=ax, fraction=0.03, pad=0.015, aspect=14)
    bar.set_label("dBFS", fontsize=SMALL, color=colors.quiet)
    bar.ax.spines["outline"].set_visible(False)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{value:.0f}")))
    bar.ax.tick_params(width=0.8, length=3, labelsize=SMALL, color=colors.line, labelcolor=colors.quiet)
    if db.max() <= spectrum.FLOOR_DB:
        sentence(ax, "digital silence")
