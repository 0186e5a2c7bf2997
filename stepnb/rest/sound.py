"""Sound as the service sends it."""

from __future__ import annotations

from ..audio.clip import Clip
from ..errors import AudioError

# How the containers begin that the service knows; its documents disagree on which of them a preview is in.
_MAGIC = (b"RIFF", b"fLaC", b"OggS", b"ID3")


def decoded(data: bytes) -> Clip:
    """Decode what the service sent, whatever container it is in.

    Raises
    ------
    AudioError
        It is not audio, or broken.
    """
    mpeg = len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0
    if not data.startswith(_MAGIC) and not mpeg:
        raise AudioError(
            f"The service sent {len(data)} bytes that are not WAV, FLAC, OGG or MP3.", fix="Try again."
        )
    return Clip.load(data)
