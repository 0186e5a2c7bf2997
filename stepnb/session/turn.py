"""`Turn`: one exchange, as a handle while it runs and as a record afterwards."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..audio.clip import Clip
from ..conversation.cost import Cost, Ledger
from ..conversation.finish import FinishReason
from ..conversation.reducer import Conversation
from ..conversation.state import ItemState, ToolCallState, TurnKind, TurnState, TurnStatus
from ..conversation.timing import Latency, Stamps
from ..conversation.usage import Usage
from ..errors import StepnbError
from ..recording.log import Log
from .tools import ToolCall
from .waiting import wait_for_ending

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .core import SessionCore


class TurnSource(Protocol):
    """Where turns come from: a `Session` or a `Recording`."""

    @property
    def events(self) -> Log: ...
    @property
    def conversation(self) -> Conversation: ...
    @property
    def turns(self) -> list[Turn]: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def live(self) -> SessionCore | None:
        """Whose changes a display follows; None when nothing changes any more."""

    def tool_call(self, response: str, call: ToolCallState) -> ToolCall: ...


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
    def kind(self) -> TurnKind | None:
        """How it began: "text", "clip", "speech", "greeting" (the session's own), or "unasked" (the service's own)."""
        return self._state.kind if self._state else None

    @property
    def user(self) -> str | Clip | None:
        """What was asked: the text, or the audio as a Clip (24 kHz); None where nobody asked."""
        if self._state is None or self._state.kind == "greeting":
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
    def heard(self) -> str | None:
        """The part of `transcript` that was really played, in whole words; None without a player."""
        return self._parted(lambda text, chars: text[:chars])

    @property
    def unheard(self) -> str | None:
        """The part of `transcript` that was not played: not yet, or never after an interruption."""
        return self._parted(lambda text, chars: text[chars:])

    def _parted(self, part: Callable[[str, int], str]) -> str | None:
        items = self._items()
        if all(item.played_ms is None for item in items):
            return None
        parts = [part(item.text, item.heard_chars() or 0).strip() for item in items]
        return " ".join(text for text in parts if text)

    @property
    def heard_ms(self) -> float | None:
        """How much of `audio` was really played, ms; None without a player."""
        played = [item.played_ms for item in self._items() if item.played_ms is not None]
        return sum(played) if played else None

    @property
    def unheard_ms(self) -> float | None:
        """How much of `audio` was not played, ms: not yet, or never after an interruption; None without a player."""
        heard = self.heard_ms
        return None if heard is None else sum(item.audio_ms for item in self._items()) - heard

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the last answer ended.

        "stop" (it was complete), "length" (it reached the greatest length), "content_filter", "tool_calls",
        "cancelled" (it was interrupted) or "incomplete" (the service did not say why). None while it runs and where it
        failed; see `error`.
        """
        if self._state is None or not self._state.responses:
            return None
        return self._source.conversation.responses[self._state.responses[-1]].finish_reason

    @property
    def stamps(self) -> Stamps:
        """When what happened, in ns and in seconds into the log."""
        return Stamps.of(dict(self._state.stamps) if self._state else {}, self._source.events.anchor)

    @property
    def latency(self) -> Latency:
        """How long the answer took."""
        return Latency.of(dict(self._state.stamps) if self._state else {})

    @property
    def usage(self) -> Usage | None:
        """Tokens of all its responses that have ended, None before one has."""
        usage = self._source.ledger.usage([self._state]) if self._state else None
        return usage if usage is not None and usage.responses else None

    @property
    def cost(self) -> Cost | None:
        """What its responses that have ended cost by the published prices, None before one has."""
        if self._state is None or self.usage is None:
            return None
        return self._source.ledger.cost([self._state])

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

    @property
    def source(self) -> TurnSource:
        """The session or recording it belongs to."""
        return self._source

    def plot(self, kind: Literal["timeline", "waterfall"] = "timeline", **options: Any) -> Figure:
        """Draw the turn: who spoke when, with a second around it, or where the time went before the answer.

        Parameters
        ----------
        kind
            "timeline" or "waterfall".
        options
            Those of the function of that name in `stepnb.plots`; ``ax=`` draws on axes of yours.

        Raises
        ------
        ConfigError
            Another kind, or an option out of range.
        """
        from ..plots import draw_conversation

        return draw_conversation(self, kind, **options)

    def __repr__(self) -> str:
        early = self.finish_reason in ("length", "content_filter", "incomplete")
        head = f"Turn({self.id or 'new'}, {self.status}{f' ({self.finish_reason})' if early else ''}"
        said = self.transcript
        return f"{head}, {said[:60]!r}{'...' if len(said) > 60 else ''})" if said else f"{head})"

    def _repr_html_(self) -> str:
        from ..widgets.static_html import turn_html

        return turn_html(self)

    def _ipython_display_(self) -> None:
        from ..widgets.live import show_turn

        show_turn(self)
