"""Better ears: Whisper, by faster-whisper, with a model on this machine.

Whisper understands far more English than the phrase book, and its multilingual models Mandarin too, for a second or
more of computing per utterance. The model is loaded from a directory, or fetched once from the Hugging Face Hub by its
size ("base.en", "small", ...).
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

import numpy as np
import soxr

from stepnb.errors import EngineError
from stepnb.local.parts import SAMPLE_RATE, Heard

_MODEL_RATE = 16_000  # Hz
_FULL_SCALE = 32768.0
_MIN_UTTERANCE_S = 0.1
_INSTALL = "Install it with: pip install faster-whisper"


class WhisperEars:
    """Recognises utterances, one at a time, the same audio always as the same text.

    Parameters
    ----------
    model
        A size such as ``"base.en"``, or the directory of a model in CTranslate2's format.
    language
        The language that is spoken, ``"en"`` or ``"zh"``; None: the model finds out.

    Raises
    ------
    EngineError
        faster-whisper is not installed, or there is no such model, or it cannot be fetched or read.
    """

    def __init__(self, model: str, *, language: str | None = None) -> None:
        try:
            import faster_whisper
        except ImportError:
            raise EngineError(
                "Whisper ears need faster-whisper, which is not installed.", fix=_INSTALL
            ) from None
        self._language = language
        try:
            self._model = faster_whisper.WhisperModel(model, device="cpu", compute_type="int8")
        except Exception as error:
            raise EngineError(
                f"The Whisper model {model!r} cannot be loaded: {str(error).rstrip('.')}.",
                fix="Name a size such as base.en (fetched once from the Hugging Face Hub) or a model's directory.",
            ) from error
        self._turn = asyncio.Lock()
        self._closed = False

    async def hear(self, pcm: bytes) -> Heard:
        """Recognise one utterance.

        Parameters
        ----------
        pcm
            PCM16LE mono 24 kHz.

        Returns
        -------
        Heard
            With case and punctuation; the confidence is the mean probability of its pieces of words.

        Raises
        ------
        EngineError
            The ears are closed, or Whisper failed.
        """
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / _FULL_SCALE
        if samples.size < _MIN_UTTERANCE_S * SAMPLE_RATE:
            return Heard("", 0.0)
        async with self._turn:
            if self._closed:
                raise EngineError("The local engine's ears are closed.")
            try:
                return await asyncio.to_thread(self._transcribe, samples)
            except (RuntimeError, ValueError) as error:
                raise EngineError(f"Whisper could not hear: {error}.") from error

    async def close(self) -> None:
        """End; an utterance that is being recognised comes first."""
        self._closed = True
        async with self._turn:
            pass

    def _transcribe(self, samples: np.ndarray[Any, np.dtype[np.float32]]) -> Heard:
        audio = soxr.resample(samples, SAMPLE_RATE, _MODEL_RATE)
        # One temperature: the default retries at others, by chance.
        segments, _ = self._model.transcribe(
            audio,
            language=self._language,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        heard = list(segments)
        text = " ".join(" ".join(segment.text for segment in heard).split())
        if not text:
            return Heard("", 0.0)
        mean = sum(segment.avg_logprob for segment in heard) / len(heard)
        return Heard(text, min(1.0, math.exp(mean)))
