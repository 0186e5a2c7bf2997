"""The REST side: what there is of it, and the shape of errors.

So far the list of official voices. Files, cloned voices, speech and vector stores answer 501.
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ExceptionHandler

from stepnb.protocol import catalog

CATALOGUE_MODEL = "step-tts-2"
"""The only model whose voices the service lists."""

_NOT_YET = ("/v1/files", "/v1/audio/voices", "/v1/audio/speech", "/v1/vector_stores")
_SIBLINGS = "/v1/realtime/"


def routes() -> list[Route]:
    """Return the routes of the REST side."""
    return [Route("/v1/audio/system_voices", system_voices)]


def exception_handlers() -> dict[Any, ExceptionHandler]:
    """Return what answers when no route does, in the service's shape."""
    return {404: anything_else, 405: wrong_method, Exception: fault}


def trace_header(connection: HTTPConnection) -> MutableHeaders:
    """Return the header with the connection's trace id."""
    return MutableHeaders({"x-trace-id": connection.state.trace_id})


def error(connection: HTTPConnection, status: int, message: str, type: str) -> Response:
    """Return an error in the service's shape."""
    body = {"error": {"message": message, "type": type}}
    return JSONResponse(body, status_code=status, headers=dict(trace_header(connection)))


def not_found(connection: HTTPConnection) -> Response:
    """Return the answer of an address where there is nothing."""
    path = connection.url.path
    if path.startswith(_SIBLINGS):
        message = f"{path[:100]} is a sibling of the Realtime API that the local engine does not have: use /v1/realtime"
    else:
        message = f"there is nothing at {path[:100]}"
    return error(connection, 404, message, "not_found")


async def system_voices(request: Request) -> Response:
    """``GET /v1/audio/system_voices``."""
    model = request.query_params.get("model", "")
    if model != CATALOGUE_MODEL:
        return error(request, 400, f"model must be {CATALOGUE_MODEL}", "invalid_request_error")
    voices = catalog.voices(CATALOGUE_MODEL)
    details = {
        voice.id: {
            "voice-name": voice.name_zh,
            "voice-description": voice.description_en,
            "recommended_scene": "",
        }
        for voice in voices
    }
    body = {"voices": [voice.id for voice in voices], "voices-details": details}
    return JSONResponse(body, headers=dict(trace_header(request)))


async def wrong_method(request: Request, _: Exception) -> Response:
    """An address that exists, but not for this method."""
    message = f"{request.url.path[:100]} does not take {request.method}"
    return error(request, 405, message, "invalid_request_error")


async def fault(request: Request, _: Exception) -> Response:
    """A fault of the engine itself; the server logs it."""
    return error(request, 500, "internal error", "server_error")


async def anything_else(request: Request, _: Exception) -> Response:
    """Every other address."""
    path = request.url.path
    if any(path == known or path.startswith(known + "/") for known in _NOT_YET):
        return error(request, 501, f"the local engine does not have {path[:100]} yet", "not_implemented")
    return not_found(request)
