from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import stepnb as sn
from stepnb.experiments.grid import Variant, variants_of
from stepnb.experiments.inputs import Input
from stepnb.experiments.limits import Limits
from stepnb.experiments.plan import Case, cases_of, plan_of
from stepnb.experiments.store import Run

VARIANTS = variants_of({"voice": ["a", "b", "c"]}, {"cluster": "local"}, "product")
INPUTS = [Input("Hello", name="hello"), Input("Bye", name="bye")]
CLIP = sn.Clip(np.zeros(24_000 * 4, np.int16), 24_000)


def cases(
    variants: list[Variant] = VARIANTS, inputs: list[Input] = INPUTS, repeats: int = 2, seed: int = 0
) -> list[Case]:
    return cases_of(variants, inputs, repeats, seed, None)


def test_every_case_is_there_once_with_a_key_of_its_own() -> None:
    found = cases()
    assert Counter((case.variant.name, case.input.name, case.repeat) for case in found) == Counter(
        (variant.name, one.name, repeat) for variant in VARIANTS for one in INPUTS for repeat in range(2)
    )
    assert len({case.key for case in found}) == 12


def test_variants_take_turns_in_an_order_of_the_seed() -> None:
    order = [case.variant.name for case in cases()]
    # Within each input of each repeat all variants come one after the other.
    assert all(set(order[start : start + 3]) == {"a", "b", "c"} for start in range(0, 12, 3))
    assert order == [case.variant.name for case in cases()]
    assert any(order != [case.variant.name for case in cases(seed=seed)] for seed in range(1, 5))


def test_noise_is_the_same_for_all_variants_and_another_in_each_repeat() -> None:
    seeds: dict[tuple[Any, int], set[int]] = {}
    for case in cases():
        seeds.setdefault((case.input.name, case.repeat), set()).add(case.seed)
    assert all(len(found) == 1 for found in seeds.values())
    assert len(set.union(*seeds.values())) == 4


def keys(variants: list[Variant], inputs: list[Input] = INPUTS, seed: int = 0) -> set[str]:
    return {case.key for case in cases(variants, inputs, seed=seed)}


def test_a_key_follows_what_is_done_and_not_what_it_is_called() -> None:
    renamed = variants_of(
        [{"name": name, "voice": voice} for name, voice in zip("xyz", "abc", strict=True)],
        {"cluster": "local"},
        "product",
    )
    assert keys(renamed) == keys(VARIANTS)
    assert not keys(
        variants_of({"voice": ["a"]}, {"cluster": "local", "instructions": "x"}, "product")
    ) & keys(VARIANTS)
    assert not keys(VARIANTS, [Input("Hello", name="hello", expect="Hi")]) & keys(VARIANTS)
    assert not keys(VARIANTS, seed=1) & keys(VARIANTS)
    # The engine by its address is the engine, whatever port it got this time.
    by_url = [
        variants_of({"voice": ["a"]}, {"cluster": f"ws://127.0.0.1:{port}/v1/realtime"}, "product")
        for port in (1, 2)
    ]
    one, other = ({case.key for case in cases_of(variants, INPUTS, 1, 0, "key")} for variants in by_url)
    assert one == other


def test_a_plan_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEPNB_CLUSTER", raising=False)
    paid = variants_of({"voice": ["a", "b"]}, {"cluster": "cn", "model": "stepaudio-2.5-realtime"}, "product")
    found = cases_of(paid, [Input(CLIP, name="clip")], 30, 0, "key")
    plan = plan_of(found, [], lambda _: Limits(4, 10))
    assert plan.seconds["clip"] == pytest.approx(4 + 1 + 3)
    assert plan.wall_seconds == pytest.approx(360)  # 60 sessions at ten a minute, not 60 * 8 s / 4
    assert plan.cost["CNY"] == pytest.approx(60 * 8 / 3600 * 3.8)
    assert "60 sessions to run, about 6 min, about 0.51 CNY" in repr(plan)
    first = found[0]
    run = Run(
        key=first.key, variant="a", input="clip", repeat=0, factors={}, place="cn", error=None, attempts=1, started=0,
        seconds=20, turns=[],
    )  # fmt: skip
    plan = plan_of(found, [run], lambda _: Limits(4, None))
    assert (len(plan.left), plan.seconds["clip"]) == (59, 20)
    assert plan.wall_seconds == pytest.approx(59 * 20 / 4)
    unknown = cases_of(variants_of({"model": ["x"]}, {"cluster": "cn"}, "product"), INPUTS, 1, 0, "key")
    assert "price of x unknown" in repr(plan_of(unknown, [], lambda _: Limits()))
    assert "free" in repr(plan_of(cases(), [], lambda _: Limits(4, None)))
