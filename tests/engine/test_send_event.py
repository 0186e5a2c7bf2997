"""Events sent by hand: checked, sent as they are, answered, kept apart from what the session itself asked for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.protocol import events as ev
from stepnb.protocol.catalog import event_templates
from stepnb.session.by_hand import LONGEST

TIMEOUT = 30


def wait_for(session: sn.Session, kind: str) -> threading.Event:
    came = threading.Event()
    session.on(kind, lambda event: came.set())
    return came


def test_what_is_sent_by_hand_is_answered_and_logged(engine: LocalEngine, tmp_path: Path) -> None:
    with sn.Session(engine.url, api_key=engine.key) as session:
        done = wait_for(session, "response.done")
        first = session.send_event(
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "Hello"}],
                },
            }
        )
        session.send_event('{"type": "response.create", "event_id": "mine"}')
        assert done.wait(TIMEOUT)
        assert session.turns[0].kind == "unasked" and session.turns[0].transcript
        assert [r.data for r in session.events.filter(type="sent_by_hand")] == [
            {"event_id": first, "type": "conversation.item.create"},
            {"event_id": "mine", "type": "response.create"},
        ]
        sent = session.events.filter(side="out", type="response.create")[0]
        assert sent.skeleton == '{"type":"response.create","event_id":"mine"}'
        assert session.ask("What is two plus two?").wait(TIMEOUT).status == "completed"
        again = sn.Recording.load(session.save(tmp_path / "a.stepnb"))
        assert [turn.transcript for turn in again.turns] == [turn.transcript for turn in session.turns]


def test_an_error_that_answers_it_ends_no_turn_and_repeats_no_question(engine: LocalEngine) -> None:
    with sn.Session(engine.url, api_key=engine.key) as session:
        refused = wait_for(session, "error")
        begun = wait_for(session, "response.audio.delta")
        turn = session.ask("Repeat after me: one, two, three, four, five, six, seven, eight, nine, ten")
        assert begun.wait(TIMEOUT)
        session.send_event({"type": "response.create", "event_id": "second"})
        session.send_event({"type": "no.such.event", "event_id": "third"})
        assert refused.wait(TIMEOUT)
        assert turn.wait(TIMEOUT).status == "completed" and "ten" in turn.transcript
        session.ask("Hello").wait(TIMEOUT)
        assert len(session.events.filter(side="out", type="response.create")) == 3
        errors = [r.event for r in session.events.filter(type="error")]
        assert [e.error.event_id for e in errors if isinstance(e, ev.ErrorEvent)][-1] == "third"


def test_every_template_is_an_event_of_the_protocol(engine: LocalEngine) -> None:
    templates = event_templates()
    known = {cls.__struct_config__.tag for cls in ev.ClientEvent.__subclasses__()}
    assert {template["type"] for template in templates} == known
    with sn.Session(engine.url, api_key=engine.key) as session:
        for template in templates:
            assert session.send_event(template).startswith("hand")
        assert all(not record.repairs for record in session.events.filter(side="out"))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("{", "This is not JSON"),
        ('{"type": "a"} x', "This is not JSON"),
        ("[]", "An event is a JSON object"),
        ('"text"', "An event is a JSON object"),
        ("{}", "has no type"),
        ('{"type": 3}', "has no type"),
        ({"type": ""}, "has no type"),
        ({"type": {1, 2}}, "has no type"),
        ({"type": "a", "x": object()}, "This is not JSON"),
        ({"type": "a", "event_id": 7}, "event_id is not a short text"),
        ({"type": "a", "event_id": "t3.item"}, "an id the session gives"),
        ({"type": "a", "event_id": "first.update"}, "an id the session gives"),
        ({"type": "a", "x": "y" * LONGEST}, "characters"),
        ("[" * 100_000, "This is not JSON|nested too deeply"),
    ],
)
def test_what_cannot_be_sent_is_said_in_a_sentence(event: Any, said: str) -> None:
    session = sn.Session("ws://127.0.0.1:9/v1/realtime", api_key="unused")
    with pytest.raises(sn.ConfigError, match=said) as caught:
        session.send_event(event)
    assert caught.value.fix and len(session.events) == 0
    session.close()


def test_a_closed_session_sends_nothing(engine: LocalEngine) -> None:
    session = sn.Session(engine.url, api_key=engine.key)
    session.close()
    with pytest.raises(sn.SessionClosed):
        session.send_event({"type": "response.create"})
