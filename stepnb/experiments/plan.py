"""The plan of an experiment: which runs there are, in which order, and what they will take."""

from __future__ import annotations

import dataclasses
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..audio.clip import Clip
from ..protocol import catalog
from ..service.endpoint import resolve
from .fingerprint import fingerprint
from .grid import Variant
from .inputs import Input, Interruption, SimulatedCaller
from .limits import Limits
from .words import duration

if TYPE_CHECKING:
    from .store import Run

# Raised when the same case would be carried out in another way, so that stored runs are not taken for it.
_VERSION = 1

# What a turn takes where nothing was measured yet, s: an answer is sent faster than it is heard.
_ANSWER_SENT, _ANSWER_HEARD = 3.0, 8.0
_TURNS_OF_A_FUNCTION = 3
# The vendor's rule of thumb: an hour of conversation costs 3.8 CNY, where output tokens cost 70 CNY a million.
_HOUR, _HOUR_OUTPUT = 3.8, 70.0


@dataclasses.dataclass(frozen=True)
class Case:
    """One run to make.

    Attributes
    ----------
    key
        The same for the same settings, conditions, input, repeat and code, in every process.
    seed
        For noise; the same for all variants, so that they can be compared pair by pair.
    place
        Where it goes: the cluster, or the host of a URL; limits count by it.
    place_in_grid
        Its variant, input and repeat by number: the order for people.
    """

    key: str
    variant: Variant
    input: Input
    repeat: int
    seed: int
    place: str
    place_in_grid: tuple[int, int, int]


def cases_of(
    variants: Sequence[Variant], inputs: Sequence[Input], repeats: int, seed: int, api_key: str | None
) -> list[Case]:
    """Return all runs in the order in which they are made.

    Inputs and, within each input, variants are shuffled anew for every repeat: what changes with the time of day meets
    all variants alike.

    Raises
    ------
    ConfigError
        A cluster is unknown or has no key; a setting cannot be told from another.
    """
    randomness = random.Random(seed)
    places = {variant.name: _place(variant, api_key) for variant in variants}
    prints = {variant.name: _print_of(variant, places[variant.name]) for variant in variants}
    words = {one.name: fingerprint(one.what, one.said, one.expect) for one in inputs}
    cases = []
    for repeat in range(repeats):
        for one in randomness.sample(list(inputs), len(inputs)):
            noise = int(fingerprint(seed, words[one.name], repeat)[:8], 16)
            for variant in randomness.sample(list(variants), len(variants)):
                key = fingerprint(_VERSION, prints[variant.name], words[one.name], repeat, seed)
                where = (variants.index(variant), inputs.index(one), repeat)
                cases.append(Case(key, variant, one, repeat, noise, places[variant.name], where))
    return cases


def _place(variant: Variant, api_key: str | None) -> str:
    where = resolve(variant.settings.get("cluster"), api_key)
    if where.cluster != "custom":
        return where.cluster
    host = urlsplit(where.url or "").hostname or ""
    return "local" if host in ("127.0.0.1", "localhost", "::1") else host


def _print_of(variant: Variant, place: str) -> str:
    settings = {key: value for key, value in variant.settings.items() if key != "cluster"}
    # A recommendation may change with an update; what was run does not.
    settings.setdefault("model", catalog.recommended_model(place))
    return fingerprint(place, settings, variant.conditions)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an experiment will take, before anything runs.

    Attributes
    ----------
    cases
        Every run, in order.
    done
        Keys of those that are in the store already.
    seconds
        How long a run of an input takes, s: measured where some are in the store, else estimated.
    wall_seconds
        How long the runs to make take altogether under the limits, s.
    cost
        What they will cost, by currency: estimated from the price list and the vendor's rule of thumb for an hour of
        conversation. Free models and the local engine cost nothing.
    unpriced
        Models without a known price.
    """

    cases: tuple[Case, ...]
    done: frozenset[str]
    seconds: Mapping[str, float]
    wall_seconds: float
    cost: Mapping[str, float]
    unpriced: tuple[str, ...]

    @property
    def left(self) -> list[Case]:
        """The runs to make."""
        return [case for case in self.cases if case.key not in self.done]

    def __repr__(self) -> str:
        left = len(self.left)
        parts = [f"{left} sessions to run" + (f", {len(self.done)} done" if self.done else "")]
        if left:
            parts.append(f"about {duration(self.wall_seconds)}")
            costs = [f"about {amount:.2f} {currency}" for currency, amount in self.cost.items() if amount]
            parts += costs or ([] if self.unpriced else ["free"])
            parts += [f"price of {model} unknown" for model in self.unpriced]
        return f"Plan({', '.join(parts)})"


def plan_of(cases: Sequence[Case], runs: Sequence[Run], limits_of: Callable[[str], Limits]) -> Plan:
    """Return the plan of the cases, knowing the runs that were made of them."""
    done = frozenset(run.key for run in runs if run.error is None)
    measured: defaultdict[str, list[float]] = defaultdict(list)
    for run in runs:
        if run.error is None:
            measured[run.input].append(run.seconds)
    inputs = {case.input.name or "": case.input for case in cases}
    seconds = {
        name: statistics.fmean(measured[name]) if measured[name] else _estimate(one)
        for name, one in inputs.items()
    }
    cost: dict[str, float] = {}
    unpriced: dict[str, None] = {}
    at_work: defaultdict[str, float] = defaultdict(float)
    sessions: Counter[str] = Counter()
    for case in cases:
        if case.key in done:
            continue
        takes = seconds[case.input.name or ""]
        at_work[case.place] += takes
        sessions[case.place] += 1
        if case.place == "local":
            continue
        model = case.variant.settings.get("model") or catalog.recommended_model(case.place)
        price = catalog.price(model, case.place.partition("/")[0])
        if price is None:
            unpriced[model] = None
        else:
            hours = takes / 3600
            cost[price.currency] = cost.get(price.currency, 0.0) + hours * _HOUR * price.output / _HOUR_OUTPUT
    walls = [_wall(at_work[place], sessions[place], limits_of(place)) for place in sessions]
    return Plan(tuple(cases), done, seconds, max(walls, default=0.0), cost, tuple(unpriced))


def _wall(seconds: float, sessions: int, limits: Limits) -> float:
    by_rate = 60 * sessions / limits.per_minute if limits.per_minute else 0.0
    return max(seconds / limits.concurrency, by_rate)


def _estimate(one: Input) -> float:
    answer = _ANSWER_HEARD if one.listens else _ANSWER_SENT
    if not one.steps:
        turns = one.what.turns if isinstance(one.what, SimulatedCaller) else _TURNS_OF_A_FUNCTION
        return turns * 2 * answer
    said = [step.what if isinstance(step, Interruption) else step for step in one.steps]
    return sum(answer + (words.duration + 1 if isinstance(words, Clip) else 0) for words in said)
