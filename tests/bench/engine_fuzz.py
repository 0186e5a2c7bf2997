"""Mad clients at one engine for a minute: ``python -m tests.bench.engine_fuzz [seconds] [first seed]``.

The engine runs in a process of its own. Four clients at a time open a session, send 400 frames that are documented
events in random order and mostly spoiled (tests/engine/fuzz.py), read what comes or do not, and then either go on in
the same session or break the connection off in one of three ways. After each, a good session must be served: that of
the mad client itself if it is still there, else a new one.

At the end nothing may be left: no error in the engine's log, no task, child process, thread, descriptor or memory more
than after the first ten seconds. The run fails otherwise.
"""

from __future__ import annotations

import asyncio
import collections
import gc
import json
import logging
import multiprocessing
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from stepnb.local.engine import LocalEngine
from tests.bench.engine_load import Process
from tests.engine.client import MODEL
from tests.engine.fuzz import frames
from tests.engine.order import OrderChecker

CLIENTS = 4
FRAMES = 400
WARM_S = 10.0
TIMEOUT_S = 60.0
GROWTH_MB = 30
LOGGERS = ("stepnb", "uvicorn", "asyncio", "websockets")
ENDS = ("goes on", "goes on", "closes", "aborts", "aborts without reading")


class _Errors(logging.Handler):
    """Keeps what is logged as an error, as text."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _serve(pipe: Connection) -> None:
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    with LocalEngine(seed=7, speed=None) as engine:
        pipe.send((engine.url, engine.key))
        while pipe.recv() == "report":
            gc.collect()
            tasks = [task for task in gc.get_objects() if isinstance(task, asyncio.Task) and not task.done()]
            pipe.send(
                (collections.Counter(task.get_name().partition("-")[0] for task in tasks), errors.lines)
            )
    pipe.send((collections.Counter(), errors.lines))


class Run:
    """A fuzzing run against an engine's process."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key
        self.sessions = self.sent = self.received = 0
        self.longest_s = 0.0

    async def clients(self, seconds: float, seeds: Iterator[int]) -> None:
        """Let mad clients come and go for a while."""
        until = time.monotonic() + seconds

        async def one_after_the_other() -> None:
            while time.monotonic() < until:
                await self.timed(next(seeds))

        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(one_after_the_other())

    async def timed(self, seed: int) -> None:
        """One mad session, and the good one after it."""
        began = time.monotonic()
        await self.mad(seed)
        self.longest_s = max(self.longest_s, time.monotonic() - began)

    async def mad(self, seed: int) -> None:
        """One mad session, and the good one after it."""
        chance = random.Random(f"end {seed}")
        end = chance.choice(ENDS)
        self.sessions += 1
        async with asyncio.timeout(TIMEOUT_S), self._connect() as socket:
            order = OrderChecker()
            reading = None
            if end != "aborts without reading":
                reading = asyncio.create_task(self._read(socket, order))
            for frame in frames(seed, FRAMES):
                await socket.send(frame)
                self.sent += 1
            if end == "goes on":
                assert reading is not None
                await self._good(socket, reading, order)
                return
            if end != "closes":
                socket.transport.abort()
            await socket.close()
            if reading is not None:
                await asyncio.gather(reading, return_exceptions=True)
                assert isinstance(reading.exception(), ConnectionClosed), reading.exception()
        async with asyncio.timeout(TIMEOUT_S), self._connect() as socket:
            order = OrderChecker()
            await self._good(socket, asyncio.create_task(self._read(socket, order)), order)

    async def _good(self, socket: ClientConnection, reading: asyncio.Task[None], order: OrderChecker) -> None:
        """Ask something after all that, in the session itself."""
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.cancelled(), reading.exception()
        last = {"turn_detection": None, "modalities": ["text"], "tools": [], "instructions": "The end."}
        await self._send(socket, "session.update", session=last)
        while (await self._next(socket, order)).get("session", {}).get("instructions") != "The end.":
            pass
        if order.open:
            await self._send(socket, "response.cancel")
            while (await self._next(socket, order))["type"] != "response.done":
                pass
        content = [{"type": "input_text", "text": "What is two plus two?"}]
        item = {"type": "message", "role": "user", "content": content}
        await self._send(socket, "conversation.item.create", item=item)
        await self._send(socket, "response.create")
        while (event := await self._next(socket, order))["type"] != "response.done":
            pass
        assert event["response"]["status"] == "completed", event
        assert "4" in event["response"]["output"][0]["content"][0]["text"], event

    async def _read(self, socket: ClientConnection, order: OrderChecker) -> None:
        while True:
            await self._next(socket, order)

    async def _next(self, socket: ClientConnection, order: OrderChecker) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(await socket.recv())
        self.received += 1
        order.feed(event)
        return event

    async def _send(self, socket: ClientConnection, type: str, **body: Any) -> None:
        await socket.send(json.dumps({"type": type, **body}))

    def _connect(self) -> connect:
        return connect(
            f"{self._url}?model={MODEL}",
            additional_headers={"Authorization": f"Bearer {self._key}"},
            max_size=None,
            max_queue=None,
            compression=None,
            proxy=None,
            open_timeout=TIMEOUT_S,
        )


@contextmanager
def _engine() -> Iterator[tuple[Connection, str, str, Process]]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_serve, args=(there,))
    child.start()
    try:
        url, key = here.recv()
        assert child.pid
        yield here, url, key, Process(child.pid)
    finally:
        child.join(30)
        child.kill()


def main(seconds: float = 60.0, first_seed: int = 0) -> None:
    """Print what happened.

    Raises
    ------
    AssertionError
        Something broke, or something was left.
    """
    seeds = iter(range(first_seed, sys.maxsize))
    with _engine() as (pipe, url, key, process):
        run = Run(url, key)

        def report() -> tuple[dict[str, int], dict[str, int], list[str]]:
            pipe.send("report")
            tasks, errors = pipe.recv()
            return process.state(), dict(tasks), errors

        try:
            asyncio.run(run.clients(WARM_S, seeds))
            before, tasks_before, _ = report()
            asyncio.run(run.clients(max(0.0, seconds - WARM_S), seeds))
            after, tasks_after, errors = _settled(report, before)
        finally:
            pipe.send("end")
    print(
        f"{run.sessions} mad sessions in {seconds:.0f} s, the longest {run.longest_s:.1f} s: {run.sent} frames sent, "
        f"{run.received} received, {len(errors)} errors logged\n"
        f"  before: {before}, tasks {tasks_before}\n"
        f"  after:  {after}, tasks {tasks_after}"
    )
    assert not errors, "\n".join(errors)
    assert tasks_after == tasks_before
    assert all(after[name] <= before[name] for name in ("descriptors", "children")), (before, after)
    assert after["MB"] <= before["MB"] + GROWTH_MB, (before, after)


def _settled(report: Any, before: dict[str, int]) -> Any:
    """Wait until the last connections are gone; returns the report."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        found = report()
        if found[0]["descriptors"] <= before["descriptors"] or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3]))
