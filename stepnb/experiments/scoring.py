"""Scoring: what a scorer is, and how its figures come into the store."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from ..errors import ConfigError
from ..recording.recording import Recording
from ..session.turn import Turn
from .fingerprint import fingerprint
from .inputs import Input
from .store import ScoreRow

logger = logging.getLogger("stepnb")

# Nothing to be scored was there: neither a zero nor a failure.
NOT_EXERCISED = None

Over = Literal["last", "mean"]
Value = float | int | bool | str | None
Found = Value | Mapping[str, Value]


@dataclasses.dataclass(frozen=True)
class Context:
    """What a scorer may want to know beside the turn.

    Attributes
    ----------
    input
        With ``said`` and ``expect``.
    turns
        All turns of the run, oldest first.
    """

    input: Input
    turns: Sequence[Turn]


@runtime_checkable
class Scorer(Protocol):
    """A scorer with settings of its own; a frozen dataclass, so that its settings are its identity.

    Attributes
    ----------
    over
        "last": it scores the last turn of a run. "mean": every turn, and the mean of those it could score counts.
    parts
        The names of its figures where it finds several; empty for a single one.
    """

    over: Over
    parts: tuple[str, ...]

    @property
    def name(self) -> str: ...
    def __call__(self, turn: Turn, context: Context) -> Found: ...


AnyScorer = Scorer | Callable[..., Found]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A scorer with its name and its identity; a changed one scores anew."""

    scorer: AnyScorer
    name: str
    id: str
    takes_context: bool

    @property
    def description(self) -> str:
        """What it is, with its settings: the source of a function, the prompt of a judge."""
        if isinstance(self.scorer, Scorer):
            return repr(self.scorer)
        try:
            return inspect.getsource(self.scorer)
        except (OSError, TypeError):
            return repr(self.name)

    def rows(self, key: str, recording: Recording, one: Input) -> list[ScoreRow]:
        """Score a run; what a scorer raises becomes a note."""
        turns = recording.turns
        context = Context(one, turns)
        scored = turns if getattr(self.scorer, "over", "last") == "mean" else turns[-1:]
        try:
            found = [self._found(turn, context) for turn in scored]
        except Exception as error:
            logger.info("The scorer %s failed", self.name, exc_info=error)
            return [
                ScoreRow(key=key, scorer=self.id, name=self.name, note=f"{type(error).__name__}: {error}")
            ]
        names = dict.fromkeys(name for figures in found for name in figures)
        return [self._row(key, name, [figures.get(name) for figures in found]) for name in names]

    def _found(self, turn: Turn, context: Context) -> dict[str, Value]:
        found = self.scorer(turn, context) if self.takes_context else self.scorer(turn)  # type: ignore[call-arg]
        if found is None and isinstance(self.scorer, Scorer):
            found = dict.fromkeys(self.scorer.parts) or None
        if isinstance(found, Mapping):
            return {f"{self.name}.{part}": value for part, value in found.items()}
        return {self.name: found}

    def _row(self, key: str, name: str, values: Sequence[Value]) -> ScoreRow:
        there = [value for value in values if value is not None]
        numbers = [float(value) for value in there if isinstance(value, bool | int | float)]
        texts = [value for value in there if isinstance(value, str)]
        return ScoreRow(
            key=key,
            scorer=self.id,
            name=name,
            value=statistics.fmean(numbers) if numbers else None,
            text=texts[-1] if texts else None,
            note=None if there else "not exercised",
        )


def prepared(scorers: Sequence[AnyScorer]) -> list[Prepared]:
    """Return scorers ready for use, each with a name of its own.

    Raises
    ------
    ConfigError
        One cannot be called, or two have the same name.
    """
    found = []
    for scorer in scorers:
        if not callable(scorer) or isinstance(scorer, type):
            raise ConfigError(
                f"{scorer!r} is no scorer.",
                fix="Give a function of a Turn, or one of stepnb.scorers, such as WER().",
            )
        name = str(getattr(scorer, "name", None) or getattr(scorer, "__name__", type(scorer).__name__))
        # A function takes the turn, and the context when it has a place for it.
        takes = isinstance(scorer, Scorer) or len(_places(scorer)) > 1
        found.append(Prepared(scorer, name, fingerprint(name, scorer), takes))
    names = [scorer.name for scorer in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"Two scorers are called {twice!r}.", fix="Name them: Contains('x', name='x').")
    return found


def _places(function: Callable[..., Any]) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in kinds and parameter.default is inspect.Parameter.empty
    ]
