"""A small part of tests/bench/engine_load.py: many sessions at once all complete, and nothing is left of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.bench.engine_load import engine_process, hold

LEFT_WITHIN_S = 20


def test_sessions_at_once(figure: Callable[[str], None]) -> None:
    with engine_process() as (url, key, process):
        asyncio.run(hold(url, key, typed_sessions=1, spoken_sessions=1, turns=1))
        before, used = process.state(), process.cpu_s()
        tally = asyncio.run(hold(url, key, typed_sessions=20, spoken_sessions=3, turns=1))
        speech = tally.asked_s + tally.answered_s
        figure(
            f"20 typed and 3 spoken sessions: {(process.cpu_s() - used) / speech:.3f} CPU s for a second of speech"
        )
        deadline = time.monotonic() + LEFT_WITHIN_S
        kept = ("descriptors", "children")
        while any(process.state()[key] > before[key] for key in kept) and time.monotonic() < deadline:
            time.sleep(0.05)  # of another process no event says that a socket is closed
        after = process.state()
        assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
        assert after["MB"] < before["MB"] + 50
