"""Settings: several changes on their way at once, confirmed and refused."""

from __future__ import annotations

import dataclasses
from typing import Any

from stepnb.protocol import events as ev
from stepnb.protocol.config import ServerVAD, SessionConfig
from stepnb.session.hub import Hub
from stepnb.session.settings import Settings

VAD = ServerVAD().to_wire()


class Desk:
    """Settings of a live session, and what they send."""

    def __init__(self, **config: Any) -> None:
        self.hub = Hub()
        self.sent: list[ev.SessionUpdate] = []
        self.settings = Settings(SessionConfig(**config), self._send, self.hub)

    def _send(self, event: ev.Event) -> None:
        assert isinstance(event, ev.SessionUpdate)
        self.sent.append(event)

    def change(self, **changes: Any) -> ev.SessionUpdate:
        self.settings.update(dataclasses.replace(self.settings.config, **changes), live=True)
        return self.sent[-1]

    def refuse(self, update: ev.SessionUpdate, message: str = "no") -> bool:
        return self.settings.on_error(ev.ErrorInfo(message=message, event_id=update.event_id), None)


def test_an_echo_is_not_compared_with_what_it_could_not_know() -> None:
    desk = Desk(voice="a")
    desk.change(voice="b")
    desk.change(voice="c")
    for voice in ("b", "c"):
        desk.settings.on_updated(ev.SessionInfo(voice=voice, turn_detection=VAD))
    assert desk.settings.config.voice == "c" and not desk.hub.notices


def test_a_refusal_undoes_its_own_change_only() -> None:
    desk = Desk(voice="a", instructions="x")
    first = desk.change(voice="b")
    desk.change(instructions="y")
    assert desk.refuse(first)
    assert (desk.settings.config.voice, desk.settings.config.instructions) == ("a", "y")
    assert ["undone" in notice.text for notice in desk.hub.notices] == [True]


def test_a_change_refused_after_an_earlier_one_was_confirmed() -> None:
    desk = Desk(voice="a", instructions="x")
    desk.change(instructions="y")
    second = desk.change(voice="b")
    desk.settings.on_updated(ev.SessionInfo(voice="a", instructions="y", turn_detection=VAD))
    assert desk.refuse(second)
    assert (desk.settings.config.voice, desk.settings.config.instructions) == ("a", "y")
    assert len(desk.hub.notices) == 1


def test_a_refusal_of_something_settled_is_still_told() -> None:
    desk = Desk()
    update = desk.change(instructions="y")
    assert desk.refuse(update) and desk.refuse(update, "once more")
    assert "once more" in desk.hub.notices[-1].text
    assert not desk.settings.on_error(ev.ErrorInfo(message="no", event_id="t1.item"), None)


def test_a_second_session_created_is_an_echo_only_while_one_is_owed() -> None:
    desk = Desk(voice="a")
    desk.settings.on_created(ev.SessionInfo(voice="z"))
    assert desk.settings.config.voice == "a" and not desk.hub.notices
    desk.change(voice="b")
    desk.settings.on_created(ev.SessionInfo(voice="z", turn_detection=VAD))
    assert desk.settings.config.voice == "z" and len(desk.hub.notices) == 1
