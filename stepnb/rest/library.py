"""The library of cloned voices on this machine: one SQLite file, shared by all notebooks.

It is what keeps a voice from being paid for twice. What is about to be bought is written down before, and what was
bought right after; whatever interrupts that, the next attempt finds the note and looks at the service first.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import LibraryError

PATH_NAME = "STEPNB_LIBRARY"
BUSY_S = 5.0
# How long to wait for another notebook that is cloning.
TURN_S = 60.0

_APPLICATION = 0x53744C62  # "StLb", in the header of the file
_VERSION = 1
_SCHEMA = (
    """CREATE TABLE clips (
        account TEXT NOT NULL, digest TEXT NOT NULL, file_id TEXT, audio BLOB NOT NULL,
        PRIMARY KEY (account, digest)
    )""",
    """CREATE TABLE voices (
        account TEXT NOT NULL, digest TEXT NOT NULL, model TEXT NOT NULL, id TEXT, name TEXT NOT NULL,
        notes TEXT NOT NULL, transcript TEXT, consent TEXT NOT NULL, consented_at TEXT NOT NULL, created_at TEXT,
        PRIMARY KEY (account, digest, model)
    )""",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the library knows of a voice.

    Attributes
    ----------
    account, digest, model
        Whose it is, the hash of its clip, and what it was cloned with.
    id
        The voice's id; None: it has been begun and not finished.
    consent, consented_at
        The statement, and when it was made, UTC.
    created_at
        When the voice was made, UTC.
    """

    account: str
    digest: str
    model: str
    id: str | None
    name: str
    notes: str
    transcript: str | None
    consent: str
    consented_at: datetime
    created_at: datetime | None = None


_COLUMNS = ", ".join(field.name for field in dataclasses.fields(Entry))


class Library:
    """The file. Every method opens it, is one transaction and closes it; any thread may call, the I/O thread may not.

    Parameters
    ----------
    path
        None: ``STEPNB_LIBRARY``, else the user's data folder.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path or os.environ.get(PATH_NAME) or _data_folder() / "voices.sqlite").expanduser()

    # Cloning ----------------------------------------------------------------------------------------------------------

    def take_turn(self) -> sqlite3.Connection:
        """Wait until no other notebook is cloning; closing what is returned ends the turn, and so does a crash.

        Raises
        ------
        LibraryError
            Another one has been cloning for too long.
        """
        with self._named("for cloning"):
            self._make_folder()
            turn = sqlite3.connect(
                f"{self.path}-turn", timeout=TURN_S, isolation_level=None, check_same_thread=False
            )
            try:
                turn.execute("BEGIN EXCLUSIVE")
            except BaseException:
                turn.close()
                raise
            return turn

    def begin(self, entry: Entry, audio: bytes) -> Entry:
        """Note that a voice is wanted and return what is known of it; one that is finished is left as it is.

        Parameters
        ----------
        entry
            The voice, without an id.
        audio
            Its clip, as a file.
        """
        with self._open() as database:
            _add_clip(database, entry.account, entry.digest, audio)
            values = dataclasses.astuple(entry)
            database.execute(
                f"INSERT INTO voices ({_COLUMNS}) VALUES ({', '.join('?' * len(values))}) "
                "ON CONFLICT DO UPDATE SET name = excluded.name, notes = excluded.notes, "
                "transcript = excluded.transcript, consent = excluded.consent, "
                "consented_at = excluded.consented_at WHERE id IS NULL",
                [_stored(value) for value in values],
            )
            row = database.execute(
                f"SELECT {_COLUMNS} FROM voices WHERE account = ? AND digest = ? AND model = ?",
                (entry.account, entry.digest, entry.model),
            ).fetchone()
        return _entry(row)

    def finish(self, entry: Entry, id: str) -> Entry:
        """Note that a voice has been made."""
        made = dataclasses.replace(entry, id=id, created_at=datetime.now(UTC))
        with self._open() as database:
            database.execute(
                "UPDATE voices SET id = ?, created_at = ? WHERE account = ? AND digest = ? AND model = ?",
                (id, _stored(made.created_at), entry.account, entry.digest, entry.model),
            )
        return made

    # Clips ------------------------------------------------------------------------------------------------------------

    def file_of(self, account: str, digest: str) -> str | None:
        """Return the id under which a clip was uploaded, None where it was not."""
        with self._open() as database:
            row = database.execute(
                "SELECT file_id FROM clips WHERE account = ? AND digest = ?", (account, digest)
            ).fetchone()
        return row[0] if row else None

    def uploaded(self, account: str, digest: str, file_id: str, audio: bytes) -> None:
        """Note under which id a clip was uploaded."""
        with self._open() as database:
            _add_clip(database, account, digest, audio)
            database.execute(
                "UPDATE clips SET file_id = ? WHERE account = ? AND digest = ?", (file_id, account, digest)
            )

    def audio(self, entry: Entry) -> bytes | None:
        """Return the clip of a voice as a file."""
        with self._open() as database:
            row = database.execute(
                "SELECT audio FROM clips WHERE account = ? AND digest = ?", (entry.account, entry.digest)
            ).fetchone()
        return row[0] if row else None

    # Reading and describing -------------------------------------------------------------------------------------------

    def voices(self, account: str) -> dict[str, Entry]:
        """Return the finished voices of an account by their ids."""
        with self._open() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM voices WHERE account = ? AND id IS NOT NULL", (account,)
            ).fetchall()
        return {entry.id or "": entry for entry in map(_entry, rows)}

    def describe(self, account: str, id: str, name: str | None, notes: str | None) -> bool:
        """Change name and notes of a voice, None: unchanged; False: it is not in the library."""
        with self._open() as database:
            done = database.execute(
                "UPDATE voices SET name = coalesce(?, name), notes = coalesce(?, notes) WHERE account = ? AND id = ?",
                (name, notes, account, id),
            )
            return done.rowcount > 0

    # The file ---------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._named("within 5 s"):
            self._make_folder()
            # Voices are personal: the file is its owner's alone. SQLite gives its companions the same mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            database = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            try:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = FULL")  # what was paid for survives a power cut
                database.execute("BEGIN IMMEDIATE")
                self._prepare(database)
                yield database
                database.execute("COMMIT")
            finally:
                database.close()  # an open transaction is rolled back

    def _prepare(self, database: sqlite3.Connection) -> None:
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if (application, version) == (_APPLICATION, _VERSION):
            return
        (tables,) = database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if application or version or tables:
            what = (
                "was written by another version"
                if application == _APPLICATION
                else "belongs to another program"
            )
            raise LibraryError(
                f"{str(self.path)!r} {what}.", fix=f"Name another file with {PATH_NAME} or library=..."
            )
        for statement in _SCHEMA:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {_APPLICATION}")
        database.execute(f"PRAGMA user_version = {_VERSION}")

    def _make_folder(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextlib.contextmanager
    def _named(self, waited: str) -> Iterator[None]:
        """Turn what the file system and SQLite say into a sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise LibraryError(
                    f"The library of voices {str(self.path)!r} is in use by another program and did not become free "
                    f"{waited}.",
                    fix="Wait until it is done there and run the line again.",
                ) from error
            raise LibraryError(
                f"The library of voices {str(self.path)!r} cannot be used: {error}.",
                fix=f"Check the disk and the folder, or name another file with {PATH_NAME} or library=...",
            ) from error
        except sqlite3.DatabaseError as error:
            raise LibraryError(
                f"The library of voices {str(self.path)!r} is damaged: {error}.",
                fix="Move the file to another place and keep it. A new one is begun then, and voices you clone again "
                "from the same clip are found at the service and not paid for again.",
            ) from error
        except OSError as error:
            raise LibraryError(
                f"The library of voices {str(self.path)!r} cannot be opened: {error.strerror or error}.",
                fix=f"Name a file in a folder you may write to with {PATH_NAME} or library=...",
            ) from error

    def __repr__(self) -> str:
        return f"Library({str(self.path)!r})"


def _add_clip(database: sqlite3.Connection, account: str, digest: str, audio: bytes) -> None:
    database.execute(
        "INSERT INTO clips (account, digest, audio) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (account, digest, audio),
    )


def _stored(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _entry(row: tuple[Any, ...]) -> Entry:
    entry = Entry(*row)
    created = row[-1] and datetime.fromisoformat(row[-1])
    return dataclasses.replace(entry, consented_at=datetime.fromisoformat(row[-2]), created_at=created)


@functools.cache
def practice_path() -> Path:
    """Return where the library is for the process's own engine, whose voices end with the process."""
    folder = tempfile.mkdtemp(prefix="stepnb-voices-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "voices.sqlite"


def _data_folder() -> Path:
    """Return where programs keep their users' data."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "stepnb"
