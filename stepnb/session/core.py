"""`SessionCore`: everything of a session that happens on the I/O thread.

Every method runs there, apart from the constructor. Facts go into the log first; the conversation and the slot make of
them what there is to say and to send. Data flows one way: frame -> log -> conversation -> changes -> listeners.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pybase64

from ..conversation.reducer import Change, Conversation, turn_event_id
from ..conversation.slot import Command, GiveUp, SendCancel, SendCreate, Slot
from ..conversation.state import TurnKind
from ..errors import ConnectError, ConnectionLost, SessionClosed, StepnbError
from ..protocol import codec
from ..protocol import events as ev
from ..protocol.config import SessionConfig
from ..protocol.faults import Fault, classify
from ..recording.log import EventLog
from .endpoint import Endpoint, EngineLease
from .hub import Hub
from .link import Link
from .settings import Settings
from .status import Level, State, Status

logger = logging.getLogger("stepnb")

# The service sends `session.created` at once and answers an update within milliseconds.
HELLO_TIMEOUT = 10.0
# The page answers a flush within a few frames; without an answer nothing is known to have been heard.
FLUSH_TIMEOUT = 1.0
WATCH_INTERVAL = 0.5

_APPEND = ev.InputAudioBufferAppend(audio="")


class SessionCore:
    """The I/O-thread side of a session."""

    def __init__(
        self, endpoint: Endpoint, model: str, config: SessionConfig, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.endpoint = endpoint
        self.model = model
        self.loop = loop
        self.log = EventLog()
        self.conversation = Conversation()
        self.hub = Hub()
        self.settings = Settings(config, self.send, self.hub)
        self.session_id: str | None = None
        self.trace_id: str | None = None
        self.voice_locked = False
        self.closed = False
        self.playing = False
        self.mic_live = False
        self.lost_uplink = 0
        self._slot = Slot()
        self._ids = itertools.count(1)
        self._endings: dict[int, Future[None]] = {}
        self._link = Link(self._on_frame, self._on_lost)
        self._engine = EngineLease()
        self._connecting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hello: asyncio.Future[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._flushes: dict[int, asyncio.TimerHandle] = {}

    # Connecting ---------------------------------------------------------------------------------------------------

    async def connected(self) -> None:
        """Connect unless that has been done; return when the session is ready.

        Raises
        ------
        StepnbError
            Why there is no session.
        """
        if self.closed:
            raise SessionClosed("The session is closed.", fix="Make a new one: sn.Session().")
        if self._link.is_open and self._connecting is None:
            return
        if self._connecting is None:
            self._connecting = self.spawn(self._connect())
        # shield: one caller that gives up must not take the connection from the others.
        await asyncio.shield(self._connecting)

    async def _connect(self) -> None:
        again = self.hub.status.state == "failed"
        self.hub.set_status(Status("connecting"))
        try:
            url, key = await self._engine.address(self.endpoint)
            self._hello = self.loop.create_future()
            self.trace_id = await self._link.open(url, self.model, key, cluster=self.endpoint.cluster)
            self.log.append_local("connected", {"host": self.endpoint.label, "trace_id": self.trace_id})
            await self._await_hello()
            await self.settings.send_all()
        except StepnbError as error:
            # What was asked meanwhile never reached the service: its `wait` raises this error.
            for ending in self._endings.values():
                if not ending.done():
                    ending.set_exception(error)
            await self._fail(error)
            raise
        finally:
            self._connecting = None
        if again and len(self.conversation.turns) > 1:
            self.notice("warning", "Connected anew: the service does not remember what was said before.")
        self._refresh_status()

    async def _await_hello(self) -> None:
        assert self._hello is not None
        try:
            await asyncio.wait_for(self._hello, HELLO_TIMEOUT)
        except TimeoutError:
            raise ConnectError(
                f"{self.endpoint.label} accepted the connection but did not begin a session.",
                fix="Try again; if it goes on, check the URL and the model.",
                trace_id=self.trace_id,
            ) from None

    # Sending ------------------------------------------------------------------------------------------------------

    def send(self, event: ev.Event, *, payload: str | None = None, pcm: bytes | None = None) -> None:
        """Log an event and put it on its way."""
        if event.event_id is None:
            event.event_id = f"e{next(self._ids)}"
        self._send_frame(event, codec.encode(event), payload, pcm)

    def _send_frame(self, event: ev.Event, frame: str, payload: str | None, pcm: bytes | None) -> None:
        if not self._link.is_open:
            return
        record = self.log.append_frame(
            "out", event.type, frame, time.monotonic_ns(), payload=payload, pcm=pcm
        )
        for change in self.conversation.apply(record, event):
            self._emit(change, None)
        self._link.send(frame)

    def append_audio(self, payload: str, pcm: bytes) -> None:
        """Send microphone audio: base64 text and the PCM16 it stands for."""
        if not self._link.is_open or self._connecting is not None:
            return
        if self._link.crowded:
            self.lost_uplink += len(pcm) // 48
            return
        frame = f'{{"type":"input_audio_buffer.append","event_id":"a{next(self._ids)}","audio":"{payload}"}}'
        self._send_frame(_APPEND, frame, payload, pcm)

    # Receiving ----------------------------------------------------------------------------------------------------

    def _on_lost(self, error: ConnectionLost) -> None:
        if self.closed:
            return
        self.settings.on_lost(error)
        if self._hello is not None and not self._hello.done():
            self._hello.set_exception(error)
        if self._connecting is None:  # else `_connect` reports it
            self.spawn(self._fail(error))

    def _on_frame(self, frame: str) -> None:
        t = time.monotonic_ns()
        event, pcm, repairs = codec.decode(frame)
        payload = event.delta if isinstance(event, ev.AudioDelta) else None
        record = self.log.append_frame("in", event.type, frame, t, payload=payload, pcm=pcm, repairs=repairs)
        changes = self.conversation.apply(record, event)
        # Silence first: what a barge-in discards must not be told to the player any more.
        if isinstance(event, ev.SpeechStarted):
            self.interrupt()
        commands = self._slot.on_event(event, t / 1e9)
        for change in changes:
            self._emit(change, pcm)
        self._carry_out(commands)
        self._on_session_event(event)
        self.hub.event(event)
        if payload is None:
            self._refresh_status()

    def _on_session_event(self, event: codec.AnyEvent) -> None:
        match event:
            case ev.AudioDelta():
                self.voice_locked = True
            case ev.SessionCreated():
                self.session_id = event.session.id or self.session_id
                if self._hello is not None and not self._hello.done():
                    self._hello.set_result(None)
            case ev.SessionUpdated():
                self.settings.on_updated(event.session)
            case ev.ErrorEvent():
                if (
                    not self.settings.on_error(event.error, self.trace_id)
                    and classify(event.error) is Fault.BAD_EVENT
                ):
                    logger.warning("The service called an event of ours invalid: %s", event.error.message)
            case ev.MalformedEvent():
                self.notice("warning", f"The service sent a frame that cannot be understood: {event.reason}")

    # Turns --------------------------------------------------------------------------------------------------------

    def open_turn(self, how: TurnKind, ending: Future[None], *, text: str | None = None) -> int:
        """Log a new turn; ending is resolved when it ends."""
        number = self.conversation.next_turn()
        # Streamed into a session with VAD, a turn waits for the service to hear speech.
        data: dict[str, object] = {
            "turn": number,
            "how": how,
            "streams": how == "speech" and self.settings.config.vad is not None,
        }
        self._endings[number] = ending
        self._local("turn", data if text is None else data | {"text": text})
        return number

    def say(self, text: str, ending: Future[None]) -> None:
        """A typed message of the panel."""
        self.spawn(self.ask_text(self.open_turn("text", ending, text=text), text))

    def await_ending(self, number: int, ending: Future[None]) -> None:
        """Resolve ending when a turn ends, at once when it has."""
        if self.closed or self.conversation.turns[number].ended:
            ending.set_result(None)
        else:
            self._endings[number] = ending

    async def ask_text(self, number: int, text: str) -> None:
        """Send a text message and want an answer."""
        await self._ask(number, ev.Part(type="input_text", text=text), None)

    async def ask_audio(self, number: int, pcm: bytes) -> None:
        """Send a complete audio message (PCM16LE, mono, 24 kHz) and want an answer."""
        await self._ask(number, ev.Part(type="input_audio", audio=pybase64.b64encode_as_string(pcm)), pcm)

    async def _ask(self, number: int, part: ev.Part, pcm: bytes | None) -> None:
        if not await self.ready_for(number):
            return
        item = ev.Item(type="message", role="user", content=[part])
        event = ev.ConversationItemCreate(item=item, event_id=turn_event_id(number, "item"))
        self.send(event, payload=part.audio, pcm=pcm)
        self.want(number)

    async def ready_for(self, number: int) -> bool:
        """Connect; what prevents it is the turn's error."""
        try:
            await self.connected()
        except StepnbError as error:
            ending = self._endings.get(number)
            if ending is not None and not ending.done():
                ending.set_exception(error)
            self.fail_turn(number, error.message, error.fix)
            return False
        return not self.conversation.turns[number].ended

    def want(self, number: int) -> None:
        """Ask for a response for a turn as soon as the slot is free."""
        self._carry_out(self._slot.want(number, time.monotonic()))
        self._refresh_status()

    def commit(self, number: int) -> None:
        """End push-to-talk input: the buffer becomes the turn's message."""
        self.send(ev.InputAudioBufferCommit(event_id=turn_event_id(number, "commit")))
        self.want(number)

    def fail_turn(self, number: int, reason: str, fix: str | None = None) -> None:
        self._slot.forget(number)
        self._local("turn_failed", {"turn": number, "reason": reason, "fix": fix})

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case SendCreate(turn):
                    options = ev.ResponseOptions(modalities=["text", "audio"])
                    self.send(ev.ResponseCreate(response=options, event_id=turn_event_id(turn, "create")))
                case SendCancel():
                    self.send(ev.ResponseCancel())
                case GiveUp(turn, reason):
                    lost = turn if turn is not None else self.conversation.spoken
                    if lost is not None:
                        self.fail_turn(lost, reason)
        if self._watch is None and self._slot.busy:
            self._watch = self.loop.call_later(WATCH_INTERVAL, self._on_watch)

    def _on_watch(self) -> None:
        self._watch = None
        if not self.closed:
            self._carry_out(self._slot.on_time(time.monotonic()))
            self._refresh_status()

    # Interrupting -------------------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Barge-in: discard the running answer, cancel it, and have every player fade out and report."""
        active = self.conversation.active
        if active is not None and not active.discarded:
            self._local("discard", {"response": active.id})
        flush_id = next(self._ids)
        self._flushes[flush_id] = self.loop.call_later(FLUSH_TIMEOUT, self._flushes.pop, flush_id, None)
        self.hub.flush(flush_id)
        self._carry_out(self._slot.cancel(time.monotonic()))

    def flushed(self, flush_id: int, item: str, heard_ms: float, unplayed_ms: float) -> None:
        """A player fell silent and says how far it had come; late reports count for nothing."""
        timer = self._flushes.pop(flush_id, None)
        if timer is None or item not in self.conversation.items:
            return
        timer.cancel()
        self._local("flushed", {"item": item, "heard_ms": heard_ms, "unplayed_ms": unplayed_ms})
        if unplayed_ms > 0 and heard_ms > 0:
            # Undocumented but acknowledged by the service; where it is not known it is only an error event.
            self.send(ev.ConversationItemTruncate(item_id=item, content_index=0, audio_end_ms=int(heard_ms)))

    def played(self, items: dict[str, float]) -> None:
        self._local("playhead", {"items": items})

    def first_heard(self, item: str, t: int) -> None:
        record = self.log.append_local("first", {"item": item}, t)
        for change in self.conversation.apply(record, None):
            self._emit(change, None)

    def update(self, config: SessionConfig) -> None:
        """Apply a changed configuration, now or with the next connection."""
        self.settings.update(config, live=self._link.is_open and self._connecting is None)

    # Telling ------------------------------------------------------------------------------------------------------

    def _local(self, kind: str, data: dict[str, object]) -> None:
        for change in self.conversation.apply(self.log.append_local(kind, data), None):
            self._emit(change, None)

    def _emit(self, change: Change, pcm: bytes | None) -> None:
        if change.kind == "ended" and change.turn is not None:
            ending = self._endings.pop(change.turn, None)
            if ending is not None and not ending.done():
                ending.set_result(None)
        if change.kind == "notice" and change.error is not None:
            self.notice("warning", change.error.message, change.error.fix or "")
        self.hub.change(change, pcm)

    def notice(self, level: Level, text: str, fix: str = "") -> None:
        """Tell the user: in ``session.notices``, in the panel and in the log."""
        self.hub.notice(level, text, fix)
        self.log.append_local("notice", {"level": level, "text": text, "fix": fix})

    def _refresh_status(self) -> None:
        if not self._link.is_open or self._connecting is not None or self.closed:
            return
        state: State = "ready"
        if self.conversation.speaking:
            state = "listening"
        elif self.playing:
            state = "speaking"
        elif self._slot.busy:
            state = "thinking"
        elif self.mic_live:
            state = "listening"
        self.hub.set_status(Status(state))

    def activity(self, *, playing: bool | None = None, mic_live: bool | None = None) -> None:
        """The page says whether sound is being played and whether its microphone is live."""
        self.playing = self.playing if playing is None else playing
        self.mic_live = self.mic_live if mic_live is None else mic_live
        self._refresh_status()

    # Ending -------------------------------------------------------------------------------------------------------

    async def _fail(self, error: StepnbError) -> None:
        """The connection is of no use any more."""
        self.playing = False
        logger.warning("%s", error)
        self.hub.set_status(Status("failed", str(error)))
        self._slot.reset()
        self._local("disconnected", {"reason": error.message})
        await self._link.close()

    async def close(self) -> None:
        """End the session: settle what is open, close the socket, stop every task, release the engine."""
        if self.closed:
            return
        self.closed = True
        self._slot.reset()
        self._local("disconnected", {"reason": "The session was closed."})
        for ending in self._endings.values():
            if not ending.done():
                ending.set_exception(SessionClosed("The session was closed before the answer came."))
        await self._link.close()
        for timer in (self._watch, *self._flushes.values()):
            if timer is not None:
                timer.cancel()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.hub.end()
        await self._engine.release()
        self.hub.set_status(Status("closed"))

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine of the session's own; it is cancelled at close."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, StepnbError):
            logger.error("A task of the session failed", exc_info=error)
            self.notice("error", f"A task of the session failed: {error!r}", "Please report this.")
