"""`TurnTaking`: how two took turns: response times, overlap, interruptions, silences, talk, words and cost. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from stepnb.conversation.cost import Ledger
from stepnb.conversation.state import TurnState
from stepnb.optional import library
from stepnb.plots.scene import Scene, Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Interrupter = Literal["person", "self", "stop"]

SILENCE_S = 1.0
"""Nobody speaking for so long, between the first and the last sound, is a silence."""

_STEP_S = 0.01
# A run of Latin letters is a word; Mandarin is not written in words, and every character counts.
_WORD = re.compile(r"[^\W\d_⺀-鿿豈-﫿]+(?:['’-][^\W\d_⺀-鿿]+)*|\d+(?:[.,]\d+)*|[⺀-鿿豈-﫿]")


class Billed(Source, Protocol):
    """A `Session` or a `Recording`."""

    @property
    def ledger(self) -> Ledger: ...


@dataclass(frozen=True, slots=True)
class TurnRow:
    """What can be counted in a turn.

    Attributes
    ----------
    turn, kind, status
        As in `Turn`.
    start
        When it began, s.
    response_ms
        From the end of the voice (or the written question) to the first sample heard, or, without a player, to the
        first audio in the kernel; negative where the answer began before the question had ended; None without one.
    speech_s, answer_s
        How long the person spoke, and how long the answer was heard.
    overlap_s
        How long of it both spoke.
    words, answer_words
        Said (or written) and heard: Latin words, Mandarin characters.
    interrupted_by
        "person"; "self": speech of which the service made no words, as of its own sound in the microphone; "stop":
        without speech. None: not at all.
    stop_ms
        From the beginning of that speech until the answer fell silent.
    cost
        What it cost, in the currency of the session; None where that is not known.
    """

    turn: int
    kind: str
    status: str
    start: float
    response_ms: float | None
    speech_s: float
    answer_s: float
    overlap_s: float
    words: int
    answer_words: int
    interrupted_by: Interrupter | None
    stop_ms: float | None
    cost: float | None


class TurnTaking:
    """How the two of a conversation took turns; made by ``session.report()`` and ``recording.report()``.

    A notebook shows it as one page.

    Attributes
    ----------
    rows
        `TurnRow` of every turn.
    scene
        Who did what when.
    """

    def __init__(self, source: Billed) -> None:
        self.source = source
        self.scene = Scene.of(source)
        turns = list(source.conversation.turns.values())
        self._grid = _Grid(self.scene)
        self.rows = [self._row(turn, turns) for turn in turns]

    def df(self) -> Any:
        """Return the turns as a table.

        Returns
        -------
        pandas.DataFrame
            One row a turn, the columns of `TurnRow`.

        Raises
        ------
        MissingLibrary
            pandas is not installed.
        """
        pandas = library("pandas", "A table", "data")
        names = list(TurnRow.__dataclass_fields__)
        return pandas.DataFrame([asdict(row) for row in self.rows], columns=names)

    @property
    def summary(self) -> dict[str, float | int | str | None]:
        """The whole conversation in figures; None where there is nothing to count.

        ``response_ms`` and ``response_p95_ms``: median and 95th percentile. ``you_share``, ``step_share``,
        ``both_share``, ``silence_share``: shares of the time from the first to the last sound. ``..._wpm``: words in a
        minute of speaking. ``silences``, ``longest_silence_s``: pauses of all of at least a second. ``stop_ms``: median
        time until an interrupted answer fell silent.
        """
        answered = [row.response_ms for row in self.rows if row.response_ms is not None]
        stops = [row.stop_ms for row in self.rows if row.stop_ms is not None]
        by = [row.interrupted_by for row in self.rows]
        costs = [row.cost for row in self.rows if row.cost is not None]
        spoken = [row for row in self.rows if row.speech_s]
        heard = [row for row in self.rows if row.answer_s]
        grid, silences = self._grid, self.silences
        return {
            "turns": len(self.rows),
            "seconds": grid.seconds,
            "response_ms": _quantile(answered, 0.5),
            "response_p95_ms": _quantile(answered, 0.95),
            "you_share": grid.share(grid.you & ~grid.step),
            "step_share": grid.share(grid.step & ~grid.you),
            "both_share": grid.share(grid.you & grid.step),
            "silence_share": grid.share(~grid.you & ~grid.step),
            "overlap_s": grid.time(grid.you & grid.step),
            "silences": len(silences),
            "longest_silence_s": max(silences, default=None),
            "interruptions": by.count("person"),
            "self_interruptions": by.count("self"),
            "stops": by.count("stop"),
            "stop_ms": _quantile(stops, 0.5),
            "you_wpm": _rate(sum(row.words for row in spoken), sum(row.speech_s for row in spoken)),
            "step_wpm": _rate(sum(row.answer_words for row in heard), sum(row.answer_s for row in heard)),
            "cost": sum(costs) if costs else None,
            "currency": self.source.ledger.cost().currency,
        }

    @property
    def silences(self) -> list[float]:
        """How long nobody spoke, s, each time it was at least a second."""
        return [
            length for length in self._grid.runs(~self._grid.you & ~self._grid.step) if length >= SILENCE_S
        ]

    def plot(self) -> Figure:
        """Draw the page: figures, the timeline, response times, talk and silences."""
        from stepnb.plots.report import page

        return page(self)

    def _row(self, turn: TurnState, turns: Sequence[TurnState]) -> TurnRow:
        scene, grid = self.scene, self._grid
        speech = [span for span in scene.speech if span.turn == turn.id]
        messages = [span for span in scene.messages if span.turn == turn.id]
        replies = [reply for reply in scene.replies if reply.turn == turn.id]
        heard = [(reply.start, reply.generated if reply.heard is None else reply.heard) for reply in replies]
        heard = [(start, end) for start, end in heard if end > start]
        asked = [span.end for span in (*speech, *messages)]
        begun = [span.start for span in (*speech, *messages)] + [start for start, _ in heard]
        by, stop_ms = self._interruption(turn, turns)
        cost = self.source.ledger.cost([turn]).amount if turn.responses else None
        return TurnRow(
            turn=turn.id,
            kind=turn.kind,
            status=turn.status,
            start=min(begun, default=0.0),
            response_ms=1000 * (heard[0][0] - max(asked)) if heard and asked else None,
            speech_s=sum(span.end - span.start for span in speech),
            answer_s=sum(end - start for start, end in heard),
            overlap_s=grid.time(grid.mask(heard) & grid.you),
            words=words_in((turn.user_transcript if speech else turn.text) or ""),
            answer_words=sum(words_in(reply.text) for reply in replies),
            interrupted_by=by,
            stop_ms=stop_ms,
            cost=cost,
        )

    def _interruption(
        self, turn: TurnState, turns: Sequence[TurnState]
    ) -> tuple[Interrupter | None, float | None]:
        """Return who ended the answer of a turn, and how long it went on."""
        cut = next((span.start for span in self.scene.cuts if span.turn == turn.id), None)
        if cut is None:
            return None, None
        begun = min((reply.start for reply in self.scene.replies if reply.turn == turn.id), default=cut)
        over = [span for span in self.scene.speech if begun <= span.start <= cut and span.turn != turn.id]
        if not over:
            return "stop", None
        other = next((one for one in turns if one.id == over[-1].turn), None)
        said = words_in(other.user_transcript or "") if other else 0
        return ("person" if said else "self"), 1000 * (cut - over[-1].start)

    def _repr_png_(self) -> Any:
        return self.plot()._repr_png_()  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        found = self.summary
        response = found["response_ms"]
        answered = f", median response {response:.0f} ms" if isinstance(response, float) else ""
        return f"TurnTaking({found['turns']} turns, {found['seconds']:.1f} s{answered})"


class _Grid:
    """Who speaks, in steps of 10 ms from the first to the last sound."""

    def __init__(self, scene: Scene) -> None:
        speech = [(span.start, span.end) for span in scene.speech]
        heard = [
            (reply.start, reply.generated if reply.heard is None else reply.heard) for reply in scene.replies
        ]
        spans = [span for span in (*speech, *heard) if span[1] > span[0]]
        self._begin = min((start for start, _ in spans), default=0.0)
        self._size = round((max((end for _, end in spans), default=0.0) - self._begin) / _STEP_S)
        self.you, self.step = self.mask(speech), self.mask(heard)

    @property
    def seconds(self) -> float:
        return self._size * _STEP_S

    def mask(self, spans: Iterable[tuple[float, float]]) -> NDArray[np.bool_]:
        inside = np.zeros(self._size, bool)
        for start, end in spans:
            inside[max(0, self._place(start)) : max(0, self._place(end))] = True
        return inside

    def time(self, mask: NDArray[np.bool_]) -> float:
        return float(np.count_nonzero(mask)) * _STEP_S

    def share(self, mask: NDArray[np.bool_]) -> float | None:
        return self.time(mask) / self.seconds if self._size else None

    def runs(self, mask: NDArray[np.bool_]) -> list[float]:
        edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).reshape(-1, 2)
        lengths: list[float] = (np.diff(edges, axis=1)[:, 0] * _STEP_S).tolist()
        return lengths

    def _place(self, second: float) -> int:
        return round((second - self._begin) / _STEP_S)


def words_in(text: str) -> int:
    """Count words: Latin words, numbers, and characters of Mandarin."""
    return len(_WORD.findall(text))


def _quantile(values: Sequence[float], share: float) -> float | None:
    return (
        float(np.quantile(values, share, method="inverted_cdf" if share > 0.5 else "linear"))
        if values
        else None
    )


def _rate(words: int, seconds: float) -> float | None:
    return 60 * words / seconds if seconds else None
