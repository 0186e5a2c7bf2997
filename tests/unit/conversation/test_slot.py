"""The slot against a model of the service: it never asks at the wrong moment, and nobody waits for ever."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from stepnb.conversation.slot import (
    AUTO_TIMEOUT,
    CREATE_TIMEOUT,
    SILENT_TIMEOUT,
    Abandon,
    Command,
    GiveUp,
    SendCancel,
    SendCreate,
    Slot,
)
from stepnb.protocol import events as ev


def created(response: str) -> ev.ResponseCreated:
    return ev.ResponseCreated(response=ev.ResponseInfo(id=response, status="in_progress"))


def done(response: str | None, status: str = "completed") -> ev.ResponseDone:
    return ev.ResponseDone(response=ev.ResponseInfo(id=response, status=status))


def error(message: str, event_id: str | None = None) -> ev.ErrorEvent:
    return ev.ErrorEvent(error=ev.ErrorInfo(message=message, event_id=event_id))


def test_the_late_end_of_an_abandoned_response_ends_no_other() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("r1"), 0.1)
    slot.cancel(0.2)
    assert slot.on_time(4.0) == [Abandon("r1")]
    assert slot.want(2, 4.1) == [SendCreate(2)]
    assert slot.cancel(4.2) == [SendCancel()]
    slot.on_event(done("r1", "incomplete"), 4.3)
    assert slot.state == "closing"
    refused = error("ongoing response already exists", "t2.create")
    assert slot.on_event(refused, 4.4) == [GiveUp(2, "It was cancelled before it began.")]


def test_asks_at_once_when_free() -> None:
    assert Slot().want(1, 0.0) == [SendCreate(1)]


def test_waits_for_the_running_response() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("r1"), 0.1)
    assert slot.want(2, 0.2) == []
    assert slot.on_event(done("r1"), 0.3) == [SendCreate(2)]


def test_waits_while_the_person_speaks_and_for_the_automatic_response() -> None:
    slot = Slot()
    slot.on_event(ev.SpeechStarted(item_id="u"), 0.0)
    assert slot.want(1, 0.1) == []
    assert slot.on_event(ev.SpeechStopped(item_id="u"), 0.2) == []
    assert slot.state == "auto_pending"
    assert slot.on_event(created("auto"), 0.3) == []
    assert slot.on_event(done("auto"), 0.4) == [SendCreate(1)]


def test_a_refused_create_is_asked_again_after_the_response_that_was_first() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    assert slot.on_event(error("ongoing response already exists", "t1.create"), 0.1) == []
    assert slot.on_event(done("auto"), 0.2) == [SendCreate(1)]


def test_a_refusal_after_the_other_response_began_is_asked_again() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("auto"), 0.1)  # taken for ours at first
    slot.on_event(error("ongoing response already exists", "t1.create"), 0.2)
    assert slot.on_event(done("auto"), 0.3) == [SendCreate(1)]


def test_a_create_refused_for_good_is_given_up_with_the_reason() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    assert slot.on_event(error("chat template: continue_final_message", "t1.create"), 0.1) == [
        GiveUp(1, "chat template: continue_final_message")
    ]
    assert slot.state == "idle"


def test_the_cancel_race_is_no_failure() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("r1"), 0.1)
    assert slot.cancel(0.2) == [SendCancel()]
    slot.want(2, 0.25)
    assert slot.on_event(error("No ongoing response to cancel"), 0.3) == [Abandon("r1"), SendCreate(2)]


def test_nothing_running_needs_no_cancel() -> None:
    assert Slot().cancel(0.0) == []


def test_stop_before_the_automatic_response_cancels_it_when_it_begins() -> None:
    slot = Slot()
    slot.on_event(ev.SpeechStarted(item_id="u"), 0.0)
    slot.on_event(ev.SpeechStopped(item_id="u"), 0.1)
    assert slot.cancel(0.2) == []
    assert slot.on_event(created("auto"), 0.3) == [SendCancel()]


def test_a_second_end_of_the_same_response_frees_nothing() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("r1"), 0.1)
    slot.on_event(done("r1"), 0.2)
    slot.want(2, 0.3)
    assert slot.on_event(done("r1"), 0.4) == []
    assert slot.state == "create_sent"


def test_an_end_without_an_id_ends_the_running_one() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("r1"), 0.1)
    slot.on_event(ev.ResponseCancelled(), 0.2)
    assert slot.state == "idle"


@pytest.mark.parametrize("silence", [CREATE_TIMEOUT, CREATE_TIMEOUT + 60])
def test_an_unanswered_create_is_given_up(silence: float) -> None:
    slot = Slot()
    slot.want(1, 0.0)
    assert slot.on_time(CREATE_TIMEOUT - 0.01) == []
    (command,) = slot.on_time(silence)
    assert isinstance(command, GiveUp) and command.turn == 1


def test_a_missing_automatic_response_is_given_up_and_the_next_asked_for() -> None:
    slot = Slot()
    slot.on_event(ev.SpeechStarted(item_id="u"), 0.0)
    slot.want(1, 0.1)
    slot.on_event(ev.SpeechStopped(item_id="u"), 0.2)
    commands = slot.on_time(0.2 + AUTO_TIMEOUT)
    assert [type(command) for command in commands] == [GiveUp, SendCreate]


def test_a_response_that_falls_silent_is_given_up_but_not_one_that_goes_on() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("r1"), 0.1)
    slot.on_event(ev.AudioDelta(delta=""), SILENT_TIMEOUT)
    assert slot.on_time(SILENT_TIMEOUT + 1) == []
    assert [type(c) for c in slot.on_time(2 * SILENT_TIMEOUT)] == [GiveUp, SendCancel]


def test_vad_switched_off_during_speech_does_not_hold_requests() -> None:
    slot = Slot()
    slot.on_event(ev.SpeechStarted(item_id="u"), 0.0)
    slot.want(1, 0.1)
    off = ev.SessionInfo(turn_detection=ev.TurnDetection(type=""))
    assert slot.on_event(ev.SessionUpdated(session=off), 0.2) == [SendCreate(1)]


def test_a_cancelled_response_whose_end_is_lost_is_over_when_the_next_begins() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.on_event(created("r1"), 0.1)
    assert slot.cancel(0.2) == [SendCancel()]
    slot.on_event(ev.SpeechStopped(item_id="u"), 0.3)
    slot.on_event(created("r2"), 0.4)
    assert slot.state == "active"
    assert slot.on_event(done("r1"), 0.5) == [] and slot.state == "active"
    assert slot.on_event(done("r2"), 0.6) == [] and slot.state == "idle"


def test_reset_gives_up_everything_that_was_wanted() -> None:
    slot = Slot()
    slot.want(1, 0.0)
    slot.want(2, 0.0)
    assert [command.turn for command in slot.reset() if isinstance(command, GiveUp)] == [1, 2]
    assert slot.want(3, 0.1) == [SendCreate(3)]


class SlotAndService(RuleBasedStateMachine):
    """A service with one slot, automatic responses, races and losses, and a client that wants things at any time."""

    turns: Bundle[int] = Bundle("turns")

    def __init__(self) -> None:
        super().__init__()
        self.slot = Slot()
        self.now = 0.0
        self.next_turn = 0
        self.next_response = 0
        self.running: str | None = None  # on the service
        self.to_service: deque[Command] = deque()
        self.unanswered = 0
        self.wanted: set[int] = set()
        self.settled: set[int] = set()
        self.speaking = False

    def do(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, SendCreate):
                assert command.turn in self.wanted, "asked for a turn nobody wants"
                assert not self.unanswered, "asked while an earlier request is unanswered"
            if isinstance(command, GiveUp):
                if command.turn is not None:
                    self.settled.add(command.turn)
                self.unanswered = 0
            else:
                self.to_service.append(command)
            if isinstance(command, SendCreate):
                self.unanswered = command.turn

    def tell(self, event: ev.ServerEvent) -> None:
        self.now += 0.01
        self.do(self.slot.on_event(event, self.now))

    def begin(self) -> None:
        self.next_response += 1
        self.running = f"r{self.next_response}"

    @rule(target=turns)
    def want(self) -> int:
        self.next_turn += 1
        self.wanted.add(self.next_turn)
        self.do(self.slot.want(self.next_turn, self.now))
        return self.next_turn

    @rule(turn=consumes(turns))
    def forget(self, turn: int) -> None:
        self.slot.forget(turn)
        self.settled.add(turn)

    @rule()
    def cancel(self) -> None:
        self.do(self.slot.cancel(self.now))

    @precondition(lambda self: self.to_service)
    @rule(lost=st.booleans())
    def service_takes_a_command(self, lost: bool) -> None:
        command = self.to_service.popleft()
        match command:
            case SendCancel():
                if self.running is None:
                    self.tell(error("no ongoing response to cancel"))
                else:
                    ended, self.running = self.running, None
                    self.tell(done(ended, "incomplete"))
            case SendCreate(turn) if self.running is not None:
                self.unanswered = 0
                self.tell(error("ongoing response already exists", f"t{turn}.create"))
            case SendCreate() if lost and not self.to_service:
                # Until the watchdog barks: a response that came meanwhile would be taken for the answer.
                self.now += CREATE_TIMEOUT
                self.do(self.slot.on_time(self.now))
            case SendCreate(turn):
                self.begin()
                self.unanswered = 0
                self.settled.add(turn)
                assert self.running is not None
                self.tell(created(self.running))

    # A response lasts longer than a command takes to arrive: `response.created` names no request, so a client could not
    # tell otherwise.
    @precondition(lambda self: self.running is not None and not self.to_service)
    @rule(twice=st.booleans(), named=st.booleans())
    def service_ends_the_response(self, twice: bool, named: bool) -> None:
        ended, self.running = self.running, None
        self.tell(done(ended if named or twice else None))
        if twice:
            self.tell(done(ended))

    @precondition(lambda self: not self.speaking)
    @rule()
    def person_speaks(self) -> None:
        self.speaking = True
        self.tell(ev.SpeechStarted(item_id="u"))

    @precondition(lambda self: self.speaking)
    @rule(answered=st.booleans())
    def person_stops(self, answered: bool) -> None:
        self.speaking = False
        self.tell(ev.SpeechStopped(item_id="u"))
        if answered and self.running is None:
            self.begin()
            assert self.running is not None
            self.tell(created(self.running))

    # The watchdogs are longer than a command takes to arrive; silence of the service is modelled by losing it.
    @precondition(lambda self: not self.to_service)
    @rule(seconds=st.sampled_from([0.5, 4.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.do(self.slot.on_time(self.now))

    @invariant()
    def busy_is_honest(self) -> None:
        assert self.slot.busy or self.slot.state == "idle"

    def teardown(self) -> None:
        """Whatever happened: once the person is silent and the service behaves, everybody is served or told."""
        if self.speaking:
            self.person_stops(answered=False)
        for _ in range(12 * (self.next_turn + 2)):
            if self.to_service:
                self.service_takes_a_command(lost=False)
            elif self.running is not None:
                self.service_ends_the_response(twice=False, named=True)
            else:
                self.time_passes(40.0)
        assert self.wanted <= self.settled, f"stuck: {self.wanted - self.settled}"
        assert self.slot.state == "idle"


TestSlotAndService = SlotAndService.TestCase
TestSlotAndService.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
