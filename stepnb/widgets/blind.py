"""A blind test of voices: pairs in random order, judged without knowing whose they are. Pure."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Choice = Literal["a", "b", "tie"]

_Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Trial:
    """Two voices with one text, as they are offered."""

    text: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Score:
    """How a voice did against the others.

    Attributes
    ----------
    voice
        Its label.
    trials, wins, ties, losses
        How often.
    preference
        Share of the trials it won, a tie counting half.
    low, high
        The 95 % confidence interval of that (Wilson's).
    """

    voice: str
    trials: int
    wins: int
    ties: int
    losses: int
    preference: float
    low: float
    high: float


class BlindTest:
    """Trials and what was chosen.

    Parameters
    ----------
    pairs
        What can be compared: (text, voices that said it).
    seed
        The same gives the same order.
    """

    def __init__(self, pairs: Sequence[tuple[str, Sequence[str]]], seed: int = 0) -> None:
        shuffled = random.Random(seed)
        self.trials = [
            Trial(text, *shuffled.sample(pair, 2))
            for text, voices in pairs
            for pair in itertools.combinations(voices, 2)
        ]
        shuffled.shuffle(self.trials)
        self.choices: list[Choice] = []

    @property
    def current(self) -> Trial | None:
        """What is to be judged now, None when all is."""
        return self.trials[len(self.choices)] if len(self.choices) < len(self.trials) else None

    def judge(self, number: int, choice: Choice) -> bool:
        """Take a choice for trial `number`; False: that is not the current one, as after a double click."""
        if number != len(self.choices) or self.current is None:
            return False
        self.choices.append(choice)
        return True

    def undo(self) -> None:
        """Take the last choice back."""
        del self.choices[-1:]

    def scores(self) -> list[Score]:
        """Return how the voices did, best first."""
        marks: dict[str, list[float]] = {}
        for trial, choice in zip(self.trials, self.choices, strict=False):
            mark = {"a": 1.0, "b": 0.0, "tie": 0.5}[choice]
            marks.setdefault(trial.a, []).append(mark)
            marks.setdefault(trial.b, []).append(1 - mark)
        found = [_score(voice, given) for voice, given in marks.items()]
        return sorted(found, key=lambda score: (-score.preference, score.voice))


def _score(voice: str, marks: Sequence[float]) -> Score:
    wins, losses = marks.count(1.0), marks.count(0.0)
    share = sum(marks) / len(marks)
    low, high = wilson(share, len(marks))
    return Score(voice, len(marks), wins, len(marks) - wins - losses, losses, share, low, high)


def wilson(share: float, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (Wilson's score interval)."""
    spread = _Z**2 / trials
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    # Rounding must not put the share outside.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))
