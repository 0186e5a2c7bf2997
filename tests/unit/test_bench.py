"""The benchmarks are run by hand: at least they have to fit what they measure."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize("name", sorted(path.stem for path in BENCH.glob("*.py") if path.stem != "__init__"))
def test_it_can_be_imported(name: str) -> None:
    importlib.import_module(f"tests.bench.{name}")
