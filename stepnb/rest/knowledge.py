"""`Knowledge`: documents the model can look things up in."""

from __future__ import annotations

import asyncio
import datetime
import os
import re
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from ..errors import ConfigError, ServiceError
from ..protocol.catalog import Cluster
from ..protocol.config import Retrieval
from .both import both
from .client import Client, Requests
from .files import Deleted, Purpose, delete_file, until, upload, wait_until_processed
from .progress import Progress
from .tables import table

MAX_BYTES = 64 * 1024 * 1024

_SUFFIXES = {
    "text": (
        ".txt",
        ".md",
        ".pdf",
        ".doc",
        ".docx",
        ".xls",
        ".xlsx",
        ".ppt",
        ".pptx",
        ".csv",
        ".html",
        ".htm",
        ".xml",
    ),
    "image": (".jpg", ".png"),
}
_PURPOSES: dict[str, Purpose] = {"text": "retrieval-text", "image": "retrieval-image"}


class _Counts(msgspec.Struct, frozen=True):
    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class _Store(msgspec.Struct, frozen=True):
    id: str | int
    name: str = ""
    type: str = "text"
    created_at: int = 0
    file_counts: _Counts = _Counts()


class _Attached(msgspec.Struct):
    """The answer to attaching; what it holds is not needed."""


class _Entry(msgspec.Struct):
    id: str | int


class Knowledge:
    """The knowledge bases (vector stores) of an account.

    Every method waits for its result; ``await knowledge.create.aio(...)`` is the same without blocking.

    Parameters
    ----------
    cluster, api_key
        As for a `Session`. The knowledge bases of the local engine live as long as this object, or a session on it.

    Examples
    --------
    >>> manual = sn.Knowledge().create("manual")
    >>> manual.upload("manual.pdf")
    >>> sn.Session(tools=[manual.tool("The manual of the coffee machine. Look here for every question about it.")])
    """

    def __init__(self, cluster: Cluster | str | None = None, *, api_key: str | None = None) -> None:
        self._client = Client(cluster, api_key)

    @both
    def create(self, name: str, type: Literal["text", "image"] = "text") -> Coroutine[Any, Any, VectorStore]:
        """Make an empty knowledge base.

        Parameters
        ----------
        name
            Letters, digits and underscores, beginning with a letter or a digit.
        type
            "text" for documents, "image" for pictures with descriptions.

        Raises
        ------
        ConfigError
            A name or type the service does not take.
        ConnectError
            The service could not be asked or refused.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]*", name):
            raise ConfigError(
                f"The name {name!r} cannot be used.",
                fix="Use letters, digits and underscores, and no underscore first: 'manual_en'.",
            )
        if type not in _PURPOSES:
            raise ConfigError(f"There is no type {type!r}.", fix="Write 'text' or 'image'.")
        return self._create(name, type)

    async def _create(self, name: str, type: str) -> VectorStore:
        async with self._client.connect() as requests:
            body = {"name": name, "type": type}
            # Two of a name would confuse its owner: when it is not known what became of it, the user is asked to look.
            made = await requests.json(_Store, "POST", "/vector_stores", body=body)
        # The answer is documented with id and name alone.
        return VectorStore(self._client, msgspec.structs.replace(made, name=name, type=type))

    @both
    async def list(self) -> Sequence[VectorStore]:
        """Return the knowledge bases, newest first.

        Raises
        ------
        ConnectError
            The service could not be asked or refused.
        """
        async with self._client.connect() as requests:
            found = await requests.all_of(_Store, "/vector_stores")
        return VectorStores(VectorStore(self._client, store) for store in found)

    @both
    async def get(self, id: str) -> VectorStore:
        """Return the knowledge base with an id.

        Raises
        ------
        WrongPath
            There is none.
        """
        async with self._client.connect() as requests:
            return VectorStore(self._client, await requests.json(_Store, "GET", _address(id)))

    @both
    async def delete(self, store: VectorStore | str) -> None:
        """Delete a knowledge base; its files stay in the account.

        Raises
        ------
        WrongPath
            There is none with this id.
        """
        id = store.id if isinstance(store, VectorStore) else store
        async with self._client.connect() as requests:
            await requests.json(Deleted, "DELETE", _address(id))

    def close(self) -> None:
        """Give up the share in the local engine, if this has one; it may be used again."""
        self._client.close()

    def __repr__(self) -> str:
        return f"Knowledge({self._client.endpoint.label})"


class VectorStore:
    """A knowledge base; made by `Knowledge`.

    Attributes
    ----------
    id
        What a `Retrieval` names.
    name, type
        As it was made.
    created
        When, UTC; None where the service did not say.
    """

    def __init__(self, client: Client, described: _Store) -> None:
        self._client = client
        self.id = str(described.id)
        self.name = described.name
        self.type = described.type
        self.created = (
            datetime.datetime.fromtimestamp(described.created_at, datetime.UTC)
            if described.created_at
            else None
        )
        self._count: int | None = described.file_counts.total

    @both
    def upload(
        self,
        *paths: str | os.PathLike[str],
        description: str | None = None,
        timeout: float = 300.0,
    ) -> Coroutine[Any, Any, list[str]]:
        """Upload documents, and wait until they can be asked about. A notebook shows how far it is.

        Parameters
        ----------
        paths
            Files of up to 64 MB each: txt, md, pdf, doc(x), xls(x), ppt(x), csv, html, xml; for an image store
            jpg or png.
        description
            What the files show, at most 255 characters; an image store needs it.
        timeout
            For how long to wait for the processing of each file, s.

        Returns
        -------
        list of str
            The files' ids.

        Raises
        ------
        ConfigError
            A file that cannot be uploaded; nothing has been sent then.
        ServiceError
            The service could not process a file, or not in time.
        ConnectError, ConnectionLost
            The service could not be asked or refused.
        """
        files = [_checked(Path(path).expanduser(), self.type) for path in paths]
        if not files:
            raise ConfigError("There is nothing to upload.", fix="Give the path of a file.")
        if self.type == "image" and not description:
            raise ConfigError("An image store needs descriptions.", fix="Write description='what it shows'.")
        shown = [Progress(f"Uploading {path.name}", path.stat().st_size) for path in files]
        return self._upload(list(zip(files, shown, strict=True)), description, timeout)

    async def _upload(
        self, files: list[tuple[Path, Progress]], description: str | None, seconds: float
    ) -> list[str]:
        ids = []
        async with self._client.connect() as requests:
            for path, progress in files:
                data = await asyncio.to_thread(path.read_bytes)
                id = await upload(requests, path.name, data, _PURPOSES[self.type], progress)
                progress.say("processing")
                await wait_until_processed(requests, id, seconds)
                entry = {"file_id": id} | ({"description": description} if description else {})
                # Attaching a file twice leaves it attached once.
                await requests.json(
                    _Attached, "POST", f"{_address(self.id)}/files", body={"files": [entry]}, repeatable=True
                )
                await self._wait_until_searchable(requests, path.name, seconds)
                progress.say("ready")
                ids.append(id)
        return ids

    async def _wait_until_searchable(self, requests: Requests, name: str, seconds: float) -> None:
        async def searchable() -> bool:
            counts = (await requests.json(_Store, "GET", _address(self.id))).file_counts
            self._count = counts.total
            if counts.failed:
                raise ServiceError(
                    f"The service could not take {counts.failed} of {counts.total} files into {self.name!r}.",
                    fix=f"Check that {name!r} opens and holds text, remove it and upload it again.",
                )
            return not counts.in_progress

        if not await until(searchable, seconds):
            raise ServiceError(
                f"{name!r} is not searchable in {self.name!r} after {seconds:g} s.",
                fix="It stays attached; wait longer with timeout=...",
            )

    @both
    async def files(self) -> list[str]:
        """Return the ids of the files in it, newest first."""
        async with self._client.connect() as requests:
            found = await requests.all_of(_Entry, f"{_address(self.id)}/files")
        self._count = len(found)
        return [str(entry.id) for entry in found]

    @both
    async def remove(self, file_id: str) -> None:
        """Take a file out of the knowledge base and delete it from the account.

        Raises
        ------
        WrongPath
            It is not in it.
        """
        async with self._client.connect() as requests:
            path = f"{_address(self.id)}/files/{quote(file_id, safe='')}"
            await requests.json(Deleted, "DELETE", path)
            await delete_file(requests, file_id)

    def tool(self, description: str, prompt_template: str | None = None) -> Retrieval:
        """Return the tool that lets a model look here: ``sn.Session(tools=[store.tool("...")])``.

        Parameters
        ----------
        description
            What the store holds and when to look there, for the model.
        prompt_template
            As for `Retrieval`.
        """
        return Retrieval(self.id, description=description, prompt_template=prompt_template)

    def __repr__(self) -> str:
        count = "" if self._count is None else f", {self._count} file{'s' * (self._count != 1)}"
        return f"VectorStore({self.name!r}, {self.id!r}{count})"

    def _repr_html_(self) -> str:
        return VectorStores([self])._repr_html_()


class VectorStores(list[VectorStore]):
    """Knowledge bases, shown as a table."""

    def _repr_html_(self) -> str:
        rows = [
            (
                store.name,
                store.id,
                store.type,
                f"{store.created:%Y-%m-%d %H:%M}" if store.created else "",
                store._count,
            )
            for store in self
        ]
        return table(("name", "id", "type", "created (UTC)", "files"), rows, empty="No knowledge bases yet.")


def _address(id: str) -> str:
    if not isinstance(id, str) or not id:
        raise ConfigError(f"{id!r} is not the id of a knowledge base.", fix="Use store.id, a text.")
    return f"/vector_stores/{quote(id, safe='')}"


def _checked(path: Path, type: str) -> Path:
    suffixes = _SUFFIXES[type]
    if not path.is_file():
        raise ConfigError(
            f"There is no file {str(path)!r}.", fix=f"Relative paths start at {str(Path.cwd())!r}."
        )
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{path.name!r} cannot be uploaded.", fix=f"These can: {', '.join(suffixes)}.")
    size = path.stat().st_size
    if not 0 < size <= MAX_BYTES:
        what = "is empty" if size == 0 else f"has {size / 1024**2:.0f} MB"
        raise ConfigError(f"{path.name!r} {what}.", fix=f"Files may have up to {MAX_BYTES // 1024**2} MB.")
    return path
