"""The WebSocket: opening it, with every failure named, and sending and receiving text frames."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event

from ..errors import ConnectError, ConnectionLost, Unreachable
from ..service.endpoint import Secret
from ..service.refusals import refusal, trace_id

# The service answers within 10 to 15 s or not at all.
OPEN_TIMEOUT = 15.0
# Idle sockets are closed after a few minutes; the vendor's own client pings every 20 s.
PING_INTERVAL = 20.0
PING_TIMEOUT = 20.0
CLOSE_TIMEOUT = 2.0
# One audio event may hold 15 MB of audio, 20 MB as base64.
MAX_FRAME = 24 * 1024 * 1024


# Codes we close with ourselves, because of the other side or what lies between: reasons to connect again.
_BROKEN = {
    1011: "The service stopped answering.",  # a ping without a pong
    1002: "What came from the service was garbled.",
    1007: "What came from the service was garbled.",
}


class _NoAuthorization(logging.Filter):
    """websockets logs request headers at DEBUG; the key must not be among them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "authorization" not in record.getMessage().lower()


_wire_logger = logging.getLogger("stepnb.wire")
_wire_logger.addFilter(_NoAuthorization())


class Transport(Protocol):
    """An open connection: a `Connection`, or one that is replayed."""

    @property
    def trace_id(self) -> str | None: ...
    async def read(self, take: Callable[[str], None]) -> None: ...
    async def send(self, frame: str) -> None: ...
    async def close(self) -> None: ...


class _Socket(ClientConnection):
    """Hands messages on where they are parsed.

    `recv` puts a queue and the wake-up of a task between, which cost a third of all that a session does with an event.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._early: list[str] = []
        self._take: Callable[[str], None] = self._early.append
        self._parts: list[bytes | bytearray | memoryview] = []

    async def read(self, take: Callable[[str], None]) -> None:
        """Hand on every message, those that have come already first, until the connection ends."""
        for message in self._early:
            take(message)
        self._take = take
        try:
            await self.wait_closed()
        finally:
            self._take = lambda _: None

    def process_event(self, event: Event) -> None:
        """Take in what the parser found."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        message = event.data
        if self._parts or not event.fin:
            self._parts.append(message)
            if not event.fin:
                return
            message = b"".join(self._parts)
            self._parts.clear()
        self._take(str(message, "utf-8", "replace"))


class Connection:
    """An open WebSocket."""

    def __init__(self, socket: _Socket, trace_id: str | None) -> None:
        self._socket = socket
        self.trace_id = trace_id

    @classmethod
    async def open(cls, url: str, model: str, key: Secret, *, cluster: str) -> Connection:
        """Connect.

        Raises
        ------
        ConnectError
            Its subclasses name the cause and the fix.
        """
        host = urlsplit(url).hostname or url
        loopback = host in ("127.0.0.1", "localhost", "::1")
        separator = "&" if urlsplit(url).query else "?"
        try:
            socket = await connect(
                f"{url}{separator}model={quote(model, safe='')}",
                additional_headers={"Authorization": f"Bearer {key.reveal()}"},
                compression=None,  # base64 of audio hardly shrinks, and deflate costs more than everything else here
                open_timeout=OPEN_TIMEOUT,
                close_timeout=CLOSE_TIMEOUT,
                ping_interval=PING_INTERVAL,
                ping_timeout=PING_TIMEOUT,
                max_size=MAX_FRAME,
                create_connection=_Socket,
                proxy=None if loopback else True,
                logger=_wire_logger,
            )
        except InvalidStatus as error:
            # `from None`: the chain would carry the request with its headers into tracebacks.
            response = error.response
            raise refusal(
                response.status_code,
                response.headers,
                bytes(response.body or b""),
                host=host,
                cluster=cluster,
                key=key,
                model=model,
            ) from None
        except TimeoutError:
            raise Unreachable(
                f"{host} did not answer within {OPEN_TIMEOUT:.0f} s.",
                fix="Check the network, a proxy or the host name.",
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise Unreachable(
                f"{host} cannot be reached: {reason}.",
                fix="Check the network, a proxy, the host name and the port.",
            ) from None
        except (InvalidHandshake, InvalidURI) as error:
            raise ConnectError(
                f"{host} did not answer like a Realtime API: {error}.",
                fix="Check the URL and any proxy in between.",
            ) from None
        assert isinstance(socket, _Socket)
        return cls(socket, trace_id(socket.response.headers) if socket.response else None)

    async def read(self, take: Callable[[str], None]) -> None:
        """Hand on every frame until the connection ends.

        Raises
        ------
        ConnectionLost
            It ended without our asking.
        """
        try:
            await self._socket.read(take)
            await self._socket.recv()  # raises, and says how it ended
        except ConnectionClosed as error:
            raise self._lost(error) from None

    async def send(self, frame: str) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed as error:
            raise self._lost(error) from None

    async def close(self) -> None:
        await self._socket.close()

    def _lost(self, error: ConnectionClosed) -> ConnectionLost:
        close = error.rcvd or error.sent
        code = close.code if close is not None else None
        if error.rcvd is None and code in _BROKEN:
            what, code = _BROKEN[code], None
        elif close is None:
            what = "The connection broke off."
        else:
            reason = f", {close.reason}" if close.reason else ""
            what = f"The service closed the connection (code {close.code}{reason})."
        fix = "Press Try again or just ask: the session connects anew."
        return ConnectionLost(what, code=code, fix=fix, trace_id=self.trace_id)


async def close_quietly(connection: Transport) -> None:
    """Close, whatever state the socket is in, within its timeout."""
    with contextlib.suppress(TimeoutError, OSError, ConnectionClosed):
        await asyncio.wait_for(connection.close(), CLOSE_TIMEOUT + 1)
