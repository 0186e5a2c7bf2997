"""Events reach their subscriber in order, in batches, with a bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import stepnb.session.subscription as module
from stepnb.protocol import events as ev
from stepnb.protocol.codec import AnyEvent
from stepnb.session.hub import Hub
from stepnb.session.subscription import Subscription, deliver


def words(*numbers: int) -> list[AnyEvent]:
    return [ev.TextDelta(delta=str(n)) for n in numbers]


class Counting:
    """A loop that counts how often it is woken."""

    def __init__(self) -> None:
        self.woken = 0

    def call_soon_threadsafe(self, callback: object) -> None:
        self.woken += 1
        asyncio.get_running_loop().call_soon(callback)  # type: ignore[arg-type]


@asynccontextmanager
async def subscribed(
    kind: str | None = None,
) -> AsyncIterator[tuple[Subscription, Counting, list[str | None]]]:
    """A subscription whose callback notes what came; what is left comes at its end."""
    loop, seen = Counting(), []
    subscription = Subscription(loop, kind)  # type: ignore[arg-type]

    def note(event: AnyEvent) -> None:
        seen.append(getattr(event, "delta", event.type))

    def failed(_: object, error: Exception) -> None:
        raise error

    task = asyncio.create_task(deliver(subscription, note, failed))
    yield subscription, loop, seen
    subscription.end()
    async with asyncio.timeout(5):
        await task


async def come_to_rest() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def in_order_with_one_wake_up() -> None:
    async with subscribed() as (subscription, loop, seen):
        await come_to_rest()
        for n in range(0, 30, 3):
            subscription.push(words(n, n + 1, n + 2))
        assert loop.woken == 1 and not seen
        await come_to_rest()
        assert seen == [str(n) for n in range(30)]
        subscription.push(words(30))
        assert loop.woken == 2
    assert seen[-1] == "30"


async def only_what_was_asked_for() -> None:
    async with subscribed("response.done") as (subscription, loop, seen):
        await come_to_rest()
        subscription.push(words(1, 2))
        assert loop.woken == 0
        subscription.push([*words(3), ev.ResponseDone(response=ev.ResponseInfo()), *words(4)])
    assert seen == ["response.done"]


async def the_oldest_are_dropped_and_counted() -> None:
    async with subscribed() as (subscription, _, seen):
        subscription.push(words(*range(4)))
        subscription.push(words(*range(4, 9)))
        assert subscription.dropped == 4
    assert seen == ["4", "5", "6", "7", "8"]


async def a_subscriber_gets_what_comes_after_it() -> None:
    hub = Hub()
    async with subscribed() as (first, _, seen), subscribed() as (second, _, seen_late):
        hub.subscribe(first)
        for event in words(1, 2):
            hub.event(event)
        hub.subscribe(second)
        hub.event(words(3)[0])
        await come_to_rest()
        hub.event(words(4)[0])
        hub.end()
    assert seen == ["1", "2", "3", "4"] and seen_late == ["3", "4"]


async def events_in_quick_succession_wait_for_one_another() -> None:
    hub = Hub()
    async with subscribed() as (subscription, loop, seen):
        hub.subscribe(subscription)
        for n in range(20):
            hub.event(words(n)[0])
            await asyncio.sleep(0)
        assert loop.woken == 0
        hub.end()
    assert seen == [str(n) for n in range(20)]


@pytest.mark.parametrize(
    "story",
    [in_order_with_one_wake_up, only_what_was_asked_for, the_oldest_are_dropped_and_counted,
     a_subscriber_gets_what_comes_after_it, events_in_quick_succession_wait_for_one_another],
)  # fmt: skip
def test_a_subscriber(story, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    if story is the_oldest_are_dropped_and_counted:
        monkeypatch.setattr(module, "BACKLOG", 5)
    if story is events_in_quick_succession_wait_for_one_another:
        monkeypatch.setattr("stepnb.session.hub._TOGETHER", 60)
    asyncio.run(story())
