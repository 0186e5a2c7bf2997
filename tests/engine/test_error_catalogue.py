"""The service's error messages (protocol notes, section 10): what a session makes of each.

Every test names its entry, by the words that tell it apart; the last one makes sure that none is left out.
"""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

import pytest

import stepnb as sn
from stepnb.conversation.reducer import Conversation
from stepnb.errors import ServiceError
from stepnb.protocol.events import ErrorInfo
from stepnb.protocol.faults import Fault, classify
from tests.engine.dialect import Watcher, echo, refusal, settings
from tests.engine.scripted import Event, ScriptedServer, Step, created, done, message, on
from tests.engine.test_session_tools import USER, answer, session

CATALOGUE = {
    "no ongoing response to cancel",
    "ongoing response already exists",
    "commit when server vad",
    "no speech found",
    "append is not called",
    "voice ... is not valid",
    "item.role must be user or assistant",
    "item.type must be message or function_call_output",
    "cannot find previous item",
    "continue_final_message",
    "invalid event format",
    "invalid_param",
    "invalid_value",
    "engine / internal error",
}

COMMIT = on("input_audio_buffer.commit", event_id="t1.commit")
CLEAR = on("input_audio_buffer.clear")


def refused(text: str, *then: Step, at: str = "t1.create", **more: Any) -> tuple[sn.Turn, sn.Session]:
    """A turn of which one event is refused, and another one that is answered: the session goes on."""
    step = Step(USER.expects, (refusal(text, at, **more),)) if at == "t1.item" else USER
    create = on("response.create", *([] if at == "t1.item" else [refusal(text, at, **more)]))
    with ScriptedServer(step, create, *then) as server, session(server) as s:
        turn = s.ask("Hello?").wait(timeout=10)
        if then:
            assert s.ask("Still there?").wait(timeout=10).status == "completed"
    assert turn.status == "failed" and isinstance(turn.error, ServiceError) and text in str(turn.error)
    return turn, s


@pytest.mark.parametrize("words", ["No ongoing response to cancel", "there is no active response"])
def test_a_cancel_that_comes_too_late(words: str) -> None:
    """Entry "no ongoing response to cancel": usual, since an answer is sent faster than it plays; nobody is told."""
    begun = [created("r1"), *message("r1", "m1", "Once upon")[:4]]
    cancel = on("response.cancel", done("r1"), refusal(words))
    with (
        ScriptedServer(USER, on("response.create", *begun), cancel, USER, answer()) as server,
        session(server) as s,
    ):
        waiter = Watcher(s)
        turn = s.ask("Tell me a story.")
        waiter.until(lambda: turn.transcript == "Once upon")
        s.interrupt()
        assert turn.wait(timeout=10).status == "interrupted"
        assert s.ask("Go on.").wait(timeout=10).status == "completed"
        assert not s.notices


def test_a_response_that_is_there_already() -> None:
    """Entry "ongoing response already exists": the request waits for the end of the other and is sent again."""
    taken = refusal("ongoing response already exists", "t1.create")
    other = [created("auto"), taken, *message("auto", "m0", "Hm?"), done("auto")]
    with ScriptedServer(USER, on("response.create", *other), answer("Here.")) as server, session(server) as s:
        turn = s.ask("Hello?").wait(timeout=10)
        assert turn.status == "completed" and turn.transcript == "Here."
        assert [t.transcript for t in s.turns] == ["Here.", "Hm?"] and not s.notices
    assert len(server.of("response.create")) == 2 and len(server.of("conversation.item.create")) == 1


def push_to_talk(words: str, *ends: Event) -> tuple[sn.Turn, sn.Session]:
    """Speak with push-to-talk; the commit is refused. Then ask something that is answered."""
    refuse = Step(COMMIT.expects, (refusal(words, "t1.commit"),))
    ack = {"type": "conversation.item.created", "item": {"id": "u2", "type": "message", "role": "user"}}
    steps = (CLEAR, refuse, on("response.create", *ends), Step(USER.expects, (ack,)), answer("Yes."))
    with ScriptedServer(*steps) as server, session(server, vad=None) as s:
        turn = s.append(sn.Clip.silence(0.02)).wait(timeout=10)
        after = s.ask("Still there?").wait(timeout=20)
        assert after.transcript == "Yes." and s.conversation.turns[2].item == "u2"
    return turn, s


@pytest.mark.parametrize("words", ["can not commit when server vad is on"])
def test_a_commit_under_vad(words: str) -> None:
    """Entry "commit when server vad": the service commits by itself; the answer that was asked for decides."""
    turn, s = push_to_talk(words, created("r1"), *message("r1", "m1", "Hm?"), done("r1"))
    assert turn.status == "completed" and not s.notices


def test_an_empty_buffer() -> None:
    """Entry "append is not called": nothing is lost; the answer that was asked for decides."""
    turn, s = push_to_talk("append is not called", refusal("continue_final_message is set", "t1.create"))
    assert turn.status == "failed" and "Say or write something first" in str(turn.error) and not s.notices


def test_a_recording_without_speech() -> None:
    """Entry "no speech found": the turn ends with advice, no answer comes, the session goes on."""
    turn, _ = push_to_talk("no speech found", refusal("continue_final_message is set", "t1.create"))
    assert turn.status == "failed" and "closer to the microphone" in str(turn.error)


def test_no_speech_after_the_service_heard_some() -> None:
    """Entry "no speech found": under VAD it names no event; it ends the spoken turn, and nothing is waited for."""
    kinds = ("speech_started", "speech_stopped")
    with ScriptedServer(USER, answer()) as server, session(server) as s:
        waiter = Watcher(s)
        s.connect()
        server.send(*({"type": f"input_audio_buffer.{kind}", "item_id": "u1"} for kind in kinds))
        server.send(refusal("no speech found"))
        waiter.until(lambda: bool(s.turns) and s.turns[0].status == "failed")
        assert s.ask("Hello?").wait(timeout=10).status == "completed" and not s.notices


def test_a_voice_the_service_does_not_know() -> None:
    """Entry "voice ... is not valid": the service's own voice is taken, and the person told; once."""
    s, server = settings(
        on("session.update", refusal("voice nobody is not valid", "first.update")),
        Step({"type": "session.update"}, echo(voice="usual")),
        voice="nobody",
    )
    assert "voice" not in server.received[1]["session"]
    (notice,) = s.notices
    assert "'nobody'" in notice.text and "not valid" in str(notice)


def test_a_voice_that_is_refused_later() -> None:
    """Entry "voice ... is not valid": a change is undone, and the person told; once."""
    change = on(
        "session.update", refusal("voice nobody is not valid", "1.update"), session={"voice": "nobody"}
    )
    with (
        ScriptedServer(Step({"type": "session.update"}, echo()), change, settings=False) as server,
        session(server, voice="first") as s,
    ):
        waiter = Watcher(s)
        s.connect()
        s.update(voice="nobody")
        waiter.until(lambda: bool(s.notices))
        assert s.config.voice == "first" and len(s.notices) == 1 and "undone" in s.notices[0].text


def test_a_role_that_is_refused_and_the_socket_closed() -> None:
    """Entry "item.role must be user or assistant": our bug, said so; after a close the session comes back."""
    words = "item.role must be user or assistant"
    create = on("response.create")
    steps = (Step(USER.expects, (refusal(words, "t1.item", code="400"),)), create, USER, answer())
    with ScriptedServer(*steps) as server, session(server) as s:
        waiter = Watcher(s)
        turn = s.ask("Hello?").wait(timeout=10)
        server.reached(2)
        server.close(1000)
        waiter.until(lambda: s.restored is not None and s.status.state == "ready")
        assert s.ask("Still there?").wait(timeout=10).status == "completed"
    assert "bug of the client" in str(turn.error)
    roles = {event["item"].get("role") for event in server.of("conversation.item.create")}
    assert roles == {"user"}


def test_an_item_of_a_type_that_is_refused() -> None:
    """Entry "item.type must be message or function_call_output": our bug, said so; the session goes on."""
    words = "item.type must be message or function_call_output"
    late = refusal("continue_final_message is set", "t1.create")
    refuse = Step(USER.expects, (refusal(words, "t1.item"),))
    with (
        ScriptedServer(refuse, on("response.create", late), USER, answer()) as server,
        session(server) as s,
    ):
        turn = s.ask("Hello?").wait(timeout=10)
        assert s.ask("Still there?").wait(timeout=10).status == "completed"
    assert words in str(turn.error) and "bug of the client" in str(turn.error)


def test_a_previous_item_nobody_knows() -> None:
    """Entry "cannot find previous item": no event of ours names one, so there is nothing to leave out."""
    with (
        ScriptedServer(*[USER, USER], USER, answer()) as server,
        session(server, history=[("user", "One."), ("user", "Two.")]) as s,
    ):
        assert s.ask("Three?").wait(timeout=10).status == "completed"
    assert not any("previous_item_id" in event for event in server.received)
    turn, _ = refused("cannot find previous item", USER, answer())
    assert "bug of the client" in str(turn.error)


def test_nothing_to_answer() -> None:
    """Entry "continue_final_message": a request follows a message of ours; else the advice is to write."""
    turn, _ = refused("continue_final_message is set but there is no message", USER, answer())
    assert "Say or write something first" in str(turn.error)


def test_an_event_that_is_malformed(caplog: pytest.LogCaptureFixture) -> None:
    """Entry "invalid event format": our bug: it is in Python's log, and the turn says so."""
    turn, _ = refused("invalid event format", USER, answer())
    assert "bug of the client" in str(turn.error) and "called an event of ours invalid" in caplog.text


@pytest.mark.parametrize("code", ["invalid_param", "invalid_value"])
def test_a_value_that_is_refused(code: str) -> None:
    """Entry "invalid_param", entry "invalid_value": reported, with the code and the parameter."""
    turn, _ = refused("audio incomplete", USER, answer(), code=code, param="item.content")
    assert isinstance(turn.error, ServiceError)
    assert (turn.error.code, turn.error.param) == (code, "item.content")


ENGINE = ["Engine error", "the engine reported an internal error", "internal server error"]


def failed(words: str) -> list[Event]:
    """A response that fails, as an error and as its end."""
    info = done("r1", status="failed")["response"] | {"status_details": {"error": {"message": words}}}
    return [created("r1"), {"type": "response.done", "response": info}]


@pytest.mark.parametrize("words", ENGINE)
@pytest.mark.parametrize("how", ["refused", "failed", "failed with an error"])
def test_a_fault_of_the_service(words: str, how: str) -> None:
    """Entry "engine / internal error": the session connects anew, tells the past and asks again."""
    error = refusal(words, "t2.create" if how == "refused" else None, type="server_error")
    then = {"refused": [error], "failed": failed(words), "failed with an error": [error, *failed(words)]}[how]
    past = [Step(USER.expects | {"event_id": "history1.item"}), on("conversation.item.create")]
    steps = (USER, answer("One."), USER, on("response.create", *then), *past, USER, answer("Two.", "r9"))
    with ScriptedServer(*steps) as server, session(server) as s:
        s.ask("First?").wait(timeout=10)
        turn = s.ask("Second?").wait(timeout=10)
        assert turn.status == "completed" and turn.transcript == "Two." and turn.error is None
        assert [t.transcript for t in s.turns] == ["One.", "Two."]
        assert any("Connected again" in notice.text for notice in s.notices)
        lost = [record.data for record in s.events if record.kind == "disconnected"]
        assert [data["keep"] for data in lost if data] == [[2]] and words.lower() in str(lost).lower()
        again = Conversation()
        for record in s.events:
            again.apply(record, record.event)
        assert again.turns == s.conversation.turns and again.responses == s.conversation.responses


def test_an_answer_that_had_begun_before_the_fault_is_not_said_twice() -> None:
    """Entry "engine / internal error": what was said stays said, as after any loss of the connection."""
    begun = [created("r1"), *message("r1", "m1", "Once upon")[:4], refusal("engine error")]
    past = [USER, on("conversation.item.create", item={"role": "assistant"})]
    steps = (USER, on("response.create", *begun), *past, USER, answer("Here.", "r2"))
    with ScriptedServer(*steps) as server, session(server) as s:
        turn = s.ask("Tell me a story.").wait(timeout=10)
        assert turn.status == "interrupted" and turn.transcript == "Once upon"
        assert turn.finish_reason == "incomplete"
        assert s.ask("Go on.").wait(timeout=10).status == "completed"


def test_a_service_that_fails_again_and_again_is_given_up() -> None:
    """Entry "engine / internal error": after two new connections the turn says so; the session stays."""
    fault = on("response.create", refusal("engine error", "t1.create"))
    with (
        ScriptedServer(USER, fault, USER, fault, USER, fault, USER, answer()) as server,
        session(server) as s,
    ):
        turn = s.ask("Hello?").wait(timeout=20)
        assert (
            turn.status == "failed" and "engine error" in str(turn.error) and "Ask again" in str(turn.error)
        )
        assert s.ask("Still there?").wait(timeout=10).status == "completed"
        assert [record.kind for record in s.events].count("connected") == 3


def test_speech_whose_answer_fails_is_asked_again_as_one_message() -> None:
    """Entry "engine / internal error": what was spoken is not lost."""
    heard = [
        {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 0},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "u1", "audio_end_ms": 60},
        {"type": "input_audio_buffer.committed", "item_id": "u1"},
        *failed("engine error"),
    ]
    audio = {"type": "message", "role": "user", "content": [{"type": "input_audio"}]}
    again = on("conversation.item.create", event_id="t1.item", item=audio)
    with ScriptedServer(again, answer("Yes?", "r2")) as server, session(server) as s:
        s.connect()
        turn = s.append(sn.Clip.silence(0.1))
        server.came("input_audio_buffer.append", 5)
        server.send(*heard)
        assert turn.wait(timeout=20).transcript == "Yes?" and isinstance(turn.user, sn.Clip)
        assert turn.user.duration == pytest.approx(0.06) and len(s.turns) == 1


def test_a_fault_while_the_session_is_set_up_is_tried_again() -> None:
    """Entry "engine / internal error": the settings are sent again, on a new connection."""
    s, server = settings(
        on("session.update", refusal("internal error", "first.update")),
        Step({"type": "session.update"}, echo()),
    )
    assert s.status.state == "closed" and len(server.of("session.update")) == 2


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("NO ONGOING RESPONSE TO CANCEL.", Fault.NOTHING_TO_CANCEL),
        ("Error: ongoing response already exists (r1)", Fault.SLOT_TAKEN),
        ("Voice 'x' is not valid", Fault.BAD_VOICE),
        ("The ENGINE ERROR", Fault.ENGINE),
        ("", Fault.OTHER),
    ],
)
def test_messages_are_told_apart_by_words_in_any_case(words: str, fault: Fault) -> None:
    """Beside the entries: a part of the message in any case is enough."""
    assert classify(ErrorInfo(message=words)) is fault


def test_every_entry_has_a_test() -> None:
    """Beside the entries: all of them are named."""
    tests = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    heads = [(test.__doc__ or "").split(":")[0] for name, test in tests if name.startswith("test_")]
    assert {entry for head in heads for entry in re.findall(r'[Ee]ntry "(.+?)"', head)} == CATALOGUE
