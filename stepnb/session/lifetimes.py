"""What happens once in a process: forgotten sessions are closed, and who has no key is told so."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING

from ..service.endpoint import NO_KEY_LINE
from ..service.loop import io_thread

if TYPE_CHECKING:
    from .core import SessionCore

CLOSE_TIMEOUT = 10.0
open_cores: weakref.WeakSet[SessionCore] = weakref.WeakSet()


def close_soon(core: SessionCore) -> None:
    """A session nobody holds any more closes by itself; nobody waits for it."""
    io_thread.submit(core.close())


def _close_all() -> None:
    """At exit of the kernel: close what is open, so that no server session lingers."""
    for core in list(open_cores):
        if not core.closed:
            with contextlib.suppress(FutureTimeout, RuntimeError):
                io_thread.submit(core.close()).result(CLOSE_TIMEOUT)


atexit.register(_close_all)


def close_before_the_engine() -> None:
    """Have the sessions end, at the exit of the interpreter, before whatever has registered itself by now.

    A session whose engine ends first would connect anew, which nothing can do any more by then.
    """
    atexit.unregister(_close_all)
    atexit.register(_close_all)


_no_key_said = False


def say_no_key_once() -> None:
    """Tell a user without a key what the session runs on, once in a process."""
    global _no_key_said
    if not _no_key_said:
        _no_key_said = True
        print(NO_KEY_LINE)  # noqa: T201 - the one line a user without a key must see
