"""An HTTP proxy in front of an engine's REST side that breaks things on demand."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from stepnb.local.engine import LocalEngine

_TIMEOUT = 60


@dataclass
class Fault:
    """What happens to the next `times` requests of a kind instead of, or after, being passed on.

    Attributes
    ----------
    method, path
        Of the request; the path with ``/v1``.
    status
        Answer with this status.
    cut
        "request": break off while the request is being sent; "answer": pass it on and break off before the answer.
    after
        With a status: pass the request on first, and answer with the status all the same.
    """

    method: str
    path: str
    status: int = 0
    cut: Literal["request", "answer"] | None = None
    after: bool = False
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": {"message": "made up for a test", "type": "x"}}'


# Its end waits for the next look.
_POLL_S = 0.02


class RestProxy:
    """Forwards requests to the engine, but for the faults.

    Attributes
    ----------
    faults
        Used up in order.
    seen
        How many requests of each kind came: ``{"POST /v1/files": 1}``.
    headers
        Those of the last request.
    """

    def __init__(self, engine: LocalEngine, *faults: Fault) -> None:
        self.faults = list(faults)
        self.seen: Counter[str] = Counter()
        self.headers: dict[str, str] = {}
        self._target = urlsplit(engine.rest_url)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _TIMEOUT

            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError, TimeoutError):
                    super().handle_one_request()
                    return
                self.close_connection = True

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return lambda: proxy._handle(self)
                raise AttributeError(name)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="rest proxy", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_TIMEOUT)

    @property
    def url(self) -> str:
        """What is given as a cluster."""
        return f"ws://127.0.0.1:{self._server.server_port}/v1/realtime"

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if (fault.method, fault.path) == (method, path) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        path = urlsplit(request.path).path
        self.seen[f"{request.command} {path}"] += 1
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        fault = self._fault(request.command, path)
        length = int(request.headers.get("content-length") or 0)
        if fault and fault.cut == "request":
            request.rfile.read(min(1000, length))
            _reset(request)
            return
        body = request.rfile.read(length)
        if fault and not fault.after and fault.cut is None:
            _answer(request, fault.status, fault.headers, fault.body)
            return
        upstream = http.client.HTTPConnection(
            self._target.hostname or "", self._target.port, timeout=_TIMEOUT
        )
        try:
            headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "connection")}
            upstream.request(request.command, request.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        if fault and fault.cut == "answer":
            _reset(request)
        elif fault:
            _answer(request, fault.status, fault.headers, fault.body)
        else:
            kept = {k: v for k, v in answer.getheaders() if k.lower() in ("content-type", "x-trace-id")}
            _answer(request, answer.status, kept, content)


def _answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _reset(request: BaseHTTPRequestHandler) -> None:
    """Break the connection off without a goodbye."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True
