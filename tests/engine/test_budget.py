"""A session with a budget: what runs ends, and nothing new begins."""

from __future__ import annotations

import base64
import threading
from typing import Any

import pytest

import stepnb as sn
from tests.engine.dialect import Watcher
from tests.engine.scripted import ScriptedServer, Step, created, done, message, on
from tests.engine.test_session_tools import USER, answer, call_of, output, session

TIMEOUT = 10
COSTLY = {
    "input_tokens": 20_000,
    "output_tokens": 10_000,
    "input_token_details": {"cached_tokens": 10_000},
}  # 0.82 CNY


def costly(text: str = "Done.", response: str = "r1") -> Step:
    end = done(response)
    end["response"]["usage"] = COSTLY
    return on("response.create", created(response), *message(response, f"m_{response}", text), end)


def test_a_turn_tells_what_it_cost_and_the_next_one_does_not_begin() -> None:
    with ScriptedServer(USER, costly(), USER, answer()) as server, session(server, budget="0.5 CNY") as s:
        turn = s.ask("Hello?").wait(TIMEOUT)
        assert turn.status == "completed" and turn.cost is not None and turn.cost.cny == pytest.approx(0.82)
        with pytest.raises(sn.BudgetExhausted, match=r"budget of 0\.5 CNY is used up") as caught:
            s.ask("More?")
        assert caught.value.fix and "update(budget=...)" in caught.value.fix
        with pytest.raises(sn.BudgetExhausted):
            s.append(sn.Clip.silence(0.1))
        (notice,) = s.notices
        assert "used up" in notice.text and len(s.turns) == 1
        s.update(budget="5 CNY")
        s.connect()  # done already; it only waits for the I/O thread
        assert s.ask("And now?").wait(TIMEOUT).status == "completed"


def test_questions_that_wait_for_the_slot_do_not_begin_either() -> None:
    asked = threading.Event()

    def once_all_are_asked(_: object) -> Any:
        assert asked.wait(TIMEOUT)
        return costly().then

    first_answer = Step({"type": "response.create"}, once_all_are_asked)
    with ScriptedServer(USER, first_answer) as server, session(server, budget="0.5 CNY") as s:
        first, *others = [s.ask(text) for text in ("One?", "Two?", "Three?")]
        asked.set()
        assert first.wait(TIMEOUT).status == "completed"
        for turn in others:
            assert turn.wait(TIMEOUT).status == "failed" and "used up" in str(turn.error)
    assert len(server.of("response.create")) == 1


def test_a_turn_that_calls_a_tool_is_answered_to_its_end() -> None:
    def look() -> str:
        """Look."""
        return "found"

    call = call_of(("c1", "look", "{}"))
    call.then[-1]["response"]["usage"] = COSTLY  # type: ignore[index]
    with (
        ScriptedServer(USER, call, output("c1", "found"), answer("Found.")) as server,
        session(server, look, budget="0.5 CNY") as s,
    ):
        assert s.ask("Look.").wait(TIMEOUT).transcript == "Found."
        with pytest.raises(sn.BudgetExhausted):
            s.ask("Again.")


def test_the_panel_and_its_microphone_say_so() -> None:
    frame = bytes(960)
    payload = base64.b64encode(frame).decode()
    with ScriptedServer(USER, costly()) as server, session(server, budget="0.5 CNY") as s:
        waiter = Watcher(s)
        microphone, core = s._input, s._core
        core.loop.call_soon_threadsafe(microphone.talk, True)
        s.ask("Hello?").wait(TIMEOUT)
        waiter.until(lambda: bool(s.notices))
        sent = len(server.of("input_audio_buffer.append"))
        core.loop.call_soon_threadsafe(microphone.microphone, payload, frame, 0.0)
        waiter.until(lambda: not core.mic_live)
        core.loop.call_soon_threadsafe(microphone.talk, True)
        waiter.until(lambda: len(s.notices) == 2)
        core.loop.call_soon_threadsafe(microphone.microphone, payload, frame, 0.0)
        core.loop.call_soon_threadsafe(core.asking.say, "More?")
        waiter.until(lambda: len(s.turns) == 2 and s.turns[1].status == "failed")
        assert "used up" in str(s.turns[1].error) and not core.mic_live
        audio = server.of("input_audio_buffer.append")[sent:]
        assert all(set(event["audio"]) <= {"A", "="} for event in audio), "only the silence that ends a turn"


def test_a_budget_nobody_can_keep_is_refused_at_once() -> None:
    with pytest.raises(sn.ConfigError, match="needs a currency"):
        sn.Session("ws://127.0.0.1:9", api_key="k", budget=2)


def test_the_local_engine_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    s = sn.Session("local", budget=0.01)
    assert s.cost.amount == 0 and "costs nothing" in repr(s.cost)
    s.close()
