"""The two loop threads of a process: one for all network I/O, one for the user's callbacks.

State of sessions changes only on the I/O thread; no user code runs there. Both are daemon threads that start with their
first use; a forked child starts its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from ..errors import StepnbError

T = TypeVar("T")


class LoopThread:
    """A daemon thread that runs an asyncio loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop; starts the thread when there is none in this process."""
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._loop, self._pid = asyncio.new_event_loop(), os.getpid()
                threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True).start()
            return self._loop

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def owns_current_thread(self) -> bool:
        return threading.current_thread().name == self._name


io_thread = LoopThread("stepnb-io")
user_thread = LoopThread("stepnb-user")


def wait_on_io(coroutine: Coroutine[Any, Any, T], timeout: float | None, what: str) -> T:
    """Run a coroutine on the I/O thread and wait for its result.

    Parameters
    ----------
    timeout
        Seconds, None for no limit.
    what
        What is done, for the error: "connecting".

    Raises
    ------
    StepnbError
        It took longer; it is cancelled then.
    """
    future = io_thread.submit(coroutine)
    try:
        return future.result(timeout)
    except FutureTimeout:
        if future.done():
            raise
        future.cancel()
        raise StepnbError(f"{what.capitalize()} took more than {timeout:g} s.", fix="Try again.") from None
