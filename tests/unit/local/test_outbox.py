"""The way out: order, back pressure, and the end of a client that does not read."""

from __future__ import annotations

import asyncio

import pytest

from stepnb.local.outbox import Hangup, Outbox, Pause, SlowReader


def test_order_pauses_and_end() -> None:
    async def main() -> tuple[list[str], Hangup]:
        outbox, sent = Outbox(), []

        async def send(frame: str) -> None:
            sent.append(frame)
            if frame == "b":
                outbox.put("d")
                outbox.put(Hangup(4000, "enough"))
                outbox.put("e")

        for entry in ("a", "b", Pause(0.01), "c"):
            outbox.put(entry)
        with pytest.raises(Hangup) as caught:
            await outbox.pump(send)
        return sent, caught.value

    sent, hangup = asyncio.run(main())
    assert sent == ["a", "b", "c", "d"]
    assert (hangup.code, hangup.reason, str(hangup)) == (4000, "enough", "4000 enough")


def test_room_waits_for_the_client() -> None:
    async def main() -> None:
        outbox, free = Outbox(), asyncio.Event()

        async def send(_: str) -> None:
            await free.wait()

        await outbox.room()
        outbox.put("x" * 100_000)
        await outbox.not_full()
        outbox.put("x" * 1_000_000)
        pump = asyncio.create_task(outbox.pump(send))
        waiting = [asyncio.create_task(outbox.room()), asyncio.create_task(outbox.not_full())]
        await asyncio.sleep(0)
        assert not outbox.has_room and not any(task.done() for task in waiting)
        free.set()
        async with asyncio.timeout(10):
            await asyncio.gather(*waiting)
        outbox.put(Hangup(1000))
        with pytest.raises(Hangup):
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
