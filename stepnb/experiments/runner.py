"""`Runner`: makes the runs of a plan, as many at a time as the limits allow, and keeps each as soon as it is finished.

It lives on a loop of its own, so that neither a cell nor the I/O thread waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import random
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from ..service.loop import LoopThread
from ..service.retry import delays
from . import claims
from .limits import Limits, MinuteShare
from .perform import Outcome
from .plan import Case
from .store import Store

logger = logging.getLogger("stepnb")

experiment_thread = LoopThread("stepnb-experiment")

# How often one run is tried; each session in it already connects again by its own rules.
ATTEMPTS = 3
# How often it is looked whether a run that another process makes has come to its end, s.
_HELD_CHECK = 2.0

NOTHING: Mapping[str, float] = {}

# Runs that are scored and written while others are under way.
_KEEPERS = 2

Perform = Callable[[Case], Awaitable[Outcome]]


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far it is.

    Attributes
    ----------
    total, done, failed
        Runs of the plan; those done include the ones that were in the store before.
    made
        Runs made by this runner; what rate and time left are taken from.
    running
        Under way now.
    elapsed
        s.
    cost
        Of the runs made, by currency.
    """

    total: int
    done: int = 0
    failed: int = 0
    made: int = 0
    running: int = 0
    elapsed: float = 0.0
    cost: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def per_minute(self) -> float | None:
        """Runs finished a minute; None before the first."""
        return 60 * self.made / self.elapsed if self.made and self.elapsed else None

    @property
    def seconds_left(self) -> float | None:
        """What the runs to make will take at this rate; None before the first."""
        left = self.total - self.done - self.failed
        return None if self.per_minute is None else 60 * left / self.per_minute


class _Gate(NamedTuple):
    """What one place lets through."""

    places: asyncio.Semaphore
    share: MinuteShare


class Runner:
    """Makes runs.

    Parameters
    ----------
    cases
        In the order in which they are made, those that are done among them.
    store
        Where they are kept.
    perform
        Makes one.
    keep
        Scores a run and puts it into the store; returns its cost by currency. It runs on a thread of its own.
    limits_of
        The limits of a place.
    budget
        No new run begins once so much was spent in any currency; None for no limit.

    Attributes
    ----------
    progress
        How far it is.
    stopped_by
        Why it ended before everything was made; None when it did not.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        store: Store,
        perform: Perform,
        keep: Callable[[Case, Outcome], Mapping[str, float]],
        limits_of: Callable[[str], Limits],
        budget: float | None = None,
    ) -> None:
        done = store.done()
        self.progress = Progress(len(cases), done=sum(case.key in done for case in cases))
        self.stopped_by: str | None = None
        self._queues: defaultdict[str, deque[Case]] = defaultdict(deque)
        for case in cases:
            if case.key not in done:
                self._queues[case.place].append(case)
        self._store = store
        self._perform = perform
        self._keep = keep
        self._limits_of = limits_of
        self._budget = budget
        self._owner = claims.new_owner()
        self._began = time.monotonic()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def stop(self, reason: str) -> None:
        """Begin no further run; those under way come to their end."""
        self._stopping, self.stopped_by = True, self.stopped_by or reason

    def cancel(self, reason: str) -> None:
        """End the runs under way and give up their claims; `run` ends when that is done. On its loop only."""
        self.stop(reason)
        # Not begun yet, it will find nothing to do; a second time would disturb its ending.
        if self._task is not None and not self._task.cancelling():
            self._task.cancel()

    async def run(self) -> None:
        """Make every run that is left."""
        self._task = asyncio.current_task()
        renewing = asyncio.create_task(self._renew())
        try:
            async with asyncio.TaskGroup() as group:
                for place, queue in self._queues.items():
                    limits = self._limits_of(place)
                    gate = _Gate(asyncio.Semaphore(limits.concurrency), MinuteShare(limits.per_minute))
                    # More than may run: while some are being kept, as many as the limit lets are under way.
                    # With a budget none begins before the cost of the last is known.
                    workers = limits.concurrency + (_KEEPERS if self._budget is None else 0)
                    for _ in range(min(workers, len(queue))):
                        group.create_task(self._work(queue, gate))
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing
            await asyncio.shield(asyncio.to_thread(self._store.release, self._owner))

    async def _work(self, queue: deque[Case], gate: _Gate) -> None:
        held: set[str] = set()
        while queue and not self._stopping:
            case = queue.popleft()
            claim = await asyncio.to_thread(self._store.claim, case.key, self._owner, again=True)
            if claim == "done":
                self._tell(done=1)
            elif claim == "held":
                queue.append(case)
                held.add(case.key)
                if all(other.key in held for other in queue):
                    # Nothing is left but waiting for another process, which has no way to tell us.
                    await asyncio.sleep(_HELD_CHECK)
                    held.clear()
            else:
                await self._make(case, gate)

    async def _make(self, case: Case, gate: _Gate) -> None:
        waits = delays(random.Random(case.seed))
        for attempt in range(1, ATTEMPTS + 1):
            async with gate.places:
                await gate.share.take()
                if self._stopping:
                    return
                self._tell(running=1)
                try:
                    outcome = await self._perform(case)
                finally:
                    self._tell(running=-1)
            if outcome.error is None or not outcome.again or attempt == ATTEMPTS:
                break
            logger.info("A run is tried again: %s", outcome.error)
            await asyncio.sleep(next(waits))
        cost = await asyncio.to_thread(self._keep, case, outcome)
        failed = outcome.error is not None
        self._tell(done=int(not failed), failed=int(failed), made=1, cost=cost)
        if self._budget is not None and max(self.progress.cost.values(), default=0) >= self._budget:
            self.stop("the budget is used up")

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(claims.RENEW)
            await asyncio.to_thread(self._store.renew, self._owner)

    def _tell(
        self,
        *,
        done: int = 0,
        failed: int = 0,
        made: int = 0,
        running: int = 0,
        cost: Mapping[str, float] = NOTHING,
    ) -> None:
        now = self.progress
        self.progress = dataclasses.replace(
            now,
            done=now.done + done,
            failed=now.failed + failed,
            made=now.made + made,
            running=now.running + running,
            cost={name: now.cost.get(name, 0.0) + cost.get(name, 0.0) for name in {**now.cost, **cost}},
            elapsed=time.monotonic() - self._began,
        )
