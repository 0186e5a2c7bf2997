"""`SpeechGuard`: short noises do not interrupt an answer. Pure."""

from __future__ import annotations

FRAME_MS = 20
# Quiet for so long, ms, ends what had begun to sound like speech, and later the speech itself.
_QUIET_MS = 240

Frame = tuple[str, bytes]
"""A microphone frame of 20 ms: base64 text, and the PCM16 it stands for."""


class SpeechGuard:
    """Holds sound back while an answer plays, until there has been enough of it to be speech.

    The service interrupts on whatever is louder than its threshold. Held sound goes out whole once it has lasted, so
    that no word is lost; a cough is replaced by silence of the same length, because the service counts samples.

    Attributes
    ----------
    min_ms
        How much sound it takes, ms; 0 lets everything pass at once.
    """

    def __init__(self) -> None:
        self.min_ms = 0
        self._held: list[Frame] = []
        self._loud_ms = 0
        self._quiet_ms = 0
        self._open = False

    def push(
        self, frame: Frame, rms: float, threshold: float, silence: Frame, *, playing: bool
    ) -> list[Frame]:
        """Take in a frame and return what is to be sent now.

        Parameters
        ----------
        rms, threshold
            The frame's level, and the level from which on the service takes sound for speech; RMS in int16 units.
        silence
            A silent frame.
        playing
            Whether an answer plays.
        """
        if self.min_ms == 0 or not playing:
            return [*self.let_go(), frame]
        loud = rms >= threshold
        self._quiet_ms = 0 if loud else self._quiet_ms + FRAME_MS
        if self._open or not (self._held or loud):
            self._open = self._open and self._quiet_ms < _QUIET_MS
            return [frame]
        self._held.append(frame)
        self._loud_ms += FRAME_MS if loud else 0
        if self._loud_ms >= self.min_ms:
            ready = self.let_go()
            self._open = True
            return ready
        if self._quiet_ms >= _QUIET_MS:
            return [silence for _ in self.let_go()]
        return []

    def let_go(self) -> list[Frame]:
        """Return what is held, and begin anew."""
        ready, self._held = self._held, []
        self._loud_ms = self._quiet_ms = 0
        self._open = False
        return ready
