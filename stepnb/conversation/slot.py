"""The one-response-slot state machine (protocol notes, section 9).

The service runs at most one response per session, starts one by itself after ``speech_stopped`` under VAD, and says no
to a ``response.create`` that comes while one runs. `Slot` decides when a wanted response may be asked for: events and
the time go in, commands come out. No sockets, no clock.

States: ``idle``; ``create_sent``, a ``response.create`` is unanswered; ``auto_pending``, the service owes one after
``speech_stopped``; ``active``; ``closing``, a ``response.cancel`` is unanswered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from ..protocol import events as ev
from ..protocol.codec import AnyEvent
from ..protocol.config import vad_of
from ..protocol.faults import Fault, classify

State = Literal["idle", "create_sent", "auto_pending", "active", "closing"]

# How long an answer may take before it is given up, s. The service usually takes milliseconds to acknowledge.
CREATE_TIMEOUT = 5.0
AUTO_TIMEOUT = 3.0
CLOSE_TIMEOUT = 3.0
# A response that sends nothing at all for this long is over, s.
SILENT_TIMEOUT = 30.0


@dataclass(frozen=True)
class SendCreate:
    """Send ``response.create`` for a turn."""

    turn: int


@dataclass(frozen=True)
class SendCancel:
    """Send ``response.cancel``."""


@dataclass(frozen=True)
class GiveUp:
    """The response wanted by a turn will not come; ``turn`` is None for one nobody asked for."""

    turn: int | None
    reason: str


@dataclass(frozen=True)
class Abandon:
    """The end of a response that was cancelled will not come."""

    response: str


Command = SendCreate | SendCancel | GiveUp | Abandon


class Slot:
    """Decides when the next response may be asked for.

    Every method returns the commands to carry out, in order. ``now`` is monotonic time in seconds.
    """

    def __init__(self) -> None:
        self.state: State = "idle"
        self.response_id: str | None = None
        self._turn: int | None = None
        self._waiting: deque[int] = deque()
        self._since = 0.0
        self._speaking = False
        self._auto_owed = False
        self._doomed = False
        self._finished: deque[str] = deque(maxlen=64)

    @property
    def waiting(self) -> tuple[int, ...]:
        """The turns that want a response and have not been granted one."""
        return tuple(self._waiting)

    @property
    def asked(self) -> int | None:
        """The turn whose ``response.create`` is unanswered."""
        return self._turn if self.state == "create_sent" else None

    @property
    def busy(self) -> bool:
        """Whether a response is running or about to."""
        return self.state != "idle" or bool(self._waiting)

    def want(self, turn: int, now: float) -> list[Command]:
        """A turn wants a response."""
        self._waiting.append(turn)
        return self._pump(now)

    def forget(self, turn: int) -> None:
        """A waiting turn wants no response any more."""
        if turn in self._waiting:
            self._waiting.remove(turn)

    def cancel(self, now: float) -> list[Command]:
        """The running response, or the one that is about to start, is unwanted."""
        if self.state in ("active", "create_sent"):
            self._go("closing", now)
            return [SendCancel()]
        self._doomed = self.state == "auto_pending"
        return []

    def reset(self) -> list[Command]:
        """The connection is gone, and with it everything that was asked for."""
        lost = (
            [self._turn]
            if self.state in ("create_sent", "active", "closing") and self._turn is not None
            else []
        )
        lost += self._waiting
        self._waiting.clear()
        self._finished.clear()  # ids are unique within one connection only
        self.state, self.response_id, self._turn = "idle", None, None
        self._speaking = self._auto_owed = self._doomed = False
        return [GiveUp(turn, "The connection was lost.") for turn in lost]

    def on_event(self, event: AnyEvent, now: float) -> list[Command]:
        """Take in an event of the service."""
        match event:
            case ev.SpeechStarted():
                self._speaking = True
                self._auto_owed = self._doomed = False
                if self.state == "auto_pending":
                    self._go("idle", now)
            case ev.SpeechStopped():
                self._speaking = False
                if self.state == "idle":
                    self._go("auto_pending", now)
                else:
                    self._auto_owed = True
            case ev.SessionUpdated() | ev.SessionCreated() if vad_of(event.session) is None:
                # Without VAD nobody would say that speech stopped.
                self._speaking = False
                return self._pump(now)
            case ev.ResponseCreated():
                return self._on_created(event.response.id, now)
            case ev.ResponseDone():
                return self._on_finished(event.response.id, now)
            case ev.ResponseCancelled():
                response = event.response.id if event.response else None
                return self._on_finished(event.response_id or response, now)
            case ev.ErrorEvent():
                return self._on_error(event.error, now)
            case _:
                self.goes_on(now)
        return []

    def goes_on(self, now: float) -> None:
        """Something of the running response came."""
        if self.state == "active":
            self._since = now

    def on_time(self, now: float) -> list[Command]:
        """Let time pass: give up what is overdue."""
        waited = now - self._since
        commands: list[Command] = []
        if self.state == "create_sent" and waited >= CREATE_TIMEOUT:
            commands = [GiveUp(self._turn, f"The service did not answer within {CREATE_TIMEOUT:.0f} s.")]
        elif self.state == "auto_pending" and waited >= AUTO_TIMEOUT:
            commands = [
                GiveUp(None, f"The service started no response within {AUTO_TIMEOUT:.0f} s of speech.")
            ]
        elif self.state == "active" and waited >= SILENT_TIMEOUT:
            given_up, self._turn = (
                GiveUp(self._turn, f"The answer stopped coming for {SILENT_TIMEOUT:.0f} s."),
                None,
            )
            self._go("closing", now)
            return [given_up, SendCancel()]
        elif self.state == "closing" and waited >= CLOSE_TIMEOUT:
            commands = self._never_ended()
        else:
            return []
        self._free(now)
        return commands + self._pump(now)

    def _on_created(self, response_id: str | None, now: float) -> list[Command]:
        if response_id in self._finished:
            return []  # repeated
        if self.response_id is not None and response_id not in (None, self.response_id):
            # Only one runs at a time: the end of the last one got lost.
            self._finished.append(self.response_id)
            self._turn, self._auto_owed = None, False
            self._go("active", now)
        self.response_id = response_id
        if self._doomed:
            self._doomed = False
            self._go("closing", now)
            return [SendCancel()]
        if self.state != "closing":
            self._go("active", now)
        return []

    def _on_finished(self, response_id: str | None, now: float) -> list[Command]:
        if self.state not in ("active", "closing") or response_id in self._finished:
            # Nothing was known to run: a late, repeated or stray end. It must not eat the create that is under way.
            return []
        if response_id is not None:
            if self.response_id is not None and response_id != self.response_id:
                return []
            self._finished.append(response_id)
        self._free(now)
        return self._pump(now)

    def _on_error(self, error: ev.ErrorInfo, now: float) -> list[Command]:
        fault = classify(error)
        if fault is Fault.NOTHING_TO_CANCEL:
            if self.state != "closing":
                return []
            return self._abandon(now)
        if self.state == "closing" and self.response_id is None and _answers_create(error):
            return self._abandon(now)
        if fault is Fault.SLOT_TAKEN:
            # A response the service started by itself got there first. Ask again when it ends.
            if self._turn is not None and self.state == "closing":
                lost, self._turn = self._turn, None
                return [GiveUp(lost, "It was cancelled before it began.")]
            if self._turn is not None and self.state in ("create_sent", "active"):
                self._waiting.appendleft(self._turn)
                self._turn = None
                self._go("active", now)
            return []
        if self.state == "create_sent" and _answers_create(error):
            turn = self._turn
            self._free(now)
            return [GiveUp(turn, error.message or "The service refused."), *self._pump(now)]
        if self.state == "auto_pending" and fault is Fault.NO_SPEECH:
            self._free(now)
            return self._pump(now)
        return []

    def _never_ended(self) -> list[Command]:
        """What was cancelled has no end that the service would tell, whether it had begun or not."""
        if self.response_id is not None:
            self._finished.append(self.response_id)  # should its end come after all, it ends nothing else
            return [Abandon(self.response_id)]
        return [] if self._turn is None else [GiveUp(self._turn, "It was cancelled before it began.")]

    def _abandon(self, now: float) -> list[Command]:
        commands = self._never_ended()
        self._free(now)
        return commands + self._pump(now)

    def _free(self, now: float) -> None:
        self.response_id, self._turn = None, None
        self._go("auto_pending" if self._auto_owed else "idle", now)
        self._auto_owed = self._doomed = False

    def _pump(self, now: float) -> list[Command]:
        if self.state != "idle" or self._speaking or not self._waiting:
            return []
        self._turn = self._waiting.popleft()
        self._go("create_sent", now)
        return [SendCreate(self._turn)]

    def _go(self, state: State, now: float) -> None:
        self.state, self._since = state, now


def _answers_create(error: ev.ErrorInfo) -> bool:
    return bool(error.event_id and error.event_id.endswith(".create"))
