"""`Turn`: one exchange, as a handle while it runs and as a record afterwards."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..audio.clip import Clip
from ..conversation.reducer import Conversation
from ..conversation.state import ItemState, ToolCallState, TurnState, TurnStatus
from ..errors import StepnbError
from ..recording.log import Log
from .tools import ToolCall
from .waiting import wait_for_ending

if TYPE_CHECKING:
    from .core import SessionCore


class TurnSource(Protocol):
    """Where turns come from: a `Session` or a `Recording`."""

    @property
    def events(self) -> Log: ...
    @property
    def conversation(self) -> Conversation: ...
    @property
    def live(self) -> SessionCore | None:
        """Whose changes a display follows; None when nothing changes any more."""

    def tool_call(self, response: str, call: ToolCallState) -> ToolCall: ...


@dataclass(frozen=True)
class Latency:
    """How long the answer took, in ms from the end of the input; None where it never happened.

    The input ends when the service hears speech stop, when push-to-talk is let go, or, for text and complete clips,
    when it is asked.

    Attributes
    ----------
    response_created, first_text, first_audio
        When that event arrived in the kernel.
    first_heard
        When the first sample was rendered in the page, output latency included.
    """

    response_created: float | None
    first_text: float | None
    first_audio: float | None
    first_heard: float | None

    @classmethod
    def of(cls, stamps: dict[str, int]) -> Latency:
        """Derive the figures from the stamps of a turn, ns."""
        start = next(
            (stamps[name] for name in ("speech_stopped", "input_ended", "asked") if name in stamps), None
        )

        def since_start(name: str) -> float | None:
            return (stamps[name] - start) / 1e6 if start is not None and name in stamps else None

        return cls(
            since_start("response_created"),
            since_start("first_text"),
            since_start("first_audio"),
            since_start("first_heard"),
        )


class Turn:
    """One input and all that the service made of it.

    A turn is made at once by ``session.ask`` and ``session.append`` and by speech into the microphone. Show it as the
    last line of a cell to watch it live, wait for it with `wait` or ``await``, or just read what there is so far.
    """

    def __init__(self, source: TurnSource, state: TurnState | None, ending: Future[None]) -> None:
        self._source = source
        self._state = state
        self._ending = ending

    def _bind(self, state: TurnState) -> None:
        self._state = state

    # Waiting

    def wait(self, timeout: float | None = 60.0) -> Turn:
        """Block until the turn has ended.

        Parameters
        ----------
        timeout
            Seconds, or None for no limit.

        Returns
        -------
        Turn
            This turn; look at ``status`` and ``error``.

        Raises
        ------
        TurnTimeout
            It has not ended within the time; it goes on.
        ApprovalBlocked
            A call awaits approval by button, and this notebook hears no button while a cell waits; the turn goes on.
        StepnbError
            The session's error, when the input never reached the service.
        """
        wait_for_ending(self._ending, timeout, self._source.live, lambda: self.id)
        return self

    def __await__(self) -> Generator[Any, None, Turn]:
        import asyncio

        # shield: giving up the wait must not end the turn for others.
        yield from asyncio.shield(asyncio.wrap_future(self._ending)).__await__()
        return self

    # What there is

    @property
    def id(self) -> int | None:
        """Its number in the session, None in the moment before the session has taken it in."""
        return self._state.id if self._state else None

    @property
    def status(self) -> TurnStatus:
        """pending, active, completed, interrupted or failed."""
        return self._state.status if self._state else "pending"

    @property
    def error(self) -> StepnbError | None:
        """Why it failed."""
        return self._state.error if self._state else None

    @property
    def user(self) -> str | Clip | None:
        """What was asked: the text, or the audio as a Clip (24 kHz)."""
        if self._state is None:
            return None
        if self._state.text is not None:
            return self._state.text
        refs = list(self._state.input_audio)
        return Clip.from_pcm(self._source.events.audio.read(refs)) if refs else None

    @property
    def user_transcript(self) -> str | None:
        """What the service heard, None while or where it said nothing about it."""
        return self._state.user_transcript if self._state else None

    @property
    def transcript(self) -> str:
        """What the service said, so far; after an interruption also the part nobody heard."""
        return " ".join(item.text.strip() for item in self._items() if item.text.strip())

    @property
    def thinking(self) -> str:
        """What a reasoning model thought aloud."""
        return "".join(item.thinking for item in self._items())

    @property
    def audio(self) -> Clip:
        """What the service spoke, so far, at 24 kHz; empty when it spoke nothing."""
        refs = [ref for item in self._items() for ref in item.audio]
        return Clip.from_pcm(self._source.events.audio.read(refs))

    @property
    def heard_ms(self) -> float | None:
        """How much of `audio` was really played, ms; None without a player."""
        played = [item.played_ms for item in self._items() if item.played_ms is not None]
        return sum(played) if played else None

    @property
    def latency(self) -> Latency:
        """How long the answer took."""
        return Latency.of(self._state.stamps if self._state else {})

    @property
    def usage(self) -> dict[str, Any] | None:
        """Tokens of the last response as the service counted them, None where it did not."""
        responses = self._source.conversation.responses
        counted = [responses[number].usage for number in list(self._state.responses)] if self._state else []
        return next((usage for usage in reversed(counted) if usage), None)

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The functions the model called, in order, with what came of it."""
        responses = self._source.conversation.responses
        return [
            self._source.tool_call(response, call)
            for response in (list(self._state.responses) if self._state else [])
            for call in list(responses[response].calls.values())
        ]

    def _items(self) -> list[ItemState]:
        return self._source.conversation.answer(self._state) if self._state else []

    # Display

    def __repr__(self) -> str:
        head = f"Turn({self.id or 'new'}, {self.status}"
        said = self.transcript
        return f"{head}, {said[:60]!r}{'...' if len(said) > 60 else ''})" if said else f"{head})"

    def _repr_html_(self) -> str:
        from ..widgets.static_html import turn_html

        return turn_html(self)

    def _ipython_display_(self) -> None:
        from ..widgets.live import show_turn

        show_turn(self)
