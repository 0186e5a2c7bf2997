"""Our own session survives every fault: its turns end, and the next one is answered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.local.faults import KINDS
from tests.engine.desk import ScriptedBrain, ScriptedEars, ScriptedMouth, tone

ANSWER = "One two three. Four five six."
CLIP = sn.Clip(np.frombuffer(tone(1200), "<i2"), 24000)
# With the fault's defaults, what becomes of a spoken question: its status, the answer, and what was heard.
WHOLE = ("completed", ANSWER, "hello there")
OUTCOMES = {
    "handshake_status": WHOLE,
    "too_many_connections": WHOLE,
    "fast_clock": WHOLE,
    "slow_first_audio": WHOLE,
    "internal_error": WHOLE,  # asked again on a new connection
    "close": ("interrupted", "One two three.", "hello there"),
    "stall": WHOLE,
    "jitter": WHOLE,
    "transcript_only": WHOLE,
    "missing_transcript": ("completed", ANSWER, None),
    "late_transcript": WHOLE,
    "failed_transcript": ("completed", ANSWER, None),
    "duplicate_terminal": WHOLE,
    "unknown_type": WHOLE,
    "odd_types": WHOLE,
    "oversized_frame": WHOLE,
    "truncated_base64": WHOLE,
}
SHORTER = {
    "too_many_connections": "after=0,",
    "fast_clock": "factor=3600,",
    "slow_first_audio": "seconds=0.1,",
    "stall": "seconds=0.1,",
    "jitter": "seconds=0.01,",
    "late_transcript": "seconds=0.1,",
}


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(
        ears=ScriptedEars(), mouth=ScriptedMouth(), brain=ScriptedBrain(ANSWER), speed=None
    ) as engine:
        yield engine


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_turn_and_the_next(engine: LocalEngine, name: str) -> None:
    times = "" if name in ("jitter", "odd_types") else "times=1"
    fault = engine.faults.add(f"{name}:{SHORTER.get(name, '')}{times}")
    try:
        with sn.Session(engine.url, api_key=engine.key, vad=None) as s:
            turn = s.ask(CLIP).wait(timeout=30)
            after = s.ask("hi").wait(timeout=30)
            status, answer, heard = OUTCOMES[name]
            assert engine.faults.struck(fault) >= 1
            assert (turn.status, turn.transcript) == (status, answer)
            assert (after.status, after.transcript) == ("completed", ANSWER)
            if name == "late_transcript":
                assert turn.user_transcript in (heard, None)  # the answer does not wait for it
            else:
                assert (turn.user_transcript or None) == heard
            assert bool(turn.audio.duration) == (name != "transcript_only")
    finally:
        engine.faults.clear()


def test_every_fault_of_sessions_is_tried() -> None:
    assert {name for name, kind in KINDS.items() if kind.occasion != "request"} == set(OUTCOMES)
