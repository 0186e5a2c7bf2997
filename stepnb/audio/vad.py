"""The energy VAD: finds speech by loudness, on a clock of samples.

The local engine uses it on live audio, and analysis to ask "what if the threshold were 1200?". It takes the
service's three parameters. Their meaning is assumed, because the service does not publish it: a frame is loud
when the RMS of its 20 ms of int16 samples is above ``energy_awakeness_threshold``. It hears loudness and
nothing else, so steady noise above the threshold is speech to it.

Speech starts with `MIN_SPEECH_FRAMES` loud frames in a row, so that a click or key stroke does not start it.
It stops when ``silence_duration_ms`` have passed since the last loud frame. There is no hysteresis: the
threshold that wakes is the threshold that keeps awake, and ``silence_duration_ms`` alone bridges the quiet
sounds inside speech.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepnb.audio.pcm import RATE
from stepnb.errors import AudioError

FRAME_MS = 20
FRAME = RATE * FRAME_MS // 1000
"""Samples per frame, 480."""

MIN_SPEECH_FRAMES = 3
"""Loud frames in a row that start speech: 60 ms, longer than a click, shorter than a short word's vowel."""

MAX_MS = 60_000
"""No padding and no silence is longer than a minute."""

MAX_THRESHOLD = 5000
"""The service's range for ``energy_awakeness_threshold`` is 0 to this."""

_SAMPLES_PER_MS = RATE // 1000
_FRAME_BYTES = 2 * FRAME


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began.

    Attributes
    ----------
    start
        Where the utterance begins, prefix padding included, in samples of all audio fed.
    onset
        Where its first loud frame begins, in samples.
    """

    start: int
    onset: int

    @property
    def audio_start_ms(self) -> int:
        """`start` in ms, as ``input_audio_buffer.speech_started`` gives it."""
        return self.start // _SAMPLES_PER_MS


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Speech ended.

    Attributes
    ----------
    end
        Where the utterance ends, the silence that ended it included, in samples of all audio fed.
    offset
        Where its last loud frame ends, in samples.
    """

    end: int
    offset: int

    @property
    def audio_end_ms(self) -> int:
        """`end` in ms, as ``input_audio_buffer.speech_stopped`` gives it."""
        return self.end // _SAMPLES_PER_MS


SpeechEvent = SpeechStarted | SpeechStopped


class EnergyVAD:
    """Voice activity detection by frame energy.

    The events depend on the audio alone, not on how it is cut into chunks. Not for several threads at once.

    Parameters
    ----------
    prefix_padding_ms
        Audio kept before the first loud frame, 0 to 60000 ms; never reaches back into the utterance before.
    silence_duration_ms
        Silence that ends an utterance, 0 to 60000 ms, in effect rounded up to whole 20 ms frames.
    energy_awakeness_threshold
        RMS of 20 ms of int16 samples above which a frame is loud, 0 to 5000.

    Raises
    ------
    AudioError
        A parameter is out of range.
    """

    def __init__(
        self,
        *,
        prefix_padding_ms: int = 500,
        silence_duration_ms: int = 500,
        energy_awakeness_threshold: int = 2500,
    ) -> None:
        self._taken = 0  # samples in whole frames already judged
        self._rest = b""  # less than a frame, waiting for more
        self._floor = 0  # an utterance cannot begin before this sample
        self._loud_run = 0  # loud frames in a row, up to now
        self._offset = 0  # end of the last loud frame of the utterance
        self._speaking = False
        self.update(
            prefix_padding_ms=prefix_padding_ms,
            silence_duration_ms=silence_duration_ms,
            energy_awakeness_threshold=energy_awakeness_threshold,
        )

    def update(
        self,
        *,
        prefix_padding_ms: int | None = None,
        silence_duration_ms: int | None = None,
        energy_awakeness_threshold: int | None = None,
    ) -> None:
        """Change parameters from the next frame on; what is left out stays, also speech in progress.

        Raises
        ------
        AudioError
            A parameter is out of range; none is changed then.
        """
        prefix = _checked("prefix_padding_ms", prefix_padding_ms, MAX_MS)
        silence = _checked("silence_duration_ms", silence_duration_ms, MAX_MS)
        threshold = _checked("energy_awakeness_threshold", energy_awakeness_threshold, MAX_THRESHOLD)
        if prefix is not None:
            self._prefix = prefix * _SAMPLES_PER_MS
        if silence is not None:
            self._silence = silence * _SAMPLES_PER_MS
        if threshold is not None:
            self._threshold = threshold

    @property
    def clock(self) -> int:
        """Samples fed so far."""
        return self._taken + len(self._rest) // 2

    @property
    def speaking(self) -> bool:
        """Whether speech has started and not stopped."""
        return self._speaking

    def feed(self, pcm: bytes) -> list[SpeechEvent]:
        """Take audio in and tell what it started and stopped.

        Parameters
        ----------
        pcm
            PCM16LE mono 24 kHz, any number of bytes; part of a frame waits for the next call.

        Returns
        -------
        list of SpeechStarted and SpeechStopped
            In order of time; starts and stops alternate over all calls.
        """
        data = self._rest + pcm
        frames = len(data) // _FRAME_BYTES
        self._rest = data[frames * _FRAME_BYTES :]
        samples = np.frombuffer(data, dtype="<i2", count=frames * FRAME)
        events = (self._judge(is_loud) for is_loud in self._find_loud(samples))
        return [event for event in events if event is not None]

    def clear(self) -> None:
        """Forget the utterance in progress and what could pad the next one; the clock runs on."""
        self._floor = self.clock
        self._loud_run = 0
        self._speaking = False

    def _find_loud(self, samples: NDArray[np.int16]) -> list[bool]:
        """Tell of every frame whether it is loud; called once for each frame, in order."""
        loud: list[bool] = (frame_energy(samples, FRAME) > self._threshold**2 * FRAME).tolist()
        return loud

    def _judge(self, is_loud: bool) -> SpeechEvent | None:
        """Take one frame in."""
        self._taken += FRAME
        if is_loud:
            self._loud_run += 1
            self._offset = self._taken
            if self._speaking or self._loud_run < MIN_SPEECH_FRAMES:
                return None
            self._speaking = True
            # A frame that `clear` fell into counts from there.
            onset = max(self._taken - self._loud_run * FRAME, self._floor)
            return SpeechStarted(start=max(onset - self._prefix, self._floor), onset=onset)
        self._loud_run = 0
        if not self._speaking or self._taken - self._offset < self._silence:
            return None
        self._speaking = False
        self._floor = self._taken
        return SpeechStopped(end=self._taken, offset=self._offset)


def decide(
    energy: NDArray[np.int64], *, prefix_padding_ms: int, silence_duration_ms: int, threshold: float
) -> list[SpeechEvent]:
    """Judge a whole recording whose frames have been measured, as `EnergyVAD` would have.

    Parameters
    ----------
    energy
        (n,) of frames of `FRAME` samples, from `frame_energy`.
    prefix_padding_ms, silence_duration_ms
        As in `EnergyVAD`.
    threshold
        RMS in int16 units above which a frame is loud; any number, so that it can be scaled.

    Returns
    -------
    list of SpeechStarted and SpeechStopped
        What `EnergyVAD.feed` would have returned.
    """
    detector = EnergyVAD(prefix_padding_ms=prefix_padding_ms, silence_duration_ms=silence_duration_ms)
    events = (detector._judge(is_loud) for is_loud in (energy > threshold**2 * FRAME).tolist())
    return [event for event in events if event is not None]


def frame_energy(samples: NDArray[np.int16], size: int) -> NDArray[np.int64]:
    """Sum the squares of every whole frame of `size` samples.

    Parameters
    ----------
    samples
        (n,) int16.
    size
        Samples per frame.

    Returns
    -------
    (n // size,) int64
        Exact, so that the result does not depend on how the samples are cut.
    """
    frames = samples[: samples.size - samples.size % size].reshape(-1, size)
    energy: NDArray[np.int64] = np.einsum("ij,ij->i", frames, frames, dtype=np.int64)
    return energy


def _checked(name: str, value: int | None, most: int) -> int | None:
    """Check one parameter: a whole number from 0 to `most`."""
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number <= most:
        raise AudioError(f"{name} is {value!r}, but must be a whole number from 0 to {most}.")
    return number
