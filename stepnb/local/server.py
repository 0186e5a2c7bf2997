"""The engine's one port: the WebSocket of sessions, and REST beside it."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import itertools
import logging
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request as Handshake

from stepnb.local import rest
from stepnb.local.faults import FastClock, HandshakeStatus
from stepnb.local.faults.line import Line
from stepnb.local.framelog import FrameLog
from stepnb.local.ids import Ids
from stepnb.local.outbox import CLOSE_CODES, Hangup, Outbox, SlowReader
from stepnb.local.turns import Session, Setup
from stepnb.protocol import catalog

logger = logging.getLogger("stepnb.local")

PATH = "/v1/realtime"
STEP_PLAN_PATH = "/step_plan/v1/realtime"
MAX_FRAME = 24 * 1024 * 1024
"""Bytes of one frame: 15 MB of audio as base64, and some."""

_SIBLING_MODELS = frozenset({"step-overture-preview"})
_ABORT = "stepnb.abort"
_FAREWELL_S = 5.0


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol that can also be cut off, and takes a refusal for what it is.

    A close is never sent to a client that does not read. And uvicorn logs an error after every refused handshake.
    """

    def handle_connect(self, event: Handshake) -> None:
        """Put the way to cut the connection off into the scope that the application gets."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][_ABORT] = {"abort": self.transport.abort}

    async def send(self, message: Any) -> None:
        """Send what the application says; a whole HTTP answer completes the handshake too."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True


def application(
    sessions: Sessions, rest_routes: Sequence[Route], *, key: str, host: str, seed: int
) -> ASGIApp:
    """Make the engine's ASGI application.

    Parameters
    ----------
    sessions
        The WebSocket endpoint.
    rest_routes
        The REST side, of `rest.routes`.
    key
        The key that clients must show.
    host
        The address the engine listens on.
    seed
        Where trace ids come from.
    """
    app = Starlette(
        routes=[
            WebSocketRoute(PATH, sessions),
            WebSocketRoute(STEP_PLAN_PATH, sessions),
            Route(PATH, _upgrade_required),
            Route(STEP_PLAN_PATH, _upgrade_required),
            *rest_routes,
            WebSocketRoute("/{path:path}", _no_such_socket),
        ],
        exception_handlers=rest.exception_handlers(),
    )
    return Gate(app, key=key, host=host, seed=seed)


class Gate:
    """Lets in who may come in: no page of another site, and nobody without the key.

    A page anywhere can open a WebSocket to this machine, and a name of its own may point here, so `Origin` and `Host`
    are looked at first. Every connection gets a trace id.
    """

    def __init__(self, app: ASGIApp, *, key: str, host: str, seed: int) -> None:
        self._app = app
        self._authorization = f"Bearer {key}".encode()
        self._host = host
        self._ids = Ids(seed, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        connection = HTTPConnection(scope)
        connection.state.trace_id = self._ids.new("trace")
        refusal = self._refusal(connection)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await refusal(scope, receive, send)

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        origin = connection.headers.get("origin")
        if origin is not None and not _is_loopback(_host_of(origin)):
            return rest.error(
                connection, 403, "pages of other sites may not use the local engine", "forbidden"
            )
        if not self._is_own_name(_host_of("//" + connection.headers.get("host", ""))):
            return rest.error(connection, 403, "the Host header does not name this engine", "forbidden")
        shown = connection.headers.get("authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(shown, self._authorization):
            return rest.error(connection, 401, "Incorrect API key provided", "invalid_api_key")
        return None

    def _is_own_name(self, name: str) -> bool:
        if name == self._host or _is_loopback(name):
            return True
        # On all addresses: a page of another site can bring a name of its own here, but neither a bare address nor
        # this machine's name.
        return self._host in ("0.0.0.0", "::") and (_is_address(name) or name in _machine_names())


class Sessions:
    """The WebSocket endpoint.

    Parameters
    ----------
    setup
        What the sessions work with.
    limit
        How many may be open at the same time.
    """

    def __init__(self, setup: Setup, limit: int) -> None:
        self._setup = setup
        self._limit = limit
        self._numbers = itertools.count(1)
        self._open: dict[Outbox, WebSocket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one session."""
        websocket = WebSocket(scope, receive, send)
        model = websocket.query_params.get("model", "")
        refusal = self._refusal(websocket, model)
        if refusal is not None:
            await websocket.send_denial_response(refusal)
            return
        outbox = Outbox()
        self._open[outbox] = websocket
        try:
            await self._run(websocket, outbox, model)
        finally:
            del self._open[outbox]

    def cut_off_hanging(self) -> None:
        """Drop the clients that do not read: a close would wait for them."""
        for outbox, websocket in self._open.items():
            if not outbox.has_room:
                _cut_off(websocket)

    async def _run(self, websocket: WebSocket, outbox: Outbox, model: str) -> None:
        await websocket.accept(headers=rest.trace_header(websocket).raw)
        line = Line(self._setup.faults, outbox.put)
        number = next(self._numbers)
        frames = FrameLog(number)
        session = Session(self._setup, number, model, line.put, outbox.room)

        async def send(frame: str) -> None:
            frames.sent(frame)
            await websocket.send_text(frame)

        session.start()
        reading = asyncio.create_task(_read(websocket, session, outbox, frames), name="stepnb reading")
        writing = asyncio.create_task(outbox.pump(send), name="stepnb writing")
        try:
            done, _ = await asyncio.wait(
                {reading, writing},
                timeout=self._lifetime(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                session.expire()
                await asyncio.wait({writing}, timeout=_FAREWELL_S)
                if not writing.done():
                    _cut_off(websocket)
        finally:
            reading.cancel()
            writing.cancel()
            ends = await asyncio.gather(reading, writing, return_exceptions=True)
            await session.close()
            line.close()
            frames.close()
            for end in ends:
                await _judge(end, websocket)

    def _refusal(self, websocket: WebSocket, model: str) -> Response | None:
        """Return why there is no session, None when there is one."""
        fault = self._setup.faults.strike(HandshakeStatus)
        if fault is not None:
            return rest.error(websocket, fault.status, fault.message, rest.error_type(fault.status))
        known = catalog.capabilities(model)
        if not model:
            message = "the query parameter model is missing"
        elif model in _SIBLING_MODELS:
            message = f"model {model} is of a sibling of the Realtime API that the local engine does not have"
        elif known is None and not self._setup.profile.unknown_models:
            message = f"model {model[:100]} does not exist"
        elif websocket.url.path == STEP_PLAN_PATH and (known is None or "cn/step_plan" not in known.clusters):
            message = f"model {model[:100]} is not in the Step Plan"
        elif len(self._open) >= self._limit:
            return rest.error(
                websocket, 429, f"more than {self._limit} sessions at a time", "rate_limit_exceeded"
            )
        else:
            return None
        return rest.error(websocket, 400, message, "invalid_request_error")

    def _lifetime(self) -> float:
        """Return how long a new session may last, s."""
        clock = self._setup.faults.strike(FastClock)
        return self._setup.profile.session_limit_s / (clock.factor if clock else 1)


async def _read(websocket: WebSocket, session: Session, outbox: Outbox, frames: FrameLog) -> None:
    while True:
        # A client that sends without reading the answers is not read on.
        await outbox.not_full()
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        frame = message["bytes"] if text is None else text
        frames.received(frame)
        session.handle(frame)


async def _judge(end: BaseException | None, websocket: WebSocket) -> None:
    """Act on how reading or writing ended."""
    if isinstance(end, Hangup):
        logger.info("a connection is ended: %s", end)
        if end.code in CLOSE_CODES:
            await websocket.close(end.code, end.reason)
        else:
            _cut_off(websocket)
    elif isinstance(end, SlowReader):
        logger.warning("a client was cut off: %s", end)
        _cut_off(websocket)
    elif isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
        logger.error("a connection failed", exc_info=end)


def _cut_off(websocket: WebSocket) -> None:
    websocket.scope["extensions"][_ABORT]["abort"]()


async def _upgrade_required(request: Request) -> Response:
    response = rest.error(request, 426, "this address speaks WebSocket only", "invalid_request_error")
    response.headers["upgrade"] = "websocket"
    return response


async def _no_such_socket(websocket: WebSocket) -> None:
    await websocket.send_denial_response(rest.not_found(websocket))


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _machine_names() -> set[str]:
    name = socket.gethostname().lower()
    return {name, f"{name}.local"}


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
