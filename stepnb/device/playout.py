"""`Playout`: items of speech into a ring that a loudspeaker empties, and back: how much of each was heard.

All of it belongs to the I/O thread, but for `Playout.render`, which belongs to the sound device's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..audio.pcm import RATE
from .ring import Ring, Samples

# What has to be there before an item begins: pieces come late now and then, ms.
RESERVE_MS = 100
# What the loudspeaker's side holds; a stall of the I/O thread up to that is not heard. A flush drops it, s.
AHEAD_S = 0.5
FADE = RATE * 12 // 1000


@dataclass
class Track:
    """An item's speech on its way.

    Attributes
    ----------
    chunks
        What is not in the ring yet.
    queued, came
        Samples of it, and of all that came.
    spans
        Where the rest is, or was, in the ring: ``[start, end]`` as counts of samples written.
    """

    item: str
    chunks: deque[Samples] = field(default_factory=deque)
    queued: int = 0
    came: int = 0
    spans: list[list[int]] = field(default_factory=list)
    complete: bool = False
    begun: bool = False
    dry: bool = False

    def heard(self, position: int) -> int:
        """Samples of it before a position in the ring."""
        return sum(max(0, min(position, end) - start) for start, end in self.spans)


@dataclass(frozen=True)
class Cut:
    """What a flush found: the item that played, how much of it was heard and of all not, ms; when silence began, s."""

    item: str
    heard_ms: float
    unheard_ms: float
    at: float


class Playout:
    """The queue before a loudspeaker.

    Attributes
    ----------
    underruns
        How often it ran dry in the middle of an item.
    """

    def __init__(self) -> None:
        self.underruns = 0
        self._ring = Ring(round(AHEAD_S * RATE))
        self._tracks: deque[Track] = deque()
        self._dropped: list[Track] = []  # by a flush that is not told yet
        # The device's side: the position after the last sound it took and when that is heard, s of its clock; up to
        # where it is to drop; where it fell silent, and when.
        self._heard = (0, 0.0)
        self._drop_to = 0
        self._silent = (0, 0.0)

    @property
    def playing(self) -> bool:
        """Whether there is something still to be heard."""
        return bool(self._tracks)

    def push(self, item: str, samples: Samples) -> None:
        """Queue speech, (n,) at 24 kHz."""
        track = next((track for track in self._tracks if track.item == item), None)
        if track is None:
            track = Track(item)
            # Items follow one another, should an end have been lost.
            for earlier in self._tracks:
                earlier.complete = True
            self._tracks.append(track)
        track.chunks.append(samples)
        track.queued += len(samples)
        track.came += len(samples)
        self.underruns += track.dry
        track.dry = False
        self.pump()

    def end(self, item: str) -> None:
        """No more of it will come."""
        for track in self._tracks:
            if track.item == item:
                track.complete = True
        self.pump()

    def pump(self) -> None:
        """Put into the ring what fits."""
        for track in self._tracks:
            if not (track.spans or track.complete or track.queued * 1000 >= RESERVE_MS * RATE):
                return
            while track.chunks and self._ring.room:
                chunk = track.chunks.popleft()
                start = self._ring.written
                count = self._ring.write(chunk)
                if track.spans and track.spans[-1][1] == start:
                    track.spans[-1][1] += count
                else:
                    track.spans.append([start, start + count])
                track.queued -= count
                if count < len(chunk):
                    track.chunks.appendleft(chunk[count:])
            if track.chunks or not track.complete:
                track.dry = not track.chunks and not self._ring.waiting
                return

    def position(self, now: float) -> int:
        """Samples that have reached the ear at a time of the device's clock, s."""
        taken, at = self._heard
        return max(0, taken - max(0, round((at - now) * RATE)))

    def begun(self, now: float) -> Iterator[tuple[str, float]]:
        """Items whose first sample was heard since the last call, and when, s."""
        taken, at = self._heard
        for track in self._tracks:
            if not track.begun and track.spans and self.position(now) > track.spans[0][0]:
                track.begun = True
                yield track.item, at - (taken - track.spans[0][0]) / RATE

    def playheads(self, now: float) -> tuple[dict[str, float], bool]:
        """How much was heard of each item that has begun, ms, and whether one was heard to its end.

        Such a one is told of for the last time.
        """
        position, before = self.position(now), len(self._tracks)
        heard = {t.item: t.heard(position) * 1000 / RATE for t in self._tracks if t.begun}
        while (
            self._tracks
            and self._tracks[0].complete
            and self._tracks[0].heard(position) == self._tracks[0].came
        ):
            self._tracks.popleft()
        return heard, len(self._tracks) < before

    def flush(self) -> None:
        """Have what plays fade out, and drop the rest; `cut` tells of it."""
        self._dropped += self._tracks
        self._tracks.clear()
        self._drop_to = self._ring.written

    def cut(self) -> Cut | None:
        """What the last flush found, once the device has carried it out; None: not yet, or nothing was there."""
        if not self._dropped or self._ring.taken < self._drop_to:
            return None
        (position, at), tracks = self._silent, self._dropped
        self._dropped = []
        head = tracks[0]
        heard = sum(track.heard(position) for track in tracks)
        came = sum(track.came for track in tracks)
        return Cut(head.item, head.heard(position) * 1000 / RATE, (came - heard) * 1000 / RATE, at)

    # The sound device's thread ----------------------------------------------------------------------------------------

    def render(self, out: Samples, at: float) -> None:
        """Fill (n,) samples, which are heard from a time on, s of the device's clock. It waits for nobody."""
        ring = self._ring
        out.fill(0)
        if ring.taken < self._drop_to:
            block = out[: min(len(out), FADE, self._drop_to - ring.taken)]
            count = ring.read(block)
            block[:] = (block * np.linspace(1, 0, count)).astype(np.int16)
            self._silent = ring.taken, at + count / RATE
            ring.skip_to(self._drop_to)
            self._heard = self._silent
            return
        count = ring.read(out)
        if count:
            self._heard = ring.taken, at + count / RATE
        self._silent = self._heard
