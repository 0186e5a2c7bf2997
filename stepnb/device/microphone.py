"""`Microphone`: that of the kernel's machine alone, for a recording."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..audio.pcm import RATE
from .portaudio import FRAME, STREAM, cannot_open, sounddevice
from .ring import Ring

# What it holds while nobody reads, s.
HELD = 2


class Microphone:
    """The system's microphone, at 24 kHz. Opening and closing may take a while: not on a loop.

    Attributes
    ----------
    lost
        Samples for which there was no room, because nobody read.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._ring = Ring(HELD * RATE)
        self._stream: Any = None
        self._closed = False
        self._opening = threading.Lock()

    def open(self) -> None:
        """Begin to listen, unless it was closed meanwhile.

        Raises
        ------
        MissingLibrary
            sounddevice, or the PortAudio library it stands on, is missing.
        AudioError
            There is no microphone, or it cannot be opened.
        """
        sd = sounddevice()
        with contextlib.ExitStack() as opened:
            try:
                stream = sd.InputStream(callback=self._on_samples, **STREAM)
                opened.callback(stream.close)
                stream.start()
            except (sd.PortAudioError, ValueError) as error:
                raise cannot_open(error, "as the system's default microphone") from error
            with self._opening:
                if not self._closed:
                    self._stream = stream
                    opened.pop_all()

    @property
    def active(self) -> bool:
        """Whether it listens; not when it was unplugged."""
        return self._stream is not None and bool(self._stream.active)

    def read(self) -> NDArray[np.int16]:
        """Return what has come, (n,) samples, in whole frames of 20 ms."""
        samples = np.empty(self._ring.waiting // FRAME * FRAME, np.int16)
        self._ring.read(samples)
        return samples

    def close(self) -> None:
        """Give it back. Closing twice does nothing."""
        with self._opening:
            self._closed = True
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _on_samples(self, samples: Any, frames: int, _: Any, __: Any) -> None:
        self.lost += frames - self._ring.write(samples[:, 0])
