"""`Companion`: the panel in a browser tab of its own, on this machine, for pages that get no microphone.

A small server on 127.0.0.1 serves the tab's page and one WebSocket, which carries the panel's envelope.
A page from elsewhere that finds the port is refused by the Origin it comes from, one that had its own name point here
(DNS rebinding) by the Host it asks for, and a program on this machine by the token. The service's key is never in it.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import http
import secrets
import time
from typing import TYPE_CHECKING, Any

import msgspec
from traitlets import TraitError
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from ..errors import ConfigError, SessionClosed, StepnbError
from . import messages
from .downlink import Way
from .page_widget import STATIC

if TYPE_CHECKING:
    from .bridge import PanelBridge
    from .panel import VoicePanel

# How long the server waits for the tab, and for a tab that is loaded anew, s.
UNUSED = 120.0
AWAY = 15.0
# A chosen file, as base64, is the largest message.
LARGEST = 10_000_000
# Messages that wait for the tab; it takes thousands a second, so one that leaves so many has stopped.
MOST_WAITING = 2000
SHOWN = ("status", "info", "lang", "min_speech_ms")
TYPES = {
    "/": ("companion.html", "text/html"),
    "/companion.js": ("companion.js", "text/javascript"),
    "/companion.css": ("companion.css", "text/css"),
}
SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self' blob:; worker-src blob:; style-src 'self'; "
    "connect-src {socket}; img-src data:; media-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class SetTrait(msgspec.Struct):
    """A trait the tab changed."""

    min_speech_ms: int


class Companion:
    """Serves one tab at a time; it ends with the session, and by itself when no tab comes. I/O thread only.

    Parameters
    ----------
    panel
        Whose traits the tab shows and changes.
    bridge
        Takes the tab's messages.
    """

    def __init__(self, panel: VoicePanel, bridge: PanelBridge) -> None:
        self._panel = panel
        self._bridge = bridge
        self._core = panel.session._core
        self._task: asyncio.Task[None] | None = None
        self._bound: asyncio.Future[None] | None = None  # done when the server listens
        self._address = ""  # host and port
        self._token = ""
        self._tab: ServerConnection | None = None
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_WAITING)
        self._expiry: asyncio.TimerHandle | None = None

    async def start(self) -> str:
        """Start the server unless it runs, and return an address that opens the tab once.

        Raises
        ------
        ConfigError
            A tab is open.
        SessionClosed
            The session is closed.
        StepnbError
            The server cannot be started.
        """
        if self._core.closed:
            raise SessionClosed("The session is closed.", fix="Make a new one: sn.Session().")
        if self._tab is not None:
            raise ConfigError("The companion tab is open already.", fix="Talk there, or close it first.")
        if self._task is None:
            self._bound = bound = self._core.loop.create_future()
            self._task = self._core.spawn(self._serve(bound))
            self._task.add_done_callback(functools.partial(self._ended, bound))
        assert self._bound is not None
        await asyncio.shield(self._bound)  # two may wait for it
        self._token = secrets.token_urlsafe(32)
        self._expire(UNUSED)
        return f"http://{self._address}/#{self._token}"

    def stop(self) -> None:
        """End the server, and the tab with it."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _expire(self, seconds: float | None) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = self._core.loop.call_later(seconds, self.stop) if seconds is not None else None

    # The server -------------------------------------------------------------------------------------------------------

    async def _serve(self, bound: asyncio.Future[None]) -> None:
        try:
            files = await asyncio.to_thread(_read_files)
            server = await serve(
                self._meet,
                "127.0.0.1",
                0,
                process_request=lambda connection, request: self._admit(connection, request, files),
                compression=None,
                max_size=LARGEST,
                close_timeout=2,
                server_header=None,
            )
        except OSError as error:
            raise StepnbError(
                f"The companion tab's server did not start: {error}.",
                fix="Is another program keeping it from 127.0.0.1?",
            ) from error
        async with server:
            host, port = next(iter(server.sockets)).getsockname()[:2]
            self._address = f"{host}:{port}"
            bound.set_result(None)
            await self._core.loop.create_future()  # until it is cancelled

    def _ended(self, bound: asyncio.Future[None], task: asyncio.Task[None]) -> None:
        if task is self._task:
            self._task = None
        if not bound.done():
            failure = None if task.cancelled() else task.exception()
            bound.set_exception(
                failure or StepnbError("The companion tab was stopped.", fix="Open it again.")
            )

    def _admit(
        self, connection: ServerConnection, request: Request, files: dict[str, tuple[str, bytes]]
    ) -> Response | None:
        """Answer a request, or let the tab's WebSocket in by None."""
        if request.headers.get_all("Host") != [self._address]:
            return _refusal(connection, http.HTTPStatus.MISDIRECTED_REQUEST, "This is not its name.")
        path, _, query = request.path.partition("?")
        if path in files:
            kind, body = files[path]
            headers = Headers(
                {name: value.format(socket=f"ws://{self._address}") for name, value in SAFE.items()}
            )
            headers.update({"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))})
            headers["Connection"] = "close"
            return Response(200, "OK", headers, body)
        if path != "/session":
            return _refusal(connection, http.HTTPStatus.NOT_FOUND, "There is nothing here.")
        if request.headers.get_all("Origin") != [f"http://{self._address}"]:
            return _refusal(connection, http.HTTPStatus.FORBIDDEN, "This page may not talk to it.")
        if not self._knows(query):
            return _refusal(connection, http.HTTPStatus.FORBIDDEN, "This link was used, or never given.")
        if self._tab is not None:
            return _refusal(connection, http.HTTPStatus.CONFLICT, "Another tab is open.")
        return None

    def _knows(self, token: str) -> bool:
        return bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())

    # The tab ----------------------------------------------------------------------------------------------------------

    async def _meet(self, connection: ServerConnection) -> None:
        query = connection.request.path.partition("?")[2] if connection.request else ""
        # Again: two may have been let in while neither was here yet.
        if self._tab is not None or not self._knows(query):
            await connection.close(1008, "Another tab is open.")
            return
        self._tab = connection
        self._expire(None)
        # The link is used up. Another secret lets this tab, and no other, come back when it is loaded anew.
        self._token = secrets.token_urlsafe(32)
        self._outbox = asyncio.Queue(MOST_WAITING)
        state = {name: getattr(self._panel, name) for name in SHOWN}
        self._put({"state": state, "resume": self._token})
        self._panel.observe(self._on_trait, list(SHOWN))
        sender = asyncio.create_task(self._send(connection, self._outbox))
        view = None
        try:
            async for frame in connection:
                view = self._take_in(frame, view)
        finally:
            self._tab = None
            sender.cancel()
            self._panel.unobserve(self._on_trait, list(SHOWN))
            if view is not None:
                self._bridge.leave(view)
            if self._task is not None:
                self._expire(AWAY)

    def _take_in(self, frame: str | bytes, view: str | None) -> str | None:
        """Carry out what the tab says, and return the view it is."""
        received_ns = time.monotonic_ns()
        try:
            content = msgspec.json.decode(frame)
        except msgspec.MsgspecError as error:
            self._bridge.refuse(None, str(error))
            return view
        if isinstance(content, dict) and "set" in content:
            self._set(content["set"])
            return view
        try:
            message = messages.parse(content)
        except ValueError as error:
            self._bridge.refuse(content, str(error))
            return view
        if view is None:
            view = str(message.view)
            self._bridge.join(view, Way(self._put))
        if message.view == view:  # it speaks for nobody else
            self._bridge.receive(message, received_ns)
        return view

    def _set(self, values: Any) -> None:
        try:
            self._panel.min_speech_ms = msgspec.convert(values, SetTrait).min_speech_ms
        except (msgspec.ValidationError, TraitError) as error:
            self._bridge.refuse(None, str(error))

    def _on_trait(self, change: Any) -> None:
        """Traits are set on any thread."""
        self._core.loop.call_soon_threadsafe(self._put, {"state": {change["name"]: change["new"]}})

    def _put(self, content: dict[str, Any]) -> None:
        if self._tab is None:
            return
        try:
            self._outbox.put_nowait(content)
        except asyncio.QueueFull:
            self._tab.transport.abort()

    async def _send(self, connection: ServerConnection, outbox: asyncio.Queue[dict[str, Any]]) -> None:
        try:
            while True:
                await connection.send(msgspec.json.encode(await outbox.get()).decode())
        except ConnectionClosed:
            pass  # the reader notices it too


def _refusal(connection: ServerConnection, status: http.HTTPStatus, text: str) -> Response:
    response = connection.respond(status, text + "\n")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _read_files() -> dict[str, tuple[str, bytes]]:
    return {path: (kind, (STATIC / name).read_bytes()) for path, (name, kind) in TYPES.items()}
