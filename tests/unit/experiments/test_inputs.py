from __future__ import annotations

import numpy as np
import pytest

import stepnb as sn
from stepnb.experiments.inputs import conditioned, inputs_of

CLIP = sn.Clip((3000 * np.sin(np.arange(24000) * 0.1)).astype(np.int16), 24000)


async def caller(call: sn.Call) -> None: ...


def test_every_kind_of_input_gets_a_name() -> None:
    inputs = inputs_of(["Hello", CLIP, ["Hello", sn.Interruption("Wait")], caller, sn.Input("Hi", name="hi")])
    assert [one.name for one in inputs] == ["Hello", "input 2", "input 3", "input 4", "hi"]
    assert [one.spoken for one in inputs] == [False, True, False, True, False]
    assert [one.listens for one in inputs] == [False, False, True, True, False]
    assert [one.name for one in inputs_of({"a": "x", "b": "y"})] == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Hello", "Write a list"),
        ([], "There are no inputs"),
        (["  "], "empty text"),
        ([3], "cannot be 3"),
        ([[sn.Interruption("x")]], "cannot begin with an interruption"),
        ([lambda call: None], "async function"),
        (["a", "a"], "Two inputs are called 'a'"),
    ],
)
def test_a_wrong_input_says_what_to_write(given: object, message: str) -> None:
    with pytest.raises(sn.ConfigError, match=message):
        inputs_of(given)  # type: ignore[arg-type]


def test_noise_is_mixed_in_at_the_ratio_and_the_same_for_a_seed() -> None:
    noisy = conditioned(CLIP, {"noise": 10}, 7)
    assert noisy == conditioned(CLIP, {"noise": 10}, 7)
    assert noisy != conditioned(CLIP, {"noise": 10}, 8)
    signal = CLIP.samples.astype(float)
    noise = noisy.samples.astype(float) - signal
    ratio = 10 * np.log10((signal**2).mean() / (noise**2).mean())
    assert ratio == pytest.approx(10, abs=0.5)


def test_a_telephone_takes_the_high_sounds() -> None:
    high = sn.Clip((3000 * np.sin(2 * np.pi * 6000 * np.arange(24000) / 24000)).astype(np.int16), 24000)
    through = conditioned(high, {"rate": 8000}, 0)
    assert through.rate == 24000
    assert np.abs(through.samples.astype(int)[2000:-2000]).max() < 100
