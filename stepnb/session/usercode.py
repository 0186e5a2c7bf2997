"""`UserCode`: calls functions of the user from the I/O thread, without ever running one on it.

Async functions run on the user's loop thread, plain ones on daemon threads of their own, a bounded number at a time: a
thread pool would have the kernel wait at its end for a function that hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import threading
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from ..service.loop import user_thread

THREADS = 8


class UserCode:
    """Runs functions of one session."""

    def __init__(self) -> None:
        self._threads = asyncio.Semaphore(THREADS)

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a plain or async function away from this thread; what it raises is raised here."""
        if inspect.iscoroutinefunction(function):
            result = function(*args, **kwargs)
        else:
            result = await self._in_thread(functools.partial(function, *args, **kwargs))
        # A plain function may well wrap an async one.
        if inspect.isawaitable(result):
            result = await asyncio.wrap_future(user_thread.submit(_contained(result)))
        return result

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        await self._threads.acquire()
        loop = asyncio.get_running_loop()
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # from now on nobody cancels it: the thread cannot be stopped

        def work() -> None:
            try:
                future.set_result(function())
            except Exception as error:  # noqa: BLE001 - user code; whoever waits gets it
                future.set_exception(error)
            except BaseException as error:  # noqa: BLE001 - SystemExit and its like must not end the I/O thread
                future.set_exception(RuntimeError(repr(error)))
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever waits
                    loop.call_soon_threadsafe(self._threads.release)

        threading.Thread(target=work, name="stepnb-tool", daemon=True).start()
        return await asyncio.wrap_future(future)


async def _contained(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except (SystemExit, KeyboardInterrupt) as error:  # they would end the user's loop thread
        raise RuntimeError(repr(error)) from error


def said(error: BaseException) -> str:
    """Return an exception's class and message; it survives a ``__str__`` that fails."""
    return "".join(traceback.format_exception_only(error)).strip()


def cancelled() -> bool:
    """Whether the running task itself was cancelled; a function may raise CancelledError all by itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
