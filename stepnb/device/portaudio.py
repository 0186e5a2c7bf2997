"""PortAudio, through sounddevice: where it is found, how streams are opened, and what is said when they are not."""

from __future__ import annotations

from typing import Any

from ..audio.pcm import RATE
from ..errors import AudioError, MissingLibrary
from ..optional import library
from ..session.audio_input import FRAME_BYTES

FRAME = FRAME_BYTES // 2
STREAM = {"samplerate": RATE, "channels": 1, "dtype": "int16", "blocksize": FRAME, "latency": "low"}


def sounddevice() -> Any:
    """Return the library.

    Raises
    ------
    MissingLibrary
        It, or the PortAudio library it stands on, is missing.
    """
    try:
        return library("sounddevice", "The kernel's own sound device", "device")
    except OSError as error:
        raise MissingLibrary(
            "The PortAudio library is missing.", fix="On Debian and Ubuntu: apt install libportaudio2"
        ) from error


def cannot_open(error: Exception, choose: str) -> AudioError:
    """Return what is to be raised for an error of PortAudio; choose: how to take another device."""
    return AudioError(
        f"The sound device cannot be opened: {error}.",
        fix=f"Choose another, which python -m sounddevice lists: {choose}. It has to "
        "take 24 kHz, as those of PulseAudio, PipeWire, Core Audio and MME do.",
    )
