"""The mouth: espeak-ng, one fresh child process per sentence.

In one process the same text sounds different each time; a fresh process gives the same samples bit for bit. The voices
are settings of one formant synthesizer: they differ audibly and fit their catalogue descriptions in pitch, pace and
liveliness, but they do not resemble the service's voices.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os

import numpy as np
import soxr
from numpy.typing import NDArray

from stepnb.errors import EngineError
from stepnb.local.child import Child, ChildFailed
from stepnb.local.parts import SAMPLE_RATE, VoiceSettings

logger = logging.getLogger("stepnb.local")

MAX_TEXT = 2000  # characters in one call, about two minutes of speech
START_TIMEOUT_S = 10.0
SPEAK_TIMEOUT_S = 20.0
ATTEMPTS = 2


class EspeakMouth:
    """Speaks English and Mandarin; a text that mixes them is spoken run by run.

    Parameters
    ----------
    processes
        How many sentences may be spoken at the same time; the others wait. None: one per processor.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._slots = asyncio.Semaphore(processes or os.cpu_count() or 1)
        self._closed = False

    async def speak(self, text: str, voice: VoiceSettings) -> bytes:
        """Speak one sentence.

        Parameters
        ----------
        text
            At most 2000 characters.
        voice
            How to sound.

        Returns
        -------
        bytes
            PCM16LE mono 24 kHz; empty when there is nothing to pronounce.

        Raises
        ------
        EngineError
            The text is too long, the mouth is closed, or the speech engine failed twice.
        """
        if self._closed:
            raise EngineError("The local engine's mouth is closed.")
        if len(text) > MAX_TEXT:
            raise EngineError(
                f"The local engine speaks at most {MAX_TEXT} characters at once, not {len(text)}.",
                fix="Send the text sentence by sentence.",
            )
        async with self._slots:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return await self._speak_once(text, voice)
                except ChildFailed as error:
                    logger.warning("mouth, attempt %d of %d: %s", attempt, ATTEMPTS, error)
                    failure = error
        raise EngineError(f"The local engine could not speak: {failure}.")

    async def close(self) -> None:
        """Refuse further sentences. Running ones end with their call: no process outlives it."""
        self._closed = True

    async def _speak_once(self, text: str, voice: VoiceSettings) -> bytes:
        child = await Child.start("mouth", timeout_s=START_TIMEOUT_S)
        try:
            header, pcm = await child.call(
                dataclasses.asdict(voice), text.encode(), timeout_s=SPEAK_TIMEOUT_S
            )
        finally:
            await child.end()
        return _to_24k(pcm, header["rate"])


def _to_24k(pcm: bytes, rate: int) -> bytes:
    """PCM16LE at ``rate`` Hz to PCM16LE at 24 kHz."""
    # In float and rounded here: soxr dithers int16 output from a seed of its own, which would not be deterministic.
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if not samples.size:
        return b""
    resampled = soxr.resample(samples, rate, SAMPLE_RATE)
    rounded: NDArray[np.int16] = np.clip(np.rint(resampled), -32768, 32767).astype("<i2")
    return rounded.tobytes()
