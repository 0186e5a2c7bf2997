"""What a session knows of the cell it is used in.

A session made by re-running a cell closes the one that cell made before: otherwise forgotten sessions would use up the
few connections an account has.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .session import Session

# Cell id -> (the execution that made them, the sessions made by it).
_by_cell: dict[str, tuple[str, list[weakref.ref[Session]]]] = {}

# Those a user made, by their order.
_made: weakref.WeakValueDictionary[int, Session] = weakref.WeakValueDictionary()
_numbers = itertools.count()

_of_no_cell: ContextVar[bool] = ContextVar("of_no_cell", default=False)


@contextlib.contextmanager
def of_no_cell() -> Iterator[None]:
    """Sessions made within belong to no cell, whichever runs at the time: whoever makes them closes them."""
    token = _of_no_cell.set(True)
    try:
        yield
    finally:
        _of_no_cell.reset(token)


def open_sessions() -> list[Session]:
    """Return the sessions a user made that are open, the newest last."""
    return [session for _, session in sorted(_made.items()) if session.status.state != "closed"]


def replace_predecessors(session: Session) -> None:
    """Register a session under the cell that makes it, and close those of the cell's earlier execution."""
    if not _of_no_cell.get():
        _made[next(_numbers)] = session
    cell, execution = _current_cell()
    if cell is None:
        return
    earlier, sessions = _by_cell.get(cell, ("", []))
    if earlier == execution:
        sessions.append(weakref.ref(session))
        return
    _by_cell[cell] = (execution, [weakref.ref(session)])
    for reference in sessions:
        predecessor = reference()
        if predecessor is not None:
            predecessor.close()


def waits_alone() -> bool:
    """Whether this thread runs the kernel's cells: while it waits, the page may not be heard."""
    return hasattr(_shell(), "kernel") and threading.current_thread() is threading.main_thread()


def _shell() -> Any:
    ipython: Any = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _current_cell() -> tuple[str | None, str]:
    """Return (cell id, execution id); the id is what JupyterLab and others send as ``cellId``."""
    if _of_no_cell.get():
        return None, ""
    parent = getattr(_shell(), "parent_header", None)
    if not isinstance(parent, dict):
        return None, ""
    cell = parent.get("metadata", {}).get("cellId")
    return cell, parent.get("header", {}).get("msg_id", "")
