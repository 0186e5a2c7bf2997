"""Sounds of the browser tests: made, spoken and measured."""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

RATE = 48_000
LEVEL = 100.0
"""RMS (int16 units) above which there is sound; a null sink without sound carries exact zeros."""
FRAME_S = 0.001


@dataclass(frozen=True)
class Sound:
    """Mono sound, and when it was in the air.

    Parameters
    ----------
    samples
        (n,) int16.
    rate
        Hz.
    start
        When the first sample was heard, s; 0 for sound that is not a recording.
    """

    samples: NDArray[np.int16]
    rate: int = RATE
    start: float = 0.0

    @property
    def duration(self) -> float:
        """Length, s."""
        return len(self.samples) / self.rate

    @property
    def rms(self) -> float:
        """Root mean square of the whole, int16 units; 0 when empty."""
        return (
            float(np.sqrt(np.mean(np.square(self.samples, dtype=np.float64)))) if len(self.samples) else 0.0
        )

    def envelope(self) -> NDArray[np.float64]:
        """RMS of each 1 ms frame: (frames,) float64, int16 units; an incomplete last frame is left out."""
        whole = self.samples[: len(self.samples) // self._frame * self._frame].reshape(-1, self._frame)
        return np.sqrt(np.mean(np.square(whole, dtype=np.float64), axis=1))

    def onset(self, *, after: float = 0.0, level: float = LEVEL) -> float | None:
        """When sound first begins at or after a moment, s; None if it does not."""
        span = self.span(after=after, level=level)
        return span[0] if span else None

    def silent_from(self, *, after: float = 0.0, hold_ms: float = 30, level: float = LEVEL) -> float | None:
        """The first moment from which it stays silent for `hold_ms`, s; None if there is none.

        Speech has pauses of its own: to tell a pause from the end, hold longer than a pause.
        """
        first = self._first_frame(after)
        silent = self.envelope()[first:] < level
        frames = max(1, round(hold_ms / 1000 * self.rate / self._frame))
        if len(silent) < frames:
            return None
        held = np.flatnonzero(np.convolve(silent, np.ones(frames), "valid") >= frames - 0.5)
        return self._time(first + int(held[0])) if len(held) else None

    def span(self, *, after: float = 0.0, level: float = LEVEL) -> tuple[float, float] | None:
        """When sound begins and ends for good, s; None if there is none. Pauses between count as part of it."""
        active = np.flatnonzero(self._active(after, level))
        return (self._time(int(active[0])), self._time(int(active[-1]) + 1)) if len(active) else None

    def active_seconds(self, *, after: float = 0.0, level: float = LEVEL) -> float:
        """How long there was sound, pauses left out, s."""
        return int(np.count_nonzero(self._active(after, level))) * self._frame / self.rate

    def dominant_hz(self) -> float:
        """Frequency of the strongest partial, Hz, interpolated between the bins of the spectrum."""
        power = np.log(np.abs(np.fft.rfft(self.samples * np.hanning(len(self.samples)))) + 1e-9)
        peak = int(np.clip(np.argmax(power), 1, len(power) - 2))
        below, at, above = power[peak - 1 : peak + 2]
        return float(
            (peak + (below - above) / (2 * (below - 2 * at + above))) * self.rate / len(self.samples)
        )

    def save(self, path: Path) -> None:
        """Write a WAV file, for a person to listen to."""
        sf.write(path, self.samples, self.rate)

    @property
    def _frame(self) -> int:
        return max(1, round(self.rate * FRAME_S))

    def _time(self, frame: int) -> float:
        return self.start + frame * self._frame / self.rate

    def _first_frame(self, after: float) -> int:
        return max(0, int(np.ceil((after - self.start) * self.rate / self._frame - 1e-6)))

    def _active(self, after: float, level: float) -> NDArray[np.bool_]:
        active = self.envelope() >= level
        active[: self._first_frame(after)] = False
        return active


def tone(hz: float, seconds: float, *, level: float = 5000) -> Sound:
    """A sine of the given RMS (int16 units)."""
    phase = 2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE
    return Sound(np.round(level * np.sqrt(2) * np.sin(phase)).astype(np.int16))


def silence(seconds: float) -> Sound:
    """Nothing, for so long."""
    return Sound(np.zeros(round(seconds * RATE), np.int16))


def espeak(text: str, voice: str = "en-us+f3") -> Sound:
    """Speech from the espeak-ng program: a person for the engine to listen to."""
    done = subprocess.run(
        ["espeak-ng", "-v", voice, "--stdout", text], capture_output=True, check=True, timeout=20
    )
    # espeak-ng cannot seek back in a pipe to write the length: the header's sizes are placeholders.
    raw = bytearray(done.stdout)
    raw[4:8] = (len(raw) - 8).to_bytes(4, "little")
    data = raw.index(b"data")
    raw[data + 4 : data + 8] = (len(raw) - data - 8).to_bytes(4, "little")
    samples, rate = sf.read(io.BytesIO(raw), dtype="int16")
    return Sound(samples, rate)
