"""Whatever a client sends, no loop dies, no event breaks the order rules, and the session answers afterwards."""

from __future__ import annotations

import logging
import struct

import pytest
from websockets.exceptions import ConnectionClosed

from stepnb.local.engine import LocalEngine
from tests.engine.client import Client
from tests.engine.fuzz import frames

FRAMES = 1500
ROUNDS = [("live", 0), ("live", 1), ("docs", 2)]


@pytest.mark.parametrize(("profile", "seed"), ROUNDS)
def test_mutated_frames(profile: str, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    with LocalEngine(profile, seed=7, speed=None) as engine, Client(engine) as client:
        for frame in frames(seed, FRAMES):
            client.socket.send(frame)
        # Everything before this has been handled, and checked by the order checker on its way in.
        last = {"turn_detection": None, "modalities": ["text"], "instructions": "The end."}
        client.send("session.update", session=last)
        client.until("session.updated", lambda event: event["session"]["instructions"] == "The end.")
        if client.order.open:
            client.send("response.cancel")
            client.until("response.done")
        assert client.ask("What is two plus two?")[-1]["response"]["status"] == "completed"
    assert not [
        record for record in caplog.records if record.name.startswith(("stepnb", "uvicorn", "asyncio"))
    ]


def test_frame_over_the_limit(engine: LocalEngine) -> None:
    with Client(engine) as client:
        # The head of a masked text frame of 25 MiB; the engine need not see more.
        client.socket.socket.sendall(struct.pack("!BBQ4x", 0x81, 0x80 | 127, 25 * 1024 * 1024))
        with pytest.raises(ConnectionClosed) as caught:
            client.receive()
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1009
    with Client(engine) as client:
        assert client.add_text("still there")
