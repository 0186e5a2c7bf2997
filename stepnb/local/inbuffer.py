"""The input audio buffer of a session: what was appended, cut into utterances by the energy VAD. Pure and bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stepnb.audio.pcm import BYTES_PER_MS
from stepnb.audio.vad import EnergyVAD, SpeechStarted
from stepnb.local.parts import VAD
from stepnb.local.refusals import COMMIT_WITH_VAD, NO_SPEECH, NOTHING_APPENDED, Refused, invalid_value
from stepnb.protocol.config import ServerVAD

MAX_APPEND = 15 * 1024 * 1024
"""Bytes of audio in one append event, 5.4 minutes."""

MAX_BUFFER = 32 * 1024 * 1024
"""Bytes of audio kept, 11.6 minutes."""

MIN_COMMIT_MS = 1000
"""Shorter recordings are refused by the service as holding no speech."""

# What push-to-talk takes for sound at all: frames with an RMS of 200, -44 dB of full scale. Not the VAD's threshold,
# which is a setting that push-to-talk does not have.
_AUDIBLE = 200
_BYTES_PER_SAMPLE = 2
# The VAD needs a few loud frames to decide, so the prefix padding reaches back from before now.
_DECISION_MS = 200


@dataclass(frozen=True, slots=True)
class UtteranceBegan:
    """Speech began at `at_ms` of all audio appended in this session."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """Speech ended at `at_ms`; `pcm` is the utterance, PCM16LE mono 24 kHz."""

    at_ms: int
    pcm: bytes


class InputBuffer:
    """Audio on its way in; starts as push-to-talk.

    Parameters
    ----------
    make_vad
        Makes the turn detection from its three parameters.
    """

    def __init__(self, make_vad: Callable[..., VAD] = EnergyVAD) -> None:
        self._make_vad = make_vad
        self._pcm = bytearray()
        self._dropped = 0  # bytes before _pcm[0] in this session
        self._vad: VAD | None = None
        self._vad_origin = 0  # where the VAD's sample clock began, in bytes of this session
        self._padding_ms = 0
        self._utterance: int | None = None  # where the one in progress began, in bytes of this session

    def set_vad(self, vad: ServerVAD | None) -> None:
        """Switch turn detection or change its parameters.

        Switched on, it begins with the next audio; switched off, what was buffered can be committed.
        """
        if vad is None:
            self._vad = None
            self._utterance = None
            return
        self._padding_ms = vad.prefix_padding_ms
        parameters = {
            "prefix_padding_ms": vad.prefix_padding_ms,
            "silence_duration_ms": vad.silence_duration_ms,
            "energy_awakeness_threshold": vad.energy_awakeness_threshold,
        }
        if self._vad is not None:
            self._vad.update(**parameters)
        else:
            self._drop(len(self._pcm))
            self._vad = self._make_vad(**parameters)
            self._vad_origin = self._dropped

    def append(self, pcm: bytes) -> list[UtteranceBegan | UtteranceEnded]:
        """Take audio in.

        Parameters
        ----------
        pcm
            PCM16LE mono 24 kHz.

        Returns
        -------
        list of UtteranceBegan and UtteranceEnded
            What the VAD made of it, in order; empty for push-to-talk.

        Raises
        ------
        Refused
            It is too much at once, or push-to-talk has filled the buffer.
        """
        if len(pcm) > MAX_APPEND:
            raise invalid_value("the audio of one append event is over 15 MB", "audio")
        if self._vad is None:
            if len(self._pcm) + len(pcm) > MAX_BUFFER:
                raise Refused("the input audio buffer is full: commit or clear it", code="buffer_full")
            self._pcm += pcm
            return []
        self._pcm += pcm
        found: list[UtteranceBegan | UtteranceEnded] = []
        for event in self._vad.feed(pcm):
            if isinstance(event, SpeechStarted):
                self._utterance = self._place(event.start)
                found.append(UtteranceBegan(self._utterance // BYTES_PER_MS))
            elif self._utterance is not None:
                end = self._place(event.end)
                # The beginning of a very long utterance may be gone.
                start = max(self._utterance - self._dropped, 0)
                found.append(
                    UtteranceEnded(end // BYTES_PER_MS, bytes(self._pcm[start : end - self._dropped]))
                )
                self._drop(end - self._dropped)
                self._utterance = None
        keep = MAX_BUFFER if self._utterance is not None else (self._padding_ms + _DECISION_MS) * BYTES_PER_MS
        self._drop(len(self._pcm) - keep)
        return found

    def clear(self) -> None:
        """Forget everything that was appended, an utterance in progress included."""
        self._drop(len(self._pcm))
        self._utterance = None
        if self._vad is not None:
            self._vad.clear()

    def commit(self) -> bytes:
        """Hand the audio over and start anew.

        Returns
        -------
        bytes
            PCM16LE mono 24 kHz, at least one second.

        Raises
        ------
        Refused
            The VAD is on, nothing was appended, or it is too short or too quiet to be speech. The last empties the
            buffer.
        """
        if self._vad is not None:
            raise Refused(COMMIT_WITH_VAD)
        if not self._pcm:
            raise Refused(NOTHING_APPENDED)
        pcm = bytes(self._pcm)
        self._drop(len(pcm))
        if len(pcm) < MIN_COMMIT_MS * BYTES_PER_MS or not _audible(pcm):
            raise Refused(NO_SPEECH)
        return pcm

    def __len__(self) -> int:
        """Bytes kept."""
        return len(self._pcm)

    def _place(self, sample: int) -> int:
        return self._vad_origin + sample * _BYTES_PER_SAMPLE

    def _drop(self, count: int) -> None:
        if count > 0:
            del self._pcm[:count]
            self._dropped += count


def _audible(pcm: bytes) -> bool:
    return bool(EnergyVAD(energy_awakeness_threshold=_AUDIBLE).feed(pcm))
