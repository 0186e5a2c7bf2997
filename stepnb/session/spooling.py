"""`Spooling`: has the log written once a second, on another thread: a disk may be slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core import SessionCore

# What a killed kernel may lose of the recording, s.
INTERVAL = 1.0


class Spooling:
    """Writes the log of a session from its first connection to its close."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self._task: asyncio.Task[None] | None = None
        self._told = False

    def start(self) -> None:
        """Begin, unless that has been done."""
        if self._task is None:
            self._task = self._core.spawn(self._run())

    async def _run(self) -> None:
        while self._core.log.spool.failure is None:
            await asyncio.sleep(INTERVAL)
            try:
                await asyncio.to_thread(self._core.log.flush)
            except (
                RuntimeError
            ):  # at the exit of the interpreter no thread starts any more; `close` writes the rest
                return
        self._tell_failure()

    async def close(self) -> None:
        """Write the rest."""
        try:
            await asyncio.to_thread(self._core.log.close)
        except RuntimeError:  # at the exit of the interpreter no thread starts any more
            self._core.log.close()
        self._tell_failure()

    def _tell_failure(self) -> None:
        failure = self._core.log.spool.failure
        if failure is not None and not self._told:
            self._told = True
            self._core.notice("warning", failure.message, failure.fix or "")
