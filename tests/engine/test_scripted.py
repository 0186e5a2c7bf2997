"""The scripted server is strict: it has to fail what is not as written."""

from __future__ import annotations

import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.engine.scripted import Event, ScriptedServer, Step, on

CLEAR: Event = {"type": "input_audio_buffer.clear"}
COMMIT: Event = {"type": "input_audio_buffer.commit"}
HELLO: Event = {
    "type": "conversation.item.create",
    "item": {"content": [{"type": "input_text", "text": "Hello"}]},
}


def play(steps: list[Step], *events: Event) -> list[str]:
    """Send events to a scripted server; return the types of what it sent."""
    came = []
    server = ScriptedServer(*steps)
    with server, connect(server.url, proxy=None) as socket, contextlib.suppress(ConnectionClosed):
        for event in events:
            socket.send(json.dumps(event))
        socket.send(json.dumps({"type": "session.update", "session": {}}))  # its echo is the last thing sent
        while not came or came[-1] != "session.updated":
            came.append(json.loads(socket.recv(10))["type"])
    return came


def test_what_is_expected_triggers_its_events() -> None:
    steps = [
        on(COMMIT["type"], {"type": "a"}, {"type": "b"}),
        Step(CLEAR, lambda event: [{"type": event["type"]}]),
    ]
    came = play(steps, {"type": "input_audio_buffer.append"}, COMMIT, CLEAR)
    assert came == ["session.created", "a", "b", CLEAR["type"], "session.updated"]


def test_what_is_expected_may_hold_more() -> None:
    play([on(HELLO["type"], item={"content": [{"text": "Hello"}]})], HELLO)


@pytest.mark.parametrize(
    ("steps", "events", "said"),
    [
        ([on(COMMIT["type"])], [CLEAR], r"got \{'type': 'input_audio_buffer.clear'\}"),
        ([on(CLEAR["type"])], [CLEAR, CLEAR], "expected nothing more"),
        ([on(HELLO["type"], item={"content": [{"text": "Hullo"}]})], [HELLO], "Hullo"),
        ([on(HELLO["type"], item={"content": []})], [HELLO], "expected"),
        ([on(COMMIT["type"])], [], "1 steps were never reached"),
    ],
    ids=["another", "one more", "another field", "another length", "too few"],
)
def test_anything_else_fails(steps: list[Step], events: list[Event], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        play(steps, *events)
