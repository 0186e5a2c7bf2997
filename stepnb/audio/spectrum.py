"""What pitches a clip is made of: spectrogram, mel spectrogram and the pitch of a voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepnb.audio import analysis, pcm, vad
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError
from stepnb.optional import library

WINDOW_MS = 25.0
HOP_MS = 5.0
FLOOR_DB = -120.0
"""Digital silence is drawn as this."""

_BLOCK = 4096  # frames transformed at a time, so that half an hour needs no gigabyte
_PITCH_FRAME_MS = 5.0


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """Power over time and frequency.

    Attributes
    ----------
    times
        (t,) s, the middle of each column.
    hz
        (f,) Hz, the middle of each row.
    db
        (f, t) dB, where a full-scale tone on a row of a spectrogram gives 0; a mel row sums the rows it covers.
    """

    times: NDArray[np.float64]
    hz: NDArray[np.float64]
    db: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"Spectrogram({self.hz.size} rows, {self.times.size} columns)"


@dataclass(frozen=True, slots=True)
class Pitch:
    """The pitch of a voice.

    Attributes
    ----------
    times
        (n,) s, every 5 ms.
    hz
        (n,) Hz, NaN where there is no voice.
    """

    times: NDArray[np.float64]
    hz: NDArray[np.float64]

    @property
    def median(self) -> float | None:
        """Hz, None when there is no voice."""
        voiced = self.hz[np.isfinite(self.hz)]
        return float(np.median(voiced)) if voiced.size else None

    def __repr__(self) -> str:
        middle = f"median {self.median:.0f} Hz" if self.median is not None else "no voice"
        return f"Pitch({self.times.size} frames, {middle})"


def spectrogram(clip: Clip, *, columns: int = 2000) -> Spectrogram:
    """Compute the power of 25 ms Hann windows every 5 ms.

    Parameters
    ----------
    clip
        May be empty, which gives no columns.
    columns
        At most so many; of a longer clip each column is the mean power of its windows.

    Raises
    ------
    AudioError
        `columns` is less than 1.
    MissingLibrary
        scipy is not installed.
    """
    times, power = _columns(clip, columns)
    return Spectrogram(times, _rows(clip), _db(power))


def mel_spectrogram(clip: Clip, *, rows: int = 80, columns: int = 2000) -> Spectrogram:
    """Compute a spectrogram whose rows are as far apart as the ear tells pitches apart.

    Triangular filters of equal width on the mel scale of O'Shaughnessy (2595 log10(1 + Hz / 700)) from 0 Hz to half the
    rate, each with its peak at 1.

    Parameters
    ----------
    clip
        May be empty, which gives no columns.
    rows
        Filters, 1 to 256.
    columns
        As in `spectrogram`.

    Raises
    ------
    AudioError
        A number out of range.
    MissingLibrary
        scipy is not installed.
    """
    if not 1 <= rows <= 256:
        raise AudioError(f"rows is {rows!r}, but must be from 1 to 256.")
    times, power = _columns(clip, columns)
    edges = _hz_of_mel(np.linspace(0, _mel(clip.rate / 2), rows + 2))
    hz = _rows(clip)
    rising = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    return Spectrogram(times, edges[1:-1], _db(filters @ power))


def pitch(clip: Clip, *, floor: float = 60.0, ceiling: float = 500.0) -> Pitch:
    """Track the pitch of a voice, with the DIO and StoneMask estimators of WORLD.

    Parameters
    ----------
    clip
        May be empty.
    floor, ceiling
        Where to look for it, Hz; 20 to 2000.

    Raises
    ------
    AudioError
        The range is none.
    MissingLibrary
        pyworld is not installed.
    """
    if not 20 <= floor < ceiling <= 2000:
        raise AudioError(
            f"The pitch is sought from {floor:g} to {ceiling:g} Hz, but must be within 20 to 2000 Hz."
        )
    world = library("pyworld", "The pitch")
    if len(clip.pcm) < 4:
        empty = np.empty(0)
        return Pitch(empty, empty)
    samples = np.ascontiguousarray(clip.resample(pcm.RATE).samples, np.float64) / pcm.PEAK
    coarse, times = world.dio(
        samples, pcm.RATE, f0_floor=floor, f0_ceil=ceiling, frame_period=_PITCH_FRAME_MS
    )
    hz = world.stonemask(samples, coarse, times, pcm.RATE)
    # What is not above the background is no voice, whatever pitch its noise seems to have.
    rms = analysis.level(clip)
    frame = np.minimum((times * 1000 / vad.FRAME_MS).astype(np.intp), rms.size - 1)
    hz[(hz <= 0) | (rms[frame] <= analysis.voice_gate(rms))] = np.nan
    inside = times <= clip.duration
    return Pitch(times[inside], hz[inside])


def _columns(clip: Clip, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times of the columns and their power, (f, t); a full-scale tone gives 1."""
    if columns < 1:
        raise AudioError(f"columns is {columns!r}, but must be at least 1.")
    fft = library("scipy.fft", "A spectrogram")
    signal = library("scipy.signal", "A spectrogram")
    size, hop = _window(clip), max(1, round(clip.rate * HOP_MS / 1000))
    samples = clip.samples
    if samples.size == 0:
        return np.empty(0), np.empty((size // 2 + 1, 0))
    # Frame n stands around sample n * hop; the edges are padded with silence.
    frames = -(-samples.size // hop)
    padded = np.zeros((frames - 1) * hop + size, np.float32)
    begin = size // 2
    taken = min(samples.size, padded.size - begin)
    padded[begin : begin + taken] = samples[:taken]
    view = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window = signal.get_window("hann", size).astype(np.float32)
    window *= 2 / (pcm.PEAK * window.sum())
    per_column = -(-frames // columns)
    power = np.empty((size // 2 + 1, -(-frames // per_column)))
    block = max(1, _BLOCK // per_column)
    for first in range(0, power.shape[1], block):
        part = view[first * per_column : (first + block) * per_column]
        square = np.abs(fft.rfft(part * window, axis=1)) ** 2
        starts = np.arange(0, len(part), per_column)
        counts = np.diff(np.append(starts, len(part)))
        power[:, first : first + starts.size] = (np.add.reduceat(square, starts) / counts[:, None]).T
    middle = (np.arange(power.shape[1]) + 0.5) * per_column - 0.5
    return middle * hop / clip.rate, power


def _window(clip: Clip) -> int:
    return max(2, round(clip.rate * WINDOW_MS / 1000) // 2 * 2)


def _rows(clip: Clip) -> NDArray[np.float64]:
    return np.asarray(np.fft.rfftfreq(_window(clip), 1 / clip.rate), np.float64)


def _db(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10))), np.float64)


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _hz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2595) - 1), np.float64)
