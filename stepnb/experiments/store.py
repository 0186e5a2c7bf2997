"""Where runs are kept: one SQLite file and a folder of FLAC files named by what is in them.

Every finished run is one transaction. A killed process loses the runs under way and nothing else; several processes may
work on one store, and a claim keeps them from making the same run at the same time.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import secrets
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from ..errors import ExperimentError
from ..recording.recording import Recording
from . import claims
from .perform import Outcome
from .plan import Case
from .summary import TurnSummary

FORMAT = 1
_BUSY_MS = 30_000

_SCHEMA = (
    """
CREATE TABLE IF NOT EXISTS runs (
  key TEXT PRIMARY KEY, variant TEXT NOT NULL, input TEXT NOT NULL, repeat INTEGER NOT NULL, factors TEXT NOT NULL,
  place TEXT NOT NULL, error TEXT, attempts INTEGER NOT NULL, started REAL NOT NULL, seconds REAL NOT NULL,
  turns TEXT NOT NULL, recording BLOB NOT NULL, audio TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scores (
  key TEXT NOT NULL, scorer TEXT NOT NULL, name TEXT NOT NULL, value REAL, text TEXT, note TEXT,
  PRIMARY KEY (key, scorer, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scorers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ratings (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  blind INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ratings_by_key ON ratings (key);
"""
    + claims.SCHEMA
)


class Run(Struct, kw_only=True, frozen=True):
    """A run in the store, without its recording.

    Attributes
    ----------
    error
        Why it failed; None when it is done.
    attempts
        How often it was tried.
    started, seconds
        Wall-clock time (s since 1970) and how long it took.
    """

    key: str
    variant: str
    input: str
    repeat: int
    factors: dict[str, str]
    place: str
    error: str | None
    attempts: int
    started: float
    seconds: float
    turns: list[TurnSummary]


class ScoreRow(Struct, kw_only=True, frozen=True):
    """One figure of one run; without value and text it was not exercised."""

    key: str
    scorer: str
    name: str
    value: float | None = None
    text: str | None = None
    note: str | None = None


RatingKind = Literal["rating", "note"]


class Rating(NamedTuple):
    """What a person thought of a run, and when (s since 1970)."""

    at: float
    kind: RatingKind
    key: str
    value: str
    blind: bool


class Store:
    """The runs of an experiment on disk.

    Parameters
    ----------
    folder
        Made when it is not there.

    Raises
    ------
    ExperimentError
        The folder cannot be used, the file is damaged, or of a newer format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "runs.sqlite"
        try:
            (folder / "audio").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ExperimentError(
                f"Runs cannot be kept in {str(folder)!r}: {error.strerror or error}.",
                fix="Choose another folder.",
            ) from None
        with self._open() as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found > FORMAT:
                raise ExperimentError(
                    f"{str(self._file)!r} has format {found}; this version reads up to {FORMAT}.",
                    fix="Update stepnb: pip install --upgrade stepnb",
                )
            db.execute("PRAGMA journal_mode = WAL")
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {FORMAT}")

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one piece of work; a connection each, because threads cannot share one."""
        try:
            db = sqlite3.connect(self._file, timeout=_BUSY_MS / 1000, isolation_level=None)
            try:
                db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
                db.execute("PRAGMA synchronous = NORMAL")  # with WAL a killed process cannot damage the file
                yield db
            finally:
                db.close()
        except sqlite3.OperationalError as error:
            raise ExperimentError(
                f"{str(self._file)!r} cannot be used: {error}.",
                fix="Another program may hold it, or the disk is full; close that program and run again.",
            ) from None
        except sqlite3.DatabaseError as error:
            raise ExperimentError(
                f"{str(self._file)!r} is damaged: {error}.",
                fix="Move it away and run again; the audio files beside it stay as they are.",
            ) from None

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction: all that is done in it is kept, or nothing."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    # Claims

    def claim(self, key: str, owner: str, *, again: bool) -> claims.Claim:
        """Claim a run: "yours" to make, "done" already, or "held" by another process.

        Parameters
        ----------
        again
            Whether a failed run counts as not done.
        """
        with self.writing() as db:
            return claims.claim(db, key, owner, again=again)

    def renew(self, owner: str) -> None:
        """Say that the owner of claims is still at work."""
        with self.writing() as db:
            claims.renew(db, owner)

    def release(self, owner: str) -> None:
        """Give up all claims of an owner."""
        with self.writing() as db:
            claims.release(db, owner)

    # Runs

    def done(self, *, failed: bool = False) -> frozenset[str]:
        """Return the keys of the runs that are done, or of those that failed."""
        with self._open() as db:
            rows = db.execute(f"SELECT key FROM runs WHERE error IS {'NOT ' if failed else ''}NULL")
            return frozenset(key for (key,) in rows)

    def add(
        self, case: Case, outcome: Outcome, turns: Sequence[TurnSummary], scores: Sequence[ScoreRow]
    ) -> None:
        """Keep a finished run with its scores: all of it, or nothing."""
        with self.writing() as db:
            self.put(db, case, outcome, turns, scores)

    def put(
        self,
        db: sqlite3.Connection,
        case: Case,
        outcome: Outcome,
        turns: Sequence[TurnSummary],
        scores: Sequence[ScoreRow],
    ) -> None:
        """Do as `add` within a transaction, for many at once."""
        rest, audio = self._without_audio(outcome.recording)
        before = db.execute("SELECT error, attempts FROM runs WHERE key = ?", (case.key,)).fetchone()
        if before is not None and before[0] is None:
            return  # another process was quicker
        values = (
            case.key, case.variant.name, case.input.name, case.repeat, _text(case.variant.factors), case.place,
            outcome.error, 1 + (before[1] if before else 0), outcome.started, outcome.seconds,
            _text(turns), rest, _text(audio),
        )  # fmt: skip
        db.execute(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * len(values))})", values)
        _put_scores(db, case.key, scores)
        db.execute("DELETE FROM claims WHERE key = ?", (case.key,))

    def runs(self, keys: Iterable[str] | None = None) -> list[Run]:
        """Return the runs with these keys, or all of them, oldest first."""
        wanted = None if keys is None else set(keys)
        names = Run.__struct_fields__
        with self._open() as db:
            rows = db.execute(f"SELECT {', '.join(names)} FROM runs ORDER BY started").fetchall()
        runs = []
        for row in rows:
            if wanted is None or row[0] in wanted:
                values = dict(zip(names, row, strict=True))
                values["factors"] = msgspec.json.decode(values["factors"], type=dict[str, str])
                values["turns"] = msgspec.json.decode(values["turns"], type=list[TurnSummary])
                runs.append(Run(**values))
        return runs

    def recording(self, key: str) -> Recording:
        """Return what a run recorded: turns, events, audio.

        Raises
        ------
        ExperimentError
            There is no such run.
        RecordingError
            An audio file is missing or damaged.
        """
        with self._open() as db:
            row = db.execute("SELECT recording, audio FROM runs WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise ExperimentError(f"There is no run {key!r}.", fix="x.df() lists the keys.")
        with tempfile.TemporaryDirectory(prefix="stepnb-") as folder:
            whole = Path(folder) / f"{key[:8]}.stepnb"
            whole.write_bytes(row[0])
            with zipfile.ZipFile(whole, "a") as archive:
                for name, digest in msgspec.json.decode(row[1], type=dict[str, str]).items():
                    path = self._audio_path(digest)
                    if path.exists():
                        archive.write(path, name)
            return Recording.load(whole)

    def _without_audio(self, recording: bytes) -> tuple[bytes, dict[str, str]]:
        """Put a recording's audio into files of its own; return the rest, and the files' digests by name."""
        audio: dict[str, str] = {}
        rest = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(recording)) as whole,
            zipfile.ZipFile(rest, "w", zipfile.ZIP_DEFLATED) as kept,
        ):
            for name in whole.namelist():
                content = whole.read(name)
                if name.endswith(".flac"):
                    audio[name] = self._keep_audio(content)
                else:
                    kept.writestr(name, content)
        return rest.getvalue(), audio

    def _keep_audio(self, flac: bytes) -> str:
        digest = hashlib.blake2b(flac, digest_size=16).hexdigest()
        path = self._audio_path(digest)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            # A name of its own until it is complete: a file by its digest is always whole.
            draft = path.with_name(f".{digest}.{secrets.token_hex(4)}")
            draft.write_bytes(flac)
            draft.replace(path)
        return digest

    def _audio_path(self, digest: str) -> Path:
        return self.folder / "audio" / digest[:2] / f"{digest}.flac"

    # Scores and ratings

    def describe(self, scorers: Iterable[tuple[str, str, str]]) -> None:
        """Keep (id, name, description) of scorers: what their scores were made with."""
        with self.writing() as db:
            db.executemany("INSERT OR REPLACE INTO scorers VALUES (?, ?, ?)", scorers)

    def described(self) -> dict[str, tuple[str, str]]:
        """Return (name, description) of every scorer that has scored here, by its id."""
        with self._open() as db:
            rows = db.execute("SELECT id, name, description FROM scorers ORDER BY name").fetchall()
            return {scorer: (name, description) for scorer, name, description in rows}

    def scored(self, scorer: str) -> frozenset[str]:
        """Return the keys of the runs that a scorer has scored."""
        with self._open() as db:
            return frozenset(
                key for (key,) in db.execute("SELECT key FROM scores WHERE scorer = ?", (scorer,))
            )

    def score(self, key: str, scores: Sequence[ScoreRow]) -> None:
        """Keep scores of a run that is there already."""
        with self.writing() as db:
            _put_scores(db, key, scores)

    def scores(self) -> list[ScoreRow]:
        """Return every score."""
        with self._open() as db:
            rows = db.execute("SELECT key, scorer, name, value, text, note FROM scores").fetchall()
        names = ScoreRow.__struct_fields__
        return [ScoreRow(**dict(zip(names, row, strict=True))) for row in rows]

    def rate(self, kind: RatingKind, key: str, value: str, *, blind: bool = False) -> None:
        """Keep what a person thinks of a run; the latest of a kind counts.

        Parameters
        ----------
        kind
            "rating" or "note".
        blind
            Whether the variant was hidden from the person.
        """
        with self.writing() as db:
            db.execute(
                "INSERT INTO ratings (at, kind, key, value, blind) VALUES (?, ?, ?, ?, ?)",
                (time.time(), kind, key, value, blind),
            )

    def ratings(self) -> list[Rating]:
        """Return everything people thought, oldest first."""
        with self._open() as db:
            rows = db.execute("SELECT at, kind, key, value, blind FROM ratings ORDER BY id").fetchall()
        return [Rating(at, kind, key, value, bool(blind)) for at, kind, key, value, blind in rows]

    def latest_ratings(self, key: str) -> dict[str, str]:
        """Return the latest of each kind for a run: {"rating": "4", "note": "..."}."""
        with self._open() as db:
            rows = db.execute("SELECT kind, value FROM ratings WHERE key = ? ORDER BY id", (key,))
            return dict(rows.fetchall())

    def __repr__(self) -> str:
        return f"Store({self.folder.name}, {len(self.done())} runs done)"


def _put_scores(db: sqlite3.Connection, key: str, scores: Sequence[ScoreRow]) -> None:
    for scorer in {score.scorer for score in scores}:
        db.execute("DELETE FROM scores WHERE key = ? AND scorer = ?", (key, scorer))
    db.executemany(
        "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?)",
        [(key, score.scorer, score.name, score.value, score.text, score.note) for score in scores],
    )


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
