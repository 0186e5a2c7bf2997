"""The way out of a session: frames in order, bounded, written by one task.

The machine of a session emits without waiting, so that what it does is never torn in half by a cancellation; whoever
produces much waits for `Outbox.room` first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

SEND_TIMEOUT_S = 20.0
"""For one frame to be taken by a client that reads slowly."""

CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))
"""What may stand in a close frame."""

# A couple of audio frames: what a cancelled response still has on its way, and no more.
_ROOM_BYTES = 24 * 1024
# Answers to what a client goes on sending without reading them.
_FULL_BYTES = 1024 * 1024


class SlowReader(Exception):
    """The client does not read what it is sent."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is written for so long."""

    seconds: float


class Hangup(Exception):
    """The connection is to end here, without what comes behind.

    Parameters
    ----------
    code, reason
        Of the close frame; a code that cannot be sent, as 1006, is none at all.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


Entry = str | Pause | Hangup


class Outbox:
    """Frames that wait to be written.

    Parameters
    ----------
    timeout_s
        How long one frame may take.
    """

    def __init__(self, timeout_s: float = SEND_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._entries: deque[Entry] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._not_full = asyncio.Event()
        self._not_full.set()

    def put(self, entry: Entry) -> None:
        """Append a frame, or what is to happen between two of them. Never waits."""
        self._entries.append(entry)
        if isinstance(entry, str):
            self._size += len(entry)
            if self._size > _ROOM_BYTES:
                self._has_room.clear()
            if self._size > _FULL_BYTES:
                self._not_full.clear()
        self._changed.set()

    @property
    def has_room(self) -> bool:
        """Whether the client has caught up."""
        return self._has_room.is_set()

    async def room(self) -> None:
        """Wait until the client has caught up; as long as `pump` runs, that or its failure comes in bounded time."""
        await self._has_room.wait()

    async def not_full(self) -> None:
        """Wait until the client may be read on, whose answers it has not taken yet."""
        await self._not_full.wait()

    async def pump(self, send: Callable[[str], Awaitable[None]]) -> NoReturn:
        """Write frames until it comes to a `Hangup`.

        Raises
        ------
        SlowReader
            One took longer than the timeout.
        Hangup
            It came to it.
        """
        while True:
            while self._entries:
                match self._entries[0]:
                    case Pause(seconds):
                        await asyncio.sleep(seconds)
                    case Hangup() as hangup:
                        raise hangup
                    case frame:
                        await self._write(frame, send)
                self._entries.popleft()
            self._changed.clear()
            await self._changed.wait()

    async def _write(self, frame: str, send: Callable[[str], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await send(frame)
        except TimeoutError:
            raise SlowReader(f"a frame was not taken within {self._timeout_s:g} s") from None
        self._size -= len(frame)
        if self._size <= _ROOM_BYTES:
            self._has_room.set()
        if self._size <= _FULL_BYTES:
            self._not_full.set()
