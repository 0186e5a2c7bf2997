"""Somebody with a microphone, as a page or a device is one to the session."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pybase64

import stepnb as sn
from stepnb.service.loop import io_thread
from stepnb.session.audio_input import FRAME_BYTES

TIMEOUT = 30


class Person:
    """Somebody who speaks faster than real time."""

    def __init__(self, session: sn.Session) -> None:
        self._input, self._loop = session._input, session._core.loop

    def talk(self, on: bool) -> None:
        self._loop.call_soon_threadsafe(self._input.talk, on)

    def say(self, pcm: bytes) -> None:
        for start in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
            frame = pcm[start : start + FRAME_BYTES]
            rms = float(np.sqrt(np.mean(np.frombuffer(frame, np.int16).astype(float) ** 2)))
            payload = pybase64.b64encode_as_string(frame)
            self._loop.call_soon_threadsafe(self._input.microphone, payload, frame, rms)

    def sent(self) -> None:
        """Wait until what was said is on its way; there is a connection."""
        io_thread.submit(asyncio.sleep(0)).result(TIMEOUT)
        assert not self._input._pre_roll


def answered(session: sn.Session, *heard: str | None) -> None:
    """There are as many turns, each was heard so, None: not at all, and they have ended."""
    done = threading.Semaphore(0)
    session.on("response.done", lambda _: done.release())
    while len(session.turns) < len(heard):
        assert done.acquire(timeout=TIMEOUT), [record.kind for record in session.events]
    assert [turn.wait(TIMEOUT).user_transcript for turn in session.turns] == list(heard)
