"""What every REST endpoint does with requests and answers: bounded bodies, pages, errors in the service's shape."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive

from stepnb.errors import EngineError
from stepnb.local.database import Page, UnknownId
from stepnb.local.faults import Faults, RequestStatus, SlowRequest
from stepnb.local.store import StoreFull

logger = logging.getLogger("stepnb.local")

MAX_JSON = 1024 * 1024
"""Bytes of a JSON body."""

MAX_REQUESTS = 32
"""REST requests in progress at the same time."""

MAX_PAGE = 100

_MAX_FIELD = 64 * 1024
_MAX_FIELDS = 16
_DRAIN_BYTES = 64 * 1024 * 1024
_DRAIN_S = 5.0

Shape = TypeVar("Shape")
Entry = TypeVar("Entry")
Answer = Response | Mapping[str, Any]
Handler = Callable[[Request], Awaitable[Answer]]


class RestError(Exception):
    """A request that is refused.

    Parameters
    ----------
    status
        The HTTP status.
    message, type
        The fields of the error.
    """

    def __init__(self, status: int, message: str, type: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type


def trace_header(connection: HTTPConnection) -> MutableHeaders:
    """Return the header with the connection's trace id."""
    return MutableHeaders({"x-trace-id": connection.state.trace_id})


def error_type(status: int) -> str:
    """Return the ``type`` of an error with this status."""
    known = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}
    return known.get(status, "server_error" if status >= 500 else "invalid_request_error")


def error(connection: HTTPConnection, status: int, message: str, type: str) -> Response:
    """Return an error in the service's shape."""
    body = {"error": {"message": message, "type": type}}
    return JSONResponse(body, status_code=status, headers=dict(trace_header(connection)))


class Desk:
    """Makes routes of handlers, and bounds how many of them work at the same time.

    A handler returns JSON or a whole response. It may raise `RestError` and what the store and the mouth raise.

    Parameters
    ----------
    faults
        What goes wrong on demand.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._busy = 0

    def route(self, method: str, path: str, handler: Handler) -> Route:
        """Make the route of a handler."""

        async def endpoint(request: Request) -> Response:
            body = _Body(request.receive)
            try:
                with self._place():
                    await self._go_wrong(request.url.path)
                    answer = await handler(Request(request.scope, body))
            except Exception as failure:
                refusal = _refusal(failure, request.url.path)
                if refusal is None:
                    raise
                if "expect" not in request.headers:
                    await body.drain()
                return error(request, refusal.status, refusal.message, refusal.type)
            if isinstance(answer, Response):
                answer.headers.update(trace_header(request))
                return answer
            return JSONResponse(answer, headers=dict(trace_header(request)))

        return Route(path, endpoint, methods=[method])

    async def _go_wrong(self, path: str) -> None:
        match self._faults.strike_request(path):
            case RequestStatus(status=status, message=message):
                raise RestError(status, message, error_type(status))
            case SlowRequest(seconds=seconds):
                await asyncio.sleep(seconds)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self._busy >= MAX_REQUESTS:
            raise RestError(429, f"more than {MAX_REQUESTS} requests at a time", "rate_limit_exceeded")
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1


async def json_body(request: Request, shape: type[Shape]) -> Shape:
    """Read a JSON body.

    Parameters
    ----------
    request
        Its body may be up to 1 MiB.
    shape
        The msgspec type it must have.

    Raises
    ------
    RestError
        Something else came.
    """
    _check_content_type(request, "application/json")
    _limit(request, MAX_JSON)
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as problem:
        raise RestError(400, _lower(str(problem))) from None
    except (msgspec.DecodeError, RecursionError) as problem:
        raise RestError(400, f"the body is not JSON: {problem}") from None


@contextlib.asynccontextmanager
async def form_body(request: Request, max_bytes: int) -> Any:
    """Read a multipart form with at most one file; the file is on disk as soon as it is large, and closed at the end.

    Raises
    ------
    RestError
        Something else came, or more than `max_bytes`.
    """
    _check_content_type(request, "multipart/form-data")
    _limit(request, max_bytes)
    try:
        form: FormData = await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD)
    except HTTPException as problem:
        raise RestError(400, f"the form is broken: {problem.detail}") from None
    try:
        yield form
    finally:
        await form.close()


async def page(
    request: Request,
    find: Callable[[Page], tuple[Sequence[Entry], bool]],
    describe: Callable[[Entry], Mapping[str, Any]],
) -> Answer:
    """Answer with the page of a list that is asked for.

    Parameters
    ----------
    request
        Its query may have ``limit``, ``order``, ``after`` and ``before``.
    find
        Returns the entries of a page and whether there are more; called on a worker thread.
    describe
        Returns an entry as the client gets it; has an ``id``.

    Raises
    ------
    RestError
        A parameter is out of range.
    """
    found, more = await asyncio.to_thread(find, _page_of(request))
    entries = [describe(entry) for entry in found]
    return {
        "object": "list",
        "data": entries,
        "first_id": entries[0]["id"] if entries else None,
        "last_id": entries[-1]["id"] if entries else None,
        "has_more": more,
    }


def _page_of(request: Request) -> Page:
    query = request.query_params
    limit, order = query.get("limit", "20"), query.get("order", "desc")
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= MAX_PAGE:
        raise RestError(400, f"limit must be between 1 and {MAX_PAGE}")
    if order not in ("asc", "desc"):
        raise RestError(400, "order must be asc or desc")
    return Page(
        limit=int(limit),
        order="asc" if order == "asc" else "desc",
        after=query.get("after") or None,
        before=query.get("before") or None,
    )


class _Body:
    """The receiving end of a request that counts what it receives."""

    def __init__(self, receive: Receive) -> None:
        self.limit = MAX_JSON
        self._receive = receive
        self._size = 0
        self._ended = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body", False)  # also when the client is gone
        self._size += len(message.get("body", b""))
        if self._size > self.limit:
            raise _too_large(self.limit)
        return message

    async def drain(self) -> None:
        """Receive the rest: a client that is still sending would not see an answer before a closed connection."""
        self.limit = self._size + _DRAIN_BYTES
        with contextlib.suppress(TimeoutError, RestError):
            async with asyncio.timeout(_DRAIN_S):
                while not self._ended:
                    await self()


def _limit(request: Request, max_bytes: int) -> None:
    body = request.receive
    assert isinstance(body, _Body)
    body.limit = max_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> RestError:
    return RestError(413, f"the request is larger than {max_bytes // 1024**2} MB")


def _check_content_type(request: Request, wanted: str) -> None:
    shown = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if shown != wanted:
        raise RestError(415, f"the Content-Type must be {wanted}")


def _refusal(failure: Exception, path: str) -> RestError | None:
    """Return what the client is told of a failure, None when it is a fault of the engine."""
    match failure:
        case RestError():
            return failure
        case UnknownId():
            return RestError(404, str(failure), "not_found")
        case StoreFull():
            return RestError(400, str(failure))
        case ClientDisconnect():
            return RestError(400, "the request was cut off")
        case sqlite3.Error():
            logger.error("%s: the store failed: %s", path[:100], failure)
            return RestError(503, "the engine's store failed; try again", "server_error")
        case TimeoutError():
            return RestError(504, "the engine took too long", "server_error")
        case EngineError():
            logger.error("%s: %s", path[:100], failure)
            return RestError(500, str(failure), "server_error")
    return None


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
