"""How a session ends: whichever way it does, no thread, task, child process, socket or folder of it is left.

Everything runs in processes of its own, which use the local practice engine, so that ears and mouth are child processes
of theirs. What stays belongs to the process: its two loop threads and their pool.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from stepnb.local.engine import LocalEngine
from tests.engine.kernel import Kernel

TIMEOUT = 60.0
# How long children of a process that has ended may take to see that their pipes are closed, s.
CHILDREN = 10.0

LEFT = """
import asyncio, gc, glob, json, os, sys, tempfile, threading
import psutil
import stepnb as sn
from stepnb.service.loop import io_thread, user_thread

process = psutil.Process()
HOUSE = ("MainThread", "stepnb-io", "stepnb-user", "asyncio_")

async def tasks():
    return [task.get_coro().__qualname__ for task in asyncio.all_tasks() if task is not asyncio.current_task()]

def left():
    threads = [thread.name for thread in threading.enumerate() if not thread.name.startswith(HOUSE)]
    loops = [io_thread, user_thread]
    return {
        "threads": threads,
        "tasks": [name for loop in loops for name in loop.submit(tasks()).result(10)],
        "children": [child.name() for child in process.children(recursive=True)],
        "sockets": len(process.net_connections()),
        "folders": glob.glob(os.path.join(tempfile.gettempdir(), "stepnb-*")),
    }

def talk(session):
    heard = threading.Event()
    session.on("response.audio.delta", lambda _: heard.set())
    turn = session.ask("Tell me what you can do.")
    assert heard.wait(30)
    return turn
"""
NOTHING: dict[str, Any] = {"threads": [], "tasks": [], "children": [], "sockets": 0, "folders": []}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment without keys, with a folder of its own for temporary files."""
    found = {name: value for name, value in os.environ.items() if not name.endswith("API_KEY")}
    return found | {"STEPNB_CLUSTER": "local", "TMPDIR": str(tmp_path)}


def run(code: str, environment: dict[str, str], folder: Path) -> dict[str, Any]:
    """Run code and return what it prints as its last line, as JSON."""
    source = LEFT + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def gone(pids: list[int]) -> bool:
    """Whether processes have ended, or do so soon; that nobody collects them is no fault of theirs."""
    processes = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    _, alive = psutil.wait_procs(processes, CHILDREN)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("how", ["close", "collection"])
def test_an_ended_session_leaves_nothing(how: str, environment: dict[str, str], tmp_path: Path) -> None:
    ending = {
        "close": "talk(session); session.close()",
        # The callback must not hold it; the turn does, so it goes, too.
        "collection": "closed = session._core; talk(session); del session; gc.collect(); ended(closed)",
    }[how]
    code = f"""
        def ended(core):
            # The log is closed last but for the status, which is what can be waited for.
            class Watch:
                def __init__(self): self.closed = threading.Event()
                def on_status(self, status): status.state == "closed" and self.closed.set()
                def __getattr__(self, name): return lambda *_: None
            watch = Watch()
            core.loop.call_soon_threadsafe(core.hub.listeners.append, watch)
            core.loop.call_soon_threadsafe(lambda: watch.on_status(core.hub.status))
            assert watch.closed.wait(30)

        session = sn.Session()
        session.connect()
        before = left()
        assert before["children"] and before["sockets"] and before["tasks"] and before["folders"], before
        {ending}
        for thread in threading.enumerate():
            if not thread.name.startswith(HOUSE):
                thread.join(10)  # those that wait for a child end right after it
        print(json.dumps(left()))
    """
    assert run(code, environment, tmp_path) == NOTHING


def test_twenty_openings_and_closings_leave_nothing(
    engine: LocalEngine, environment: dict[str, str], tmp_path: Path
) -> None:
    """Sockets, tasks and file descriptors do not add up."""
    code = f"""
        def once():
            with sn.Session({engine.url!r}, api_key={engine.key!r}) as session:
                session.ask("Hello").wait(30)

        once()
        gc.collect()  # a session that is closed can be read, so its files are open until it goes
        before = process.num_fds()
        for _ in range(20):
            once()
        gc.collect()
        grown = process.num_fds() - before
        print(json.dumps(left() | {{"grown": grown}}))
    """
    assert run(code, environment, tmp_path) == NOTHING | {"grown": 0}


def test_the_end_of_a_script_ends_its_sessions(environment: dict[str, str], tmp_path: Path) -> None:
    code = """
        session = sn.Session()
        turn = talk(session)
        print(json.dumps({"children": [child.pid for child in process.children(recursive=True)]}))
    """
    children = run(code, environment, tmp_path)["children"]
    assert children and gone(children)
    assert not list(tmp_path.glob("stepnb-*"))


def test_at_the_end_of_a_script_sessions_end_before_their_engine(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """A session whose engine ends first connects anew, which nothing can do any more by then."""
    code = """
        close = sn.LocalEngine.close

        def slow(engine):
            close(engine)
            threading.Event().wait(2)  # longer than a session waits before it connects anew

        sn.LocalEngine.close = slow
        session = sn.Session()
        talk(session)
        print(json.dumps({"connected": session.status.state != "idle"}))
    """
    assert run(code, environment, tmp_path)["connected"]


# In a kernel ----------------------------------------------------------------------------------------------------------


def descendants(kernel: Kernel) -> list[int]:
    return [
        int(pid)
        for pid in kernel.cell("print(*[child.pid for child in process.children(recursive=True)])").split()
    ]


@pytest.fixture
def kernel(environment: dict[str, str], tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(environment, tmp_path)
    try:
        kernel.cell(LEFT)
        yield kernel
    finally:
        kernel.close()


MAKE = """
session = sn.Session()
session.connect()
session.events.flush()
made, folders = globals().get("made", []), globals().get("folders", [])
made.append(session._core)
folders.append(session.events.spool.folder)
session
"""


def test_a_cell_that_runs_again_and_the_end_of_the_kernel(kernel: Kernel) -> None:
    kernel.cell(MAKE, cell="a")
    kernel.cell("turn = talk(session)")
    kernel.cell(MAKE, cell="a")
    kernel.cell(MAKE, cell="b")
    states = kernel.cell("print(*[core.hub.status.state for core in made])").split()
    assert states == ["closed", "ready", "ready"], "a cell that runs again ends its own session, and no other"
    children = descendants(kernel)
    assert children, "ears and mouth"
    folders = [Path(folder) for folder in kernel.cell("print(*folders)").split()]
    assert [folder.exists() for folder in folders] == [False, True, True]
    kernel.manager.shutdown_kernel(now=False)
    assert gone(children)
    assert not any(folder.exists() for folder in folders)


def test_a_kernel_that_is_killed_leaves_no_child(kernel: Kernel) -> None:
    kernel.cell(MAKE, cell="a")
    children = descendants(kernel)
    assert children
    kernel.manager.shutdown_kernel(now=True)
    assert gone(children)
