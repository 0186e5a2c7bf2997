"""`Ring`: samples from one thread to another, without a lock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


class Ring:
    """Holds so many samples at most, for one writer and one reader.

    Each side moves its own counter and only reads the other's, which the interpreter does in one step; so neither waits
    for the other, as a sound device's callback never may.

    Attributes
    ----------
    written, taken
        Samples that went in and came out, ever.
    """

    def __init__(self, size: int) -> None:
        self.written = 0
        self.taken = 0
        self._data: Samples = np.zeros(size, np.int16)

    @property
    def waiting(self) -> int:
        """Samples in it."""
        return self.written - self.taken

    @property
    def room(self) -> int:
        """Samples that fit in."""
        return len(self._data) - self.waiting

    def write(self, samples: Samples) -> int:
        """Put in what fits of (n,) samples, and return how many that were. The writer's."""
        count = min(len(samples), self.room)
        at = self.written % len(self._data)
        first = min(count, len(self._data) - at)
        self._data[at : at + first] = samples[:first]
        self._data[: count - first] = samples[first:count]
        self.written += count
        return count

    def read(self, into: Samples) -> int:
        """Fill (n,) samples from its front, and return how many there were. The reader's."""
        count = min(len(into), self.waiting)
        at = self.taken % len(self._data)
        first = min(count, len(self._data) - at)
        into[:first] = self._data[at : at + first]
        into[first:count] = self._data[: count - first]
        self.taken += count
        return count

    def skip_to(self, position: int) -> None:
        """Drop what lies before a position (a count of samples written). The reader's."""
        self.taken = max(self.taken, min(position, self.written))
