"""The kernel machine's own microphone and loudspeaker, through PortAudio and a real sound server; no browser."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser._panel import LONG, QUESTION, soon
from tests.browser._sound import Mouth, Recorder

# It answers questions about its session, a line each.
PROGRAM = """
import json, sys, stepnb as sn
s = sn.Session("local").connect()
try:
    device = s.use_device()
    print(json.dumps(repr(device)), flush=True)
except sn.StepnbError as error:
    print(json.dumps([type(error).__name__, str(error)]), flush=True)
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
s.close()
"""


class Program:
    """A script with a session on the sound device."""

    def __init__(self, environment: dict[str, str]) -> None:
        clean = {name: value for name, value in environment.items() if not name.startswith("STEP")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=clean,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.said = self._read()

    def __call__(self, expression: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(expression + "\n")
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it, as a script ends; it must."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            assert self._process.wait(30) == 0
        finally:
            self._process.kill()
            self._process.stdout.close()


@pytest.fixture
def program(device_environment: dict[str, str]) -> Iterator[Program]:
    program = Program(device_environment)
    yield program
    program.close()


def test_it_hears_answers_and_is_interrupted(
    program: Program, mouth: Mouth, ear: Recorder, figure: Callable[[str], None]
) -> None:
    assert program.said.endswith("open)"), program.said
    begun, ended = mouth.say(QUESTION).wait()
    answered = ear.wait_for_sound(after=begun)
    assert answered > ended, "the answer comes after the question"
    turn = (
        "(lambda t: [t.status, t.user_transcript, t.heard_ms, t.audio.duration * 1000])(s.turns[-1].wait(40))"
    )
    soon(
        lambda: bool(program("(s.turns[-1].heard_ms or 0) >= 999 * s.turns[-1].audio.duration")),
        "it was heard",
        40,
    )
    status, said, heard, lasted = program(turn)
    assert status == "completed" and "joke" in said
    assert heard == pytest.approx(lasted, rel=0.01)
    assert ear.since(begun).active_seconds() > 0.5
    figure(f"device: silence before the answer {(answered - ended) * 1000:.0f} ms")

    asked = time.monotonic()
    program(f"s.ask({LONG!r}).id")
    first = ear.wait_for_sound(after=asked)
    _, spoken = mouth.say(QUESTION).wait()
    soon(lambda: program("s.turns[1].status") == "interrupted", "it was interrupted")
    # Up to where it fell silent; then the joke.
    silent = ear.wait_for_silence(after=first, hold_ms=200)
    heard, lasted, unheard = program(
        "(lambda t: [t.heard_ms, t.audio.duration * 1000, t.unheard])(s.turns[1])"
    )
    assert 0 < heard < lasted and unheard
    assert heard == pytest.approx((silent - first) * 1000, abs=150)
    assert silent < spoken + 1
    soon(lambda: program("len(s.turns)") == 3, "what was said is a turn of its own")
    figure(f"device: heard {heard:.0f} ms by its playhead, {(silent - first) * 1000:.0f} ms at the ear")

    # The panel's page, or another device, takes over: this one ends.
    program("device.close()")
    soon(lambda: str(program("repr(device)")).endswith("closed)"), "it closes")
    assert program("s._input.owner.name") is None
    program("s.use_device() and None")
    assert program("s._input.owner.place") == "device"


def test_without_a_device_it_says_what_to_do(device_environment: dict[str, str]) -> None:
    program = Program({**device_environment, "PULSE_SERVER": "unix:/nowhere"})
    try:
        name, text = program.said
        assert name == "AudioError" and "s.use_device(input, output)" in text
        assert program("s._input.owner.name") is None
    finally:
        program.close()
