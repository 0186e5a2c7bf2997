"""`Experiment`: the public object. A grid of variants over the same inputs, run, kept, scored and compared."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..recording.recording import Recording
from ..service.endpoint import Secret
from .grid import Combine, variants_of
from .handle import Handle, show_until_done
from .inputs import inputs_of
from .limits import LOCAL, Limits
from .perform import Outcome, perform
from .plan import Case, Plan, cases_of, plan_of
from .runner import Perform, Runner, experiment_thread
from .scoring import AnyScorer, prepared
from .store import Run, Store
from .summary import TurnSummary

if TYPE_CHECKING:
    import pandas as pd

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
        No new run begins once so much was spent, in the currency of the price list. None: no limit.
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

    def _keep(self, case: Case, outcome: Outcome) -> float:
        with tempfile.TemporaryDirectory(prefix="stepnb-") as folder:
            path = Path(folder) / "run.stepnb"
            path.write_bytes(outcome.recording)
            recording = Recording.load(path)
        scores = [row for scorer in self.scorers for row in scorer.rows(case.key, recording, case.input)]
        turns = [TurnSummary.of(turn) for turn in recording.turns]
        self.store.add(case, outcome, turns, [] if outcome.error else scores)
        return sum(turn.cost or 0 for turn in turns)

    def score(self) -> Experiment:
        """Score the runs that are kept with scorers they have not met; nothing is run."""
        inputs = {one.name: one for one in self.inputs}
        for scorer in self.scorers:
            known = self.store.scored(scorer.id)
            for run in self.runs:
                if run.key not in known and run.error is None:
                    recording = self.store.recording(run.key)
                    self.store.score(run.key, scorer.rows(run.key, recording, inputs[run.input]))
        return self

    # Looking ------------------------------------------------------------------------------------------------------

    @property
    def runs(self) -> list[Run]:
        """The runs of this plan that are kept, oldest first."""
        return self.store.runs(case.key for case in self._cases)

    def recording(self, key: str) -> Recording:
        """Return what a run recorded; `df` lists the keys."""
        return self.store.recording(key)

    def df(self) -> pd.DataFrame:
        """Return a table, a run a row: factors, input, repeat, figures of the last turn, a column a score.

        Needs pandas.
        """
        from .table import table

        return table(self.runs, self.store.scores(), self.scorers)

    def __repr__(self) -> str:
        done = len(self.store.done() & {case.key for case in self._cases})
        return (
            f"Experiment({self.name}, {len(self.variants)} variants x {len(self.inputs)} inputs, "
            f"{done} of {len(self._cases)} runs done)"
        )
