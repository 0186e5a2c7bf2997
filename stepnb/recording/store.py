"""Bytes that only grow: in memory until the next flush, on disk from then on, readable from both by any thread."""

from __future__ import annotations

import os
import threading
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
# Pieces that are written with one call.
_AT_ONCE = 512


def _write(file: int, pieces: list[bytes]) -> int:
    if hasattr(os, "writev"):
        return os.writev(file, pieces)
    return os.write(file, b"".join(pieces))  # Windows


class Blob:
    """Append-only bytes: the newest in memory, as the pieces that came, and the rest in a file.

    One thread appends and never waits, one at a time writes, any may read.

    Attributes
    ----------
    size
        All bytes.
    written
        Those that are in the file.
    """

    def __init__(self) -> None:
        self.size = 0
        self.written = 0
        self._pieces: list[bytes] = []
        self._file: int | None = None
        self._moving = threading.Lock()  # held while pieces become part of the file, and to read

    @property
    def waiting(self) -> int:
        """Bytes that are in memory only."""
        return self.size - self.written

    @property
    def pieces(self) -> int:
        """How many pieces are in memory only."""
        return len(self._pieces)

    def attach(self, file: int, written: int = 0) -> None:
        """Use an open file (its descriptor), of which so many bytes count already."""
        self._file = file
        self.size += written - self.written
        self.written = written

    def append(self, data: bytes) -> int:
        """Append and return the offset."""
        offset = self.size
        self._pieces.append(data)
        self.size = offset + len(data)
        return offset

    def write_out(self, count: int) -> None:
        """Write the first pieces in memory to the file. One thread at a time.

        Raises
        ------
        OSError
            The file takes no more; what was not written stays in memory.
        """
        assert self._file is not None
        while count:
            pieces = self._pieces[: min(count, _AT_ONCE)]
            # Without the lock: a slow disk must not hold up whoever reads.
            written = _write(self._file, pieces)
            rest = [b"".join(pieces)[written:]] if written < sum(map(len, pieces)) else []
            with self._moving:
                self.written += written
                self._pieces[: len(pieces)] = rest
            count += len(rest) - len(pieces)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; fewer where the blob ends before."""
        with self._moving:
            on_disk = max(min(length, self.written - offset), 0)
            rest = b""
            if on_disk < length:
                start = offset + on_disk - self.written
                end = start + length - on_disk
                rest = b"".join(self._first(end))[start:end]
            if not on_disk:
                return rest
            assert self._file is not None
            if not hasattr(os, "pread"):  # Windows: one position for all, so the lock is kept
                os.lseek(self._file, offset, os.SEEK_SET)
                return os.read(self._file, on_disk) + rest
        return os.pread(self._file, on_disk, offset) + rest

    def _first(self, length: int) -> list[bytes]:
        """Return the first pieces in memory, at least so many bytes if there are."""
        pieces = []
        for piece in self._pieces:
            if length <= 0:
                break
            pieces.append(piece)
            length -= len(piece)
        return pieces


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
        self._kept = {lane: self.lanes[lane] for lane in _KEPT[keep]}

    def append(self, pcm: bytes, lane: Lane) -> AudioRef:
        kept = self._kept.get(lane)
        return AudioRef(NOT_KEPT if kept is None else kept.append(pcm), len(pcm), lane)

    def stop(self, lane: Lane) -> None:
        """Keep no more audio of a lane."""
        self._kept.pop(lane, None)

    def read(self, refs: Sequence[AudioRef]) -> bytes:
        """Return the stretches one after the other; what was not kept is left out."""
        parts = (self.lanes[ref.lane].read(ref.offset, ref.length) for ref in joined(refs) if ref.kept)
        return b"".join(parts)

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(lane.size for lane in self.lanes.values())
