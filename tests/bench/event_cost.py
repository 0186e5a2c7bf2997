"""What an event costs: a session beside a bare websockets + msgspec loop, on the same stream in the same run.

    python -m tests.bench.event_cost

A server in its own process sends 5,000 audio deltas of 100 ms. The floor receives and decodes them into the same
Structs. The session decodes, checks the base64, appends to the log with its spool, derives the conversation and hands
every event to one subscriber. CPU seconds of the receiving thread, alternating, medians.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import threading
import time
from multiprocessing.connection import Connection

import msgspec
import pybase64
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

import stepnb as sn
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.service.loop import io_thread

DELTAS = 5_000
REPEATS = 7
AUDIO = pybase64.b64encode_as_string(os.urandom(4_800))
EVENTS = tuple(ev.SERVER_EVENTS.values())


def _stream() -> list[str]:
    ids = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0}
    head = [
        ev.ResponseCreated(response=ev.ResponseInfo(id="r1", status="in_progress", output=[])),
        ev.OutputItemAdded(response_id="r1", item=ev.Item(id="a1", type="message", role="assistant")),
    ]
    deltas = [ev.AudioDelta(delta=AUDIO, event_id=f"event-{n:06d}", **ids) for n in range(DELTAS)]
    tail = [ev.ResponseDone(response=ev.ResponseInfo(id="r1", status="completed"))]
    return [codec.encode(event) for event in (*head, *deltas, *tail)]


def _serve(port: Connection) -> None:
    stream = _stream()
    session = ev.SessionInfo(id="s1", voice="linjiajiejie")

    async def answer(socket: ServerConnection) -> None:
        await socket.send(codec.encode(ev.SessionCreated(session=session)))
        async for frame in socket:
            match codec.decode(frame).event:
                case ev.SessionUpdate(session=update):
                    await socket.send(codec.encode(ev.SessionUpdated(session=update)))
                case ev.ResponseCreate():
                    for line in stream:
                        await socket.send(line)

    async def main() -> None:
        async with serve(answer, "127.0.0.1", 0, compression=None, max_size=None) as server:
            port.send(next(iter(server.sockets)).getsockname()[1])
            await asyncio.to_thread(port.recv)

    asyncio.run(main())


def floor(url: str) -> float:
    """CPU seconds of a bare loop."""
    decoder = msgspec.json.Decoder(_union())

    async def main() -> float:
        async with connect(url, compression=None, max_size=None) as socket:
            await socket.recv()
            await socket.send(codec.encode(ev.ResponseCreate()))
            start = time.thread_time()
            async for frame in socket:
                if isinstance(decoder.decode(frame), ev.ResponseDone):
                    break
            return time.thread_time() - start

    return asyncio.run(main())


def _union() -> object:
    union: object = EVENTS[0]
    for cls in EVENTS[1:]:
        union = union | cls  # type: ignore[operator]
    return union


def session(url: str) -> float:
    """CPU seconds of the I/O thread of a session."""

    async def cpu() -> float:
        return time.thread_time()

    with sn.Session(url, api_key="bench") as s:
        s.connect()
        seen = threading.Event()
        count = 0

        def subscriber(event: object) -> None:
            nonlocal count
            count += 1
            if isinstance(event, ev.ResponseDone):
                seen.set()

        s.on("*", subscriber)
        start = io_thread.submit(cpu()).result(10)
        s.ask("go").wait(120)
        used = io_thread.submit(cpu()).result(10) - start
        assert seen.wait(60) and count >= DELTAS, count
        assert len(s.turns[0].audio.pcm) == DELTAS * 4_800
        return used


def main() -> None:
    """Print the table."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    url = f"ws://127.0.0.1:{ours.recv()}/v1/realtime"
    floors, sessions = [], []
    for _ in range(REPEATS):
        floors.append(floor(url))
        sessions.append(session(url))
    ours.send(None)
    server.join(10)
    low, high = statistics.median(floors), statistics.median(sessions)
    print(f"{DELTAS} audio deltas of 100 ms, CPU of the receiving thread, median of {REPEATS}")
    print(f"  bare websockets + msgspec   {low / DELTAS * 1e6:6.1f} us an event")
    print(f"  stepnb session, subscriber  {high / DELTAS * 1e6:6.1f} us an event")
    print(f"  ratio                       {high / low:6.2f}")


if __name__ == "__main__":
    main()
