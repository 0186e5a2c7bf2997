"""The frames of a session in the log, with audio folded: what a person can follow while it happens."""

from __future__ import annotations

import logging
import re

import msgspec

from stepnb.audio.pcm import BYTES_PER_MS

logger = logging.getLogger("stepnb.local.frames")

FOLDED_MS = 1000
"""Audio that one line stands for at most, ms."""

MAX_CHARS = 2000
"""Of one frame."""

_AUDIO = {"input_audio_buffer.append", "response.audio.delta"}
_BASE64 = re.compile(r'"(audio|delta)":\s*"([A-Za-z0-9+/]{100,}={0,2})"')


class _Head(msgspec.Struct):
    """What decides how a frame is logged."""

    type: str
    audio: str = ""
    delta: str = ""


_decoder = msgspec.json.Decoder(_Head)


class FrameLog:
    """Writes the frames of one session to the log ``stepnb.local.frames``, if that is switched on.

    Parameters
    ----------
    session
        The session's number.
    """

    def __init__(self, session: int) -> None:
        self._session = session
        self._folded: dict[str, tuple[int, int]] = {}  # by arrow: frames and bytes of audio not logged yet

    def received(self, frame: str | bytes) -> None:
        """Log a frame from the client."""
        self._log("<-", frame)

    def sent(self, frame: str) -> None:
        """Log a frame to the client."""
        self._log("->", frame)

    def close(self) -> None:
        """Log what is still folded."""
        for arrow in list(self._folded):
            self._unfold(arrow)

    def _log(self, arrow: str, frame: str | bytes) -> None:
        if not logger.isEnabledFor(logging.DEBUG):
            return
        try:
            head = _decoder.decode(frame)
        except (msgspec.DecodeError, ValueError, RecursionError):
            head = _Head(type="")
        if head.type in _AUDIO:
            frames, size = self._folded.get(arrow, (0, 0))
            self._folded[arrow] = frames + 1, size + _size(head.audio or head.delta)
            if self._folded[arrow][1] >= FOLDED_MS * BYTES_PER_MS:
                self._unfold(arrow)
            return
        self.close()
        text = frame if isinstance(frame, str) else f"{len(frame)} bytes: {frame[:MAX_CHARS]!r}"
        text = _BASE64.sub(
            lambda match: f'"{match[1]}":"({_size(match[2]) // BYTES_PER_MS} ms of audio)"', text
        )
        cut = text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}... ({len(text)} characters)"
        logger.debug("session %d %s %s", self._session, arrow, cut.replace("\n", " "))

    def _unfold(self, arrow: str) -> None:
        frames, size = self._folded.pop(arrow)
        ms = size // BYTES_PER_MS
        logger.debug("session %d %s (%d frames with %d ms of audio)", self._session, arrow, frames, ms)


def _size(base64: str) -> int:
    """Return how many bytes a base64 text stands for."""
    return len(base64) * 3 // 4 - base64[-2:].count("=")
