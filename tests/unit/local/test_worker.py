from __future__ import annotations

import asyncio
import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.errors import EngineError
from stepnb.local import child as child_module
from stepnb.local.child import Child, ChildFailed
from stepnb.local.worker import (
    MAX_BODY,
    MAX_HEADER,
    SIZES,
    FrameError,
    pack,
    read_frame,
    serve,
    unpack_header,
)

PLAIN = {
    "english": "en-us",
    "mandarin": "cmn",
    "variant": "",
    "pitch": 50,
    "pitch_range": 50,
    "rate": 175,
    "volume": 100,
}
headers = st.dictionaries(
    st.text(max_size=8), st.text(max_size=20) | st.integers() | st.booleans(), max_size=4
)


@given(headers, st.binary(max_size=200))
def test_frames_survive_the_pipe(header: dict[str, object], body: bytes) -> None:
    stream = io.BytesIO(pack(header, body) + pack({}, b""))
    assert read_frame(stream) == (header, body)
    assert read_frame(stream) == ({}, b"")
    assert read_frame(stream) is None


@given(headers, st.binary(max_size=50), st.data())
def test_a_cut_frame_is_the_end(header: dict[str, object], body: bytes, data: st.DataObject) -> None:
    frame = pack(header, body)
    cut = data.draw(st.integers(0, len(frame) - 1))
    assert read_frame(io.BytesIO(frame[:cut])) is None


def test_impossible_frames_are_refused() -> None:
    for sizes in ((MAX_HEADER + 1, 0), (2, MAX_BODY + 1)):
        with pytest.raises(FrameError, match="over the limit"):
            read_frame(io.BytesIO(SIZES.pack(*sizes)))
    with pytest.raises(FrameError, match="over the limit"):
        pack({"text": "x" * MAX_HEADER})
    for header in (b"[]", b"nonsense", b"\xff"):
        with pytest.raises(FrameError):
            unpack_header(header)


def test_a_failing_request_does_not_end_the_service() -> None:
    def handler(header: dict[str, object], body: bytes) -> tuple[dict[str, object], bytes]:
        return {"half": 1 // header["by"]}, body  # type: ignore[operator]

    replies = io.BytesIO()
    serve(handler, io.BytesIO(pack({"by": 0}) + pack({"by": 1}, b"x")), replies)
    replies.seek(0)
    assert read_frame(replies) == ({"error": "ZeroDivisionError: integer division or modulo by zero"}, b"")
    assert read_frame(replies) == ({"half": 1}, b"x")


async def start(*arguments: str) -> Child:
    return await Child.start(*arguments, timeout_s=30)


def test_a_child_answers_and_ends() -> None:
    async def run() -> None:
        child = await start("mouth")
        header, pcm = await child.call(PLAIN, b"hello", timeout_s=20)
        assert header == {"rate": 22050}
        assert len(pcm) > 10_000
        await child.end()
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)

    asyncio.run(run())


def test_a_refused_request_leaves_the_child_usable() -> None:
    async def run() -> None:
        child = await start("mouth")
        with pytest.raises(EngineError, match="voice nowhere"):
            await child.call(PLAIN | {"english": "nowhere"}, b"hello", timeout_s=20)
        assert (await child.call(PLAIN, b"hello", timeout_s=20))[1]
        await child.end()

    asyncio.run(run())


def test_a_killed_child_is_reported() -> None:
    async def run() -> None:
        child = await start("mouth")
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(ChildFailed):
            await child.call(PLAIN, b"hello", timeout_s=20)
        with pytest.raises(ChildFailed, match="out of step"):
            await child.call(PLAIN, b"hello", timeout_s=20)
        await child.end()

    asyncio.run(run())


def test_a_hanging_child_is_killed() -> None:
    async def run() -> None:
        child = await start("mouth")
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(ChildFailed, match=r"did not answer within 0\.2 s"):
            await child.call(PLAIN, b"hello", timeout_s=0.2)
        await child.end()
        with pytest.raises(ProcessLookupError):
            os.kill(child.pid, 0)

    asyncio.run(run())


def test_a_cancelled_call_leaves_the_child_unusable() -> None:
    async def run() -> None:
        child = await start("mouth")
        os.kill(child.pid, signal.SIGSTOP)
        call = asyncio.create_task(child.call(PLAIN, b"hello", timeout_s=20))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not child.usable
        await child.end()

    asyncio.run(run())


def test_a_child_that_cannot_start_says_why() -> None:
    with pytest.raises(ChildFailed, match="ended unexpectedly"):
        asyncio.run(start("nose"))


def test_what_a_child_complains_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ChildFailed):
        asyncio.run(start("nose"))
    assert "usage: python -m stepnb.local.worker" in caplog.text


def test_a_child_that_is_killed_while_it_starts_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    async def run() -> None:
        starting = asyncio.create_task(start("ears", "phrasebook"))
        async with asyncio.timeout(30):
            # Until it writes its language model: another process's file can only be looked for.
            while not list(tmp_path.rglob("book.lm")):  # noqa: ASYNC110, ASYNC240
                await asyncio.sleep(0.005)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await starting).end()

    asyncio.run(run())
    assert not list(tmp_path.iterdir())


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def test_the_key_stays_in_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        child = await start("mouth")
        try:
            assert b"secret" not in environment_of(child.pid)
        finally:
            await child.end()

    if not Path("/proc").is_dir():
        pytest.skip("no /proc on this system")
    monkeypatch.setenv("STEPFUN_API_KEY", "secret")
    monkeypatch.setenv("STEP_API_KEY", "secret")
    asyncio.run(run())


def test_modules_beside_the_notebook_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)

    async def run() -> None:
        await (await start("mouth")).end()

    asyncio.run(run())


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="waits for a process that is not its child by pidfd"
)
@pytest.mark.parametrize("role", [("mouth",), ("ears", "phrasebook")], ids=" ".join)
def test_it_ends_when_its_parent_is_killed(role: tuple[str, ...]) -> None:
    parent_code = (
        "import asyncio, sys\n"
        "from stepnb.local.child import Child\n"
        "async def main():\n"
        f"    child = await Child.start(*{role!r}, timeout_s=30)\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(child_module.__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_code], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    ended = os.pidfd_open(pid)
    parent.kill()
    parent.wait(timeout=10)
    parent.stdout.close()
    readable, _, _ = select.select([ended], [], [], 10)
    os.close(ended)
    assert readable, "the child outlived its parent"
