"""Which scores stand against which: pairs of runs over the same input and repeat."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence

from ..errors import ConfigError
from .stats import Comparison, compare, holm
from .store import Run


def comparisons(
    runs: Sequence[Run], values: dict[str, float], metric: str, by: str, baseline: str | None
) -> list[Comparison]:
    """Compare the levels of a factor over the same inputs, repeats and other factors.

    Parameters
    ----------
    runs
        Done or failed.
    values
        The score by run key; a run that is not in it has none.
    by
        "variant" or a factor.
    baseline
        What the others are compared with; None: every two with each other.

    Raises
    ------
    ConfigError
        There is no such factor, or no such level.
    """
    levels: dict[str, dict[tuple[object, ...], float]] = defaultdict(dict)
    for run in runs:
        level = level_of(run, by)
        others = () if by == "variant" else tuple(v for factor, v in run.factors.items() if factor != by)
        levels[level][run.input, run.repeat, *others] = values.get(run.key, math.nan)
    if baseline is not None and baseline not in levels:
        raise ConfigError(f"There is no {by} {baseline!r}.", fix=f"There are: {', '.join(levels)}.")
    couples = (
        itertools.combinations(levels, 2)
        if baseline is None
        else ((baseline, level) for level in levels if level != baseline)
    )
    found = []
    for a, b in couples:
        shared = [cell for cell in levels[a] if cell in levels[b]]
        alone = len(levels[a].keys() ^ levels[b].keys())
        found.append(compare(metric, a, b, [(levels[a][cell], levels[b][cell]) for cell in shared], alone))
    return holm(found)


def level_of(run: Run, by: str) -> str:
    """Return a run's variant, or its level of a factor.

    Raises
    ------
    ConfigError
        There is no such factor.
    """
    level = run.variant if by == "variant" else run.factors.get(by)
    if level is None:
        known = ", ".join(dict.fromkeys(["variant", *run.factors]))
        raise ConfigError(f"There is no factor {by!r}.", fix=f"There are: {known}.")
    return level
