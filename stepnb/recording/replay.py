"""A recording in the place of the service: it checks what the session sends and answers with what was recorded.

The recording is walked twice. One walk compares: every event that comes must be the next recorded one. Audio is
compared as one stream, because how it is cut into events, and how much silence flows around speech, is a matter of
timing. The other walk delivers the service's frames, each as soon as everything has come that was sent before it then.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pybase64

from ..conversation.history import message_items
from ..conversation.record import Record
from ..errors import ConfigError, ConnectionLost, RecordingError, ReplayMismatch
from ..protocol.config import FunctionTool, SessionConfig, ToolSpec
from ..service.endpoint import Endpoint, Secret
from ..service.loop import io_thread
from ..session.core import SessionCore
from ..session.session import Session
from ..session.tools import Tool
from .log import EventLog, Log
from .script import APPEND, NOT_COMPARED, Flow, Script

if TYPE_CHECKING:
    from .recording import Recording

# The service heard speech, or that it ended: it needs the silence, too.
_HEARD = {"input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"}
_CLOSED_BY_US = "The session was closed."


def replay(recording: Recording, speed: float) -> Session:
    """Return a session that talks to a recording; see `Recording.replay`."""
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not (0 <= speed < math.inf):
        raise ConfigError(
            f"speed is {speed!r}.", fix="Write 1 for the recorded pace, 2 for twice that, 0 for none."
        )
    header, settings = recording.events.about.header, recording.settings
    config = SessionConfig(
        voice=settings.voice,
        instructions=settings.instructions,
        vad=settings.server_vad,
        tools=_recorded_tools(recording),
        transcription=settings.transcription,
    )
    core = SessionCore(
        Endpoint(header.cluster, "replay://recording", Secret("")),
        header.model,
        config,
        io_thread.loop,
        log=EventLog(model=header.model, cluster=header.cluster, where="recording", settings=settings),
        history=message_items(settings.history),
        greeting=settings.greeting,
        open_connection=Player(recording.events, speed).open,
    )
    return Session._of(core)


@dataclasses.dataclass
class _Span:
    """One connection: its first and last record, and why it ended unless the session closed it."""

    trace_id: str | None
    first: int
    end: int
    lost: str | None = None

    def records(self, log: Log) -> Iterator[Record]:
        return iter(log[self.first : self.end])


class Player:
    """Plays one recorded connection after the other."""

    def __init__(self, log: Log, speed: float) -> None:
        self._log = log
        self._speed = speed
        self._connections = deque(_connections(log))
        self._mismatch: ReplayMismatch | None = None

    async def open(self, url: str, model: str, key: Secret, *, cluster: str) -> ReplayedConnection:
        """Open the next recorded connection.

        Raises
        ------
        RecordingError
            There is none; after a difference, that difference.
        """
        if self._mismatch is not None:
            raise self._mismatch
        if not self._connections:
            raise RecordingError(
                "The recording holds no further connection.", fix="Load and replay it again."
            )
        recorded = self._connections.popleft()

        def stop(error: ReplayMismatch) -> None:
            self._mismatch = error

        return ReplayedConnection(self._log, recorded, self._speed, stop)


def _connections(log: Log) -> list[_Span]:
    found: list[_Span] = []
    for record in log.filter(side="local", type="*connected"):
        data = record.data or {}
        if record.kind == "connected":
            if found and found[-1].end == len(log):
                found[-1].end, found[-1].lost = (
                    record.n,
                    "The recorded session went over to a new connection.",
                )
            found.append(_Span(data.get("trace_id"), record.n, len(log)))
        elif record.kind == "disconnected" and found and found[-1].end == len(log):
            found[-1].end = record.n
            reason = str(data.get("reason"))
            found[-1].lost = None if reason == _CLOSED_BY_US else reason
    return found


class ReplayedConnection:
    """A recorded connection, in the place of a `Connection`."""

    def __init__(self, log: Log, recorded: _Span, speed: float, on_mismatch: Any) -> None:
        self.trace_id = recorded.trace_id
        self._log = log
        self._recorded = recorded
        self._speed = speed
        self._on_mismatch = on_mismatch
        self._script = Script(log, recorded.records(log))
        self._moved = asyncio.Event()
        self._mismatch: ReplayMismatch | None = None

    async def send(self, frame: str) -> None:
        """Compare a frame with the recorded one."""
        if self._mismatch is None:
            try:
                self._script.came(frame)
            except ReplayMismatch as error:
                self._mismatch = error
                self._on_mismatch(error)
        self._moved.set()

    async def read(self, take: Callable[[str], None]) -> None:
        """Hand on the service's frames as they were recorded.

        Raises
        ------
        ReplayMismatch
            The session sent something else.
        ConnectionLost
            The recorded connection was lost here.
        """
        loop = asyncio.get_running_loop()
        controls, then, now = 0, Flow(), self._script.flow
        before, since = self._log[self._recorded.first].t, loop.time()
        for record in self._recorded.records(self._log):
            if record.kind == APPEND:
                then.add_record(self._log, record)
            elif record.side == "out" and record.kind not in NOT_COMPARED:
                controls += 1
            while (
                self._script.controls < controls
                or now.sound < then.sound
                or (record.kind in _HEARD and now.silence < then.silence)
            ):
                await self._move()
                before, since = record.t, loop.time()
            if record.side == "in":
                gap = (record.t - before) / 1e9 / self._speed if self._speed else 0.0
                await asyncio.sleep(since + gap - loop.time() if gap else 0)
                self._check()
                # More may have come by now than had then.
                shift = now.end_of(then.sound) - then.end_of(then.sound)
                take(_frame(self._log, record, shift))
                before, since = record.t, loop.time()
        self._check()
        if self._recorded.lost is not None:
            raise ConnectionLost(self._recorded.lost)
        while True:  # the recording is over; ends with `close`, which cancels the reader, or a difference
            await self._move()

    async def _move(self) -> None:
        self._check()
        await self._moved.wait()
        self._moved.clear()
        self._check()

    def _check(self) -> None:
        if self._mismatch is not None:
            raise self._mismatch

    async def close(self) -> None:
        """Nothing to close."""


def _frame(log: Log, record: Record, shift: int) -> str:
    """Return a frame of the service; shift: how much later the same audio stands in the stream now, samples."""
    if record.kind in _HEARD and shift:
        body = msgspec.json.decode(record.skeleton or "{}")
        for name in ("audio_start_ms", "audio_end_ms"):
            # Larger ones are wall-clock times, which say nothing of the stream.
            if isinstance(body.get(name), int) and body[name] < 1e11:
                body[name] = max(body[name] + round(shift / 24), 0)
        return msgspec.json.encode(body).decode()
    if record.audio is None or record.audio.kept or record.cut < 0:
        return log.frame(record)
    assert record.skeleton is not None
    silence = pybase64.b64encode_as_string(bytes(record.audio.length))
    return record.skeleton[: record.cut] + silence + record.skeleton[record.cut :]


@dataclasses.dataclass(frozen=True)
class _RecordedTool(Tool):
    """Returns what was returned then, whatever the arguments."""

    def decode(self, text: str) -> dict[str, Any]:
        return {}


def _recorded_tools(recording: Recording) -> tuple[ToolSpec, ...]:
    outputs: dict[str, deque[str]] = defaultdict(deque)
    for response in recording.conversation.responses.values():
        for call in response.calls.values():
            if call.output is not None:
                outputs[call.name].append(call.output)
    return tuple(_recorded_tool(wire, outputs) for wire in recording.settings.tools)


@dataclasses.dataclass(frozen=True)
class _WireTool:
    """A tool of the service, as it stood on the wire."""

    wire: dict[str, Any]

    def to_wire(self) -> dict[str, Any]:
        return self.wire


def _recorded_tool(wire: dict[str, Any], outputs: dict[str, deque[str]]) -> ToolSpec:
    if wire.get("type") != "function":
        return _WireTool(wire)
    function = wire.get("function", {})
    spec = FunctionTool(function.get("name"), function.get("description", ""), function.get("parameters", {}))

    async def result() -> str:
        if not outputs[spec.name]:
            raise RecordingError(f"The recording holds no further result of {spec.name}.")
        return outputs[spec.name].popleft()

    return _RecordedTool(
        spec.name,
        spec.description,
        spec.parameters,
        result,
        timeout=60.0,
        approve=False,
        arguments=msgspec.Struct,
    )
