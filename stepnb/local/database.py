"""One SQLite database behind the store: connections, transactions, schema, pages.

Several engines may share a file: SQLite's write-ahead log keeps them apart. All methods may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stepnb.errors import EngineError

Row = tuple[Any, ...]

_APPLICATION = 0x53744E62  # "StNb", in the header of the file
_VERSION = 1
_BUSY_S = 10.0  # how long to wait for another engine that writes
# The large columns are last: a row's pages are read from the first on, and listings stop before them.
_SCHEMA = """
CREATE TABLE files (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, purpose TEXT NOT NULL,
    filename TEXT NOT NULL, bytes INTEGER NOT NULL, created_at INTEGER NOT NULL, digest TEXT NOT NULL,
    text TEXT, content BLOB NOT NULL
);
CREATE TABLE voices (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, file_id TEXT NOT NULL,
    model TEXT NOT NULL, created_at INTEGER NOT NULL, settings TEXT NOT NULL
);
CREATE TABLE vector_stores (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    type TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE TABLE attachments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    vector_store_id TEXT NOT NULL REFERENCES vector_stores(id) ON DELETE CASCADE,
    id TEXT NOT NULL REFERENCES files(id) ON DELETE CASCADE,
    description TEXT, created_at INTEGER NOT NULL, UNIQUE (vector_store_id, id)
);
CREATE INDEX attachments_by_file ON attachments(id);
"""


class UnknownId(Exception):
    """There is nothing with this id; the message is a sentence for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list is asked for: at most `limit` entries after and before the entries with these ids."""

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None


class Database:
    """A SQLite file, or a database in memory.

    Parameters
    ----------
    path
        The file, made when there is none; None: in memory.

    Raises
    ------
    EngineError
        The file cannot be opened, or is something else.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._write_lock = self._read_lock = threading.Lock()
        if path is None:
            self._writer = self._reader = _connect(":memory:")
            _prepare(self._writer)
            return
        target = Path(path).expanduser()
        try:
            # Voices are personal: the file is its owner's alone. SQLite gives its companions the same mode.
            os.close(os.open(target, os.O_CREAT | os.O_RDWR, 0o600))
            self._writer = _connect(str(target))
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise EngineError(
                f"The engine's store {str(target)!r} cannot be opened: {reason}.",
                fix="Give the path of a file in a folder that exists.",
            ) from error
        try:
            _prepare(self._writer)
            # Reading has a connection of its own, so that a session never waits for someone's large upload.
            self._reader = _connect(str(target))
            self._read_lock = threading.Lock()
        except (sqlite3.Error, _Foreign) as error:
            self._writer.close()
            raise EngineError(
                f"{str(target)!r} is not a store of this version of the local engine: {error}.",
                fix="Give the path of a new file.",
            ) from error

    def close(self) -> None:
        """Close it; what is asked of it afterwards fails with `sqlite3.ProgrammingError`."""
        with self._write_lock:
            self._writer.close()
        with self._read_lock:
            self._reader.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to read with."""
        with self._read_lock:
            yield self._reader

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to write with, inside a transaction that an exception rolls back."""
        with self._write_lock, _transaction(self._writer):
            yield self._writer

    def page(
        self, table: str, columns: str, page: Page, what: str, scope: Mapping[str, str]
    ) -> tuple[list[Row], bool]:
        """Return a page of a table, and whether there are more rows in the direction it was walked.

        Parameters
        ----------
        table, columns
            Where from, and what of it.
        page
            Which part.
        what
            What a row is called when a cursor is unknown.
        scope
            Columns and the values they must have.
        """
        # Walked from `after` on; with `before` alone, from there backwards.
        backwards = page.before is not None and page.after is None
        descending = (page.order == "desc") != backwards
        conditions: dict[str, object] = {f"{column} = ?": value for column, value in scope.items()}
        known = " AND ".join(["id = ?", *conditions])
        with self.reading() as database:
            for cursor, sign in (
                (page.after, "<" if page.order == "desc" else ">"),
                (page.before, ">" if page.order == "desc" else "<"),
            ):
                if cursor is not None:
                    query = f"SELECT number FROM {table} WHERE {known}"
                    (number,) = one(database, query, what, cursor, *scope.values())
                    conditions[f"number {sign} ?"] = number
            where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            rows = database.execute(
                f"SELECT {columns} FROM {table}{where} ORDER BY number {'DESC' if descending else 'ASC'} LIMIT ?",
                (*conditions.values(), page.limit + 1),
            ).fetchall()
        more = len(rows) > page.limit
        rows = rows[: page.limit]
        return (rows[::-1] if backwards else rows), more


class _Foreign(Exception):
    """A database that is none of ours."""


def _connect(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA foreign_keys = ON")
    return database


def _prepare(database: sqlite3.Connection) -> None:
    """Make the tables of a new database; refuse one that is something else."""
    with _transaction(database):
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if (application, version) == (_APPLICATION, _VERSION):
            pass
        elif application == _APPLICATION:
            raise _Foreign(f"it was written by version {version}, this is version {_VERSION}")
        elif application or version or database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
            raise _Foreign("it belongs to another program")
        else:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
    _use_write_ahead_log(database)
    # With the log, a crash of the machine may lose the last transactions, but never the database.
    database.execute("PRAGMA synchronous = NORMAL")


def _use_write_ahead_log(database: sqlite3.Connection) -> None:
    """Switch the log on; SQLite does not wait by itself for another engine that is doing the same."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def next_number(database: sqlite3.Connection, table: str) -> int:
    """Return the number of the next row; numbers of deleted rows do not come again."""
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return int(row[0]) + 1 if row else 1


def one(database: sqlite3.Connection, query: str, what: str, id: str, *others: object) -> Row:
    """Return the row of an id; `UnknownId` when there is none."""
    row: Row | None = database.execute(query, (id, *others)).fetchone()
    if row is None:
        raise UnknownId(f"there is no {what} {id[:100]}")
    return row


def delete(database: sqlite3.Connection, statement: str, what: str, id: str) -> None:
    """Delete the row of an id; `UnknownId` when there is none."""
    if not database.execute(statement, (id,)).rowcount:
        raise UnknownId(f"there is no {what} {id[:100]}")
