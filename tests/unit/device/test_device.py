"""`SoundDevice` where PortAudio takes its time: what is opened after nobody waits any more is closed again."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import stepnb as sn
from stepnb.device.device import SoundDevice
from stepnb.service.loop import io_thread


class Stream:
    """A stream of PortAudio, which no real one can be made to open late."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_what_opens_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, streams = threading.Event(), (Stream(), Stream())

    def slow(*_: Any) -> tuple[Stream, Stream]:
        assert go_on.wait(10)
        return streams

    monkeypatch.setattr(SoundDevice, "_open", slow)

    async def given_up(device: SoundDevice) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(device.start(None, None), 0.05)

    with sn.Session("ws://127.0.0.1:9/v1/realtime", api_key="none") as session:
        io_thread.submit(given_up(SoundDevice(session._core, session._input))).result(10)
        go_on.set()
        for stream in streams:
            assert stream.closed.wait(10)
        assert session._input.owner.name is None
