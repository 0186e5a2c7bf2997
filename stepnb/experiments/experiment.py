"""`Experiment`: the public object. A grid of variants over the same inputs, run, kept, scored and compared."""

from __future__ import annotations

import html
import math
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..recording.recording import Recording
from ..service.endpoint import Secret
from .comparing import comparisons, level_of
from .grid import Combine, Variant, variants_of
from .handle import Handle, show_until_done
from .inputs import inputs_of
from .limits import LOCAL, Limits
from .overview import Summary, VariantDifference, summary_html
from .perform import Outcome, perform
from .pictures import by_level, interaction
from .plan import Case, Plan, cases_of, plan_of
from .prompts import Difference, as_python
from .runner import Perform, Runner, experiment_thread
from .scoring import AnyScorer, prepared
from .stats import Comparison, holm
from .store import Run, ScoreRow, Store
from .summary import TurnSummary

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ..widgets.gallery import Gallery

_FOLDER = Path("experiments")


class Experiment:
    """Variants of a session, side by side over the same inputs.

    Making one runs nothing: look at `plan` first, then `run` it. What was run is kept on disk, so that running it again
    makes only what is missing.

    Parameters
    ----------
    name
        Its name, and that of its folder.
    grid
        What varies: ``{"instructions": {"short": "...", "warm": "..."}, "voice": ["a", "b"]}``, by everything a Session
        takes, and ``noise`` (signal-to-noise ratio of pink noise in the input, dB; None for none) and ``rate`` (Hz the
        input passes through; 8000 is a telephone). Or a list of mappings, each a variant.
    inputs
        What every variant is asked: texts, Clips, lists of both with `Interruption`, async functions of a `Call`,
        `SimulatedCaller`, or `Input` with a name and what is expected. A mapping gives them names.
    repeats
        How often each variant meets each input.
    scorers
        Functions of a Turn, or those of `stepnb.scorers`. They can be changed later: `score` scores what is kept.
    fixed
        Settings all variants share.
    combine
        "product": every combination; "zip": first with first, second with second.
    budget
        No new run begins once so much was spent by the published prices, in the currency the cluster bills in (CNY or
        USD). None: no limit.
    limits
        By cluster: ``{"cn": sn.Limits(concurrency=20, per_minute=200)}``. Left out: what a new account may do.
    seed
        Of the order and of the noise.
    folder
        Where it is kept; None for ``experiments/`` and the name in the current directory.
    api_key
        As for a Session. It is neither kept nor sent to other processes.

    Raises
    ------
    ConfigError
        A wrong argument; the message says what to write instead.
    """

    def __init__(
        self,
        name: str,
        *,
        grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        inputs: Sequence[Any] | Mapping[str, Any],
        repeats: int = 1,
        scorers: Sequence[AnyScorer] = (),
        fixed: Mapping[str, Any] | None = None,
        combine: Combine = "product",
        budget: float | None = None,
        limits: Mapping[str, Limits] | None = None,
        seed: int = 0,
        folder: str | os.PathLike[str] | None = None,
        api_key: str | None = None,
    ) -> None:
        if not isinstance(name, str) or not re.fullmatch(r"[\w][\w .-]*", name):
            raise ConfigError(
                f"An experiment cannot be called {name!r}.", fix="Use letters, digits, - and _."
            )
        if not isinstance(repeats, int) or repeats < 1:
            raise ConfigError(f"repeats is {repeats!r}.", fix="Write a whole number from 1.")
        self.name = name
        self.variants = variants_of(grid, fixed or {}, combine)
        self.inputs = inputs_of(inputs)
        self._refuse_unheard_conditions()
        self.scorers = prepared(scorers)
        self._cases = cases_of(self.variants, self.inputs, repeats, seed, api_key)
        self._key = Secret(api_key) if api_key else None
        self._budget = budget
        self._limits = dict(limits or {})
        self.store = Store(Path(folder).expanduser() if folder is not None else _FOLDER / name)
        self._running: Handle | None = None

    def _refuse_unheard_conditions(self) -> None:
        written = next((one for one in self.inputs if not one.spoken), None)
        noisy = next((variant for variant in self.variants if variant.conditions), None)
        if written is not None and noisy is not None:
            raise ConfigError(
                f"{' and '.join(noisy.conditions)} change sound, but the input {written.name!r} is text.",
                fix="Speak it: sn.Clip.load(...), or the audio of a turn.",
            )

    # Running ------------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Say what running it will take: how many sessions, how long, what it will cost."""
        return plan_of(self._cases, self.store.runs(case.key for case in self._cases), self._limits_of)

    def run(self, *, dask: Any = None) -> Experiment:
        """Make the runs that are missing, and repeat those that failed; returns when that is done.

        Ctrl-C or the kernel's interrupt ends the runs under way; what is finished is kept, and running again goes on.

        Parameters
        ----------
        dask
            A ``dask.distributed.Client``: runs are spread over its workers, within the same limits. The key is not
            sent to them; each looks for its own, as a Session does.

        Returns
        -------
        Experiment
            Itself, to be shown: the summary.
        """
        handle = self.start(dask=dask)
        show_until_done(handle)
        return self

    def start(self, *, dask: Any = None) -> Handle:
        """Do as `run`, in the background."""
        if self._running is not None and self._running.running:
            raise ConfigError(
                f"{self.name!r} runs already.", fix="Wait for it: handle.wait(), or handle.cancel()."
            )
        self._describe_scorers()
        runner = Runner(
            self._cases, self.store, self._performer(dask), self._keep, self._limits_of, self._budget
        )
        self._running = Handle(runner, experiment_thread.submit(runner.run()))
        return self._running

    def _performer(self, dask: Any) -> Perform:
        if dask is None:
            key = None if self._key is None else self._key.reveal()
            return lambda case: perform(case, key)
        from .spread import performer

        if self._key is not None:
            raise ConfigError(
                "api_key is not sent to other processes.", fix="Set STEPFUN_API_KEY where the workers run."
            )
        return performer(dask)

    def _limits_of(self, place: str) -> Limits:
        return self._limits.get(place, LOCAL if place == "local" else Limits())

    def _keep(self, case: Case, outcome: Outcome) -> dict[str, float]:
        with tempfile.TemporaryDirectory(prefix="stepnb-") as folder:
            path = Path(folder) / "run.stepnb"
            path.write_bytes(outcome.recording)
            recording = Recording.load(path)
        scores = [row for scorer in self.scorers for row in scorer.rows(case.key, recording, case.input)]
        turns = [TurnSummary.of(turn) for turn in recording.turns]
        self.store.add(case, outcome, turns, [] if outcome.error else scores)
        cost: dict[str, float] = {}
        for turn in turns:
            if turn.currency is not None:
                cost[turn.currency] = cost.get(turn.currency, 0.0) + (turn.cost or 0.0)
        return cost

    def score(self) -> Experiment:
        """Score the runs that are kept with scorers they have not met; nothing is run."""
        inputs = {one.name: one for one in self.inputs}
        self._describe_scorers()
        for scorer in self.scorers:
            known = self.store.scored(scorer.id)
            for run in self.runs:
                if run.key not in known and run.error is None:
                    recording = self.store.recording(run.key)
                    self.store.score(run.key, scorer.rows(run.key, recording, inputs[run.input]))
        return self

    def _describe_scorers(self) -> None:
        self.store.describe((scorer.id, scorer.name, scorer.description) for scorer in self.scorers)

    # Looking ------------------------------------------------------------------------------------------------------

    @property
    def runs(self) -> list[Run]:
        """The runs of this plan that are kept, by variant, input and repeat."""
        order = {case.key: case.place_in_grid for case in self._cases}
        return sorted(self.store.runs(order), key=lambda run: order[run.key])

    def recording(self, key: str) -> Recording:
        """Return what a run recorded; `df` lists the keys."""
        return self.store.recording(key)

    def df(self) -> pd.DataFrame:
        """Return a table, a run a row: factors, input, repeat, figures of the last turn, a column a score.

        Needs pandas.
        """
        from .table import table

        return table(self.runs, self.store.scores(), self.scorers)

    def scores(self) -> list[ScoreRow]:
        """Return the scores of the runs of this plan by the present scorers, in their order."""
        order, keys = [scorer.id for scorer in self.scorers], {case.key for case in self._cases}
        found = [score for score in self.store.scores() if score.scorer in order and score.key in keys]
        return sorted(found, key=lambda score: order.index(score.scorer))

    @property
    def metrics(self) -> list[str]:
        """The names of the scores that are numbers, in the order of the scorers."""
        return list(dict.fromkeys(score.name for score in self.scores() if score.text is None))

    def summary(self) -> Summary:
        """Return the mean of every score by variant, with its interval; a notebook shows a table."""
        return Summary(self.name, self.runs, self.scores())

    def compare(self, metric: str, *, by: str = "variant", baseline: str | None = None) -> list[Comparison]:
        """Compare variants, or the levels of a factor, pair by pair over the same inputs.

        Parameters
        ----------
        metric
            A name of `metrics`.
        by
            "variant", or a factor of the grid: "voice".
        baseline
            What the others are compared with; None: every two with each other. The more comparisons, the stronger a
            difference has to be (Holm).

        Returns
        -------
        list of Comparison
            ``print`` says each in a sentence.

        Raises
        ------
        ConfigError
            There is no such metric, factor or level.
        """
        return comparisons(self.runs, self._values(metric), metric, by, baseline)

    def comparisons(self) -> list[Comparison]:
        """Compare the levels of every factor in every score; the correction counts those of the same score."""
        factors = [
            factor
            for factor in self.variants[0].factors
            if len({variant.factors[factor] for variant in self.variants}) > 1
        ]
        return [
            one
            for metric in self.metrics
            for one in holm([one for factor in factors for one in self.compare(metric, by=factor)])
        ]

    def plot(self, metric: str | None = None, *, by: str = "variant", across: str | None = None) -> Figure:
        """Draw a score by variant or factor; with `across`, how two factors act together.

        Parameters
        ----------
        metric
            A name of `metrics`; None for the first.
        by, across
            "variant", or factors of the grid.
        """
        metrics = self.metrics
        if metric is None and not metrics:
            raise ConfigError("There are no scores to draw.", fix="Give scorers, run it, or call x.score().")
        name = metric or metrics[0]
        values, runs = self._values(name), self.runs
        if across is None:
            groups: defaultdict[str, list[float]] = defaultdict(list)
            for run in runs:
                groups[level_of(run, by)].append(values.get(run.key, math.nan))
            return by_level(name, groups)
        cells: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for run in runs:
            cells[level_of(run, across), level_of(run, by)].append(values.get(run.key, math.nan))
        return interaction(name, cells)

    def report(self, path: str | os.PathLike[str], *, most_mb: float = 25.0) -> Path:
        """Write everything into one HTML file that needs neither network nor kernel: tables, pictures, players.

        Parameters
        ----------
        path
            Ends with ``.html``.
        most_mb
            What it may take, MB; audio beyond it is left out, and the report says so.
        """
        from .report import write_report

        return write_report(self, Path(path).expanduser(), most_mb)

    def gallery(self) -> Gallery:
        """Return a widget to listen through: variants side by side, scores, and blind ratings with notes."""
        from ..widgets.gallery import Gallery

        return Gallery(self)

    def ratings(self) -> pd.DataFrame:
        """Return what people thought of the runs: rating (1 to 5), note, and whether blind. Needs pandas."""
        from .table import rating_table

        return rating_table(self.runs, self.store.ratings())

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `df` as CSV, in UTF-8."""
        self.df().to_csv(path, index=False)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write `df` as Parquet. Needs pyarrow."""
        self.df().to_parquet(path, index=False)

    def python(self, variant: str) -> str:
        """Return a variant as the Python that makes its session."""
        return as_python(self._variant(variant).settings)

    def diff(self, first: str, second: str) -> VariantDifference:
        """Show what is different between the instructions of two variants, beside their results.

        Raises
        ------
        ConfigError
            There is no such variant.
        """
        texts = [str(self._variant(name).settings.get("instructions") or "") for name in (first, second)]
        pair = [run for run in self.runs if run.variant in (first, second)]
        found = [
            one
            for metric in self.metrics
            for one in comparisons(pair, self._values(metric), metric, "variant", first)
        ]
        return VariantDifference(Difference(first, texts[0], second, texts[1]), holm(found))

    def _variant(self, name: str) -> Variant:
        found = next((variant for variant in self.variants if variant.name == name), None)
        if found is None:
            known = ", ".join(repr(variant.name) for variant in self.variants)
            raise ConfigError(f"There is no variant {name!r}.", fix=f"There are: {known}.")
        return found

    def _values(self, metric: str) -> dict[str, float]:
        found = {score.key: score.value for score in self.scores() if score.name == metric}
        if not found:
            known = ", ".join(self.metrics) or "none yet"
            raise ConfigError(f"There is no score {metric!r}.", fix=f"There are: {known}.")
        return {key: value for key, value in found.items() if value is not None}

    def _repr_html_(self) -> str:
        line = html.escape(repr(self))
        return f"<div>{line}</div>" + (summary_html(self.summary()) if self.metrics else "")

    def __repr__(self) -> str:
        done = len(self.store.done() & {case.key for case in self._cases})
        return (
            f"Experiment({self.name}, {len(self.variants)} variants x {len(self.inputs)} inputs, "
            f"{done} of {len(self._cases)} runs done)"
        )
