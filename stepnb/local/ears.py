"""The ears: pocketsphinx in a child process.

They hear the English of the phrase book (``data/phrasebook.toml``); other words come out as the nearest ones it has.
Mandarin speech is not recognised. ``tests/bench/ears_wer.py`` prints the word error rate on synthetic speech without
noise; a real room and a real accent do worse than its figures.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray

from stepnb.errors import EngineError
from stepnb.local.child import Child, ChildFailed
from stepnb.local.parts import SAMPLE_RATE, Heard

logger = logging.getLogger("stepnb.local")

T = TypeVar("T")

RECOGNIZER_RATE = 16_000  # Hz
MIN_UTTERANCE_S = 0.1
MAX_UTTERANCE_S = 60.0
START_TIMEOUT_S = 30.0
HEAR_TIMEOUT_S = 10.0  # and one second for every second of the utterance
ATTEMPTS = 2

_FRAME = RECOGNIZER_RATE // 100
_SPEECH_DB = -30.0  # quieter than this, measured from its loud parts, is not speech
_MARGIN_S = (
    0.25  # of what was recorded before and after the speech: soft consonants are quieter than the limit
)
_PAUSE_S = 0.25
_LEVEL = 2000.0  # RMS of the speech, int16 units
_NOISE_DB = -28.0

_PITCH_HZ = (60, 400)
_WINDOW = RECOGNIZER_RATE * 32 // 1000  # two periods of the deepest voice
_PERIODIC = 0.7  # of a frame's power returns after one period; 0.2 to 0.3 of noise
_VOICED_DB = -25.0
_VOICED_FRAMES = 5  # of 10 ms; the least that was found is 9, in "stop" and "six"


class SphinxEars:
    """Recognises English utterances, one at a time, the same audio always as the same text.

    Parameters
    ----------
    model
        ``"phrasebook"``, or ``"general"`` for pocketsphinx's own model of English: more words, many more errors.
    """

    def __init__(self, model: Literal["phrasebook", "general"] = "phrasebook") -> None:
        self._model = model
        self._child: Child | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Start the recogniser now, so that the first `hear` need not wait for it.

        Raises
        ------
        EngineError
            It cannot be started.
        """
        async with self._turn:
            await self._with_child(_no_request)

    async def hear(self, pcm: bytes) -> Heard:
        """Recognise one utterance.

        Parameters
        ----------
        pcm
            PCM16LE mono 24 kHz, at most 60 s.

        Returns
        -------
        Heard
            With an empty text when nothing was recognised.

        Raises
        ------
        EngineError
            The utterance is too long or no audio, the ears are closed, or the recogniser failed twice.
        """
        if len(pcm) % 2:
            raise EngineError(f"{len(pcm)} bytes are no 16-bit samples.", fix="Send whole PCM16 samples.")
        seconds = len(pcm) / 2 / SAMPLE_RATE
        if seconds > MAX_UTTERANCE_S:
            raise EngineError(
                f"The local engine hears at most {MAX_UTTERANCE_S:g} s at once, not {seconds:.1f} s.",
                fix="Speak in shorter turns.",
            )
        if self._closed:
            raise _closed()
        if seconds < MIN_UTTERANCE_S or not has_voice(pcm):
            return Heard("", 0.0)
        body = condition(pcm)

        async def request(child: Child) -> Heard:
            header, _ = await child.call({}, body, timeout_s=HEAR_TIMEOUT_S + seconds)
            return Heard(header["text"], header["confidence"])

        async with self._turn:
            return await self._with_child(request)

    async def close(self) -> None:
        """End the child process; an utterance that is being recognised comes first."""
        self._closed = True
        async with self._turn:
            await self._drop_child()

    async def _with_child(self, request: Callable[[Child], Awaitable[T]]) -> T:
        """Run a request on the child; a broken child is replaced once."""
        failure: ChildFailed | None = None
        for attempt in range(1, ATTEMPTS + 1):
            if self._closed:
                raise _closed()
            try:
                # A cancelled request leaves a child that is out of step behind.
                if self._child is not None and not self._child.usable:
                    await self._drop_child()
                if self._child is None:
                    self._child = await Child.start("ears", self._model, timeout_s=START_TIMEOUT_S)
                return await request(self._child)
            except ChildFailed as error:
                logger.warning("ears, attempt %d of %d: %s", attempt, ATTEMPTS, error)
                failure = error
                await self._drop_child()
        raise EngineError(f"The local engine could not hear: {failure}.")

    async def _drop_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.end()


def _closed() -> EngineError:
    return EngineError("The local engine's ears are closed.")


async def _no_request(child: Child) -> None:
    """`Child.start` has waited until it is ready."""


def condition(pcm: bytes) -> bytes:
    """Make an utterance fit for the recogniser.

    Parameters
    ----------
    pcm
        PCM16LE mono 24 kHz.

    Returns
    -------
    bytes
        PCM16LE mono 16 kHz: the speech at a level of its own, with half a second around it however long the silence
        was in which it came, and a noise floor 28 dB below it. The recogniser takes the mean spectrum of the whole
        utterance for that of the speaker, so silence must not change it; and it was trained on rooms and reads digital
        silence as something that was said.
    """
    recorded = _at_recognizer_rate(pcm)
    begin, end = _speech_span(recorded)
    rms = float(np.sqrt(np.mean(np.square(recorded[begin:end])))) or 1.0
    margin, pause = int(_MARGIN_S * RECOGNIZER_RATE), int(_PAUSE_S * RECOGNIZER_RATE)
    before, after = min(begin, margin), min(recorded.size - end, margin)
    kept = recorded[begin - before : end + after] * (_LEVEL / rms)
    padded = np.pad(kept, (pause + margin - before, pause + margin - after))
    # The same noise every time: the same audio must be heard as the same text.
    noise = np.random.default_rng(0).normal(0.0, _LEVEL * 10 ** (_NOISE_DB / 20), padded.size)
    return np.clip(np.rint(padded + noise), -32768, 32767).astype("<i2").tobytes()


def has_voice(pcm: bytes) -> bool:
    """Tell whether there is a voice in an utterance: it has a pitch, which noise, knocks and coughs have not.

    The recogniser would find a word for them. Tones pass, and whispering does not.

    Parameters
    ----------
    pcm
        PCM16LE mono 24 kHz, at least 0.1 s.
    """
    recorded = _at_recognizer_rate(pcm)
    begin, end = _speech_span(recorded)
    speech = recorded[begin:end]
    if speech.size < _WINDOW:
        speech = np.pad(speech, (0, _WINDOW - speech.size))
    shape = np.hanning(_WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(speech, _WINDOW)[::_FRAME] * shape
    power = np.mean(np.square(frames), axis=1)
    frames = frames[power > power.max() * 10 ** (_VOICED_DB / 10)]  # not the hum between the words
    # A window's own autocorrelation falls with the lag, and the frames' with it.
    falling = _autocorrelation(shape[None])[0]
    shortest, longest = (RECOGNIZER_RATE // hz for hz in reversed(_PITCH_HZ))
    voiced = 0
    for start in range(0, len(frames), 100):  # a second at a time: the first usually decides
        found = _autocorrelation(frames[start : start + 100])
        returned = (found / falling)[:, shortest:longest].max(axis=1)
        voiced += int(np.count_nonzero(returned > _PERIODIC * found[:, 0] / falling[0]))
        if voiced >= _VOICED_FRAMES:
            return True
    return False


def _autocorrelation(frames: NDArray[np.floating]) -> NDArray[np.floating]:
    spectrum = np.fft.rfft(frames, 2 * _WINDOW)
    return np.fft.irfft(np.abs(spectrum) ** 2)[:, :_WINDOW]


def _at_recognizer_rate(pcm: bytes) -> NDArray[np.float32]:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    resampled: NDArray[np.float32] = soxr.resample(samples, SAMPLE_RATE, RECOGNIZER_RATE)
    return resampled


def _speech_span(samples: NDArray[np.float32]) -> tuple[int, int]:
    """Find where the first and the last sound as loud as speech begins and ends, in samples; silence is all speech."""
    frames = samples[: samples.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    # Over 30 ms: a deep voice has less than one period in a frame.
    power = np.convolve(np.mean(np.square(frames), axis=1), np.full(3, 1 / 3), "same")
    loud = np.flatnonzero(power > np.percentile(power, 95) * 10 ** (_SPEECH_DB / 10))
    return (int(loud[0]) * _FRAME, (int(loud[-1]) + 1) * _FRAME) if loud.size else (0, samples.size)
