"""What can be measured in a clip: level, envelope, speech segments. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from stepnb.audio import pcm, vad
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError

HUM = 10.0
"""No voice is as quiet as this, RMS in int16 units (-70 dBFS)."""

FULL_SCALE = 32_767
"""A sample of at least this, either way, is at full scale: -1.0 is -32767 to some devices."""

CLIPPED_RUN = 3
"""One sample at full scale is a peak; so many in a row are a wave with its top cut off."""


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """One utterance as the energy VAD cuts it, in s from the start of the clip.

    Attributes
    ----------
    start, end
        The audio that would be sent on: prefix padding and the silence that ends it included.
    onset, offset
        From the first to the last loud frame.
    """

    start: float
    onset: float
    offset: float
    end: float


def level(clip: Clip) -> NDArray[np.float64]:
    """Measure loudness as the VAD does: the RMS of 20 ms frames.

    Returns
    -------
    (ceil(n / frame),) float64
        RMS in int16 units, 0 to 32768, the unit of ``energy_awakeness_threshold``. The last may be shorter.
    """
    size = frame_size(clip)
    energy = vad.frame_energy(clip.samples, size)
    rms = np.sqrt(energy / size)
    rest = clip.samples[energy.size * size :]
    if rest.size:
        rms = np.append(rms, np.sqrt(vad.frame_energy(rest, rest.size) / rest.size))
    return rms


def frame_size(clip: Clip) -> int:
    """Count the samples in 20 ms of a clip, rounded to whole ones."""
    return round(clip.rate * vad.FRAME_MS / 1000)


@overload
def dbfs(amplitude: float) -> float: ...
@overload
def dbfs(amplitude: NDArray[np.floating[Any]]) -> NDArray[np.float64]: ...
def dbfs(amplitude: float | NDArray[np.floating[Any]]) -> float | NDArray[np.float64]:
    """Convert int16 units to dB of full scale; 0 gives -inf."""
    with np.errstate(divide="ignore"):
        db: NDArray[np.float64] = 20 * np.log10(np.asarray(amplitude, np.float64) / pcm.PEAK)
    return db if db.ndim else float(db)


def clipped(samples: NDArray[np.int16]) -> NDArray[np.intp]:
    """Find where sound was clipped: at least `CLIPPED_RUN` samples in a row at full scale, on one side.

    Returns
    -------
    (k, 2) intp
        First sample and the one after the last, of each run.
    """
    sides = []
    for full in (samples >= FULL_SCALE, samples <= -FULL_SCALE):
        edges = np.flatnonzero(np.diff(full, prepend=False, append=False))
        sides.append(edges.reshape(-1, 2))
    runs = np.concatenate(sides)
    runs = runs[runs[:, 1] - runs[:, 0] >= CLIPPED_RUN]
    return runs[np.argsort(runs[:, 0])]


def envelope(samples: NDArray[np.int16], bins: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Find the smallest and largest sample of each of `bins` equal stretches.

    Parameters
    ----------
    samples
        (n,) int16.
    bins
        At least 1; bin ``i`` is ``samples[i * n // bins : (i + 1) * n // bins]``.

    Returns
    -------
    low, high : (min(bins, n),) int16
        Exact. With fewer samples than bins, each sample is a bin.

    Raises
    ------
    AudioError
        `bins` is less than 1.
    """
    if bins < 1:
        raise AudioError(f"bins is {bins}, but an envelope needs at least 1.")
    count = min(bins, samples.size)
    if count == 0:
        return samples, samples
    edges = np.arange(count) * samples.size // count
    return np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)


def voice_gate(rms: NDArray[np.float64]) -> float:
    """Find the level that separates the voice in a recording from its background.

    It is the middle, in dB, between the background (10th percentile of all frames) and the voice (90th of those more
    than 6 dB above it), at most 25 dB below the voice and never below `HUM`.

    Parameters
    ----------
    rms
        (n,) of 20 ms frames, int16 units.

    Returns
    -------
    float
        RMS in int16 units; infinite where nothing stands out of the background and all of it is quiet.
    """
    db = dbfs(np.maximum(rms, 1.0))
    if not db.size or rms.max() <= HUM:
        return float("inf")
    background = float(np.percentile(db, 10))
    above = db[db > background + 6]
    if above.size < 3:  # nothing, or a click, stands out: either all of it is voice or none
        above, background = db, float("-inf")
    voice = float(np.percentile(above, 90))
    return max(pcm.PEAK * 10 ** (max((background + voice) / 2, voice - 25) / 20), HUM)


def bursts(rms: NDArray[np.float64], *, gap_ms: float = 100) -> NDArray[np.intp]:
    """Find bursts of voice, about a word or two each: at least 60 ms long and `gap_ms` apart.

    Parameters
    ----------
    rms
        (n,) of 20 ms frames, int16 units.

    Returns
    -------
    (k, 2) intp
        First frame, and the one after the last.
    """
    loud = np.diff(rms > voice_gate(rms), prepend=False, append=False)
    edges: NDArray[np.intp] = np.flatnonzero(loud).reshape(-1, 2)
    if not len(edges):
        return edges
    apart = (edges[1:, 0] - edges[:-1, 1]) * vad.FRAME_MS >= gap_ms
    starts = edges[np.concatenate([[True], apart]), 0]
    ends = edges[np.concatenate([apart, [True]]), 1]
    found: NDArray[np.intp] = np.stack([starts, ends], axis=1)
    return np.compress(ends - starts >= vad.MIN_SPEECH_FRAMES, found, axis=0)


def speech_segments(
    clip: Clip,
    *,
    prefix_padding_ms: int = 500,
    silence_duration_ms: int = 500,
    energy_awakeness_threshold: int = 2500,
) -> list[SpeechSegment]:
    """Find the utterances in a clip with the energy VAD; the parameters are `EnergyVAD`'s.

    Silence is taken to follow the clip, so that speech at its end is found; no segment reaches beyond it.

    Raises
    ------
    AudioError
        A parameter is out of range.
    """
    detector = vad.EnergyVAD(
        prefix_padding_ms=prefix_padding_ms,
        silence_duration_ms=silence_duration_ms,
        energy_awakeness_threshold=energy_awakeness_threshold,
    )
    silence = bytes(silence_duration_ms * pcm.BYTES_PER_MS + 2 * 2 * vad.FRAME)
    events = detector.feed(clip.resample(pcm.RATE).pcm) + detector.feed(silence)

    def seconds(samples: int) -> float:
        return min(samples / pcm.RATE, clip.duration)

    segments = []
    for event in events:
        if isinstance(event, vad.SpeechStarted):
            started = event
        else:
            segments.append(
                SpeechSegment(
                    seconds(started.start), seconds(started.onset), seconds(event.offset), seconds(event.end)
                )
            )
    return segments
