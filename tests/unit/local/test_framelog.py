"""Frames in the log: readable, and never with audio."""

from __future__ import annotations

import base64
import json
import logging

import pytest

from stepnb.local.framelog import MAX_CHARS, FrameLog

MS_20 = base64.b64encode(bytes(960)).decode()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="stepnb.local.frames")
    return caplog


def append() -> str:
    return json.dumps({"type": "input_audio_buffer.append", "audio": MS_20})


def test_runs_of_audio_are_one_line(lines: pytest.LogCaptureFixture) -> None:
    log = FrameLog(3)
    for _ in range(7):
        log.received(append())
        log.sent(json.dumps({"type": "response.audio.delta", "delta": MS_20 * 2}))
    log.received('{"type": "response.cancel"}')
    assert lines.messages == [
        "session 3 <- (7 frames with 140 ms of audio)",
        "session 3 -> (7 frames with 280 ms of audio)",
        'session 3 <- {"type": "response.cancel"}',
    ]


def test_endless_audio_is_a_line_a_second(lines: pytest.LogCaptureFixture) -> None:
    log = FrameLog(1)
    for _ in range(120):
        log.received(append())
    assert lines.messages == ["session 1 <- (50 frames with 1000 ms of audio)"] * 2
    log.close()
    assert lines.messages[2:] == ["session 1 <- (20 frames with 400 ms of audio)"]


def test_audio_in_items_is_folded(lines: pytest.LogCaptureFixture) -> None:
    content = [{"type": "input_audio", "audio": MS_20 * 50}]
    item = {"type": "message", "role": "user", "content": content}
    FrameLog(1).received(json.dumps({"type": "conversation.item.create", "item": item}))
    (line,) = lines.messages
    assert '"audio":"(1000 ms of audio)"' in line and len(line) < 200


def test_what_is_no_event_is_shown_and_cut(lines: pytest.LogCaptureFixture) -> None:
    log = FrameLog(1)
    log.received(b"\xff\x00")
    log.received("not\nJSON")
    log.received('{"type": "session.update", "instructions": "' + "x " * 5000 + '"}')
    binary, text, long = lines.messages
    assert binary == "session 1 <- 2 bytes: b'\\xff\\x00'" and text == "session 1 <- not JSON"
    assert len(long) < MAX_CHARS + 100 and long.endswith("(10046 characters)")


def test_it_costs_nothing_when_it_is_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="stepnb.local.frames")
    log = FrameLog(1)
    log.received(append())
    log.sent("{}")
    log.close()
    assert not caplog.messages and not log._folded
