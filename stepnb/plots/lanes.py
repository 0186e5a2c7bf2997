"""Where sound lies in time: stretches of an audio store on the clock of the log, and how loud they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepnb.audio import analysis, vad
from stepnb.conversation.record import AudioRef, joined
from stepnb.recording.store import Blob

BYTES_PER_S = 48_000

_BLOCK = 960 * 4096  # bytes read at a time
_FRAME_BYTES = 2 * vad.FRAME
# Chunks of a microphone come with some jitter, but their sound is without gaps.
_JITTER_S = 0.2


class Stretch(NamedTuple):
    """Sound that lies in one piece in the store and in time.

    Attributes
    ----------
    offset, length
        In the store, bytes.
    start
        Of its first sample, s.
    """

    offset: int
    length: int
    start: float

    @property
    def end(self) -> float:
        return self.start + self.length / BYTES_PER_S

    def cut(self, since: float, until: float) -> Stretch | None:
        """Return the whole frames of it between two times."""
        first = max(0, int((since - self.start) * BYTES_PER_S) // _FRAME_BYTES * _FRAME_BYTES)
        last = min(self.length, -(-int((until - self.start) * BYTES_PER_S) // _FRAME_BYTES) * _FRAME_BYTES)
        return (
            Stretch(self.offset + first, last - first, self.start + first / BYTES_PER_S)
            if first < last
            else None
        )


def streamed(chunks: Iterable[tuple[float, int, int]]) -> list[Stretch]:
    """Place a microphone's chunks in time: (when it was sent, s, offset, length).

    A chunk was spoken just before it was sent. Chunks that follow each other within `_JITTER_S` are one stretch.
    """
    stretches: list[Stretch] = []
    offset = length = 0
    start = end = -np.inf
    for sent, at, size in chunks:
        if at == offset + length and abs(sent - size / BYTES_PER_S - end) < _JITTER_S:
            length += size
        else:
            if length:
                stretches.append(Stretch(offset, length, start))
            offset, length, start = at, size, sent - size / BYTES_PER_S
        end = start + length / BYTES_PER_S
    if length:
        stretches.append(Stretch(offset, length, start))
    return stretches


def parts_of(stretches: Sequence[Stretch], ref: AudioRef) -> list[Stretch]:
    """Return when a piece of the store was spoken: the parts of the stretches that it covers.

    The padding before speech reaches back over a pause of the microphone, so that there may be several.
    """
    if not ref.kept:
        return []
    parts = []
    first = max(0, bisect_right(stretches, ref.offset, key=lambda stretch: stretch.offset) - 1)
    for stretch in stretches[first:]:
        begin = max(ref.offset, stretch.offset)
        end = min(ref.offset + ref.length, stretch.offset + stretch.length)
        if stretch.offset >= ref.offset + ref.length:
            break
        if begin < end:
            parts.append(Stretch(begin, end - begin, stretch.start + (begin - stretch.offset) / BYTES_PER_S))
    return parts


def of_refs(refs: Sequence[AudioRef], start: float) -> list[Stretch]:
    """Place pieces one after the other from a time on; what was not kept leaves a gap."""
    stretches = []
    for ref in joined(refs):
        if ref.kept:
            stretches.append(Stretch(ref.offset, ref.length, start))
        start += ref.length / BYTES_PER_S
    return stretches


def levels(blob: Blob, stretch: Stretch) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Yield the RMS of the 20 ms frames of a stretch, in blocks: when a block begins, and its levels in int16 units."""
    for done in range(0, stretch.length, _BLOCK):
        pcm = blob.read(stretch.offset + done, min(_BLOCK, stretch.length - done))
        samples = np.frombuffer(pcm, "<i2", count=len(pcm) // 2)
        rms = np.sqrt(vad.frame_energy(samples, vad.FRAME) / vad.FRAME)
        if rms.size:
            yield stretch.start + done / BYTES_PER_S, rms


def loudest(
    blob: Blob, stretches: Sequence[Stretch], since: float, until: float, bins: int
) -> NDArray[np.float64]:
    """Return the loudest 20 ms of each of `bins` equal parts of a time, RMS in int16 units; 0 where there is no sound.

    Parts should not be shorter than 20 ms, or some would have no frame of their own.
    """
    found = np.zeros(bins)
    per_second = bins / (until - since)
    for stretch in stretches:
        part = stretch.cut(since, until)
        if part is None:
            continue
        for start, rms in levels(blob, part):
            middle = start - since + (np.arange(rms.size) + 0.5) * vad.FRAME_MS / 1000
            place = np.floor(middle * per_second).astype(np.intp)
            inside = (place >= 0) & (place < bins)
            np.maximum.at(found, place[inside], rms[inside])
    return found


def voiced(blob: Blob, stretches: Sequence[Stretch]) -> tuple[float, float] | None:
    """Find where the voice in an utterance begins and ends, s; None when there is no sound.

    A voice stands out of the background (`stepnb.audio.analysis.voice_gate`) for at least 60 ms.
    """
    times, found = [], []
    for stretch in stretches:
        for start, rms in levels(blob, stretch):
            times.append(start + np.arange(rms.size) * vad.FRAME_MS / 1000)
            found.append(rms)
    if not found:
        return None
    time = np.concatenate(times)
    words = analysis.bursts(np.concatenate(found))
    if not len(words):
        return None
    return float(time[words[0, 0]]), float(time[words[-1, 1] - 1]) + vad.FRAME_MS / 1000
