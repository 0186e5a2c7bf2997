"""`Scene`: who did what when, in seconds on the clock of the log. What timelines and reports are drawn from. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stepnb.conversation.reducer import Conversation
from stepnb.conversation.state import ItemState, TurnState
from stepnb.errors import ConfigError
from stepnb.plots.lanes import BYTES_PER_S, Stretch, of_refs, parts_of, streamed, voiced
from stepnb.protocol import events as ev
from stepnb.protocol.faults import BENIGN, Fault, classify
from stepnb.recording.log import Log

_APPEND = "input_audio_buffer.append"
_THINKING = "response.thinking.delta"
_BETWEEN_THOUGHTS = 2.0  # a longer pause ends a stretch of thinking, s


class Source(Protocol):
    """Where conversations come from: a `Session` or a `Recording`."""

    @property
    def events(self) -> Log: ...
    @property
    def conversation(self) -> Conversation: ...


class TurnLike(Protocol):
    """A `Turn`."""

    @property
    def id(self) -> int | None: ...
    @property
    def source(self) -> Source: ...


def split(what: Source | TurnLike) -> tuple[Source, int | None]:
    """Return where a conversation comes from, and the number of the turn that is meant; None for all."""
    if hasattr(what, "source"):
        turn: TurnLike = what  # type: ignore[assignment]
        return turn.source, turn.id
    if hasattr(what, "conversation"):
        return what, None
    raise ConfigError(
        f"A {type(what).__name__} has no conversation.", fix="Give a Session, a Recording or a Turn of one."
    )


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time; s.

    Attributes
    ----------
    turn
        Its number, None when it belongs to none.
    text
        What to write beside it.
    """

    start: float
    end: float
    turn: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A piece of what the service said; s.

    Attributes
    ----------
    start
        When its first sample was heard; without a player, when its first audio came.
    generated
        When all of it would have been heard.
    heard
        When the last sample was heard; None without a player.
    text
        As far as it was heard.
    sound
        Where its audio lies, heard or not.
    """

    turn: int
    start: float
    generated: float
    heard: float | None
    text: str
    sound: tuple[Stretch, ...]

    @property
    def cut(self) -> bool:
        """Whether some of it was never heard."""
        return self.heard is not None and self.generated - self.heard > 0.05


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation over time.

    Attributes
    ----------
    start, end
        Of the whole, s.
    speech
        When the person spoke: measured in the audio where it was kept, else from the service's events.
    messages
        What was typed, or sent as a complete clip; no time passes in them.
    replies, thinking, calls, gaps
        What the service said and thought, functions it called, time without a connection.
    cuts
        When the person (or Stop) ended an answer.
    errors
        What the service complained about.
    sound
        Where the person's audio lies.
    threshold
        The VAD's when the session began, in energy units; None for push-to-talk.
    events, streaming
        When records came, s; those that carry a piece of a stream apart.
    """

    start: float
    end: float
    speech: list[Span]
    messages: list[Span]
    replies: list[Reply]
    thinking: list[Span]
    calls: list[Span]
    gaps: list[Span]
    cuts: list[Span]
    errors: list[Span]
    sound: list[Stretch] = field(repr=False)
    threshold: int | None
    events: NDArray[np.float64] = field(repr=False)
    streaming: NDArray[np.float64] = field(repr=False)

    @classmethod
    def of(cls, source: Source) -> Scene:
        """Derive it from the log and the conversation of a session or recording."""
        return _Reader(source).scene()

    def span_of(self, turn: int) -> tuple[float, float]:
        """Return when the first thing of a turn began and its last ended, s; all of the scene when there is nothing."""
        mine = [
            thing
            for things in (self.speech, self.messages, self.thinking, self.calls)
            for thing in things
            if thing.turn == turn
        ]
        begins = [span.start for span in mine] + [reply.start for reply in self.replies if reply.turn == turn]
        ends = [span.end for span in mine] + [reply.generated for reply in self.replies if reply.turn == turn]
        return (min(begins), max(ends)) if begins else (self.start, self.end)


def microphone_chunks(log: Log) -> list[tuple[float, int, int]]:
    """Return (sent at, s; offset and length in the store, bytes) of the microphone's audio, as far as it was kept."""
    seconds, kinds, audio, names = log.table()
    if not names:
        return []
    chosen = np.flatnonzero((audio > 0) & np.array([side == "out" for side, _ in names])[kinds])
    sizes = audio[chosen].astype(np.int64)
    offsets = np.cumsum(sizes) - sizes
    appended = np.array([name == _APPEND for _, name in names])[kinds[chosen]]
    use = appended & (offsets + sizes <= log.audio.lanes["input"].size)
    return list(zip(seconds[chosen[use]].tolist(), offsets[use].tolist(), sizes[use].tolist(), strict=True))


class _Reader:
    def __init__(self, source: Source) -> None:
        self._log = source.events
        self._conversation = source.conversation
        self._seconds, self._kinds, self._bytes, self._names = self._log.table()
        self._turns = list(source.conversation.turns.values())
        self._sound = streamed(microphone_chunks(self._log))
        self._first = {str(r.data["item"]): self._at(r.t) for r in self._local("first") if r.data}
        self._arrived_at, self._arrived = self._arrivals()

    def scene(self) -> Scene:
        end = float(self._seconds.max(initial=0.0))
        replies = [reply for turn in self._turns for reply in self._replies(turn)]
        end = max([end, *(reply.generated if reply.heard is None else reply.heard for reply in replies)])
        streaming = np.array([name.endswith((".delta", ".append")) for _, name in self._names], bool)
        wire = np.array([side != "local" for side, _ in self._names], bool)
        kinds = self._kinds
        vad = self._log.about.config.server_vad
        return Scene(
            start=0.0,
            end=end,
            speech=[span for turn in self._turns for span in self._speech(turn, end)],
            messages=[span for turn in self._turns for span in self._message(turn)],
            replies=replies,
            thinking=[span for turn in self._turns for span in self._thinking(turn)],
            calls=[span for turn in self._turns for span in self._calls(turn, end)],
            gaps=self._gaps(end),
            cuts=[span for turn in self._turns for span in self._cuts(turn, replies)],
            errors=self._errors(),
            sound=self._sound,
            threshold=vad.energy_awakeness_threshold if vad else None,
            events=self._seconds[wire[kinds] & ~streaming[kinds]] if wire.size else np.empty(0),
            streaming=self._seconds[wire[kinds] & streaming[kinds]] if wire.size else np.empty(0),
        )

    # The person

    def _speech(self, turn: TurnState, end: float) -> Iterator[Span]:
        started = turn.stamps.get("speech_started")
        pushed = turn.kind == "speech" and "input_ended" in turn.stamps
        if started is None and not pushed:
            return
        text = turn.user_transcript or ""
        pieces = [part for ref in list(turn.input_audio) for part in parts_of(self._sound, ref)]
        found = voiced(self._log.audio.lanes["input"], pieces)
        if found is not None:
            yield Span(*found, turn.id, text)
        elif started is not None:
            stopped = turn.stamps.get("speech_stopped")
            yield Span(self._at(started), self._at(stopped) if stopped is not None else end, turn.id, text)

    def _message(self, turn: TurnState) -> Iterator[Span]:
        asked = turn.stamps.get("asked")
        if asked is None or turn.kind not in ("text", "clip"):
            return
        at = self._at(asked)
        if turn.kind == "text":
            yield Span(at, at, turn.id, turn.text or "")
        else:
            seconds = sum(ref.length for ref in list(turn.input_audio)) / BYTES_PER_S
            yield Span(at, at, turn.id, turn.user_transcript or f"clip, {seconds:.1f} s")

    # The service

    def _arrivals(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where each piece of the service's audio ends in the store, and when it came."""
        came = np.array([side == "in" for side, _ in self._names], bool)
        chosen = np.flatnonzero((self._bytes > 0) & came[self._kinds]) if came.size else np.empty(0, int)
        return np.cumsum(self._bytes[chosen].astype(np.int64)), self._seconds[chosen]

    def _replies(self, turn: TurnState) -> Iterator[Reply]:
        free = self._at(turn.stamps.get("first_audio", 0))
        for item in self._conversation.answer(turn):
            if not item.audio_bytes:
                continue
            first = self._first.get(item.id)
            start = first if first is not None else max(free, self._came(item) or free)
            seconds = item.audio_bytes / BYTES_PER_S
            heard = None
            if item.played_ms is not None:
                heard = start + item.played_ms / 1000
            elif first is None and self._first:
                heard = start  # there is a player, and it never played this
            spoken = item.heard_chars()
            text = item.text if spoken is None else item.text[:spoken]
            yield Reply(turn.id, start, start + seconds, heard, text, tuple(of_refs(list(item.audio), start)))
            free = start + seconds

    def _came(self, item: ItemState) -> float | None:
        """Return when an item's first audio came."""
        ref = item.audio[0]
        place = int(np.searchsorted(self._arrived_at, ref.offset, side="right"))
        return float(self._arrived[place]) if ref.kept and place < self._arrived.size else None

    def _thinking(self, turn: TurnState) -> Iterator[Span]:
        if not any(item.thinking for item in self._conversation.answer(turn)):
            return
        begin, done = turn.stamps.get("response_created"), turn.stamps.get("done")
        wanted = [n for n, (side, name) in enumerate(self._names) if side == "in" and name == _THINKING]
        times = self._seconds[np.isin(self._kinds, wanted)]
        times = times[times >= self._at(begin)] if begin is not None else times
        times = times[times <= self._at(done)] if done is not None else times
        if times.size:
            for part in np.split(times, np.flatnonzero(np.diff(times) > _BETWEEN_THOUGHTS) + 1):
                yield Span(float(part[0]), float(part[-1]), turn.id)

    def _calls(self, turn: TurnState, end: float) -> Iterator[Span]:
        for call in self._conversation.calls(turn):
            if call.started is not None:
                stop = self._at(call.finished) if call.finished is not None else end
                yield Span(self._at(call.started), stop, turn.id, call.name)

    def _cuts(self, turn: TurnState, replies: Sequence[Reply]) -> Iterator[Span]:
        if turn.cut_ms is None and turn.status != "interrupted":
            return  # what has not been heard will be: it is still being played
        cut = [
            reply.heard
            for reply in replies
            if reply.turn == turn.id and reply.cut and reply.heard is not None
        ]
        at = max(cut) if cut else None
        if at is None and turn.status == "interrupted" and "cancelled" in turn.stamps:
            at = self._at(turn.stamps["cancelled"])
        if at is not None:
            yield Span(at, at, turn.id)

    # The connection

    def _gaps(self, end: float) -> list[Span]:
        lost = [self._at(record.t) for record in self._local("disconnected")]
        back = np.array([self._at(record.t) for record in self._local("connected")])
        gaps: list[Span] = []
        for at in lost:
            later = back[back > at]
            if not gaps or at >= gaps[-1].end:
                gaps.append(Span(at, float(later[0]) if later.size else end))
        return gaps

    def _errors(self) -> list[Span]:
        found = []
        for record in self._log.filter(side="in", type="error"):
            event = record.event
            if isinstance(event, ev.ErrorEvent) and classify(event.error) not in BENIGN | {Fault.SLOT_TAKEN}:
                at = self._at(record.t)
                found.append(Span(at, at, None, event.error.message or "error"))
        return found

    def _local(self, kind: str) -> Sequence[Any]:
        return self._log.filter(side="local", type=kind)

    def _at(self, t: int) -> float:
        return (t - self._log.anchor) / 1e9
