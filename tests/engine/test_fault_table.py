"""A fault proxy between a session and an engine: what the user sees of each fault, and what was lost.

Every fault meets the second of three questions. What is asserted is what was observed, and so is the table that is
printed at the end of the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.local.parts import VoiceSettings
from stepnb.session import connection
from tests.engine.desk import ScriptedBrain, ScriptedEars, ScriptedMouth
from tests.engine.proxy import Proxy
from tests.engine.states import States

TIMEOUT = 30
ANSWER = "One two three four. Five six seven eight. Nine ten eleven twelve."
MS_PER_WORD = 100
WORDS = ANSWER.split()
QUESTIONS = ("First question", "Second question", "Third question")


class CountingMouth(ScriptedMouth):
    """Speaks samples that tell where they belong: 1, 2, 3 ... over all sentences of an answer."""

    async def speak(self, text: str, voice: VoiceSettings) -> bytes:
        first = WORDS.index(text.split()[0]) * MS_PER_WORD * 24
        return np.arange(first + 1, first + 1 + len(text.split()) * MS_PER_WORD * 24, dtype="<i2").tobytes()


@dataclass(frozen=True)
class Fault:
    """``strike`` happens before the answer or in the middle of it; the rest is what has to be seen of it."""

    name: str
    strike: Callable[[Proxy], object]
    during: bool
    states: tuple[str, ...]
    turn: str
    notice: str
    lost: str


def _stall(proxy: Proxy, seconds: float) -> None:
    proxy.stall()
    threading.Timer(seconds, proxy.flow).start()


def _garbled(proxy: Proxy) -> None:
    proxy.message("{]")


def _garbage(proxy: Proxy) -> None:
    proxy.garbage(b"\xff" * 64)


BACK = "Connected again"
REST = "the answer from word {n} on"
AGAIN = ("reconnecting", "ready")
FAULTS = [
    Fault("none", lambda proxy: None, True, (), "completed", "", "nothing"),
    Fault("cut before the answer", Proxy.cut, False, AGAIN, "completed", BACK, "nothing"),
    Fault("cut in the answer", Proxy.cut, True, AGAIN, "interrupted", BACK, REST),
    Fault("stall of half a second", lambda proxy: _stall(proxy, 0.5), True, (), "completed", "", "nothing"),
    Fault(
        "stall of more than a ping", lambda proxy: _stall(proxy, 4), True, AGAIN, "interrupted", BACK, REST
    ),
    Fault("half-open before the answer", Proxy.half_open, False, AGAIN, "completed", BACK, "nothing"),
    Fault("half-open in the answer", Proxy.half_open, True, AGAIN, "interrupted", BACK, REST),
    Fault("slow: 100 kB/s", lambda proxy: proxy.slow(100_000), False, (), "completed", "", "nothing"),
    Fault("messages out of order", Proxy.reorder, True, (), "completed", "", "the order of the sound"),
    Fault("a garbled message", _garbled, True, (), "completed", "cannot be understood", "nothing"),
    Fault("bytes of garbage", _garbage, True, AGAIN, "interrupted", BACK, REST),
]


@pytest.fixture(scope="module")
def brain() -> ScriptedBrain:
    return ScriptedBrain(ANSWER)


@pytest.fixture(scope="module")
def engine(brain: ScriptedBrain) -> Iterator[LocalEngine]:
    with LocalEngine(ears=ScriptedEars(), mouth=CountingMouth(), brain=brain, speed=2.0) as engine:
        yield engine


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_survived_and_what_it_costs_is_known(
    fault: Fault,
    engine: LocalEngine,
    brain: ScriptedBrain,
    monkeypatch: pytest.MonkeyPatch,
    table: Callable[..., None],
) -> None:
    monkeypatch.setattr(connection, "PING_INTERVAL", 0.5)
    monkeypatch.setattr(connection, "PING_TIMEOUT", 2.0)
    with Proxy(engine.url) as proxy, sn.Session(proxy.url, api_key=engine.key) as session:
        begun = threading.Event()
        whole = session.ask(QUESTIONS[0]).wait(TIMEOUT).audio.samples
        states = States(session)
        before = len(session.notices)
        if fault.during:
            session.on("response.audio.delta", lambda _: begun.set())
            turn = session.ask(QUESTIONS[1])
            assert begun.wait(TIMEOUT)
            fault.strike(proxy)
        else:
            fault.strike(proxy)
            turn = session.ask(QUESTIONS[1])
        turn.wait(TIMEOUT)
        last = session.ask(QUESTIONS[2]).wait(TIMEOUT)
        notices = [notice.text for notice in session.notices[before:]]
        lost = _lost(turn, whole)
        told = " ".join(str(message) for message in brain.requests[-1].history)
        seen = [state for state in states.seen if state in ("reconnecting", "ready", "failed")]
        seen = [
            state for n, state in enumerate(seen) if "reconnecting" in seen[: n + 1] and seen[n - 1] != state
        ]

    table(
        "faults between a session and the service",
        {
            "fault": fault.name,
            "status": " → ".join(seen) or "unchanged",
            "notice": "; ".join(notices).split(":")[0] or "none",
            "turn": turn.status,
            "lost": lost,
        },
    )
    assert turn.status == fault.turn
    assert tuple(seen) == fault.states
    assert [fault.notice in notice for notice in notices] == [True] * bool(fault.notice)
    assert lost == fault.lost.format(n=len(turn.transcript.split()) + 1)
    # The session goes on as before, and the service knows what was said.
    assert (last.status, last.transcript) == ("completed", ANSWER)
    assert all(question in told for question in QUESTIONS)
    sound = [f"the sound of {n} message{'s' * (n > 1)} (the words are told)" for n in (1, 2)]
    assert session.restored == (None if not fault.states else [sound[fault.turn == "interrupted"]])


def _lost(turn: sn.Turn, whole: NDArray[np.int16]) -> str:
    """Return in words what of an answer did not arrive as it was sent."""
    said, samples = turn.transcript.split(), turn.audio.samples
    if said != WORDS:
        assert said == WORDS[: len(said)], "the text is not the beginning of the answer"
        np.testing.assert_array_equal(samples, whole[: len(samples)])
        return f"the answer from word {len(said) + 1} on"
    np.testing.assert_array_equal(np.sort(samples), np.sort(whole))  # every sample once
    return "nothing" if np.array_equal(samples, whole) else "the order of the sound"
