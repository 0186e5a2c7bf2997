from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stepnb as sn
from stepnb.experiments.fingerprint import fingerprint

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_different_values_have_different_prints(a: object, b: object) -> None:
    same = repr(a) == repr(b)
    if same:
        assert fingerprint(a) == fingerprint(b)
    elif a != b:
        assert fingerprint(a) != fingerprint(b)


def test_the_order_of_a_mapping_does_not_matter() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_a_clip_counts_by_its_samples_and_its_rate() -> None:
    clip = sn.Clip(np.arange(100, dtype=np.int16), 24000)
    assert fingerprint(clip) == fingerprint(sn.Clip(np.arange(100, dtype=np.int16), 24000))
    assert fingerprint(clip) != fingerprint(sn.Clip(np.arange(100, dtype=np.int16), 16000))
    assert fingerprint(clip) != fingerprint(clip[0:0.002])


def test_a_function_counts_by_its_code_and_not_by_its_place() -> None:
    def made(body: str, before: str = "") -> object:
        scope: dict[str, object] = {}
        exec(f"{before}\ndef f(x):\n    {body}", scope)
        return scope["f"]

    assert fingerprint(made("return x + 1")) == fingerprint(made("return x + 1", "\n\n"))
    assert fingerprint(made("return x + 1")) != fingerprint(made("return x + 2"))


def test_a_function_counts_by_what_it_closes_over() -> None:
    def adding(n: int) -> object:
        return lambda x: x + n

    assert fingerprint(adding(1)) != fingerprint(adding(2))


def test_another_process_finds_the_same() -> None:
    code = (
        "from stepnb.experiments.fingerprint import fingerprint; import stepnb as sn;"
        "print(fingerprint('x', {'b': 1.5, 'a': None}, sn.ServerVAD(), (1, 2)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == fingerprint("x", {"a": None, "b": 1.5}, sn.ServerVAD(), (1, 2))


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(sn.ConfigError, match="cannot be part of an experiment"):
        fingerprint(object())
