"""Which stretch of the audio that was sent belongs to which turn."""

from __future__ import annotations

from collections import deque

from .record import AudioRef, joined
from .state import BYTES_PER_MS

# How much of what was sent can still be claimed by a turn: more than the longest utterance, ms.
_KEPT_MS = 180_000
# Relative times are small; anything above is an epoch, which says nothing about the stream.
_EPOCH_MS = 1e11


class InputStream:
    """The audio sent so far on this connection, by its place in the stream (bytes)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A new connection: the service counts from zero again."""
        self._chunks: deque[tuple[int, AudioRef, int]] = deque()  # place, audio, when it was sent (ns)
        self._end = 0
        self._open_from = 0
        self._speech_from: int | None = None

    @property
    def open_ms(self) -> float:
        """Audio sent since speech began, or since the last commit or clear, ms."""
        return (self._end - self._begin) / BYTES_PER_MS

    @property
    def _begin(self) -> int:
        return self._open_from if self._speech_from is None else self._speech_from

    def append(self, audio: AudioRef, t: int) -> None:
        self._chunks.append((self._end, audio, t))
        self._end += audio.length
        while self._chunks and self._chunks[0][0] < self._end - _KEPT_MS * BYTES_PER_MS:
            self._chunks.popleft()

    def sent_at(self, end_ms: int | None = None) -> int | None:
        """Return when the sample at a place in the stream was sent, ns; without a place, the last one."""
        end = self._position(end_ms)
        return next((t for position, _, t in reversed(self._chunks) if position < end), None)

    def clear(self) -> None:
        self._open_from = self._end
        self._speech_from = None

    def take(self) -> list[AudioRef]:
        """Return everything since speech began, or since the last commit or clear, and begin anew."""
        refs = self._between(self._begin, self._end)
        self.clear()
        return refs

    def speech_started(self, start_ms: int | None) -> None:
        """The service heard speech start; its own time is used where it fits the stream."""
        self._speech_from = self._position(start_ms)

    def speech_stopped(self, end_ms: int | None) -> list[AudioRef]:
        """Return the audio of the speech that stopped now."""
        start = self._end if self._speech_from is None else self._speech_from
        self.clear()
        return self._between(start, self._position(end_ms))

    def _position(self, ms: int | None) -> int:
        if ms is None or not 0 <= ms < _EPOCH_MS:
            return self._end
        return min(ms * BYTES_PER_MS, self._end)

    def _between(self, start: int, end: int) -> list[AudioRef]:
        refs = []
        for position, audio, _ in self._chunks:
            first, last = max(start - position, 0), min(end - position, audio.length)
            if first < last:
                refs.append(audio.part(first, last))
        return joined(refs)
