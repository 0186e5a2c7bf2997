"""`Summary`: the scores of all variants in one table, and what can be said of them in words."""

from __future__ import annotations

import html
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .prompts import Difference
from .stats import Comparison, Mean, mean
from .store import Run, ScoreRow
from .words import figure, unit_of

if TYPE_CHECKING:
    import pandas as pd


class Summary:
    """Means of every score by variant.

    Attributes
    ----------
    means
        By (variant, metric).
    missing
        Runs of a variant in which a metric was not exercised, by (variant, metric).
    failed
        Runs that failed, by variant.
    """

    def __init__(self, name: str, runs: Sequence[Run], scores: Sequence[ScoreRow]) -> None:
        self.name = name
        self.variants = list(dict.fromkeys(run.variant for run in runs))
        self.metrics = list(dict.fromkeys(score.name for score in scores if score.text is None))
        self.runs = {variant: sum(run.variant == variant for run in runs) for variant in self.variants}
        self.failed = {
            variant: sum(run.variant == variant and run.error is not None for run in runs)
            for variant in self.variants
        }
        variant_of = {run.key: run.variant for run in runs}
        values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for score in scores:
            if score.key in variant_of and score.text is None:
                place = variant_of[score.key], score.name
                values[place].append(math.nan if score.value is None else score.value)
        self.means: dict[tuple[str, str], Mean] = {place: mean(found) for place, found in values.items()}
        self.missing = {place: len(found) - self.means[place].n for place, found in values.items()}

    def df(self) -> pd.DataFrame:
        """Return a row a variant and metric: mean, low, high, n, not_exercised. Needs pandas."""
        import pandas as pd

        rows = [
            {
                "variant": variant,
                "metric": metric,
                "mean": found.value,
                "low": found.low,
                "high": found.high,
                "n": found.n,
                "not_exercised": self.missing[variant, metric],
            }
            for (variant, metric), found in self.means.items()
        ]
        return pd.DataFrame(rows, columns=["variant", "metric", "mean", "low", "high", "n", "not_exercised"])

    def __repr__(self) -> str:
        lines = [f"Summary of {self.name}"]
        for variant in self.variants:
            told = [f"{metric} {_cell(self.means.get((variant, metric)))}" for metric in self.metrics]
            lines.append(f"  {variant}: {self.runs[variant]} runs; {'; '.join(told) or 'no scores'}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return summary_html(self)


def _cell(found: Mean | None) -> str:
    if found is None or not found.n:
        return "–"
    return f"{figure(found.value)}{_span(found)}"


def _span(found: Mean) -> str:
    return f" [{figure(found.low)}, {figure(found.high)}]" if math.isfinite(found.low) else ""


def summary_html(summary: Summary) -> str:
    """Write the table as HTML: a row a score, a column a variant; scores that are partly missing say so."""
    head = "".join(f'<th scope="col">{html.escape(variant)}</th>' for variant in summary.variants)
    runs = "".join(f"<td>{_runs(summary, variant)}</td>" for variant in summary.variants)
    rows = []
    for metric in summary.metrics:
        name = html.escape(metric.replace("_", " ").replace(".", ": "))
        unit = html.escape(unit_of(metric).suffix.strip())
        cells = "".join(f"<td>{_cell_html(summary, variant, metric)}</td>" for variant in summary.variants)
        rows.append(f'<tr><th scope="row">{name} <small>{unit}</small></th>{cells}</tr>')
    caption = f"<caption>{html.escape(summary.name)}: mean and 95 % interval</caption>"
    return (
        f'<table class="stepnb-summary">{caption}<thead><tr><td></td>{head}</tr></thead>'
        f'<tbody><tr><th scope="row">runs</th>{runs}</tr>{"".join(rows)}</tbody></table>'
    )


def _runs(summary: Summary, variant: str) -> str:
    failed = summary.failed[variant]
    return f"{summary.runs[variant]}" + (f" <small>{failed} failed</small>" if failed else "")


def _cell_html(summary: Summary, variant: str, metric: str) -> str:
    found, missing = summary.means.get((variant, metric)), summary.missing.get((variant, metric), 0)
    notes = []
    if found is None or not found.n:
        value = "–"
    else:
        value = figure(found.value)
        if found.low != found.high and math.isfinite(found.low):
            notes.append(_span(found).strip())
    if missing:
        notes.append(f"{missing} not exercised")
    return html.escape(value) + "".join(f"<br><small>{html.escape(note)}</small>" for note in notes)


class VariantDifference:
    """Two variants: what is different in their instructions, and in their results.

    Attributes
    ----------
    instructions
        The difference of the texts.
    results
        A comparison for each score, corrected for their number.
    """

    def __init__(self, instructions: Difference, results: Sequence[Comparison]) -> None:
        self.instructions = instructions
        self.results = list(results)

    def __repr__(self) -> str:
        return "\n".join([repr(self.instructions), *(f"{one.metric}: {one}" for one in self.results)])

    def _repr_html_(self) -> str:
        told = "".join(
            f'<tr><th scope="row" style="text-align:left;vertical-align:top">{html.escape(one.metric)}</th>'
            f'<td style="text-align:left">{html.escape(str(one))}</td></tr>'
            for one in self.results
        )
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:start">'
            f"{self.instructions._repr_html_()}<table>{told}</table></div>"
        )


def sentences(found: Sequence[Comparison]) -> list[str]:
    """Say what differs, the clearest first, and of which metrics nothing can be told."""
    differing = sorted((one for one in found if one.differs), key=lambda one: one.p)
    same = dict.fromkeys(one.metric for one in found)
    for one in differing:
        same.pop(one.metric, None)
    told = [f"{one.metric}: {one}" for one in differing]
    if same:
        told.append(f"No difference can be told in {', '.join(same)}.")
    return told
