"""What the service never does, over a real socket: every turn ends with a reason, and the next one goes on."""

from __future__ import annotations

import pytest

import stepnb as sn
from stepnb.conversation import slot
from stepnb.session import asking, settings
from tests.engine.dialect import Watcher
from tests.engine.scripted import ScriptedServer, Step, created, message, on
from tests.engine.test_session_tools import USER, answer, session

SOON = 0.1
TIMEOUT = 20


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less than in earnest."""
    monkeypatch.setattr(asking, "WATCH_INTERVAL", SOON / 4)
    for name in ("CREATE_TIMEOUT", "AUTO_TIMEOUT", "CLOSE_TIMEOUT", "SILENT_TIMEOUT"):
        monkeypatch.setattr(slot, name, SOON)


def asked_again(server: ScriptedServer, s: sn.Session) -> None:
    """The session goes on."""
    assert s.ask("Still there?").wait(TIMEOUT).transcript == "Here."
    assert not [notice for notice in s.notices if notice.level == "error"]


GO_ON = (USER, answer("Here.", "r9"))


def test_a_request_that_is_never_answered() -> None:
    with ScriptedServer(USER, on("response.create"), *GO_ON) as server, session(server) as s:
        turn = s.ask("Hello?").wait(TIMEOUT)
        assert turn.status == "failed" and "did not answer" in str(turn.error)
        asked_again(server, s)


def test_speech_that_is_never_answered() -> None:
    with ScriptedServer(*GO_ON) as server, session(server) as s:
        waiter = Watcher(s)
        s.connect()
        for kind in ("speech_started", "speech_stopped", "committed"):
            server.send({"type": f"input_audio_buffer.{kind}", "item_id": "u1"})
        waiter.until(lambda: bool(s.turns) and s.turns[0].status == "failed")
        assert "started no response" in str(s.turns[0].error)
        asked_again(server, s)


def test_an_answer_that_stops_coming() -> None:
    begun = [created("r1"), *message("r1", "m1", "Once upon")[:4]]
    with (
        ScriptedServer(USER, on("response.create", *begun), on("response.cancel"), *GO_ON) as server,
        session(server) as s,
    ):
        turn = s.ask("Tell me a story.").wait(TIMEOUT)
        assert (
            turn.status == "failed" and "stopped coming" in str(turn.error) and turn.transcript == "Once upon"
        )
        asked_again(server, s)


def test_a_cancel_that_is_never_answered() -> None:
    begun = [created("r1"), *message("r1", "m1", "Once upon")[:4]]
    with (
        ScriptedServer(USER, on("response.create", *begun), on("response.cancel"), *GO_ON) as server,
        session(server) as s,
    ):
        waiter = Watcher(s)
        turn = s.ask("Tell me a story.")
        waiter.until(lambda: turn.transcript == "Once upon")
        s.interrupt()
        asked_again(server, s)
        assert turn.wait(TIMEOUT).status in ("failed", "interrupted")


def test_settings_that_are_never_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ECHO_TIMEOUT", SOON)
    with (
        ScriptedServer(Step({"type": "session.update"}), settings=False) as server,
        session(server) as s,
        pytest.raises(sn.ConnectError, match="did not confirm the settings"),
    ):
        s.connect()
