"""`Asking`: from an input to the slot that lets it be answered, and to whoever waits for the end. I/O thread only."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pybase64

from ..conversation.reducer import Change, turn_event_id
from ..conversation.slot import Abandon, Command, GiveUp, SendCancel, SendCreate, Slot
from ..conversation.state import TurnKind, TurnState
from ..errors import StepnbError
from ..protocol import events as ev
from .questions import Questions

if TYPE_CHECKING:
    from .core import SessionCore

WATCH_INTERVAL = 0.5
GREETING_NOTE = (
    "[Note of the application, not from the person: the conversation begins now, and you speak first. "
    "Say these words and nothing else.]"
)


class Asking:
    """Opens turns, asks for their answers when the one response slot is free, and resolves their endings.

    Attributes
    ----------
    slot
        The state of the one response slot.

    Parameters
    ----------
    core
        The session.
    greeting
        What it opens the conversation with.
    """

    def __init__(self, core: SessionCore, greeting: str | None = None) -> None:
        self.slot = Slot()
        self._greeting = greeting
        self._greeting_turn: int | None = None
        self._core = core
        self._questions = Questions(core.send)
        self._endings: dict[int, Future[None]] = {}
        self._watch: asyncio.TimerHandle | None = None

    # Turns --------------------------------------------------------------------------------------------------------

    def open_turn(self, how: TurnKind, ending: Future[None], *, text: str | None = None) -> int:
        """Log a new turn; ending is resolved when it ends."""
        self._open_greeting()
        core = self._core
        number = core.conversation.next_turn()
        data: dict[str, object] = {"turn": number, "how": how}
        self._endings[number] = ending
        core.local("turn", data if text is None else data | {"text": text})
        return number

    def _open_greeting(self) -> None:
        """The first turn is the greeting's, whatever comes first."""
        if self._greeting is None or self._greeting_turn is not None:
            return
        self._greeting_turn = self._core.conversation.next_turn()
        text = f"{GREETING_NOTE} {self._greeting}"
        self._core.local("turn", {"turn": self._greeting_turn, "how": "greeting", "text": text})

    def greet(self) -> None:
        """The first session has begun: open the conversation, once.

        The wish goes into a message that says what it is; the documented way, instructions in ``response.create``, is
        not heeded everywhere.
        """
        if self._greeting_turn is not None and self._core.conversation.turns[self._greeting_turn].ended:
            self._greeting_turn = None  # of an attempt to connect that failed
        self._open_greeting()
        number = self._greeting_turn
        if number is not None:
            text = self._core.conversation.turns[number].text
            self._questions.add(number, ev.Part(type="input_text", text=text), None)
            self.want(number)
            if self._core.conversation.speaking:
                self.spoken_to()

    def spoken_to(self) -> None:
        """The person speaks: a greeting that has not begun would come too late, so it is left out."""
        number = self._greeting_turn
        if number is not None and (number in self.slot.waiting or number == self.slot.asked):
            self.slot.forget(number)
            self._core.local("turn_interrupted", {"turn": number})

    def say(self, text: str) -> None:
        """A typed message of the panel."""
        self._core.spawn(self.ask_text(self.open_turn("text", Future(), text=text), text))

    async def ask_text(self, number: int, text: str) -> None:
        """Send a text message and want an answer."""
        await self._ask(number, ev.Part(type="input_text", text=text), None)

    async def ask_audio(self, number: int, pcm: bytes) -> None:
        """Send a complete audio message (PCM16LE, mono, 24 kHz) and want an answer."""
        await self._ask(number, ev.Part(type="input_audio", audio=pybase64.b64encode_as_string(pcm)), pcm)

    async def _ask(self, number: int, part: ev.Part, pcm: bytes | None) -> None:
        if not await self.ready_for(number):
            return
        self._questions.add(number, part, pcm)
        self.want(number)

    async def ready_for(self, number: int) -> bool:
        """Connect; what prevents it is the turn's error."""
        try:
            await self._core.connected()
        except StepnbError as error:
            ending = self._endings.get(number)
            if ending is not None and not ending.done():
                ending.set_exception(error)
            self.fail_turn(number, error.message, error.fix)
            return False
        return not self._core.conversation.turns[number].ended

    def commit(self, number: int) -> None:
        """End push-to-talk input: the buffer becomes the turn's message."""
        self._core.send(ev.InputAudioBufferCommit(event_id=turn_event_id(number, "commit")))
        self.want(number)

    def fail_turn(self, number: int, reason: str, fix: str | None = None) -> None:
        """End a turn without an answer."""
        self.slot.forget(number)
        self._questions.drop(number)
        self._core.local("turn_failed", {"turn": number, "reason": reason, "fix": fix})

    # The slot -----------------------------------------------------------------------------------------------------

    def want(self, number: int) -> None:
        """Ask for a response for a turn as soon as the slot is free."""
        exhausted = self._core.budget.exhausted
        if exhausted is not None and not self._core.conversation.turns[number].responses:
            self.fail_turn(number, exhausted.message, exhausted.fix)
            return
        self.carry_out(self.slot.want(number, time.monotonic()))
        self._core.refresh_status()

    async def recall(self, waiting: list[int]) -> None:
        """Make ready what the last connection did not answer; what was spoken becomes one message."""
        for number in waiting:
            if not self._questions.has(number):
                self._questions.add(number, *await self._spoken(self._core.conversation.turns[number]))

    def ask_again(self, waiting: list[int]) -> None:
        """Ask for the answers that the last connection did not give."""
        for number in waiting:
            if not self._core.conversation.turns[number].ended:
                self.want(number)

    async def _spoken(self, turn: TurnState) -> tuple[ev.Part, bytes | None]:
        """Return what was said as a part of a message: its sound, or its words where that was not kept."""
        if not _kept(turn):
            return ev.Part(type="input_text", text=turn.user_transcript), None
        pcm = await asyncio.to_thread(self._core.log.audio.read, list(turn.input_audio))
        return ev.Part(type="input_audio", audio=pybase64.b64encode_as_string(pcm)), pcm

    def count_cost(self) -> None:
        """A response has ended: reckon up, and let no waiting turn begin that the budget does not allow."""
        if not self._core.budget.count():
            return
        for number in self.slot.waiting:
            if not self._core.conversation.turns[number].responses:
                self.want(number)

    def cancel_response(self) -> None:
        """Cancel what the service is about to say, if anything."""
        self.carry_out(self.slot.cancel(time.monotonic()))

    def carry_out(self, commands: list[Command]) -> None:
        """Do what the slot says."""
        for command in commands:
            match command:
                case SendCreate(turn):
                    self._questions.send(turn)
                    self._core.tools.send_outputs(turn)
                    options = ev.ResponseOptions(modalities=["text", "audio"])
                    create = ev.ResponseCreate(response=options, event_id=turn_event_id(turn, "create"))
                    self._core.send(create)
                case SendCancel():
                    self._core.send(ev.ResponseCancel())
                case Abandon(response):
                    self._core.local("response_lost", {"response": response})
                case GiveUp(turn, reason):
                    lost = turn if turn is not None else self._core.conversation.spoken
                    if lost is not None:
                        self.fail_turn(lost, reason)
        if self._watch is None and self.slot.busy:
            self._watch = self._core.loop.call_later(WATCH_INTERVAL, self._on_watch)

    def _on_watch(self) -> None:
        self._watch = None
        if not self._core.closed:
            self.carry_out(self.slot.on_time(time.monotonic()))
            self._core.refresh_status()

    # Endings ------------------------------------------------------------------------------------------------------

    def await_ending(self, number: int, ending: Future[None]) -> None:
        """Resolve ending when a turn ends, at once when it has."""
        if self._core.closed or self._core.conversation.turns[number].ended:
            ending.set_result(None)
        else:
            self._endings[number] = ending

    def on_change(self, change: Change) -> None:
        """Follow the conversation."""
        if change.kind == "ended" and change.turn is not None:
            self._questions.drop(change.turn)
            ending = self._endings.pop(change.turn, None)
            if ending is not None and not ending.done():
                ending.set_result(None)

    def disconnected(self) -> list[int]:
        """The connection is gone: return the turns that are to be asked again on the next one."""
        self.slot.reset()
        conversation = self._core.conversation
        spoken = [turn.id for turn in conversation.turns.values() if self._was_spoken(turn)]
        return sorted({*self._questions.unanswered(conversation), *spoken})

    def _was_spoken(self, turn: TurnState) -> bool:
        """Whether a turn's speech is complete and known, and nothing has been answered."""
        complete = "speech_stopped" in turn.stamps or "input_ended" in turn.stamps
        known = _kept(turn) or bool(turn.user_transcript)
        return complete and known and not turn.ended and not self._core.conversation.begun(turn)

    def give_up(self, error: StepnbError | None) -> None:
        """No other connection will be tried: forget what was asked. With an error, waiting for it raises that."""
        self._questions.clear()
        for ending in self._endings.values():
            if error is not None and not ending.done():
                ending.set_exception(error)

    def close(self) -> None:
        """Watch over nothing any more."""
        if self._watch is not None:
            self._watch.cancel()


def _kept(turn: TurnState) -> bool:
    return bool(turn.input_audio) and all(ref.kept for ref in turn.input_audio)
