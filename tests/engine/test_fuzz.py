"""Whatever a client sends, no loop dies, no event breaks the order rules, and the session answers afterwards."""

from __future__ import annotations

import json
import logging
import random
import struct

import pytest
from websockets.exceptions import ConnectionClosed

from stepnb.local.engine import LocalEngine
from tests.engine.client import VAD, Client, b64, silence

FRAMES = 1500
ROUNDS = 3

TONE = b"".join(int(6000 * (-1) ** (n // 60)).to_bytes(2, "little", signed=True) for n in range(24 * 200))


def templates() -> list[dict[str, object]]:
    user = {"type": "message", "role": "user"}
    return [
        {
            "type": "session.update",
            "session": {"instructions": "Be brief.", "turn_detection": VAD, "tools": []},
        },
        {"type": "session.update", "session": {"turn_detection": None, "modalities": ["text"]}},
        {"type": "input_audio_buffer.append", "audio": b64(TONE)},
        {"type": "input_audio_buffer.append", "audio": b64(silence(700))},
        {"type": "input_audio_buffer.commit"},
        {"type": "input_audio_buffer.clear"},
        {
            "type": "conversation.item.create",
            "item": {**user, "content": [{"type": "input_text", "text": "Hello"}]},
        },
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "c", "output": "1"},
        },
        {"type": "conversation.item.delete", "item_id": "x"},
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 10},
        {"type": "response.create", "response": {"modalities": ["text"]}},
        {"type": "response.create"},
        {"type": "response.cancel"},
    ]


def odd_value(chance: random.Random) -> object:
    values: list[object] = [
        None,
        True,
        -1,
        10**20,
        1.5,
        "",
        "x" * 5000,
        "\u0000\ud7ff",
        [],
        {},
        [[[]]],
        {"type": {}},
    ]
    return chance.choice(values)


def spoil(value: object, chance: random.Random) -> object:
    """Change one thing somewhere inside."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        if chance.random() < 0.15:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: spoil(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        return [*value[:place], spoil(value[place], chance), *value[place + 1 :]]
    return odd_value(chance)


def frames(seed: int) -> list[str | bytes]:
    chance = random.Random(seed)
    made: list[str | bytes] = []
    for _ in range(FRAMES):
        body: object = chance.choice(templates())
        if chance.random() < 0.6:
            body = spoil(body, chance)
        text = json.dumps(body)
        if chance.random() < 0.1:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice(["", "}", '"', "\\", "\u4f60", "[" * 200]) + text[place + 1 :]
        made.append(text.encode() if chance.random() < 0.05 else text)
    return made


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_mutated_frames(engine: LocalEngine, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    with Client(engine) as client:
        for frame in frames(seed):
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
