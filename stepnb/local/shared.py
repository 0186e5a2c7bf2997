"""The one engine that the sessions of a process share when they have no key: counted, and closed with the last."""

from __future__ import annotations

import atexit
import os
import threading

from stepnb.local.engine import LocalEngine

_shared_lock = threading.Lock()
_shared: LocalEngine | None = None
_shared_users = 0


def acquire_shared() -> LocalEngine:
    """Return this process's shared engine, started; every call needs its `release_shared`.

    Raises
    ------
    EngineError
        It did not start.
    """
    global _shared, _shared_users
    with _shared_lock:
        if _shared is None:
            _shared = LocalEngine()
        _shared.start()
        _shared_users += 1
        return _shared


def release_shared() -> None:
    """Give the shared engine back; the last one closes it."""
    global _shared, _shared_users
    with _shared_lock:
        _shared_users = max(0, _shared_users - 1)
        if _shared_users or _shared is None:
            return
        engine, _shared = _shared, None
        engine.close()


def _close_shared() -> None:
    if _shared is not None:
        _shared.close()


def _forget_shared() -> None:
    """After a fork: the engine's thread is the parent's, and so is the engine."""
    global _shared, _shared_users, _shared_lock
    _shared, _shared_users, _shared_lock = None, 0, threading.Lock()


atexit.register(_close_shared)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_shared)
