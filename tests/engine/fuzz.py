"""Frames of a client that has gone mad: documented events in random order, most of them spoiled somewhere."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from tests.engine.client import VAD, b64, silence
from tests.engine.watch import EVENTS

TONE = b"".join(int(6000 * (-1) ** (n // 60)).to_bytes(2, "little", signed=True) for n in range(24 * 200))
_USER = {"type": "message", "role": "user"}

TEMPLATES: list[dict[str, Any]] = [
    *(spec["example"] for spec in EVENTS if spec["direction"] == "client"),
    {"type": "session.update", "session": {"instructions": "Be brief.", "turn_detection": VAD, "tools": []}},
    {"type": "session.update", "session": {"turn_detection": None, "modalities": ["text"]}},
    {"type": "input_audio_buffer.append", "audio": b64(TONE)},
    {"type": "input_audio_buffer.append", "audio": b64(silence(700))},
    {
        "type": "conversation.item.create",
        "item": {**_USER, "content": [{"type": "input_audio", "audio": b64(TONE)}]},
    },
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "c", "output": "1"},
    },
    {"type": "response.create", "response": {"modalities": ["text"]}},
]
"""What is spoiled: the documentation's examples, and what makes things happen."""

_ODD: list[Any] = [
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
_SPOILT = ["", "}", '"', "\\", "\u4f60", "[" * 200]


def frames(seed: int, count: int) -> list[str | bytes]:
    """Make frames; the same seed makes the same."""
    chance = random.Random(seed)
    made: list[str | bytes] = []
    for _ in range(count):
        body: Any = copy.deepcopy(chance.choice(TEMPLATES))
        if chance.random() < 0.6:
            body = _spoil(body, chance)
        text = json.dumps(body)
        if chance.random() < 0.1:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice(_SPOILT) + text[place + 1 :]
        made.append(text.encode() if chance.random() < 0.05 else text)
    return made


def _spoil(value: Any, chance: random.Random) -> Any:
    """Change one thing somewhere inside."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        if chance.random() < 0.15:
            return {name: inner for name, inner in value.items() if name != key}
        return {**value, key: _spoil(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        return [*value[:place], _spoil(value[place], chance), *value[place + 1 :]]
    return chance.choice(_ODD)
