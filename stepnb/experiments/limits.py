"""How much may happen at once: runs under way, and new sessions a minute, for each place."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque

from ..errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of one account.

    Parameters
    ----------
    concurrency
        Runs under way. A new account may have five sessions open, and one is left for the person.
    per_minute
        New sessions a minute, None for no limit. A new account may make ten requests a minute; the documentation does
        not say what counts as one, and opening connections was seen to run into it.
    """

    concurrency: int = 4
    per_minute: int | None = 10

    def __post_init__(self) -> None:
        if self.concurrency < 1 or (self.per_minute is not None and self.per_minute < 1):
            raise ConfigError(f"{self} lets nothing run.", fix="Write whole numbers from 1.")


LOCAL = Limits(per_minute=None)


class MinuteShare:
    """Lets so many through in any minute, in the order in which they came. One event loop only.

    Parameters
    ----------
    per_minute
        None for no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._begun: deque[float] = deque()
        self._next = asyncio.Lock()

    async def take(self) -> None:
        """Wait for a share of the minute."""
        if self._per_minute is None:
            return
        loop = asyncio.get_running_loop()
        async with self._next:
            if len(self._begun) >= self._per_minute:
                await asyncio.sleep(max(0.0, self._begun.popleft() + 60 - loop.time()))
            self._begun.append(loop.time())
