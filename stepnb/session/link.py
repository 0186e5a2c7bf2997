"""`Link`: the connection of a session with its reader, its writer and what waits to be sent. I/O thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from ..errors import ConnectionLost, ReplayMismatch
from ..service.endpoint import Secret
from .connection import Transport, close_quietly

# Frames that may wait for a stalled socket: 40 s of audio in 20 ms frames.
OUTBOX = 2000


class Opener(Protocol):
    """Opens connections."""

    async def __call__(self, url: str, model: str, key: Secret, *, cluster: str) -> Transport: ...


class Link:
    """One connection after the other.

    Parameters
    ----------
    on_frame
        Called with every text frame.
    on_lost
        Called once when a connection ends that nobody closed.
    open_connection
        Opens a connection.
    """

    def __init__(
        self,
        on_frame: Callable[[str], None],
        on_lost: Callable[[ConnectionLost | ReplayMismatch], None],
        open_connection: Opener,
    ) -> None:
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._open_connection = open_connection
        self._connection: Transport | None = None
        self._deaf = False
        self._outbox: asyncio.Queue[str] = asyncio.Queue(OUTBOX)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_open(self) -> bool:
        return self._connection is not None and not self._deaf

    @property
    def crowded(self) -> bool:
        """Whether the socket takes so little that microphone audio should rather be left out."""
        return self._outbox.qsize() > OUTBOX - 50

    async def open(self, url: str, model: str, key: Secret, *, cluster: str) -> str | None:
        """Connect and start reading; return the trace id."""
        connection = await self._open_connection(url, model, key, cluster=cluster)
        self._connection, self._deaf = connection, False
        self._outbox = asyncio.Queue(OUTBOX)
        self._tasks = [
            asyncio.create_task(self._read(connection)),
            asyncio.create_task(self._write(connection, self._outbox)),
        ]
        return connection.trace_id

    def send(self, frame: str) -> None:
        """Put a frame on its way."""
        try:
            self._outbox.put_nowait(frame)
        except asyncio.QueueFull:
            self._lose(
                ConnectionLost("The service takes nothing any more.", fix="Ask again: it connects anew.")
            )

    def leave(self) -> None:
        """Hear and say nothing more on this connection; it is still to be closed."""
        self._deaf = True

    async def close(self) -> None:
        """Close the connection, if there is one, and stop its tasks."""
        connection, self._connection = self._connection, None
        tasks, self._tasks = self._tasks, []
        if connection is not None:
            await close_quietly(connection)
        current = asyncio.current_task()
        for task in tasks:
            if task is not current:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not current), return_exceptions=True)

    async def _read(self, connection: Transport) -> None:
        try:
            await connection.read(self._hear)
        except (ConnectionLost, ReplayMismatch) as error:
            self._lose(error)

    def _hear(self, frame: str) -> None:
        if not self._deaf:
            self._on_frame(frame)

    async def _write(self, connection: Transport, outbox: asyncio.Queue[str]) -> None:
        while True:
            frame = await outbox.get()
            try:
                await connection.send(frame)
            except ConnectionLost:
                return  # the reader says so

    def _lose(self, error: ConnectionLost | ReplayMismatch) -> None:
        if self.is_open:
            self._on_lost(error)
