"""`Gallery`: an experiment to listen through, variants side by side, with blind ratings."""

from __future__ import annotations

import asyncio
import html
import threading
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pybase64
import traitlets
from msgspec import Meta

from ..rest.tables import Markup, table
from . import messages
from .page_widget import STATIC, PageWidget

if TYPE_CHECKING:
    from ..experiments.experiment import Experiment
    from ..experiments.report import Players
    from ..experiments.store import Run

# Rows in one answer; the page asks for those it is about to show.
_MOST_ROWS = 50
# Recordings kept open for the next turn or the next cell.
_OPEN_RECORDINGS = 8
# What is left of it on a saved page: so many answers, their players of so many MB.
_STATIC_ANSWERS = 24
_STATIC_MB = 0.3

Index = Annotated[int, Meta(ge=0, le=1_000_000)]
Reference = Annotated[int, Meta(ge=-1, le=1_000_000)]


class Query(messages.Message, tag="query"):
    """Which inputs to show, in which order.

    Attributes
    ----------
    text
        What has to be in an input or an answer.
    sort
        "" for the order of the experiment, or a score.
    variant
        The variant whose score sorts; -1: the spread between the variants.
    """

    id: Index
    text: Annotated[str, Meta(max_length=500)] = ""
    sort: Annotated[str, Meta(max_length=200)] = ""
    variant: Reference = -1
    down: bool = False


class Rows(messages.Message, tag="rows"):
    """Contents of rows, answers marked against those of a variant; -1: not marked."""

    inputs: Annotated[list[Index], Meta(max_length=_MOST_ROWS)]
    repeat: Index = 0
    reference: Reference = -1


class Hear(messages.Message, tag="hear"):
    key: messages.Id
    turn: Index = 0


class Rate(messages.Message, tag="rate"):
    key: messages.Id
    kind: Literal["rating", "note"]
    value: Annotated[str, Meta(max_length=2000)]
    blind: bool = False


class Gallery(PageWidget):
    """Variants as columns, inputs as rows: answers with what differs marked, players in step, scores, ratings.

    Arrows move, the space bar plays, 1 to 5 rate, N notes; Blind hides which variant is which and shuffles them.
    Ratings and notes are kept with the runs, see `Experiment.ratings`.

    Parameters
    ----------
    experiment
        Its runs; `refresh` takes in those that came later.
    """

    _page = "gallery"
    _esm = STATIC / "gallery.js"
    _css = STATIC / "gallery.css"
    head = traitlets.Dict().tag(sync=True)

    _messages: Any = messages.Hello | Query | Rows | Hear | Rate

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Any] = OrderedDict()
        self._cells: dict[tuple[str, str, int], Run] = {}
        self._scores: dict[str, dict[str, float | str | None]] = {}
        super().__init__(head=self._load())

    def refresh(self) -> None:
        """Take in runs and scores that came since."""
        self.head = self._load()

    def _load(self) -> dict[str, Any]:
        x = self.experiment
        runs = x.runs
        scores: defaultdict[str, dict[str, float | str | None]] = defaultdict(dict)
        for score in x.scores():
            scores[score.key][score.name] = score.value if score.text is None else score.text
        with self._lock:
            self._cells = {(run.input, run.variant, run.repeat): run for run in runs}
            self._scores = dict(scores)
        return {
            "name": x.name,
            "variants": [variant.name for variant in x.variants],
            "inputs": [one.name for one in x.inputs],
            "repeats": 1 + max((run.repeat for run in runs), default=0),
            "metrics": x.metrics,
            "runs": len(runs),
        }

    # From the page ----------------------------------------------------------------------------------------------------

    async def _handle(self, message: Any) -> None:
        await asyncio.to_thread(self._carry_out, message)

    def _carry_out(self, message: Any) -> None:
        match message:
            case Query():
                self._say("order", message.view, id=message.id, inputs=self._ordered(message))
            case Rows():
                rows = {str(index): self._row(index, message) for index in message.inputs}
                self._say("rows", message.view, repeat=message.repeat, reference=message.reference, rows=rows)
            case Hear():
                sound = self._sound(message.key, message.turn)
                self._say("sound", message.view, key=message.key, turn=message.turn, flac=sound)
            case Rate():
                self._rate(message)

    def _ordered(self, query: Query) -> list[int]:
        x = self.experiment
        wanted = query.text.casefold()
        found = [
            index for index, one in enumerate(x.inputs) if not wanted or wanted in self._text(one.name or "")
        ]
        if not query.sort:
            return found
        values = {index: self._value(x.inputs[index].name or "", query) for index in found}
        there = sorted(
            (i for i in found if values[i] is not None), key=lambda i: values[i] or 0.0, reverse=query.down
        )
        return there + [index for index in found if values[index] is None]

    def _text(self, name: str) -> str:
        said = [name]
        for variant in self.experiment.variants:
            for repeat in range(self.head["repeats"]):
                run = self._cells.get((name, variant.name, repeat))
                if run is not None:
                    said += [text for turn in run.turns for text in (turn.said, turn.answer)]
        return "\n".join(said).casefold()

    def _value(self, name: str, query: Query) -> float | None:
        """Return what an input is sorted by: the mean score of a variant, or how far the variants lie apart."""
        means = []
        variants = self.experiment.variants
        for variant in variants if query.variant < 0 else variants[query.variant : query.variant + 1]:
            runs = [self._cells.get((name, variant.name, repeat)) for repeat in range(self.head["repeats"])]
            scores = [self._scores.get(run.key, {}).get(query.sort) for run in runs if run is not None]
            numbers = [score for score in scores if isinstance(score, int | float)]
            if numbers:
                means.append(sum(numbers) / len(numbers))
        if not means:
            return None
        return max(means) - min(means) if query.variant < 0 else means[0]

    def _row(self, index: int, asked: Rows) -> list[dict[str, Any] | None]:
        x = self.experiment
        if index >= len(x.inputs):
            return []
        name = x.inputs[index].name or ""
        runs = [self._cells.get((name, variant.name, asked.repeat)) for variant in x.variants]
        marked = asked.reference if 0 <= asked.reference < len(runs) else None
        reference = runs[marked] if marked is not None else None
        return [self._cell(run, None if run is reference else reference) for run in runs]

    def _cell(self, run: Run | None, reference: Run | None) -> dict[str, Any] | None:
        if run is None:
            return None
        from ..experiments.prompts import marked

        turns = []
        for number, turn in enumerate(run.turns):
            before = reference.turns[number].answer if reference and number < len(reference.turns) else None
            turns.append(
                {
                    "said": turn.said,
                    "spoken": turn.spoken,
                    "answer": marked(before, turn.answer),
                    "status": turn.status,
                    "s": turn.audio_ms / 1000,
                }
            )
        scores = {
            name: value
            for name, value in self._scores.get(run.key, {}).items()
            if isinstance(value, int | float)
        }
        latest = self.experiment.store.latest_ratings(run.key)
        return {"key": run.key, "error": run.error, "turns": turns, "scores": scores, **latest}

    def _sound(self, key: str, number: int) -> str:
        with self._lock:
            recording = self._open.get(key)
        if recording is None:
            recording = self.experiment.recording(key)
            with self._lock:
                self._open[key] = recording
                while len(self._open) > _OPEN_RECORDINGS:
                    self._open.popitem(last=False)
        turns = recording.turns
        if number >= len(turns) or not turns[number].audio.duration:
            return ""
        return pybase64.b64encode_as_string(turns[number].audio.encoded("FLAC"))

    def _rate(self, message: Rate) -> None:
        known = {run.key for run in self._cells.values()}
        if message.key in known:
            self.experiment.store.rate(message.kind, message.key, message.value, blind=message.blind)

    # A saved page ---------------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        data = found[0] if isinstance(found, tuple) else found
        return {**(data or {}), "text/html": self._static_html(), "text/plain": repr(self)}, {}

    def _static_html(self) -> str:
        """The first repeat of the first inputs as a table of players."""
        from ..experiments.report import Players

        x = self.experiment
        players = Players(x, _STATIC_MB)
        variants = [variant.name for variant in x.variants]
        names = [one.name or "" for one in x.inputs[: max(1, _STATIC_ANSWERS // len(variants))]]
        rows = [
            (name, *(_static_cell(self._cells.get((name, variant, 0)), players) for variant in variants))
            for name in names
        ]
        left = len(x.inputs) - len(names)
        more = f"<div style='font-size:13px'>and {left} inputs more</div>" if left else ""
        return table(("", *variants), rows, empty="Nothing was asked.") + more

    def __repr__(self) -> str:
        return f"Gallery({self.experiment.name}, {self.head['runs']} runs)"


def _static_cell(run: Run | None, players: Players) -> Markup | str | None:
    if run is None:
        return None
    if run.error is not None:
        return run.error
    turns = zip(run.turns, players.players(run), strict=False)
    told = "".join(f"<div>{html.escape(turn.answer)}</div>{player}" for turn, player in turns)
    return Markup(f"<div style='width:15em'>{told}</div>")
