"""Files of the account: uploaded with progress, followed until the service has processed them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from ..errors import ConnectError, ServiceError
from .client import Requests
from .progress import Counted, Progress

Purpose = Literal["storage", "retrieval-text", "retrieval-image"]

_DONE = ("success", "processed")
_FAILED = ("failed", "error", "cancelled")
_FIRST_LOOK, _LONGEST_LOOK = 0.2, 2.0


class StoredFile(msgspec.Struct, frozen=True):
    """A file as the service describes it; `created_at` is in Unix s."""

    id: str | int
    filename: str = ""
    bytes: int = 0
    status: str = "processed"
    created_at: int = 0


class _Files(msgspec.Struct):
    data: list[StoredFile] = []


async def files_named(requests: Requests, name: str) -> list[StoredFile]:
    """Return the account's files with this name, newest first."""
    listing = await requests.json(_Files, "GET", "/files")
    found = [file for file in listing.data if file.filename == name]
    return sorted(found, key=lambda file: file.created_at, reverse=True)


async def upload(requests: Requests, name: str, data: bytes, purpose: Purpose, progress: Progress) -> str:
    """Upload a file and return its id.

    When the fate of an upload is not known, the account's files are looked through for it before it is sent again:
    `name` should not be in use.
    """
    before = time.time()

    def form() -> dict[str, Any]:
        return {"data": {"purpose": purpose}, "files": {"file": (name, Counted(data, progress))}}

    async def arrived() -> StoredFile | None:
        found = await files_named(requests, name)
        # A minute for clocks that differ. A file that came twice costs storage, a file that never came costs the user.
        return next(
            (file for file in found if file.bytes == len(data) and file.created_at > before - 60), None
        )

    stored = await requests.json(StoredFile, "POST", "/files", form=form, recover=arrived)
    return str(stored.id)


async def wait_until_processed(requests: Requests, file_id: str, seconds: float) -> None:
    """Wait until the service can use a file.

    Raises
    ------
    ServiceError
        It cannot, or not within `seconds`.
    """
    file = StoredFile(file_id)

    async def processed() -> bool:
        nonlocal file
        file = await requests.json(StoredFile, "GET", f"/files/{quote(file_id, safe='')}")
        if file.status in _FAILED:
            raise ServiceError(
                f"The service could not process the file {file.filename or file_id!r} ({file.status}).",
                fix="Check that it opens, and that it holds text.",
            )
        return file.status in _DONE

    if not await until(processed, seconds):
        raise ServiceError(
            f"The file {file.filename or file_id!r} was not processed within {seconds:g} s (status {file.status}).",
            fix=f"It stays uploaded as {file_id!r}; wait longer with timeout=...",
        )


async def until(done: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Look again and again, ever more seldom, until something is done; False: it was not within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_LOOK
    while not await done():
        if time.monotonic() + pause > deadline:
            return False
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_LOOK)
    return True


class Deleted(msgspec.Struct):
    """The answer to a deletion."""

    deleted: bool = True


async def delete_file(requests: Requests, file_id: str) -> None:
    """Delete a file.

    Raises
    ------
    ConnectError
        The service did not.
    """
    answer = await requests.json(Deleted, "DELETE", f"/files/{quote(file_id, safe='')}")
    if not answer.deleted:
        raise ConnectError(f"{requests.host} did not delete the file {file_id!r}.", fix="Try again.")
