"""Two ways without a loop: whatever is moved, changed in code, confirmed or refused, all sides agree in the end."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.protocol import events as ev
from stepnb.protocol.config import SessionConfig
from stepnb.session.hub import Hub
from stepnb.session.settings import Settings
from stepnb.widgets.two_way import TwoWay

NAMES = ("voice", "instructions")
REFUSED = "no"


class Story:
    """Controls and a session's real settings, with a service that answers when it is told to."""

    def __init__(self) -> None:
        self.updates: list[ev.SessionUpdate] = []
        self.settings = Settings(SessionConfig(voice="a", instructions="a"), self._send, Hub())
        self.two_way = TwoWay(self.in_force)
        self.shown = self.in_force
        self.service = self.in_force
        self.moves = self.changes = self.sent = 0

    @property
    def in_force(self) -> dict[str, Any]:
        return {name: getattr(self.settings.config, name) for name in NAMES}

    def _send(self, event: ev.Event) -> None:
        assert isinstance(event, ev.SessionUpdate)
        self.updates.append(event)
        self.sent += 1

    def show(self, name: str, value: str) -> None:
        # As traits do: only a new value is a change, and every change is looked at, whoever made it.
        if self.shown[name] != value:
            self.shown[name] = value
            self.two_way.move(name, value)

    def move(self, name: str, value: str) -> None:
        self.moves += self.shown[name] != value
        self.show(name, value)

    def change(self, name: str, value: str) -> None:
        """Somebody's ``s.update(...)``."""
        self.changes += 1
        self.settings.update(dataclasses.replace(self.settings.config, **{name: value}), live=True)
        self.follow()

    def follow(self) -> None:
        for name, value in self.two_way.follow(self.in_force).items():
            self.show(name, value)

    def rest(self) -> None:
        """The debounce is over."""
        moved = self.two_way.moved
        self.settings.update(dataclasses.replace(self.settings.config, **moved), live=True)
        self.two_way.settle(moved)
        self.follow()

    def answer(self) -> None:
        if not self.updates:
            return
        update = self.updates.pop(0)
        wanted = {
            name: getattr(update.session, name)
            for name in NAMES
            if isinstance(getattr(update.session, name), str)
        }
        if REFUSED in wanted.values():
            self.settings.on_error(ev.ErrorInfo(message="refused", event_id=update.event_id), None)
        else:
            self.service |= wanted
            echo = ev.SessionInfo(
                **self.service, turn_detection=SessionConfig().session_info().turn_detection
            )
            self.settings.on_updated(echo)
        self.follow()


STEPS = st.one_of(
    st.tuples(st.sampled_from(["move", "change"]), st.sampled_from(NAMES), st.sampled_from(["a", "b", "c", REFUSED])),
    st.tuples(st.sampled_from(["rest", "answer", "follow"])),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_all_sides_agree_in_the_end_and_nothing_echoes(steps: list[tuple[str, ...]]) -> None:
    story = Story()
    for name, *arguments in steps:
        getattr(story, name)(*arguments)
    story.rest()
    while story.updates:
        story.answer()
    assert story.shown == story.in_force == story.service
    assert REFUSED not in story.shown.values()
    assert not story.two_way.moved
    # One update for each move or change at most: none of its own making.
    assert story.sent <= story.moves + story.changes
    before = story.sent
    story.follow()
    story.rest()
    assert story.sent == before


def test_what_is_being_moved_is_left_alone() -> None:
    two_way = TwoWay({"silence": 500, "padding": 500})
    assert two_way.move("silence", 300)
    assert two_way.follow({"silence": 700, "padding": 200}) == {"padding": 200}
    sent = two_way.moved
    assert two_way.move("silence", 310)
    two_way.settle(sent)
    assert two_way.moved == {"silence": 310}, "moved on while it was being sent"
    assert two_way.follow({"silence": 310, "padding": 200}) == {"silence": 310, "padding": 200}
    assert not two_way.moved


def test_moving_back_to_what_is_in_force_sends_nothing() -> None:
    two_way = TwoWay({"vad": True})
    assert two_way.move("vad", False)
    assert not two_way.move("vad", True)
    assert not two_way.moved
