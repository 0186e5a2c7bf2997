"""What tables and galleries show of a turn without opening its recording."""

from __future__ import annotations

from msgspec import Struct

from ..audio.clip import Clip
from ..session.turn import Turn


class TurnSummary(Struct, kw_only=True, frozen=True):
    """A turn in a line.

    Attributes
    ----------
    said
        What was asked: the text, or what the service heard in the audio.
    answer
        What the model said.
    audio_ms, heard_ms
        How much it spoke, and how much of that was heard; None without a listener.
    first_audio_ms
        From the end of the input to the first audio.
    tools
        Names of the functions it called.
    cost, currency
        By the published prices; None where there is none.
    """

    said: str
    spoken: bool
    answer: str
    status: str
    error: str | None = None
    audio_ms: float = 0.0
    heard_ms: float | None = None
    first_audio_ms: float | None = None
    tools: list[str] = []
    cost: float | None = None
    currency: str | None = None

    @classmethod
    def of(cls, turn: Turn) -> TurnSummary:
        asked, cost = turn.user, turn.cost
        return cls(
            said=asked if isinstance(asked, str) else turn.user_transcript or "",
            spoken=isinstance(asked, Clip),
            answer=turn.transcript,
            status=turn.status,
            error=None if turn.error is None else str(turn.error),
            audio_ms=1000 * turn.audio.duration,
            heard_ms=turn.heard_ms,
            first_audio_ms=turn.latency.first_audio,
            tools=[call.name for call in turn.tool_calls],
            cost=cost.amount if cost is not None else None,
            currency=cost.currency if cost is not None else None,
        )
