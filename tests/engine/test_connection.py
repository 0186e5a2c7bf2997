"""The socket's reading side, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from stepnb.errors import ConnectionLost
from stepnb.service.endpoint import Secret
from stepnb.session.connection import Connection

TIMEOUT = 10


def conversation(
    server: Callable[[ServerConnection], Awaitable[None]],
    client: Callable[[Connection], Awaitable[None]],
) -> None:
    async def main() -> None:
        async with serve(server, "127.0.0.1", 0) as service:
            url = f"ws://127.0.0.1:{next(iter(service.sockets)).getsockname()[1]}"
            connection = await Connection.open(url, "m", Secret("k"), cluster=url)
            try:
                await client(connection)
            finally:
                await connection.close()

    asyncio.run(asyncio.wait_for(main(), TIMEOUT))


def test_messages_come_whole_in_order_and_with_the_reason_of_the_end() -> None:
    came: list[str] = []

    async def server(socket: ServerConnection) -> None:
        await socket.send("one")
        await socket.send(["t", "w", "\u4e8c"])  # in three fragments
        await socket.send(b"in a binary frame")
        await socket.ping()
        await socket.send([b"\xe4\xba", b"\x8c \xff"])  # a character cut in two, and what is no text
        await socket.recv()
        await socket.send("answer")
        await socket.close(1011, "enough")

    async def client(connection: Connection) -> None:
        await connection.send("question")
        with pytest.raises(ConnectionLost, match=r"1011, enough") as lost:
            await connection.read(came.append)
        assert lost.value.code == 1011

    conversation(server, client)
    assert came == ["one", "tw\u4e8c", "in a binary frame", "\u4e8c \ufffd", "answer"]


def test_what_came_before_reading_is_handed_on_first() -> None:
    came: list[str] = []

    async def server(socket: ServerConnection) -> None:
        await socket.send("early")
        await socket.wait_closed()

    async def client(connection: Connection) -> None:
        await (await connection._socket.ping())  # its pong comes after the message
        reading = asyncio.create_task(connection.read(came.append))
        await asyncio.sleep(0)
        assert came == ["early"]
        reading.cancel()

    conversation(server, client)


def test_after_reading_nothing_is_handed_on() -> None:
    came: list[str] = []

    async def server(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send("late")

    async def client(connection: Connection) -> None:
        reading = asyncio.create_task(connection.read(came.append))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await connection.send("go")
        await connection._socket.wait_closed()

    conversation(server, client)
    assert came == []
