"""Where the sources disagree (protocol notes, section 16): interruptions, endings, limits. See `test_dialect`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from stepnb.conversation.slot import SILENT_TIMEOUT, GiveUp, SendCancel, SendCreate, Slot
from stepnb.errors import ConfigError
from stepnb.protocol import events as ev
from stepnb.session import lifeline
from stepnb.widgets.rows import rows_of
from tests.engine.dialect import Player, Watcher, audio, echo, refusal
from tests.engine.scripted import Event, ScriptedServer, Step, created, done, message, on
from tests.engine.test_session_tools import USER, answer, run, session

CANCELLED = {"type": "response.cancelled"}


@pytest.mark.parametrize(
    "ends",
    [
        [CANCELLED],
        [CANCELLED | {"response_id": "r1"}, done("r1", status="cancelled")],
        [done("r1", status="cancelled")],
        [done("r1", status="incomplete")],
        [done("r1", status="incomplete"), CANCELLED | {"response_id": "r1"}],
    ],
    ids=["prose", "both", "reference", "live", "twice"],
)
def test_the_first_end_of_a_cancelled_response_counts(ends: list[Event]) -> None:
    """Row 11: `response.cancelled`, `response.done` cancelled and incomplete are one thing after our cancel."""
    begun = [created("r1"), *message("r1", "m1", "Once upon")[:4]]
    steps = (USER, on("response.create", *begun), on("response.cancel", *ends), USER, answer("Yes?"))
    with ScriptedServer(*steps) as server, session(server) as s:
        waiter = Watcher(s)
        turn = s.ask("Tell me a story.")
        waiter.until(lambda: turn.transcript == "Once upon")
        s.interrupt()
        assert turn.wait(timeout=10).status == "interrupted"
        assert s.ask("Wait.").wait(timeout=10).transcript == "Yes?"
        assert not s.notices


@pytest.mark.parametrize("stops", [True, False], ids=["service stops", "client cancels"])
def test_speech_stops_the_answer_whoever_is_first(stops: bool) -> None:
    """Row 28: playback stops and a cancel is sent; where the service stopped by itself, its refusal means nothing."""
    speech = {"item_id": "u2"}
    cut = done("r1", status="incomplete")
    refused = refusal("no ongoing response to cancel")
    begun = [created("r1"), *message("r1", "m1", "Once upon")[:4]]
    with (
        ScriptedServer(
            USER, on("response.create", *begun), on("response.cancel", refused if stops else cut)
        ) as server,
        session(server) as s,
    ):
        player, waiter = Player(s, "m1", 0, 0), Watcher(s)
        turn = s.ask("Tell me a story.")
        waiter.until(lambda: turn.transcript == "Once upon")
        started = {"type": "input_audio_buffer.speech_started", **speech}
        server.send(started, *([cut] if stops else []))
        server.reached(3)
        server.send(
            {"type": "input_audio_buffer.speech_stopped", **speech},
            {"type": "input_audio_buffer.committed", **speech},
            created("r2"),
            *message("r2", "m2", "Yes?"),
            done("r2"),
        )
        waiter.until(lambda: len(s.turns) == 2 and s.turns[1].status == "completed")
        assert turn.wait(timeout=10).status == "interrupted" and player.flushes == 1
        assert s.turns[1].transcript == "Yes?" and not s.notices


def test_an_answer_without_audio_ends() -> None:
    """Row 31: some answer with a transcript and no audio: the turn ends with it, and one that stalls is given up."""
    turn, _, s = run(answer("Only words."), tools=())
    assert turn.status == "completed" and turn.transcript == "Only words." and turn.audio.duration == 0
    assert "without their sound" in rows_of(s.conversation, s.conversation.turns[1])[-1]["note"]
    assert "without their sound" in turn._repr_html_()
    slot = Slot()
    assert slot.want(1, 0.0) == [SendCreate(1)]
    slot.on_event(ev.ResponseCreated(response=ev.ResponseInfo(id="r1")), 1.0)
    slot.on_event(ev.AudioTranscriptDelta(delta="Only"), 2.0)
    assert slot.on_time(2.0 + SILENT_TIMEOUT - 0.1) == []
    given_up, cancel = slot.on_time(2.0 + SILENT_TIMEOUT)
    assert isinstance(given_up, GiveUp) and given_up.turn == 1 and "30 s" in given_up.reason
    assert cancel == SendCancel()


def test_the_session_limit_is_survived() -> None:
    """Row 33: an error and a close with 1000: connect again, tell the past as text, go on."""
    past = [
        {"role": "user", "content": [{"text": "My name is Ada."}]},
        {"content": [{"text": "Hello, Ada."}]},
    ]
    told = [on("conversation.item.create", item=item) for item in past]
    with (
        ScriptedServer(USER, answer("Hello, Ada."), *told, USER, answer("Ada.", "r9")) as server,
        session(server) as s,
    ):
        waiter = Watcher(s)
        s.ask("My name is Ada.").wait(timeout=10)
        server.send(refusal("session expired after 30 minutes", code="session_expired"))
        server.close(1000)
        waiter.until(lambda: s.restored is not None and s.status.state == "ready")
        assert s.ask("What is my name?").wait(timeout=10).transcript == "Ada."
    assert 25 * 60 <= lifeline.ROTATE_AFTER <= 28 * 60  # before that, between turns


def test_the_voice_is_fixed_by_the_first_audio() -> None:
    """Row 34: nobody knows what the service would do, so it is not tried; before, a refusal undoes the change."""
    spoken = message("r1", "m1", "Hello.")
    spoken.insert(4, audio("r1", "m1", 100))
    with (
        ScriptedServer(USER, on("response.create", created("r1"), *spoken, done("r1"))) as server,
        session(server, voice="first") as s,
    ):
        assert s.ask("Hello?").wait(timeout=10).audio.duration == pytest.approx(0.1)
        with pytest.raises(ConfigError, match="fixed since the first audio"):
            s.update(voice="second")
    assert len(server.of("session.update")) == 1
    refused = on(
        "session.update", refusal("voice cannot be changed", "1.update"), session={"voice": "second"}
    )
    with (
        ScriptedServer(Step({"type": "session.update"}, echo()), refused, settings=False) as server,
        session(server, voice="first") as s,
    ):
        waiter = Watcher(s)
        s.connect()
        s.update(voice="second")
        waiter.until(lambda: bool(s.notices))
        assert s.config.voice == "first" and "undone" in s.notices[0].text


@pytest.mark.parametrize("known", [True, False], ids=["acknowledged", "refused"])
def test_what_was_heard_is_told_to_the_service(known: bool) -> None:
    """Row 35: truncate is undocumented and acknowledged live: it is sent, and an error for it means nothing."""
    spoken = [created("r1"), *message("r1", "m1", "Once upon")[:4], audio("r1", "m1", 500)]

    def reply(event: Event) -> Iterable[Event]:
        truncated = {"type": "conversation.item.truncated", "item_id": "m1", "audio_end_ms": 200}
        yield truncated if known else refusal("invalid event format", event["event_id"])
        yield done("r1", status="incomplete")

    truncate = {
        "type": "conversation.item.truncate",
        "item_id": "m1",
        "content_index": 0,
        "audio_end_ms": 200,
    }
    steps = (
        USER,
        on("response.create", *spoken),
        on("response.cancel"),
        Step(truncate, reply),
        USER,
        answer(),
    )
    with ScriptedServer(*steps) as server, session(server) as s:
        Player(s, "m1", 200.0, 300.0)
        waiter = Watcher(s)
        turn = s.ask("Tell me a story.")
        waiter.until(lambda: turn.audio.duration == pytest.approx(0.5))
        s.interrupt()
        assert turn.wait(timeout=10).heard_ms == 200
        assert s.ask("Go on.").wait(timeout=10).status == "completed"
        assert not s.notices
