"""The way out of a session: frames in order, bounded, written by one task.

The machine of a session emits without waiting, so that what it does is never torn in half by a cancellation; whoever
produces much waits for `Outbox.room` first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

SEND_TIMEOUT_S = 20.0
"""For one frame to be taken by a client that reads slowly."""

# A couple of audio frames: what a cancelled response still has on its way, and no more.
_ROOM_BYTES = 24 * 1024


class SlowReader(Exception):
    """The client does not read what it is sent."""


class Outbox:
    """Frames that wait to be written.

    Parameters
    ----------
    timeout_s
        How long one frame may take.
    """

    def __init__(self, timeout_s: float = SEND_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._frames: deque[str] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._finished = False

    def put(self, frame: str) -> None:
        """Append a frame. Never waits."""
        self._frames.append(frame)
        self._size += len(frame)
        if self._size > _ROOM_BYTES:
            self._has_room.clear()
        self._changed.set()

    @property
    def has_room(self) -> bool:
        """Whether the client has caught up."""
        return self._has_room.is_set()

    async def room(self) -> None:
        """Wait until the client has caught up; as long as `pump` runs, that or its failure comes in bounded time."""
        await self._has_room.wait()

    def finish(self) -> None:
        """Let `pump` end once everything is written."""
        self._finished = True
        self._changed.set()

    async def pump(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Write frames until `finish`.

        Raises
        ------
        SlowReader
            One took longer than the timeout.
        """
        while True:
            while self._frames:
                try:
                    async with asyncio.timeout(self._timeout_s):
                        await send(self._frames[0])
                except TimeoutError:
                    raise SlowReader(f"a frame was not taken within {self._timeout_s:g} s") from None
                self._size -= len(self._frames.popleft())
                if self._size <= _ROOM_BYTES:
                    self._has_room.set()
            if self._finished:
                return
            self._changed.clear()
            await self._changed.wait()
