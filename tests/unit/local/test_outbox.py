"""The way out: order, back pressure, and the end of a client that does not read."""

from __future__ import annotations

import asyncio

import pytest

from stepnb.local.outbox import Outbox, SlowReader


def test_order_and_finish() -> None:
    async def main() -> list[str]:
        outbox, sent = Outbox(), []

        async def send(frame: str) -> None:
            sent.append(frame)
            if frame == "b":
                outbox.put("d")

        for frame in "abc":
            outbox.put(frame)
        outbox.finish()
        await outbox.pump(send)
        return sent

    assert asyncio.run(main()) == ["a", "b", "c", "d"]


def test_room_waits_for_the_client() -> None:
    async def main() -> None:
        outbox, free = Outbox(), asyncio.Event()

        async def send(_: str) -> None:
            await free.wait()

        await outbox.room()
        outbox.put("x" * 100_000)
        pump = asyncio.create_task(outbox.pump(send))
        room = asyncio.create_task(outbox.room())
        await asyncio.sleep(0)
        assert not room.done()
        free.set()
        async with asyncio.timeout(10):
            await room
        outbox.finish()
        await pump

    asyncio.run(main())


def test_slow_reader() -> None:
    async def main() -> None:
        outbox = Outbox(timeout_s=0.01)
        outbox.put("x")

        async def send(_: str) -> None:
            await asyncio.Event().wait()

        await outbox.pump(send)

    with pytest.raises(SlowReader, match=r"within 0\.01 s"):
        asyncio.run(main())
