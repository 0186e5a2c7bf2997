"""The REST side: files, voices, speech and vector stores beside the Realtime API."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ExceptionHandler

from stepnb.local.faults import Faults
from stepnb.local.parts import Mouth
from stepnb.local.profile import Profile
from stepnb.local.rest_files import FileEndpoints
from stepnb.local.rest_speech import SpeechEndpoint
from stepnb.local.rest_vector_stores import VectorStoreEndpoints
from stepnb.local.rest_voices import VoiceEndpoints
from stepnb.local.rest_wire import Desk, error, error_type, trace_header
from stepnb.local.store import Store
from stepnb.local.voices import Voices

__all__ = ["error", "error_type", "exception_handlers", "not_found", "routes", "trace_header"]

_SIBLINGS = ("/v1/realtime/", "/step_plan/v1/realtime/")


def routes(store: Store, voices: Voices, mouth: Mouth, profile: Profile, faults: Faults) -> list[Route]:
    """Return the routes of the REST side.

    Parameters
    ----------
    store
        Where everything is kept.
    voices, mouth
        How voices sound, and what speaks.
    profile, faults
        The habits to show, and what goes wrong on demand.
    """
    desk = Desk(faults)
    return [
        *FileEndpoints(store).routes(desk),
        *VoiceEndpoints(store, mouth, profile).routes(desk),
        *SpeechEndpoint(voices, mouth).routes(desk),
        *VectorStoreEndpoints(store).routes(desk),
    ]


def exception_handlers() -> dict[Any, ExceptionHandler]:
    """Return what answers when no route does, in the service's shape."""
    return {404: anything_else, 405: wrong_method, Exception: fault}


def not_found(connection: HTTPConnection) -> Response:
    """Return the answer of an address where there is nothing."""
    path = connection.url.path
    if path.startswith(_SIBLINGS):
        message = f"{path[:100]} is a sibling of the Realtime API that the local engine does not have: use /v1/realtime"
    else:
        message = f"there is nothing at {path[:100]}"
    return error(connection, 404, message, "not_found")


async def anything_else(request: Request, _: Exception) -> Response:
    """Every other address."""
    return not_found(request)


async def wrong_method(request: Request, _: Exception) -> Response:
    """An address that exists, but not for this method."""
    message = f"{request.url.path[:100]} does not take {request.method}"
    return error(request, 405, message, "invalid_request_error")


async def fault(request: Request, _: Exception) -> Response:
    """A fault of the engine itself; the server logs it, and then closes the connection, so the client is told."""
    response = error(request, 500, "internal error", "server_error")
    response.headers["connection"] = "close"
    return response
