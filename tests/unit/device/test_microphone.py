"""`Microphone` where PortAudio takes its time; a real one is recorded with in the browser's tests."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from stepnb.device import microphone as module
from stepnb.device.microphone import HELD, Microphone
from stepnb.device.portaudio import FRAME
from stepnb.errors import AudioError


class Stream:
    """A stream of PortAudio, which no real one can be made to open late."""

    active = True

    def __init__(self, library: Library, callback: Any) -> None:
        self.library, self.callback = library, callback
        self.closed = False

    def start(self) -> None:
        self.library.starting.set()
        assert self.library.go_on.wait(10)
        if self.library.broken:
            raise self.library.PortAudioError("Device unavailable")

    def close(self) -> None:
        self.closed = True


class Library:
    PortAudioError = OSError

    def __init__(self) -> None:
        self.starting, self.go_on = threading.Event(), threading.Event()
        self.broken = False
        self.streams: list[Stream] = []

    def InputStream(self, *, callback: Any, **_: Any) -> Stream:  # noqa: N802 - PortAudio's name
        self.streams.append(Stream(self, callback))
        return self.streams[-1]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setattr(module, "sounddevice", lambda: library)
    return library


def test_whole_frames_come_out_in_order(library: Library) -> None:
    library.go_on.set()
    microphone = Microphone()
    microphone.open()
    (stream,) = library.streams
    assert microphone.active
    count = FRAME * 5 // 2
    stream.callback(np.arange(count, dtype=np.int16)[:, None], count, None, None)
    assert list(microphone.read()) == list(range(2 * FRAME))
    stream.callback(np.arange(count, count + FRAME // 2, dtype=np.int16)[:, None], FRAME // 2, None, None)
    assert list(microphone.read()) == list(range(2 * FRAME, 3 * FRAME))
    assert microphone.lost == 0
    for _ in range(HELD * 50 + 10):  # nobody reads
        stream.callback(np.zeros((FRAME, 1), np.int16), FRAME, None, None)
    assert len(microphone.read()) == HELD * 50 * FRAME
    assert microphone.lost == 10 * FRAME
    microphone.close()
    microphone.close()
    assert stream.closed and not microphone.active


def test_what_opens_too_late_is_closed(library: Library) -> None:
    microphone = Microphone()
    opening = threading.Thread(target=microphone.open)
    opening.start()
    assert library.starting.wait(10)
    microphone.close()
    library.go_on.set()
    opening.join(10)
    assert library.streams[0].closed and not microphone.active


def test_what_cannot_start_is_closed(library: Library) -> None:
    library.broken = True
    library.go_on.set()
    with pytest.raises(AudioError, match="Device unavailable") as raised:
        Microphone().open()
    assert library.streams[0].closed
    assert "default microphone" in (raised.value.fix or "")
