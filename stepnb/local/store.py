"""What clients upload and create, in one SQLite file or in memory: files, cloned voices, vector stores.

Every method is one short transaction and may be called from any thread. Several engines may share a file: SQLite's
write-ahead log keeps them apart, and what one stores the others find.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import BinaryIO

from stepnb.local.database import Database, Page, Row, UnknownId, delete, next_number, one
from stepnb.local.documents import split_passages
from stepnb.local.library import Passage
from stepnb.local.parts import VoiceSettings

MAX_FILES = 1000
MAX_VOICES = 1000
MAX_VECTOR_STORES = 1000
MAX_TOTAL_BYTES = 1024**3
"""Of all files together."""

FIRST_VECTOR_STORE = 200_000_000_000_000_000
VOICE_PREFIX = "voice-tone-"

_CHUNK = 1024 * 1024
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FILE = "id, purpose, filename, bytes, created_at, digest"
_VOICE = "id, file_id, model, created_at, settings"
_ATTACHMENT = "id, vector_store_id, description, created_at"
_VECTOR_STORE = (
    "id, name, type, created_at, (SELECT COUNT(*) FROM attachments WHERE vector_store_id = vector_stores.id)"
)


class StoreFull(Exception):
    """A limit of the store is reached; the message is a sentence for the client."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file without its content; `digest` is the SHA-256 of that, `created_at` Unix s."""

    id: str
    purpose: str
    filename: str
    bytes: int
    created_at: int
    digest: str


@dataclass(frozen=True, slots=True)
class StoredVoice:
    """A cloned voice."""

    id: str
    file_id: str
    model: str
    created_at: int
    settings: VoiceSettings


@dataclass(frozen=True, slots=True)
class VectorStore:
    """A knowledge base; `files` is how many are attached."""

    id: str
    name: str
    type: str
    created_at: int
    files: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a vector store; `id` is the file's."""

    id: str
    vector_store_id: str
    description: str | None
    created_at: int


class Store:
    """The engine's memory.

    Parameters
    ----------
    path
        A SQLite file, made when there is none; None: everything is kept in memory and gone when it is closed.
    seed
        Where the ids come from, together with how many there were.
    now
        The clock of `created_at`.

    Raises
    ------
    EngineError
        The file cannot be opened, or is something else.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None, *, seed: int, now: Callable[[], datetime]
    ) -> None:
        self._seed = seed
        self._now = now
        self._database = Database(path)

    def close(self) -> None:
        """Close it; what is asked of it afterwards fails."""
        self._database.close()

    # Files ------------------------------------------------------------------------------------------------------------

    def add_file(
        self, content: BinaryIO, *, filename: str, purpose: str, text: str | None = None
    ) -> StoredFile:
        """Keep a file.

        Parameters
        ----------
        content
            Read from its beginning to its end, piece by piece.
        filename, purpose
            As the client named them.
        text
            What was extracted from it.

        Raises
        ------
        StoreFull
            There are 1000 files, or they would be larger than 1 GiB together.
        """
        size = content.seek(0, os.SEEK_END)
        content.seek(0)
        digest = hashlib.sha256()
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
        content.seek(0)
        with self._database.writing() as database:
            count, total = database.execute("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM files").fetchone()
            if count >= MAX_FILES:
                raise StoreFull(f"there are {MAX_FILES} files already; delete some")
            if total + size > MAX_TOTAL_BYTES:
                raise StoreFull(
                    f"the files would take more than {MAX_TOTAL_BYTES // 1024**2} MB; delete some"
                )
            number = next_number(database, "files")
            file = StoredFile(
                "file-" + _short(f"{self._seed}/file/{number}"),
                purpose,
                filename,
                size,
                self._seconds(),
                digest.hexdigest(),
            )
            database.execute(
                "INSERT INTO files (number, id, purpose, filename, bytes, created_at, digest, text, content)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, zeroblob(?))",
                (
                    number,
                    file.id,
                    purpose,
                    filename,
                    size,
                    file.created_at,
                    file.digest,
                    text,
                    size,
                ),
            )
            with database.blobopen("files", "content", number) as blob:
                while chunk := content.read(_CHUNK):
                    blob.write(chunk)
        return file

    def files(self) -> list[StoredFile]:
        """Return all files, newest first."""
        with self._database.reading() as database:
            rows = database.execute(f"SELECT {_FILE} FROM files ORDER BY number DESC").fetchall()
        return [StoredFile(*row) for row in rows]

    def file(self, file_id: str) -> StoredFile:
        """Return a file; `UnknownId` when there is none."""
        with self._database.reading() as database:
            return StoredFile(*one(database, f"SELECT {_FILE} FROM files WHERE id = ?", "file", file_id))

    def content(self, file_id: str) -> bytes:
        """Return a file's bytes; `UnknownId` when there is none."""
        with self._database.reading() as database:
            (content,) = one(database, "SELECT content FROM files WHERE id = ?", "file", file_id)
        return bytes(content)

    def text(self, file_id: str) -> str | None:
        """Return what was extracted from a file; `UnknownId` when there is none."""
        with self._database.reading() as database:
            (text,) = one(database, "SELECT text FROM files WHERE id = ?", "file", file_id)
        return None if text is None else str(text)

    def delete_file(self, file_id: str) -> None:
        """Forget a file, also where it is attached; `UnknownId` when there is none."""
        with self._database.writing() as database:
            delete(database, "DELETE FROM files WHERE id = ?", "file", file_id)

    # Voices -----------------------------------------------------------------------------------------------------------

    def add_voice(
        self, digest: str, *, file_id: str, model: str, settings: VoiceSettings
    ) -> tuple[StoredVoice, bool]:
        """Keep a cloned voice.

        Parameters
        ----------
        digest
            The SHA-256 of the clip: the same clip is the same voice, whatever file it came as.
        file_id, model
            What it was cloned from, and for.
        settings
            How it sounds.

        Returns
        -------
        voice, duplicated
            When the clip had been cloned before, the voice of then.

        Raises
        ------
        StoreFull
            There are 1000 voices.
        """
        voice = StoredVoice(
            VOICE_PREFIX + _short(f"voice/{digest}"), file_id, model, self._seconds(), settings
        )
        with self._database.writing() as database:
            if row := database.execute(f"SELECT {_VOICE} FROM voices WHERE id = ?", (voice.id,)).fetchone():
                return _voice(row), True
            if database.execute("SELECT COUNT(*) FROM voices").fetchone()[0] >= MAX_VOICES:
                raise StoreFull(f"there are {MAX_VOICES} cloned voices already")
            database.execute(
                "INSERT INTO voices (id, file_id, model, created_at, settings) VALUES (?, ?, ?, ?, ?)",
                (voice.id, file_id, model, voice.created_at, json.dumps(asdict(settings))),
            )
        return voice, False

    def voice(self, voice_id: str) -> StoredVoice | None:
        """Return a cloned voice, None when there is none."""
        with self._database.reading() as database:
            row = database.execute(f"SELECT {_VOICE} FROM voices WHERE id = ?", (voice_id,)).fetchone()
        return _voice(row) if row else None

    def voices(self, page: Page) -> tuple[list[StoredVoice], bool]:
        """Return a page of the cloned voices, and whether there are more."""
        rows, more = self._database.page("voices", _VOICE, page, "voice", {})
        return [_voice(row) for row in rows], more

    # Vector stores ----------------------------------------------------------------------------------------------------

    def add_vector_store(self, name: str, type: str) -> VectorStore:
        """Make a vector store; `StoreFull` when there are 1000."""
        with self._database.writing() as database:
            if database.execute("SELECT COUNT(*) FROM vector_stores").fetchone()[0] >= MAX_VECTOR_STORES:
                raise StoreFull(f"there are {MAX_VECTOR_STORES} vector stores already; delete some")
            number = next_number(database, "vector_stores")
            made = VectorStore(str(FIRST_VECTOR_STORE + number), name, type, self._seconds(), 0)
            database.execute(
                "INSERT INTO vector_stores (number, id, name, type, created_at) VALUES (?, ?, ?, ?, ?)",
                (number, made.id, name, type, made.created_at),
            )
        return made

    def vector_stores(self, page: Page) -> tuple[list[VectorStore], bool]:
        """Return a page of the vector stores, and whether there are more."""
        rows, more = self._database.page("vector_stores", _VECTOR_STORE, page, "vector store", {})
        return [VectorStore(*row) for row in rows], more

    def vector_store(self, vector_store_id: str) -> VectorStore:
        """Return a vector store; `UnknownId` when there is none."""
        with self._database.reading() as database:
            return _vector_store(database, vector_store_id)

    def delete_vector_store(self, vector_store_id: str) -> None:
        """Forget a vector store; its files stay. `UnknownId` when there is none."""
        with self._database.writing() as database:
            delete(database, "DELETE FROM vector_stores WHERE id = ?", "vector store", vector_store_id)

    def attach(self, vector_store_id: str, files: Sequence[tuple[str, str | None]]) -> None:
        """Put files into a vector store, all or none.

        Parameters
        ----------
        vector_store_id
            The vector store.
        files
            Ids and descriptions. One that is in it already gets the new description.

        Raises
        ------
        UnknownId
            There is no such vector store or file.
        """
        with self._database.writing() as database:
            _vector_store(database, vector_store_id)
            for file_id, description in files:
                one(database, "SELECT id FROM files WHERE id = ?", "file", file_id)
                database.execute(
                    "INSERT INTO attachments (vector_store_id, id, description, created_at) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (vector_store_id, id) DO UPDATE SET description = excluded.description",
                    (vector_store_id, file_id, description, self._seconds()),
                )

    def attachments(self, vector_store_id: str, page: Page) -> tuple[list[Attachment], bool]:
        """Return a page of a vector store's files, and whether there are more; `UnknownId` when there is none."""
        self.vector_store(vector_store_id)
        rows, more = self._database.page(
            "attachments", _ATTACHMENT, page, "file", {"vector_store_id": vector_store_id}
        )
        return [Attachment(*row) for row in rows], more

    def detach(self, vector_store_id: str, file_id: str) -> None:
        """Take a file out of a vector store; `UnknownId` when it is not in it."""
        with self._database.writing() as database:
            _vector_store(database, vector_store_id)
            done = database.execute(
                "DELETE FROM attachments WHERE vector_store_id = ? AND id = ?", (vector_store_id, file_id)
            )
            if not done.rowcount:
                raise UnknownId(f"file {file_id[:100]} is not in vector store {vector_store_id}")

    def passages(self, vector_store_id: str) -> list[Passage] | None:
        """Return the passages of a vector store in the order of its documents; None when there is no such store.

        Of an image the passage is its description.
        """
        with self._database.reading() as database:
            if not database.execute(
                "SELECT 1 FROM vector_stores WHERE id = ?", (vector_store_id,)
            ).fetchone():
                return None
            rows = database.execute(
                "SELECT files.filename, COALESCE(files.text, attachments.description, '') FROM attachments"
                " JOIN files USING (id) WHERE vector_store_id = ? ORDER BY attachments.number",
                (vector_store_id,),
            ).fetchall()
        return [Passage(passage, filename) for filename, text in rows for passage in split_passages(text)]

    # ------------------------------------------------------------------------------------------------------------------

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def _vector_store(database: sqlite3.Connection, vector_store_id: str) -> VectorStore:
    query = f"SELECT {_VECTOR_STORE} FROM vector_stores WHERE id = ?"
    return VectorStore(*one(database, query, "vector store", vector_store_id))


def _voice(row: Row) -> StoredVoice:
    id, file_id, model, created_at, settings = row
    return StoredVoice(id, file_id, model, created_at, VoiceSettings(**json.loads(settings)))


def _short(material: str) -> str:
    """Return ten letters and digits that follow from the material."""
    value = int.from_bytes(hashlib.blake2b(material.encode(), digest_size=16).digest())
    digits = []
    for _ in range(10):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)
