"""The runner with runs that only pretend: limits, budget, repetition. Real ones are in tests/engine."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from stepnb.errors import ExperimentError
from stepnb.experiments.grid import Variant
from stepnb.experiments.handle import Handle
from stepnb.experiments.inputs import Input
from stepnb.experiments.limits import Limits, MinuteShare
from stepnb.experiments.perform import Outcome
from stepnb.experiments.plan import Case
from stepnb.experiments.runner import ATTEMPTS, Runner, experiment_thread
from stepnb.experiments.store import Store


def cases(count: int, place: str = "cn") -> list[Case]:
    variant = Variant("v", {}, {}, {})
    return [Case(f"k{n}", variant, Input("x", name="x"), n, n, place, (0, 0, n)) for n in range(count)]


class Work:
    """Runs that end when they are let go; counts how many are under way."""

    def __init__(
        self, store: Store, errors: dict[str, list[str | None]] | None = None, again: bool = True
    ) -> None:
        self.store, self.errors, self.again = store, errors or {}, again
        self.running = self.most = self.made = 0
        self.kept: list[tuple[str, str | None]] = []

    async def perform(self, case: Case) -> Outcome:
        self.running += 1
        self.made += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        error = self.errors[case.key].pop(0) if self.errors.get(case.key) else None
        return Outcome(key=case.key, recording=b"", error=error, again=self.again, started=0, seconds=0)

    def keep(self, case: Case, outcome: Outcome) -> dict[str, float]:
        self.kept.append((case.key, outcome.error))
        return {"CNY": 0.5}


def run(store: Store, work: Work, count: int, limits: Limits, budget: float | None = None) -> Runner:
    runner = Runner(cases(count), store, work.perform, work.keep, lambda _: limits, budget)
    asyncio.run(runner.run())
    return runner


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_no_more_run_at_once_than_the_limit_lets(store: Store) -> None:
    work = Work(store)
    runner = run(store, work, 30, Limits(4, None))
    assert work.most == 4
    assert (runner.progress.done, runner.progress.running) == (30, 0)
    assert {key for key, _ in work.kept} == {f"k{n}" for n in range(30)}


def test_the_budget_begins_no_further_run(store: Store) -> None:
    work = Work(store)
    runner = run(store, work, 30, Limits(1, None), budget=2.0)
    assert work.made == 4
    assert runner.stopped_by == "the budget is used up"
    assert runner.progress.cost == {"CNY": 2.0}


def test_a_handle_is_cancelled_before_its_runner_has_begun(store: Store) -> None:
    work = Work(store)
    runner = Runner(cases(3), store, work.perform, work.keep, lambda _: Limits(1, None))
    cancelled: Future[Handle] = Future()

    def while_the_loop_is_busy() -> None:
        handle = Handle(runner, experiment_thread.submit(runner.run()))
        cancelling = threading.Thread(target=lambda: (handle.cancel(), cancelled.set_result(handle)))
        cancelling.start()
        cancelling.join(0.2)  # it waits for the loop

    experiment_thread.loop.call_soon_threadsafe(while_the_loop_is_busy)
    handle = cancelled.result(10)
    assert not handle.running and work.made == 0
    assert handle.wait(0).done == 0 and "it was cancelled" in repr(handle)


def test_cancelling_ends_where_the_claims_cannot_be_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    async def endless(case: Case) -> Outcome:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    def fail(owner: str) -> None:
        raise ExperimentError("The store is gone.")

    runner = Runner(cases(1), store, endless, Work(store).keep, lambda _: Limits(1, None))
    monkeypatch.setattr(store, "release", fail)
    handle = Handle(runner, experiment_thread.submit(runner.run()))
    assert begun.wait(10)
    cancelling = threading.Thread(target=handle.cancel)
    cancelling.start()
    cancelling.join(10)
    assert not cancelling.is_alive() and not handle.running
    with pytest.raises(ExperimentError, match="The store is gone"):
        handle.wait(0)


def test_what_may_succeed_is_tried_again_and_what_cannot_is_not(store: Store) -> None:
    work = Work(store, {"k0": ["busy", None], "k1": ["busy"] * 9})
    run(store, work, 2, Limits(2, None))
    assert sorted(work.kept) == [("k0", None), ("k1", "busy")]
    assert work.made == 2 + ATTEMPTS
    hopeless = Work(store, {"k2": ["wrong"]}, again=False)
    run(store, hopeless, 3, Limits(2, None))
    assert ("k2", "wrong") in hopeless.kept


def test_a_minute_has_so_many_beginnings(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def main() -> None:
        share = MinuteShare(10)
        monkeypatch.setattr("stepnb.experiments.limits.asyncio.sleep", sleep)
        for _ in range(12):
            await share.take()

    asyncio.run(main())
    assert len(waits) == 2
    assert all(59 < wait <= 60 for wait in waits)
