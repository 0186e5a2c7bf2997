"""One session on the server's side: client events in, server events out, one response at a time.

Handlers never wait: what takes time (hearing, thinking, speaking) runs as tasks of the session, and a handler is never
seen half done. A reply waits for the transcripts before it, because the brain reads text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from stepnb.audio import pcm as pcm16
from stepnb.audio.vad import EnergyVAD
from stepnb.errors import EngineError, StepnbError
from stepnb.local.answering import pieces
from stepnb.local.conversation import Conversation, ServerItem, item_from_client
from stepnb.local.dialect import Dialect
from stepnb.local.faults import Faults, InternalError, SlowFirstAudio
from stepnb.local.hearing import Hearing
from stepnb.local.ids import Ids
from stepnb.local.inbuffer import InputBuffer, UtteranceBegan
from stepnb.local.outbox import Entry, Hangup
from stepnb.local.output import Stage
from stepnb.local.parts import VAD, Brain, BrainRequest, Ears, Mouth, StreamingBrain, VoiceSettings
from stepnb.local.profile import Profile
from stepnb.local.refusals import (
    EMPTY_CONTEXT,
    NO_RESPONSE_TO_CANCEL,
    RESPONSE_EXISTS,
    Refused,
    invalid_format,
    server_error,
)
from stepnb.local.reply import Reply
from stepnb.local.settings import ReplyOptions, Settings
from stepnb.local.usage import estimate as estimate_usage
from stepnb.protocol import catalog, codec
from stepnb.protocol import events as ev

logger = logging.getLogger("stepnb.local")

POLICY_VIOLATION = 1008
_LOG_CHARS = 300
# Of a new account; nothing counts them here.
_RATE_LIMITS = (
    {"name": "requests", "limit": 10, "remaining": 9, "reset_seconds": 6.0},
    {"name": "tokens", "limit": 5_000_000, "remaining": 4_999_000, "reset_seconds": 0.0},
)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What all sessions of an engine share.

    Attributes
    ----------
    voice_settings, is_clone
        How a voice sounds, and whether it was cloned here.
    now
        The clock the brain is told the time of.
    speed
        Audio sent per real time; None or 0: as fast as it is read.
    make_vad
        Makes a session's turn detection from its three parameters.
    faults
        What goes wrong on demand.
    """

    ears: Ears
    mouth: Mouth
    brain: Brain | StreamingBrain
    voice_settings: Callable[[str], VoiceSettings]
    is_clone: Callable[[str], bool] = lambda _: False
    profile: Profile
    seed: int
    speed: float | None
    now: Callable[[], datetime]
    make_vad: Callable[..., VAD] = EnergyVAD
    faults: Faults = field(default_factory=Faults)


# A session's tasks are cancelled so often, this far apart, s.
_CANCELS, _CANCEL_S = 10, 0.2


class Session:
    """A session.

    Parameters
    ----------
    setup
        What it shares with the others.
    number
        Its number in the engine, from 1.
    model
        The model of the connection.
    put
        Takes a frame to the client, or the end of the connection, without waiting.
    room
        Waits until the client has caught up.
    """

    def __init__(
        self,
        setup: Setup,
        number: int,
        model: str,
        put: Callable[[Entry], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self._setup = setup
        self._name = f"session {number}"
        self._ids = Ids(setup.seed, number)
        self._put = put
        self._room = room
        self._settings = Settings.initial(model, setup.profile, setup.is_clone)
        self._dialect = Dialect(setup.profile, setup.now())
        self._voice_locked = False
        self._conversation = Conversation(self._ids, keep_client_ids=setup.profile.keep_client_ids)
        self._buffer = InputBuffer(setup.make_vad)
        self._buffer.set_vad(self._settings.vad)
        self._utterance_id = ""
        self._reply: Reply | None = None
        self._reply_due = False  # an automatic response waits for the slot
        self._hearing = Hearing(
            setup.ears,
            setup.profile,
            told=lambda: self._settings.transcribed,
            emit=self._emit,
            spawn=self._spawn,
            name=self._name,
        )
        self._answering: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # all that run, cancelled ones included
        self.id = self._ids.new("session")

    # Life -----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Say ``session.created``."""
        logger.info("%s: opened, model %s", self._name, self._settings.model)
        session = self._settings.to_wire(self.id, created=True)
        self._emit(ev.SessionCreated(session=session))

    def expire(self) -> None:
        """End the session, which has lived long enough."""
        self._reply_due = False
        self._interrupt("session_expired")
        profile = self._setup.profile
        if profile.session_limit_error:
            minutes = profile.session_limit_s / 60
            self._send_error(Refused(f"session expired after {minutes:g} minutes", code="session_expired"))
        self._put(Hangup(profile.session_limit_code, "session expired"))

    async def close(self) -> None:
        """Stop everything the session runs."""
        for _ in range(_CANCELS):
            for task in self._tasks:
                task.cancel()
            if self._tasks:  # again for one that was just being woken by another task, and so has missed it
                await asyncio.wait(set(self._tasks), timeout=_CANCEL_S)
        logger.info("%s: closed", self._name)

    # Frames ---------------------------------------------------------------------------------------------------------

    def handle(self, frame: str | bytes) -> None:
        """Take one frame of the client in. Whatever it is, the session goes on."""
        event_id = None
        try:
            decoded = codec.decode(frame)
            event_id = decoded.event.event_id
            if isinstance(decoded.event, ev.MalformedEvent):
                event_id = _event_id(frame)
                raise invalid_format(decoded.event.reason)
            if isinstance(frame, bytes):
                raise invalid_format("binary frames are not accepted")
            # The service's decoder takes null for "not given" and refuses any other type it did not expect.
            odd = [repair for repair in decoded.repairs if not repair.endswith(": null")]
            if odd:
                raise invalid_format(odd[0], param=odd[0].partition(":")[0])
            self._dispatch(decoded.event, decoded.pcm)
        except Refused as refusal:
            self._send_error(refusal, event_id)
        except Exception:
            logger.exception("%s: a client event failed", self._name)
            self._send_error(server_error("internal error"), event_id)

    def _dispatch(self, event: codec.AnyEvent, pcm: bytes | None) -> None:
        match event:
            case ev.InputAudioBufferAppend():
                self._append(pcm or b"")
            case ev.SessionUpdate():
                self._update(event.session)
            case ev.InputAudioBufferCommit():
                self._add_utterance(self._conversation.new_id(), self._buffer.commit())
            case ev.InputAudioBufferClear():
                self._buffer.clear()
                self._emit(ev.InputAudioBufferCleared())
            case ev.ConversationItemCreate():
                self._create_item(event.item, event.previous_item_id)
            case ev.ConversationItemDelete():
                self._conversation.delete(event.item_id)
                self._emit(ev.ConversationItemDeleted(item_id=event.item_id))
            case ev.ConversationItemTruncate() if self._setup.profile.truncation:
                self._truncate(event)
            case ev.ResponseCreate():
                self._create_response(event)
            case ev.ResponseCancel():
                if self._reply is None:
                    raise Refused(NO_RESPONSE_TO_CANCEL)
                self._interrupt("client_cancelled")
            case _:
                raise invalid_format(f"unknown event type {event.type[:100]!r}", param="type")

    def _emit(self, event: ev.ServerEvent) -> None:
        event.event_id = self._ids.new("event")
        self._put(self._dialect.encode(event))

    def _send_error(self, refusal: Refused, event_id: str | None = None) -> None:
        logger.info("%s: error: %s", self._name, _brief(refusal.message))
        self._emit(ev.ErrorEvent(error=refusal.info(event_id)))
        if refusal.closes:
            self._put(Hangup(POLICY_VIOLATION, refusal.message))

    # Settings -------------------------------------------------------------------------------------------------------

    def _update(self, update: ev.SessionInfo) -> None:
        before = self._settings.vad
        self._settings = self._settings.merged(update, voice_locked=self._voice_locked)
        if self._settings.vad != before:
            self._buffer.set_vad(self._settings.vad)
        session = self._settings.to_wire(self.id, created=False)
        self._emit(ev.SessionUpdated(session=session))

    async def _first_audio(self) -> None:
        slow = self._setup.faults.strike(SlowFirstAudio)
        if slow is not None:
            await asyncio.sleep(slow.seconds)
        self._voice_locked = True

    # What the user says ---------------------------------------------------------------------------------------------

    def _append(self, pcm: bytes) -> None:
        for event in self._buffer.append(pcm):
            if isinstance(event, UtteranceBegan):
                self._utterance_id = self._conversation.new_id()
                self._emit(ev.SpeechStarted(item_id=self._utterance_id, audio_start_ms=event.at_ms))
                if self._setup.profile.auto_interrupt:
                    self._reply_due = False  # the reply to this utterance will answer the one before as well
                    self._interrupt("turn_detected")
            else:
                self._emit(ev.SpeechStopped(item_id=self._utterance_id, audio_end_ms=event.at_ms))
                self._add_utterance(self._utterance_id, event.pcm)
                self._reply_due = True
                self._start_due_reply()

    def _add_utterance(self, item_id: str, pcm: bytes) -> None:
        item = ServerItem(id=item_id, role="user", content="audio", audio_ms=len(pcm) // pcm16.BYTES_PER_MS)
        previous = self._conversation.add(item)
        self._emit(ev.InputAudioBufferCommitted(item_id=item.id, previous_item_id=previous))
        self._emit(ev.ConversationItemCreated(previous_item_id=previous, item=item.echo(self._setup.profile)))
        self._hearing.start(item, pcm)

    def _create_item(self, wanted: ev.Item, after: str | None) -> None:
        item, pcm = item_from_client(
            wanted, self._conversation.new_id, system_closes=self._setup.profile.system_item_closes
        )
        if pcm and self._hearing.is_full:
            raise server_error("too many recordings wait to be transcribed")
        previous = self._conversation.add(item, after)
        if item.role != "tool" or self._setup.profile.acknowledges_outputs:
            created = item.echo(self._setup.profile)
            self._emit(ev.ConversationItemCreated(previous_item_id=previous, item=created))
        if pcm:
            self._hearing.start(item, pcm)
        elif item.role == "user":
            logger.info("%s: user: %s", self._name, _brief(item.text))

    def _truncate(self, event: ev.ConversationItemTruncate) -> None:
        self._conversation.truncate(event.item_id, event.audio_end_ms)
        self._emit(
            ev.ConversationItemTruncated(
                item_id=event.item_id, content_index=event.content_index, audio_end_ms=event.audio_end_ms
            )
        )

    # Answering ------------------------------------------------------------------------------------------------------

    def _create_response(self, event: ev.ResponseCreate) -> None:
        if self._reply is not None:
            raise Refused(RESPONSE_EXISTS)
        if not len(self._conversation):
            raise Refused(EMPTY_CONTEXT)
        self._start_reply(self._settings.reply_options(event, voice_locked=self._voice_locked))

    def _start_due_reply(self) -> None:
        if self._reply_due and self._reply is None:
            self._reply_due = False
            self._start_reply(self._settings.reply_options())

    def _start_reply(self, options: ReplyOptions) -> None:
        stage = Stage(
            emit=self._emit,
            room=self._room,
            add=self._conversation.add,
            mouth=self._setup.mouth,
            voice=self._setup.voice_settings(options.voice),
            profile=self._setup.profile,
            speed=self._setup.speed,
            first_audio=self._first_audio,
        )
        spoken = "audio" in options.modalities or self._setup.profile.text_as_speech
        content: Literal["text", "audio"] = "audio" if spoken else "text"
        self._reply = reply = Reply(self._ids, content, stage)
        if self._setup.profile.rate_limits:
            self._emit(ev.RateLimitsUpdated(rate_limits=list(_RATE_LIMITS)))
        self._answering = self._spawn(self._answer(reply, options), "stepnb reply")

    async def _answer(self, reply: Reply, options: ReplyOptions) -> None:
        try:
            await self._hearing.over()
            question = self._conversation.last_user_item()
            if question is not None and question.failure:
                raise EngineError(question.failure)
            request = self._request(options)
            failure = self._setup.faults.strike(InternalError)
            await reply.give(pieces(self._setup.brain, request, failure))
        except (StepnbError, TimeoutError) as error:
            self._fail_reply(reply, str(error) or "the engine took too long")
        except Exception:
            logger.exception("%s: a reply failed", self._name)
            self._fail_reply(reply, "internal error")
        else:
            called = [f"{call.name}({call.arguments})" for call in reply.calls]
            logger.info("%s: assistant: %s", self._name, _brief(" ".join([reply.text, *called])))
            written = reply.text + "".join(called)
            used = estimate_usage(request, self._conversation.audio_ms, written, reply.spoken_ms)
            self._end_reply(reply, "completed", usage=used)

    def _request(self, options: ReplyOptions) -> BrainRequest:
        known = catalog.capabilities(self._settings.model)
        return BrainRequest(
            history=self._conversation.history(),
            now=self._setup.now(),
            instructions=options.instructions,
            seed=self._setup.seed,
            model=self._settings.model,
            modalities=options.modalities,
            tools=self._settings.usable_tools(options.tool_choice),
            tool_choice=options.tool_choice,
            thinking=known is not None and known.thinking is True,
        )

    def _fail_reply(self, reply: Reply, reason: str) -> None:
        error = server_error(reason)
        self._send_error(error)
        info = {"type": error.type, "code": error.code, "message": error.message}
        self._end_reply(reply, "failed", details={"type": "failed", "error": info})

    def _interrupt(self, reason: str) -> None:
        """Stop the running response, if there is one."""
        if self._reply is None or self._answering is None:
            return
        self._answering.cancel()
        status = self._setup.profile.interrupted_status
        logger.info("%s: assistant, interrupted: %s", self._name, _brief(self._reply.text))
        self._end_reply(self._reply, status, details={"type": status, "reason": reason})

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _end_reply(self, reply: Reply, status: str, **how: Any) -> None:
        self._reply = None
        reply.end(status, **how)
        self._start_due_reply()


def _brief(text: str) -> str:
    """Return a text as part of one line of the log."""
    line = " ".join(text.split())
    return line if len(line) <= _LOG_CHARS else f"{line[:_LOG_CHARS]}..."


def _event_id(frame: str | bytes) -> str | None:
    """Return the ``event_id`` of a frame that is no event, if it has one."""
    try:
        event_id = msgspec.json.decode(frame)["event_id"]
    except (msgspec.DecodeError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return event_id if isinstance(event_id, str) else None
