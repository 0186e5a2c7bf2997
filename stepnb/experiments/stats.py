"""Statistics of scores: means with intervals, and paired comparisons over the same inputs. With scipy.

Everything is seeded: the same scores give the same figures.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..optional import library
from .words import figure, unit_of

LEVEL = 0.95
_RESAMPLES = 2000
_SEED = 20_240_229


@dataclasses.dataclass(frozen=True)
class Mean:
    """A mean with its interval.

    Attributes
    ----------
    value, low, high
        The mean and its bootstrap interval (BCa, 95 %); NaN without values, and without an interval for a single one.
    n
        How many values there were.
    """

    value: float
    low: float
    high: float
    n: int

    def __repr__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}], n={self.n}"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two variants (or levels of a factor) over the same inputs.

    Attributes
    ----------
    metric
        The score.
    a, b
        Their names.
    difference, low, high
        Mean of b - a over the pairs and its 95 % bootstrap interval, in the unit of the score.
    effect
        Cohen's d of the paired differences: the mean in units of their standard deviation; NaN when they do not vary.
    p
        Of a sign-flip permutation test, two-sided.
    p_corrected
        After Holm, for all comparisons made together.
    pairs
        How many pairs had both scores.
    unpaired
        Runs that were left out, because their counterpart failed, is missing or was not exercised.
    """

    metric: str
    a: str
    b: str
    difference: float
    low: float
    high: float
    effect: float
    p: float
    p_corrected: float
    pairs: int
    unpaired: int

    @property
    def differs(self) -> bool:
        """Whether a difference can be told at 5 %, after the correction."""
        return self.p_corrected < 1 - LEVEL

    def __str__(self) -> str:
        if not self.pairs:
            return f"{self.b} and {self.a} cannot be compared: they have no pair of scores."
        unit = unit_of(self.metric)
        span = f"[{figure(self.low)}, {figure(self.high)}], {self.pairs} pairs"
        if not self.differs:
            found = f"{figure(self.difference)}{unit.suffix} {span}"
            return f"No difference between {self.b} and {self.a} can be told: {found}."
        size, low, high = abs(self.difference), self.low, self.high
        if self.difference < 0:
            low, high = -high, -low
        word = unit.more if self.difference > 0 else unit.less
        return (
            f"{self.b} is {word} than {self.a} by {figure(size)}{unit.suffix} "
            f"[{figure(low)}, {figure(high)}], {self.pairs} pairs."
        )


def mean(values: ArrayLike) -> Mean:
    """Return the mean of values and its interval; missing ones (NaN) are left out."""
    there = _there(values)
    if not there.size:
        return Mean(math.nan, math.nan, math.nan, 0)
    low, high = _interval(there)
    return Mean(float(there.mean()), low, high, int(there.size))


def compare(metric: str, a: str, b: str, pairs: ArrayLike, unpaired: int = 0) -> Comparison:
    """Compare over pairs.

    Parameters
    ----------
    pairs
        (n, 2): the score of a and of b; a pair with a missing one (NaN) is left out and counts as unpaired.
    """
    both = np.asarray(pairs, float).reshape(-1, 2)
    whole = np.isfinite(both).all(axis=1)
    unpaired += int((~whole).sum())
    gaps = both[whole, 1] - both[whole, 0]
    if not gaps.size:
        nan = math.nan
        return Comparison(metric, a, b, nan, nan, nan, nan, nan, nan, 0, unpaired)
    low, high = _interval(gaps)
    spread = float(gaps.std(ddof=1)) if gaps.size > 1 else 0.0
    # Differences that are all the same have no spread to be measured in; rounding must not make one up.
    effect = float(gaps.mean()) / spread if spread > 1e-12 * max(1.0, float(np.abs(gaps).max())) else math.nan
    p = _sign_flip(gaps)
    return Comparison(metric, a, b, float(gaps.mean()), low, high, effect, p, p, int(gaps.size), unpaired)


def holm(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Correct for many comparisons by Holm's method: the more are made, the stronger each has to be."""
    order = sorted(
        (place for place, one in enumerate(comparisons) if math.isfinite(one.p)),
        key=lambda place: comparisons[place].p,
    )
    corrected = list(comparisons)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * comparisons[place].p))
        corrected[place] = dataclasses.replace(comparisons[place], p_corrected=highest)
    return corrected


def _there(values: ArrayLike) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = np.asarray(values, float).ravel()
    there: NDArray[np.float64] = numbers[np.isfinite(numbers)]
    return there


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    if values.size < 2:
        return math.nan, math.nan
    if np.ptp(values) <= 1e-12 * np.abs(values).max(initial=1.0):
        return float(values[0]), float(values[0])  # the bootstrap has nothing to vary
    found = _stats().bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        confidence_level=LEVEL,
        method="BCa",
        rng=np.random.default_rng(_SEED),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _sign_flip(gaps: NDArray[np.float64]) -> float:
    """Return how often chance alone would give so large a mean: had a and b been swapped in each pair at random."""
    if not np.any(gaps):
        return 1.0
    found = _stats().permutation_test(
        (gaps,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=10 * _RESAMPLES,
        rng=np.random.default_rng(_SEED),
    )
    return float(found.pvalue)


def _stats() -> Any:
    return library("scipy.stats", "Comparing variants", "experiments")
