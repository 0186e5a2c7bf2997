"""Tables of an experiment, with pandas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .scoring import Prepared
from .store import Rating, Run, ScoreRow

if TYPE_CHECKING:
    import pandas as pd


def table(runs: Sequence[Run], scores: Sequence[ScoreRow], scorers: Sequence[Prepared]) -> pd.DataFrame:
    """Return a run a row; a score that was not exercised is missing (NaN), and never zero."""
    import pandas as pd

    current = {scorer.id for scorer in scorers}
    by_run: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    names: dict[str, None] = {}
    for score in scores:
        if score.scorer in current:
            by_run[score.key][score.name] = score.value if score.text is None else score.text
            names[score.name] = None
    rows = [_row(run) | {name: by_run[run.key].get(name) for name in names} for run in runs]
    return pd.DataFrame(rows)


def rating_table(runs: Sequence[Run], ratings: Sequence[Rating]) -> pd.DataFrame:
    """Return a rated run a row, with the latest rating and note."""
    import pandas as pd

    latest: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for one in ratings:
        value: Any = int(one.value) if one.kind == "rating" and one.value.isdecimal() else one.value
        latest[one.key] |= {one.kind: value, **({"blind": one.blind} if one.kind == "rating" else {})}
    columns = ["variant", "input", "repeat", "rating", "note", "blind", "key"]
    rows = [
        {"variant": run.variant, "input": run.input, "repeat": run.repeat, "key": run.key, **latest[run.key]}
        for run in runs
        if run.key in latest
    ]
    return pd.DataFrame(rows, columns=columns)


def _row(run: Run) -> dict[str, Any]:
    last = run.turns[-1] if run.turns else None
    return {
        "variant": run.variant,
        **{factor: level for factor, level in run.factors.items() if factor != "variant"},
        "input": run.input,
        "repeat": run.repeat,
        "status": "failed" if run.error else last.status if last else "empty",
        "said": last.said if last else None,
        "answer": last.answer if last else None,
        "turns": len(run.turns),
        "audio_s": sum(turn.audio_ms for turn in run.turns) / 1000,
        "cost": _sum([turn.cost for turn in run.turns]),
        "seconds": run.seconds,
        "attempts": run.attempts,
        "error": run.error,
        "key": run.key,
    }


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
