"""Claims: who makes which run, so that two processes on one store do not make the same.

A claim ends with its run. One whose process is gone, or that nobody renewed, is worth nothing.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import time
from typing import Literal

SCHEMA = "CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL)"

# A claim is renewed every RENEW and holds for HOLDS, s: a laptop that slept for longer lost it.
RENEW = 10.0
HOLDS = 60.0


def new_owner() -> str:
    """Return a name for one runner of this process."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}/{secrets.token_hex(4)}"


Claim = Literal["yours", "done", "held"]


def claim(db: sqlite3.Connection, key: str, owner: str, *, again: bool) -> Claim:
    """Claim a run within a transaction, unless it is done or somebody else makes it."""
    ended = db.execute("SELECT error FROM runs WHERE key = ?", (key,)).fetchone()
    if ended is not None and (ended[0] is None or not again):
        return "done"
    now = time.time()
    held = db.execute("SELECT owner, until FROM claims WHERE key = ?", (key,)).fetchone()
    if held is not None and held[0] != owner and held[1] > now and _lives(held[0]):
        return "held"
    db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (key, owner, now + HOLDS))
    return "yours"


def renew(db: sqlite3.Connection, owner: str) -> None:
    """Let the claims of an owner hold for longer."""
    db.execute("UPDATE claims SET until = ? WHERE owner = ?", (time.time() + HOLDS, owner))


def release(db: sqlite3.Connection, owner: str) -> None:
    """Give up the claims of an owner."""
    db.execute("DELETE FROM claims WHERE owner = ?", (owner,))


def _lives(owner: str) -> bool:
    """Whether the process of an owner runs; one of another machine is believed to."""
    host, pid, started, _ = owner.rsplit("/", 3)
    if host != socket.gethostname() or os.name != "posix":  # elsewhere signal 0 is a real one
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OSError):
        return True
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """Return what tells a process from a later one with the same number; empty where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - not a file anybody would take for one
            return stat.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""
