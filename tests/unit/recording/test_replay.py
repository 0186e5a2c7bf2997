"""Recorded connections, one after the other, without a session."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from stepnb.errors import ConnectionLost, RecordingError, ReplayMismatch
from stepnb.recording.log import EventLog
from stepnb.recording.replay import Player, ReplayedConnection
from stepnb.service.endpoint import Secret
from tests.unit.recording.story import append, delta, words

SPOKEN = b"\1\0" * 480
STARTED = '{"type":"input_audio_buffer.speech_started","audio_start_ms":20}'
STOPPED = '{"type":"input_audio_buffer.speech_stopped","audio_end_ms":60}'
CANCEL = '{"type":"response.cancel","event_id":"e1"}'


def log_of(*steps: str | bytes) -> EventLog:
    """Make a log: "+" and "-reason" begin and end a connection, ">..." is sent, "<..." comes, bytes are sent audio."""
    log = EventLog()
    for step in steps:
        if isinstance(step, bytes):
            append(log, step)
        elif step == "+":
            log.append_local("connected", {"trace_id": "t1"})
        elif step[0] == "-":
            log.append_local("disconnected", {"reason": step[1:]})
        else:
            side, frame = step[0], step[1:]
            log.append_frame("out" if side == ">" else "in", frame.split('"')[3], frame, 0)
    return log


async def opened(player: Player) -> ReplayedConnection:
    return await player.open("replay://recording", "m", Secret(""), cluster="global")


async def frames_of(connection: ReplayedConnection) -> AsyncGenerator[str]:
    """Yield frames as the connection hands them on; raise why it ended."""
    came: asyncio.Queue[str] = asyncio.Queue()
    reader = asyncio.ensure_future(connection.read(came.put_nowait))
    try:
        while True:
            frame = asyncio.ensure_future(came.get())
            await asyncio.wait([reader, frame], return_when=asyncio.FIRST_COMPLETED)
            if not frame.done():
                frame.cancel()
                reader.result()
            yield frame.result()
    finally:
        reader.cancel()


async def came(connection: ReplayedConnection, count: int) -> list[str]:
    """Return frames, without waiting for one that is held back."""
    frames, stream = [], frames_of(connection)
    async with asyncio.timeout(5), contextlib.aclosing(stream):
        for _ in range(count):
            frames.append(await anext(stream))  # noqa: PERF401 - bounded, and one stream for all
    return frames


def appended(pcm: bytes) -> str:
    log = EventLog()
    return log.frame(append(log, pcm))


def test_frames_wait_for_what_was_sent_before_them() -> None:
    async def run() -> None:
        log = log_of("+", '<{"type":"a"}', f">{CANCEL}", '<{"type":"b"}')
        connection = await opened(Player(log, 0))
        assert connection.trace_id == "t1"
        stream = frames_of(connection)
        assert await anext(stream) == '{"type":"a"}'
        held = asyncio.ensure_future(anext(stream))
        done, _ = await asyncio.wait([held], timeout=0.05)
        assert not done
        await connection.send(CANCEL.replace("e1", "other"))
        assert await asyncio.wait_for(held, 5) == '{"type":"b"}'

    asyncio.run(run())


def test_speech_is_heard_where_it_is_now() -> None:
    async def run() -> None:
        log = log_of("+", bytes(960), SPOKEN, f"<{STARTED}", bytes(960), f"<{STOPPED}")
        connection = await opened(Player(log, 0))
        for pcm in (bytes(2880), SPOKEN, bytes(1920)):  # 40 ms later than then
            await connection.send(appended(pcm))
        assert await came(connection, 2) == [
            STARTED.replace("20", "60"), STOPPED.replace('":60', '":100'),
        ]  # fmt: skip

    asyncio.run(run())


def test_speech_that_went_on_meanwhile_is_heard_where_it_began() -> None:
    async def run() -> None:
        log = log_of("+", bytes(960), SPOKEN, f"<{STARTED}", SPOKEN, bytes(1920), f"<{STOPPED}")
        connection = await opened(Player(log, 0))
        for pcm in (bytes(960), SPOKEN, SPOKEN, bytes(1920)):  # as then, but all of it before it is heard
            await connection.send(appended(pcm))
        assert await came(connection, 2) == [STARTED, STOPPED]

    asyncio.run(run())


def test_speech_ends_only_after_as_much_silence_as_then() -> None:
    async def run() -> None:
        log = log_of("+", SPOKEN, bytes(1920), f"<{STOPPED}")
        connection = await opened(Player(log, 0))
        await connection.send(appended(SPOKEN + bytes(960)))
        stream = frames_of(connection)
        held = asyncio.ensure_future(anext(stream))
        done, _ = await asyncio.wait([held], timeout=0.05)
        assert not done
        await connection.send(appended(bytes(960)))
        assert await asyncio.wait_for(held, 5) == STOPPED

    asyncio.run(run())


def test_lost_connections_are_lost_again_and_the_next_one_opens() -> None:
    async def run() -> None:
        log = log_of(
            "+", '<{"type":"a"}', "-The service hung up.", "+", '<{"type":"b"}', "-The session was closed."
        )
        player = Player(log, 0)
        first = await opened(player)
        with pytest.raises(ConnectionLost, match="hung up"):
            await came(first, 2)
        assert await came(await opened(player), 1) == ['{"type":"b"}']
        with pytest.raises(RecordingError, match="no further connection"):
            await opened(player)

    asyncio.run(run())


def test_a_difference_is_final() -> None:
    async def run() -> None:
        player = Player(log_of("+", f">{CANCEL}"), 0)
        connection = await opened(player)
        await connection.send('{"type":"input_audio_buffer.clear"}')
        with pytest.raises(ReplayMismatch, match=r"response\.cancel"):
            await came(connection, 1)
        with pytest.raises(ReplayMismatch):
            await opened(player)

    asyncio.run(run())


def test_audio_that_was_not_kept_is_served_as_silence() -> None:
    async def run() -> None:
        log = EventLog(keep_audio="none")
        log.append_local("connected", {})
        append(log, SPOKEN)
        delta(log, SPOKEN)
        words(log, "Hi")
        connection = await opened(Player(log, 0))
        await connection.send(appended(b"\7\0" * 480))
        speech, text = await came(connection, 2)
        assert f'"delta":"{"A" * 1280}"' in speech and '"delta":"Hi"' in text

    asyncio.run(run())


def test_recorded_pauses_are_kept_at_their_speed() -> None:
    async def run() -> list[float]:
        log = EventLog()
        log.append_local("connected", {}, log.anchor)
        for n in range(1, 4):
            words(log, "x", n * 10**9)
        connection = await opened(Player(log, 20))
        loop, times = asyncio.get_running_loop(), []
        start = loop.time()
        async for _ in frames_of(connection):
            times.append(loop.time() - start)
            if len(times) == 3:
                break
        return times

    # Never earlier than recorded; how much later is up to the machine.
    assert all(time >= due for time, due in zip(asyncio.run(run()), (0.049, 0.099, 0.149), strict=True))
