"""A TCP proxy between a session and an engine that breaks things on demand."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT = 20
# Messages that are turned round together, and how long the last ones wait for more, s.
_WINDOW = 4
_PATIENCE = 0.5
_TEXT = 0x81


class Proxy:
    """Forwards bytes both ways until told otherwise.

    Parameters
    ----------
    url
        Where the engine is; ``proxy.url`` is where the session should go.

    Attributes
    ----------
    connections
        How many there have been.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self._target = (parts.hostname, parts.port)
        self._path = parts.path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._links: set[_Link] = set()
        self._flowing = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._rate: float | None = None
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._path}"

    def cut(self) -> None:
        """Break every connection off, without a goodbye."""
        self._to_all(_Link.cut)

    def stall(self) -> None:
        """Take bytes no further, in either direction."""
        self._do(self._set_flow(False))

    def flow(self) -> None:
        """Let bytes through again."""
        self._do(self._set_flow(True))

    def half_open(self) -> None:
        """Swallow everything on the connections there are: nobody is told that they are gone."""
        self._to_all(_Link.swallow)

    def slow(self, bytes_per_s: float) -> None:
        """Let no more through than this, in either direction."""
        self._rate = bytes_per_s

    def reorder(self) -> None:
        """Turn every few of the engine's messages round, from now on."""
        self._to_all(_Link.reorder)

    def message(self, text: str) -> None:
        """Slip a message in between those of the engine."""
        payload = text.encode()
        assert len(payload) < 126
        self.garbage(bytes([_TEXT, len(payload)]) + payload)

    def garbage(self, data: bytes) -> None:
        """Slip bytes in between the engine's messages."""
        self._to_all(lambda link: link.inject(data))

    def _to_all(self, work: Callable[[_Link], None]) -> None:
        async def run() -> None:
            for link in list(self._links):
                work(link)

        self._do(run())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    async def _open(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._flowing.set()
        for link in list(self._links):
            link.cut()
        await asyncio.gather(*(link.ended.wait() for link in list(self._links)))
        await self._server.wait_closed()

    async def _set_flow(self, on: bool) -> None:
        if on:
            self._flowing.set()
        else:
            self._flowing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, far_writer, self._gate)
        self._links.add(link)
        try:
            await asyncio.gather(link.up(reader), link.down(far_reader))
        finally:
            self._links.discard(link)
            link.ended.set()

    async def _gate(self, size: int) -> None:
        await self._flowing.wait()
        if self._rate is not None:
            await asyncio.sleep(size / self._rate)


class _Link:
    """One connection."""

    def __init__(
        self,
        client: asyncio.StreamWriter,
        engine: asyncio.StreamWriter,
        gate: Callable[[int], Coroutine[Any, Any, None]],
    ) -> None:
        self.ended = asyncio.Event()
        self._client = client
        self._engine = engine
        self._gate = gate
        self._swallowing = False
        self._reordering = False

    def cut(self) -> None:
        self._client.transport.abort()
        self._engine.transport.abort()

    def swallow(self) -> None:
        self._swallowing = True

    def reorder(self) -> None:
        self._reordering = True

    def inject(self, data: bytes) -> None:
        self._client.write(data)  # `down` writes whole messages, so this falls between two

    async def up(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._put(self._engine, data)
        self._engine.close()

    async def down(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._put(self._client, await reader.readuntil(b"\r\n\r\n"))
            held: list[bytes] = []
            message = asyncio.ensure_future(_message(reader))
            while True:
                await asyncio.wait([message], timeout=_PATIENCE if held else None)
                if message.done():
                    held.append(message.result())
                    message = asyncio.ensure_future(_message(reader))
                    if self._reordering and len(held) < _WINDOW:
                        continue
                held.reverse()
                for data in held:
                    await self._put(self._client, data)
                held.clear()
        self._client.close()

    async def _put(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        await self._gate(len(data))
        if not self._swallowing:
            sink.write(data)
            await sink.drain()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read a frame of a server: unmasked."""
    head = await reader.readexactly(2)
    length = head[1] & 0x7F
    if length >= 126:
        more = await reader.readexactly(2 if length == 126 else 8)
        head, length = head + more, int.from_bytes(more)
    return head + await reader.readexactly(length)
