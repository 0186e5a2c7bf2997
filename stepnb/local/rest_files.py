"""``/v1/files``: clips for cloning and documents for retrieval."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from stepnb.local import documents
from stepnb.local.rest_wire import Answer, Desk, RestError, form_body
from stepnb.local.store import Store, StoredFile

MAX_STORAGE = 128 * 1024 * 1024
MAX_DOCUMENT = 64 * 1024 * 1024
"""Bytes of a file, by its purpose."""

_OVERHEAD = 64 * 1024  # of a form around its file
_MAX_NAME = 255
_IMAGES = (".jpg", ".jpeg", ".png")
_SUFFIXES = {
    "storage": (".wav", ".mp3", ".mp4", *_IMAGES, ".webp", ".gif"),
    "file-extract": documents.SUFFIXES,
    "retrieval-text": documents.SUFFIXES,
    "retrieval-image": _IMAGES,
}
# What a file of a kind has at which place; an MP3 may begin in two ways, see _begins_like.
_BEGINNINGS: dict[str, tuple[tuple[int, bytes], ...]] = {
    ".wav": ((0, b"RIFF"), (8, b"WAVE")),
    ".mp4": ((4, b"ftyp"),),
    ".jpg": ((0, b"\xff\xd8\xff"),),
    ".jpeg": ((0, b"\xff\xd8\xff"),),
    ".png": ((0, b"\x89PNG\r\n\x1a\n"),),
    ".webp": ((0, b"RIFF"), (8, b"WEBP")),
    ".gif": ((0, b"GIF8"),),
}


class FileEndpoints:
    """The endpoints of files.

    Parameters
    ----------
    store
        Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self, desk: Desk) -> list[Route]:
        """Return the routes."""
        return [
            desk.route("POST", "/v1/files", self.create),
            desk.route("GET", "/v1/files", self.list),
            desk.route("GET", "/v1/files/{file_id}", self.retrieve),
            desk.route("GET", "/v1/files/{file_id}/content", self.content),
            desk.route("DELETE", "/v1/files/{file_id}", self.delete),
        ]

    async def create(self, request: Request) -> Answer:
        """Keep an uploaded file; the text of a document is extracted at once."""
        async with form_body(request, MAX_STORAGE + _OVERHEAD) as form:
            purpose, upload = form.get("purpose"), form.get("file")
            if purpose == "retrieval":
                raise RestError(
                    400, "the purpose retrieval was retired: use retrieval-text or retrieval-image"
                )
            if purpose not in _SUFFIXES:
                raise RestError(400, f"purpose must be one of {', '.join(_SUFFIXES)}")
            if not isinstance(upload, UploadFile):
                if form.get("url"):
                    raise RestError(400, "the local engine fetches nothing from a url: send the file itself")
                raise RestError(400, "file is missing")
            stored = await asyncio.to_thread(self._keep, purpose, _base_name(upload.filename or ""), upload)
        return _described(stored, "processed")

    async def list(self, request: Request) -> Answer:
        """List all files."""
        files = await asyncio.to_thread(self._store.files)
        # Undocumented, but a client of OpenAI's shape asks for more and more pages until it is told to stop.
        return {"object": "list", "data": [_described(file, "success") for file in files], "has_more": False}

    async def retrieve(self, request: Request) -> Answer:
        """Describe one file."""
        file = await asyncio.to_thread(self._store.file, request.path_params["file_id"])
        return _described(file, "success")

    async def content(self, request: Request) -> Answer:
        """Return the text of a document."""
        file = await asyncio.to_thread(self._store.file, request.path_params["file_id"])
        if file.purpose != "file-extract":
            raise RestError(400, "only files uploaded with the purpose file-extract have content")
        return PlainTextResponse(await asyncio.to_thread(self._store.text, file.id))

    async def delete(self, request: Request) -> Answer:
        """Delete a file; it leaves the vector stores too."""
        file_id = request.path_params["file_id"]
        await asyncio.to_thread(self._store.delete_file, file_id)
        return {"id": file_id, "object": "file", "deleted": True}

    def _keep(self, purpose: str, name: str, upload: UploadFile) -> StoredFile:
        suffix, limit = documents.suffix_of(name), MAX_STORAGE if purpose == "storage" else MAX_DOCUMENT
        if suffix not in _SUFFIXES[purpose]:
            wanted = ", ".join(_SUFFIXES[purpose])
            raise RestError(
                400, f"a file for {purpose} must be one of {wanted} in the local engine, not {name!r}"
            )
        size = upload.size or 0
        if size > limit:
            raise RestError(413, f"a file for {purpose} may have {limit // 1024**2} MB")
        if size == 0:
            raise RestError(400, "the file is empty")
        text = None
        if purpose in ("file-extract", "retrieval-text"):
            try:
                text = documents.extract(name, upload.file.read(documents.MAX_BYTES + 1))
            except documents.Unreadable as error:
                raise RestError(400, str(error)) from None
        elif not _begins_like(suffix, upload.file.read(16)):
            raise RestError(400, f"the file is not {suffix[1:]}, whatever its name says")
        return self._store.add_file(upload.file, filename=name, purpose=purpose, text=text)


def _begins_like(suffix: str, head: bytes) -> bool:
    if suffix == ".mp3":
        return head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)
    return all(head.startswith(mark, at) for at, mark in _BEGINNINGS[suffix])


def _base_name(path: str) -> str:
    """Return the last part of a path without what is not printed; the end of a long one, where the suffix is."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in name if char.isprintable())[-_MAX_NAME:]


def _described(file: StoredFile, status: str) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.created_at,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": status,
    }
