"""Figures are checked against scipy and against data made so that the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as reference

from stepnb.experiments.stats import Comparison, compare, holm, mean


def made(shift: float, spread: float, n: int = 24, seed: int = 1) -> np.ndarray:
    randomness = np.random.default_rng(seed)
    a = randomness.normal(600, 80, n)
    return np.column_stack([a, a + shift + randomness.normal(0, spread, n)])


def test_a_difference_that_is_there_is_found_and_said() -> None:
    one = compare("latency.first_audio", "A", "B", made(-180, 60))
    assert one.low < -180 < one.high
    assert one.differs
    assert str(one) == (
        f"B is faster than A by {-one.difference:.0f} ms [{-one.high:.0f}, {-one.low:.0f}], 24 pairs."
    )


def test_nothing_is_found_where_nothing_differs() -> None:
    found = [compare("wer", "A", "B", made(0, 60, seed=seed)).p < 0.05 for seed in range(60)]
    # 5 % of 60 by chance; fewer than one in a thousand such experiments finds more than 10.
    assert sum(found) <= 10


def test_p_is_that_of_an_exact_sign_flip_test() -> None:
    pairs = made(-40, 60, n=8)
    gaps = pairs[:, 1] - pairs[:, 0]
    flips = np.array(np.meshgrid(*[[1, -1]] * 8)).reshape(8, -1).T
    means = (flips * gaps).mean(axis=1)
    exact = np.mean(np.abs(means) >= abs(gaps.mean()) - 1e-12)
    assert compare("m", "a", "b", pairs).p == pytest.approx(exact)


def test_p_is_close_to_that_of_a_t_test_where_that_holds() -> None:
    pairs = made(-25, 60, n=40, seed=5)
    assert compare("m", "a", "b", pairs).p == pytest.approx(
        reference.ttest_rel(pairs[:, 1], pairs[:, 0]).pvalue, rel=0.25
    )


def test_the_interval_is_that_of_the_bootstrap() -> None:
    values = np.random.default_rng(3).lognormal(0, 0.6, 50)
    found = mean(values)
    peer = reference.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=9999, rng=np.random.default_rng(0)
    )
    width = peer.confidence_interval.high - peer.confidence_interval.low
    assert found.low == pytest.approx(peer.confidence_interval.low, abs=0.05 * width)
    assert found.high == pytest.approx(peer.confidence_interval.high, abs=0.05 * width)


def test_the_effect_is_the_mean_in_units_of_the_spread() -> None:
    pairs = made(-180, 60)
    gaps = pairs[:, 1] - pairs[:, 0]
    assert compare("m", "a", "b", pairs).effect == pytest.approx(gaps.mean() / gaps.std(ddof=1))


def test_equal_scores_differ_by_nothing() -> None:
    one = compare("m", "a", "b", [(1.0, 1.0)] * 5)
    assert (one.difference, one.low, one.high, one.p) == (0, 0, 0, 1)
    assert math.isnan(one.effect)


def test_a_score_that_is_missing_is_left_out_and_counted() -> None:
    one = compare("m", "a", "b", [(1.0, math.nan), (1.0, 2.0), (3.0, 5.0)], unpaired=2)
    assert (one.pairs, one.unpaired, one.difference) == (2, 3, 1.5)
    nothing = compare("m", "a", "b", [])
    assert str(nothing) == "b and a cannot be compared: they have no pair of scores."


def test_holm_is_as_in_the_textbook() -> None:
    # Holm (1979), worked through by hand.
    raw = [0.01, 0.04, 0.03, 0.005]
    made_of = [Comparison("m", "a", "b", 0, 0, 0, 0, p, p, 5, 0) for p in raw]
    assert [one.p_corrected for one in holm(made_of)] == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_a_mean_of_few_says_so() -> None:
    assert mean([]).n == 0
    assert math.isnan(mean([]).value)
    one = mean([3.0])
    assert (one.value, one.n) == (3.0, 1)
    assert math.isnan(one.low)
    assert mean([1.0, math.nan, 3.0]).n == 2
