"""A session that speaks first: once, in the way that works live, and never over the person."""

from __future__ import annotations

from typing import Any

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.recording.recording import Recording
from stepnb.widgets.rows import rows_of
from tests.engine.dialect import Watcher, refusal
from tests.engine.scripted import ScriptedServer, Step, created, done, message, on
from tests.engine.test_session_tools import USER, answer, session

TIMEOUT = 30
GREETING = Step(USER.expects | {"event_id": "t1.item"})


def speech(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"input_audio_buffer.{kind}", "item_id": "u1", **more}


def test_it_opens_the_conversation_with_a_message_that_says_what_it_is() -> None:
    with ScriptedServer(GREETING, answer("Welcome!")) as server, session(server, greeting="Welcome!") as s:
        assert not server.received, "making a session sends nothing"
        s.connect()
        (turn,) = s.turns
        assert turn.wait(TIMEOUT).transcript == "Welcome!"
        assert turn.kind == "greeting" and turn.user is None and turn.user_transcript is None
        (row,) = rows_of(s.conversation, s.conversation.turns[1])
        assert row["who"] == "step" and row["text"] == "Welcome!"
        assert "You" not in turn._repr_html_() and "Note of" not in turn._repr_html_()
    (item,) = server.of("conversation.item.create")
    (part,) = item["item"]["content"]
    assert part["text"].startswith("[Note of the application") and part["text"].endswith("Welcome!")
    assert server.of("response.create")[0]["response"] == {"modalities": ["text", "audio"]}


def test_it_comes_before_the_question_that_connects() -> None:
    steps = (
        GREETING,
        answer("Welcome!", "r1"),
        Step(USER.expects | {"event_id": "t2.item"}),
        answer("Four.", "r2"),
    )
    with ScriptedServer(*steps) as server, session(server, greeting="Welcome!") as s:
        turn = s.ask("Two plus two?").wait(TIMEOUT)
        assert turn.id == 2 and turn.transcript == "Four."
        assert [t.transcript for t in s.turns] == ["Welcome!", "Four."]


def test_it_is_not_said_again_after_a_reconnect_but_told() -> None:
    told = (
        USER,
        on("conversation.item.create", item={"role": "assistant", "content": [{"text": "Welcome!"}]}),
    )
    with (
        ScriptedServer(GREETING, answer("Welcome!", "r1"), *told, USER, answer("Yes.", "r2")) as server,
        session(server, greeting="Welcome!") as s,
    ):
        waiter = Watcher(s)
        s.connect()
        s.turns[0].wait(TIMEOUT)
        server.close(1011)
        waiter.until(lambda: s.restored is not None and s.status.state == "ready")
        assert s.ask("Still there?").wait(TIMEOUT).transcript == "Yes." and len(s.turns) == 2


def test_one_that_had_no_answer_is_asked_for_again() -> None:
    lost = on("response.create", created("r1"))
    with (
        ScriptedServer(GREETING, lost, GREETING, answer("Welcome!", "r2")) as server,
        session(server, greeting="W") as s,
    ):
        s.connect()
        server.reached(2)
        server.close(1011)
        assert s.turns[0].wait(TIMEOUT).transcript == "Welcome!" and s.turns[0].finish_reason == "stop"


@pytest.mark.parametrize("first", ["the refusal", "the created response"])
def test_a_person_who_speaks_at_once_goes_first(first: str) -> None:
    """The automatic response takes the slot while the greeting's request is on its way."""
    auto = [created("auto"), *message("auto", "m0", "Yes?"), done("auto")]
    refused = refusal("ongoing response already exists", "t1.create")
    heard = [
        speech("speech_started", audio_start_ms=0),
        speech("speech_stopped", audio_end_ms=9),
        speech("committed"),
    ]
    begun = [*heard, *([refused, *auto] if first == "the refusal" else [*auto[:1], refused, *auto[1:]])]
    steps = (
        GREETING,
        on("response.create", *begun),
        on("response.cancel", refusal("no ongoing response to cancel")),
    )
    with ScriptedServer(*steps, USER, answer("Here.")) as server, session(server, greeting="Welcome!") as s:
        waiter = Watcher(s)
        s.connect()
        waiter.until(lambda: len(s.turns) == 2 and s.turns[1].status != "pending")
        assert s.turns[0].wait(TIMEOUT).status == "interrupted" and s.turns[0].transcript == ""
        server.reached(3)
        assert s.ask("Are you there?").wait(TIMEOUT).transcript == "Here."
    assert len(server.of("response.create")) == 2, "the greeting is not asked for again"


def test_a_greeting_that_waits_is_left_out_when_the_person_speaks() -> None:
    def hear(update: Any) -> Any:
        yield speech("speech_started", audio_start_ms=0)
        yield {"type": "session.updated", "session": update["session"]}

    with (
        ScriptedServer(Step({"type": "session.update"}, hear), settings=False) as server,
        session(server, greeting="Welcome!") as s,
    ):
        waiter = Watcher(s)
        s.connect()
        waiter.until(lambda: s.status.state == "listening")
        assert not server.of("response.create")
        server.send(
            speech("speech_stopped", audio_end_ms=9),
            created("auto"),
            *message("auto", "m0", "Yes?"),
            done("auto"),
        )
        waiter.until(
            lambda: any(turn.transcript == "Yes?" and turn.status == "completed" for turn in s.turns)
        )
        assert next(turn for turn in s.turns if turn.kind == "greeting").status == "interrupted"
    assert not server.of("response.create")


def test_with_the_local_engine_and_in_its_recording(engine: LocalEngine, tmp_path: Any) -> None:
    with sn.Session(engine.url, api_key=engine.key, greeting="Good morning, this is the bakery.") as s:
        question = s.ask("What is two plus two?").wait(TIMEOUT)
        assert s.turns[0].transcript == "Good morning, this is the bakery." and s.turns[0].audio.duration > 1
        assert "4" in question.transcript
        path = s.save(tmp_path / "greeting.stepnb")
    with Recording.load(path).replay() as again:
        assert again.ask("What is two plus two?").wait(TIMEOUT).transcript == question.transcript
        assert [turn.transcript for turn in again.turns] == [s.turns[0].transcript, question.transcript]


def test_it_is_said_when_the_second_attempt_to_connect_succeeds(engine: LocalEngine) -> None:
    with LocalEngine(seed=3, speed=None) as first:
        port, key = int(first.url.rsplit(":", 1)[1].split("/")[0]), first.key
    with sn.Session(first.url, api_key=key, greeting="Welcome!") as s:
        with pytest.raises(sn.Unreachable):
            s.ask("Are you there?").wait(TIMEOUT)
        with LocalEngine(seed=3, speed=None, port=port, api_key=key):
            assert s.ask("Hello").wait(TIMEOUT).status == "completed"
            assert [turn.transcript for turn in s.turns if turn.kind == "greeting" and not turn.error] == [
                "Welcome!"
            ]


@pytest.mark.parametrize("greeting", [7, ["Hello"]])
def test_a_wrong_greeting_is_named(greeting: Any) -> None:
    with pytest.raises(sn.ConfigError, match="greeting"):
        sn.Session("ws://127.0.0.1:9", api_key="k", greeting=greeting)
