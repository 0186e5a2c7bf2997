"""``/v1/vector_stores``: knowledge bases and the files in them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from stepnb.local.rest_wire import Answer, Desk, RestError, json_body, page
from stepnb.local.store import Attachment, Store, VectorStore

_PURPOSES = {"text": "retrieval-text", "image": "retrieval-image"}


class VectorStoreRequest(msgspec.Struct, kw_only=True):
    """The body that makes a vector store."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*\Z", max_length=255)]
    type: Literal["text", "image"] = "text"


class FileEntry(msgspec.Struct, kw_only=True):
    """A file to attach."""

    file_id: str
    description: Annotated[str, msgspec.Meta(max_length=255)] | None = None


class AttachRequest(msgspec.Struct, kw_only=True):
    """The body that attaches files."""

    files: Annotated[list[FileEntry], msgspec.Meta(min_length=1, max_length=1000)]


class VectorStoreEndpoints:
    """The endpoints of vector stores.

    Parameters
    ----------
    store
        Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self, desk: Desk) -> list[Route]:
        """Return the routes."""
        one = "/v1/vector_stores/{vector_store_id}"
        return [
            desk.route("POST", "/v1/vector_stores", self.create),
            desk.route("GET", "/v1/vector_stores", self.list),
            desk.route("GET", one, self.retrieve),
            desk.route("DELETE", one, self.delete),
            desk.route("POST", f"{one}/files", self.attach),
            desk.route("GET", f"{one}/files", self.attachments),
            desk.route("DELETE", f"{one}/files/{{file_id}}", self.detach),
        ]

    async def create(self, request: Request) -> Answer:
        """Make a vector store."""
        wanted = await json_body(request, VectorStoreRequest)
        return _described(await asyncio.to_thread(self._store.add_vector_store, wanted.name, wanted.type))

    async def list(self, request: Request) -> Answer:
        """List the vector stores."""
        return await page(request, self._store.vector_stores, _described)

    async def retrieve(self, request: Request) -> Answer:
        """Describe one."""
        store = await asyncio.to_thread(self._store.vector_store, request.path_params["vector_store_id"])
        return _described(store)

    async def delete(self, request: Request) -> Answer:
        """Delete one; its files stay."""
        vector_store_id = request.path_params["vector_store_id"]
        await asyncio.to_thread(self._store.delete_vector_store, vector_store_id)
        return {"id": vector_store_id, "deleted": True, "object": "vector_store.deleted"}

    async def attach(self, request: Request) -> Answer:
        """Put files into one."""
        wanted = await json_body(request, AttachRequest)
        await asyncio.to_thread(self._attach, request.path_params["vector_store_id"], wanted.files)
        return {
            "files": [
                {"file_id": entry.file_id, "metadata": _metadata(entry.description)} for entry in wanted.files
            ]
        }

    async def attachments(self, request: Request) -> Answer:
        """List the files in one."""
        vector_store_id = request.path_params["vector_store_id"]
        return await page(request, partial(self._store.attachments, vector_store_id), _described_file)

    async def detach(self, request: Request) -> Answer:
        """Take a file out of one."""
        file_id = request.path_params["file_id"]
        await asyncio.to_thread(self._store.detach, request.path_params["vector_store_id"], file_id)
        return {"id": file_id, "deleted": True, "object": "vector_store.file.deleted"}

    def _attach(self, vector_store_id: str, files: Sequence[FileEntry]) -> None:
        type = self._store.vector_store(vector_store_id).type
        for entry in files:
            if self._store.file(entry.file_id).purpose != _PURPOSES[type]:
                raise RestError(
                    400,
                    f"a {type} store takes files with the purpose {_PURPOSES[type]}, {entry.file_id} has another",
                )
            if type == "image" and not entry.description:
                raise RestError(400, "every file of an image store needs a description")
        self._store.attach(vector_store_id, [(entry.file_id, entry.description) for entry in files])


def _metadata(description: str | None) -> dict[str, str]:
    return {} if description is None else {"description": description}


def _described_file(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": attachment.id,
        "object": "vector_store.file",
        "created_at": attachment.created_at,
        "vector_store_id": attachment.vector_store_id,
        "metadata": _metadata(attachment.description),
    }


def _described(store: VectorStore) -> dict[str, Any]:
    counts = {"in_progress": 0, "completed": store.files, "failed": 0, "cancelled": 0, "total": store.files}
    return {
        "id": store.id,
        "object": "vector_store",
        "created_at": store.created_at,
        "name": store.name,
        "type": store.type,
        "file_counts": counts,
    }
