"""Bytes that only grow: in memory until the next flush, on disk from then on, readable from both by any thread."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Sequence
from typing import Literal

from ..conversation.record import NOT_KEPT, AudioRef, Lane, joined
from ..errors import ConfigError

LANES: tuple[Lane, Lane] = ("input", "output")
KeepAudio = Literal["all", "output", "input", "none"]
_KEPT: dict[KeepAudio, tuple[Lane, ...]] = {
    "all": LANES,
    "output": ("output",),
    "input": ("input",),
    "none": (),
}

# What may wait in memory. More is written at once; where writing fails for good, more is not kept.
MOST_IN_MEMORY = 32 << 20
# Bytes that are written with one call.
_AT_ONCE = 1 << 18


class Blob:
    """Append-only bytes: the newest in memory, as the pieces that came, and the rest in a file.

    Attributes
    ----------
    waiting
        Bytes that are in memory only.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._pieces: deque[bytes] = deque()
        self._written = 0
        self._file: int | None = None
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """All bytes."""
        with self._lock:
            return self._written + self.waiting

    def attach(self, file: int, written: int = 0) -> None:
        """Use an open file (its descriptor), of which so many bytes count already."""
        with self._lock:
            self._file = file
            self._written = written

    def append(self, data: bytes) -> int:
        """Append and return the offset."""
        with self._lock:
            offset = self._written + self.waiting
            self._pieces.append(data)
            self.waiting += len(data)
        return offset

    def write_out(self, size: int) -> None:
        """Write everything before an offset, which was the `size` once, to the file. One thread at a time.

        Raises
        ------
        OSError
            The file takes no more; what was not written stays in memory.
        """
        assert self._file is not None
        while self._written < size:
            with self._lock:
                pieces = self._first(min(size - self._written, _AT_ONCE))
            # Without the lock: a slow disk must not hold up whoever appends.
            written = os.write(self._file, b"".join(pieces))
            with self._lock:
                self._drop(written)

    def _first(self, length: int) -> list[bytes]:
        """Return the first pieces in memory, at least so many bytes if there are."""
        pieces = []
        for piece in self._pieces:
            if length <= 0:
                break
            pieces.append(piece)
            length -= len(piece)
        return pieces

    def _drop(self, length: int) -> None:
        """Forget the first bytes in memory, which are in the file now."""
        self._written += length
        self.waiting -= length
        while length:
            piece = self._pieces.popleft()
            if len(piece) > length:
                self._pieces.appendleft(piece[length:])
            length -= min(length, len(piece))

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer where the blob ends before."""
        with self._lock:
            on_disk = max(min(length, self._written - offset), 0)
            rest = b""
            if on_disk < length:
                start = offset + on_disk - self._written
                end = start + length - on_disk
                rest = b"".join(self._first(end))[start:end]
            if not on_disk:
                return rest
            assert self._file is not None
            if not hasattr(os, "pread"):  # Windows: one position for all, so the lock is kept
                os.lseek(self._file, offset, os.SEEK_SET)
                return os.read(self._file, on_disk) + rest
        return os.pread(self._file, on_disk, offset) + rest


class AudioStore:
    """The audio of a log: one `Blob` for what was sent and one for what came.

    Parameters
    ----------
    keep
        Which of them to keep: "all", "output", "input" or "none".

    Raises
    ------
    ConfigError
        Another value.
    """

    def __init__(self, keep: KeepAudio = "all") -> None:
        if keep not in _KEPT:
            raise ConfigError(f"keep_audio is {keep!r}.", fix=f"Write one of {', '.join(map(repr, _KEPT))}.")
        self.keep = keep
        self.lanes: dict[Lane, Blob] = {lane: Blob() for lane in LANES}
        self._full: set[Lane] = set(LANES) - set(_KEPT[keep])

    def append(self, pcm: bytes, lane: Lane) -> AudioRef:
        if lane in self._full:
            return AudioRef(NOT_KEPT, len(pcm), lane)
        return AudioRef(self.lanes[lane].append(pcm), len(pcm), lane)

    def stop(self, lane: Lane) -> None:
        """Keep no more audio of a lane."""
        self._full.add(lane)

    def read(self, refs: Sequence[AudioRef]) -> bytes:
        """Return the stretches one after the other; what was not kept is left out."""
        parts = (self.lanes[ref.lane].read(ref.offset, ref.length) for ref in joined(refs) if ref.kept)
        return b"".join(parts)

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(lane.size for lane in self.lanes.values())
