"""`SessionCore`: everything of a session that happens on the I/O thread.

Every method runs there, apart from the constructor. Facts go into the log first; the conversation and the slot make of
them what there is to say and to send. Data flows one way: frame -> log -> conversation -> changes -> listeners.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
import time
import uuid
from collections.abc import Coroutine, Sequence
from typing import Any

import msgspec

from ..conversation.cost import Ledger
from ..conversation.record import Record
from ..conversation.reducer import Change, Conversation
from ..conversation.slot import Command
from ..conversation.usage import tools_text
from ..errors import SessionClosed, StepnbError
from ..protocol import catalog, codec
from ..protocol import events as ev
from ..protocol.config import SessionConfig
from ..protocol.faults import Fault, classify
from ..recording.log import EventLog
from ..service.endpoint import Endpoint
from .asking import Asking
from .bargein import BargeIn
from .budget import Budget, Limit
from .connection import Connection
from .dispatch import Dispatcher
from .hub import Hub
from .lifeline import Lifeline
from .link import Opener
from .recovery import Recovery
from .settings import Settings
from .spooling import Spooling
from .status import Level, State, Status
from .tools import Approve

logger = logging.getLogger("stepnb")

_APPEND = ev.InputAudioBufferAppend(audio="")
_MORE = (ev.AudioDelta, ev.AudioTranscriptDelta, ev.TextDelta, ev.ThinkingDelta)


class SessionCore:
    """The I/O-thread side of a session."""

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        config: SessionConfig,
        loop: asyncio.AbstractEventLoop,
        approve: Approve | bool | None = None,
        *,
        log: EventLog,
        history: Sequence[ev.Item] = (),
        greeting: str | None = None,
        budget: Limit | None = None,
        open_connection: Opener = Connection.open,
    ) -> None:
        self.endpoint = endpoint
        self.model = model
        self.loop = loop
        self.key = uuid.uuid4().hex  # by which the session's widgets find each other on a page
        self.log = log
        self.conversation = Conversation()
        self.hub = Hub()
        self.settings = Settings(config, self.send, self.hub)
        self.tools = Dispatcher(self, self.local, approve)
        self.session_id: str | None = None
        self.closed = False
        self.playing = False
        self.mic_live = False
        self.lost_uplink = 0
        self.budget = Budget(budget, lambda: self.ledger, lambda text, fix: self.notice("warning", text, fix))
        self.asking = Asking(self, greeting)
        self.recovery = Recovery(self)
        self._ids = itertools.count(1)
        self.lifeline = Lifeline(self, history, open_connection)
        self._tasks: set[asyncio.Task[None]] = set()
        self.bargein = BargeIn(self)
        self._spooling = Spooling(self)

    # The connection, as the lifeline tells of it -------------------------------------------------------------------

    async def connected(self) -> None:
        """Connect unless that has been done; return when the session is ready.

        Raises
        ------
        StepnbError
            Why there is no session.
        """
        if not self.closed:
            self._spooling.start()
        await self.lifeline.connected()

    def disconnected(self, error: StepnbError) -> list[int]:
        """The connection is gone, and another one will be tried; return the turns to ask again then.

        A question that got no answer yet is asked again; an answer that had begun ends as it is.
        """
        self.playing = False
        waiting = self.asking.disconnected()
        self.local("disconnected", {"reason": error.message, "keep": waiting})
        return waiting

    def failed(self, error: StepnbError, *, raises: bool) -> None:
        """The connection is gone, and no other one will be tried; raises: waiting for a turn raises the error."""
        logger.warning("%s", error)
        self.hub.set_status(Status("failed", str(error)))
        self.asking.give_up(error if raises else None)
        self.disconnected(error)

    @property
    def ledger(self) -> Ledger:
        """What the turns used and cost."""
        config = self.settings.config
        tools = [tool.to_wire() for tool in config.tools]
        return Ledger(
            self.conversation,
            self.model,
            self.endpoint.cluster,
            preface=(config.instructions or "") + tools_text(tools),
            web_search=any(tool.get("type") == "web_search" for tool in tools),
        )

    @property
    def idle(self) -> bool:
        """Whether nobody speaks, nothing is answered, called or played."""
        return not (self.asking.slot.busy or self.tools.busy or self.playing or self.conversation.speaking)

    # Sending ------------------------------------------------------------------------------------------------------

    def send(self, event: ev.Event, *, payload: str | None = None, pcm: bytes | None = None) -> None:
        """Log an event and put it on its way; payload and pcm: the base64 text in it and what it stands for."""
        if event.event_id is None:
            event.event_id = f"e{next(self._ids)}"
        frame = codec.encode(event)
        self._send_frame(event, frame, codec.cut_out(frame, payload, pcm) if payload and pcm else None)

    def _send_frame(self, event: codec.AnyEvent, frame: str, audio: codec.Cut | None) -> None:
        if not self.lifeline.is_open:
            return
        record = self.log.append_frame("out", event.type, frame, time.monotonic_ns(), audio)
        for change in self.conversation.apply(record, event):
            self._emit(change, None)
        self.lifeline.send(frame)

    async def send_by_hand(self, body: dict[str, Any]) -> str:
        """Send an event as somebody wrote it, connecting first; return its id.

        Raises
        ------
        StepnbError
            There is no session to send it to.
        """
        await self.connected()
        if self.closed or not self.lifeline.ready:
            raise SessionClosed("There is no connection to send it on.", fix="Try again once it is ready.")
        event_id: str = body.setdefault("event_id", f"hand{next(self._ids)}")
        frame = msgspec.json.encode(body).decode()
        decoded = codec.decode(frame)
        # First: an answer to it is then known for one, in the session and in its recording.
        self.local("sent_by_hand", {"event_id": event_id, "type": body["type"]})
        self._send_frame(decoded.event, frame, decoded.audio)
        return event_id

    def append_audio(self, payload: str, pcm: bytes) -> None:
        """Send microphone audio: base64 text and the PCM16 it stands for."""
        if not self.lifeline.ready:
            return
        if self.lifeline.crowded:
            if not self.lost_uplink:
                self.notice("warning", "The service is too slow: some microphone audio is left out.")
            self.lost_uplink += len(pcm) // 48
            return
        frame = f'{{"type":"input_audio_buffer.append","event_id":"a{next(self._ids)}","audio":"{payload}"}}'
        self._send_frame(_APPEND, frame, codec.cut_out(frame, payload, pcm))

    # Receiving ----------------------------------------------------------------------------------------------------

    def on_frame(self, frame: str) -> None:
        """Take in a frame of the service."""
        decoded = codec.decode(frame)
        event, audio = decoded.event, decoded.audio
        record = self.log.append_frame("in", event.type, frame, time.monotonic_ns(), audio, decoded.repairs)
        changes = self.conversation.apply(record, event)
        if isinstance(event, _MORE):
            self._on_more(event, record, changes, audio.pcm if audio is not None else None)
            return
        # Silence first: what a barge-in discards must not be told to the player any more.
        if isinstance(event, ev.SpeechStarted):
            self.bargein.interrupt(by_speech=True)
        commands = self._next_commands(event, record.t / 1e9)
        for change in changes:
            self._emit(change, None)
        self.asking.carry_out(commands)
        self._on_session_event(event)
        self.hub.event(event)
        self.refresh_status()

    def _next_commands(self, event: codec.AnyEvent, now: float) -> list[Command]:
        if isinstance(event, ev.ErrorEvent) and event.error.event_id in self.conversation.by_hand:
            return []  # it says nothing of what the session itself asked for
        if self.recovery.takes(event):
            return []  # the slot is that of the next connection
        if isinstance(event, ev.ResponseDone | ev.ResponseCancelled):
            self.asking.count_cost()  # before the slot grants the next answer
        return self.asking.slot.on_event(event, now)

    def _on_more(self, event: ev.PartEvent, record: Record, changes: list[Change], pcm: bytes | None) -> None:
        """The same for nearly all of the traffic, which only adds to an answer that has begun."""
        for change in changes:
            self.hub.change(change, pcm)
        self.asking.slot.goes_on(record.t / 1e9)
        if pcm is not None and not self.settings.voice_locked:
            self.settings.lock_voice()
        self.hub.event(event)

    def _on_session_event(self, event: codec.AnyEvent) -> None:
        match event:
            case ev.SessionCreated():
                self.session_id = event.session.id or self.session_id
                self.lifeline.hello()
                self.settings.on_created(event.session)
            case ev.SessionUpdated():
                self.settings.on_updated(event.session)
            case ev.ErrorEvent():
                if (
                    not self.settings.on_error(event.error, self.lifeline.trace_id)
                    and classify(event.error) is Fault.BAD_EVENT
                ):
                    logger.warning("The service called an event of ours invalid: %s", event.error.message)
            case ev.MalformedEvent():
                self.notice("warning", f"The service sent a frame that cannot be understood: {event.reason}")

    # The page -------------------------------------------------------------------------------------------------------

    def played(self, items: dict[str, float]) -> None:
        self.local("playhead", {"items": items})

    def update(self, config: SessionConfig) -> None:
        """Apply a changed configuration, now or with the next connection."""
        self._set(config, live=self.lifeline.ready)

    def renew(self, changes: dict[str, Any]) -> None:
        """Begin a new session at the service with these fields of the configuration changed."""
        self._set(dataclasses.replace(self.settings.config, **changes), live=False)
        self.lifeline.renew()

    def _set(self, config: SessionConfig, *, live: bool) -> None:
        if config.voice != self.settings.config.voice:
            doubt = catalog.voice_doubt(config.voice or "", self.model, self.endpoint.cluster)
            if doubt is not None:
                self.notice("warning", *doubt)
        self.settings.update(config, live=live)

    # Telling ------------------------------------------------------------------------------------------------------

    def local(self, kind: str, data: dict[str, object], t: int | None = None) -> None:
        """Log what happened here, at a monotonic time in ns or just now, and tell what it changes."""
        for change in self.conversation.apply(self.log.append_local(kind, data, t), None):
            self._emit(change, None)

    def _emit(self, change: Change, pcm: bytes | None) -> None:
        self.asking.on_change(change)
        self.tools.on_change(change)
        if change.kind == "notice" and change.error is not None:
            self.notice("warning", change.error.message, change.error.fix or "")
        self.hub.change(change, pcm)

    def notice(self, level: Level, text: str, fix: str = "") -> None:
        """Tell the user: in ``session.notices``, in the panel and in the log."""
        self.hub.notice(level, text, fix)
        self.log.append_local("notice", {"level": level, "text": text, "fix": fix})

    def refresh_status(self) -> None:
        """Say what the session is doing, while it is connected."""
        if not self.lifeline.ready or self.closed:
            return
        state: State = "ready"
        if self.conversation.speaking:
            state = "listening"
        elif self.playing:
            state = "speaking"
        elif self.asking.slot.busy or self.tools.busy:
            state = "thinking"
        elif self.mic_live:
            state = "listening"
        self.hub.set_status(Status(state))

    def activity(self, *, playing: bool | None = None, mic_live: bool | None = None) -> None:
        """The page says whether sound is being played and whether its microphone is live."""
        self.playing = self.playing if playing is None else playing
        self.mic_live = self.mic_live if mic_live is None else mic_live
        self.refresh_status()

    # Ending -------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End the session: settle what is open, close the socket, stop every task, release the engine."""
        if self.closed:
            return
        self.closed = True
        self.asking.give_up(SessionClosed("The session was closed before the answer came."))
        self.disconnected(SessionClosed("The session was closed."))
        await self.lifeline.close()
        self.bargein.close()
        self.asking.close()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.hub.end()
        await self._spooling.close()
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
