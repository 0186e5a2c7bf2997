"""A kernel, really started: whether it comes up with this package, and what a busy cell does to a widget's messages."""

from __future__ import annotations

import json
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any

import stepnb

from .here import UPDATE, version_of
from .row import Row

NAME = "python3"
_START_S = 15.0
_STEP_S = 10.0
_PINGS = 20
_SLOW_MS = 300.0
_ABOUT = """
import json, sys
about = {"python": sys.executable}
try:
    import ipykernel, stepnb
    from stepnb.widgets.doctor import Doctor
    doctor = Doctor(lambda: [])
    about |= {"ipykernel": ipykernel.__version__, "stepnb": stepnb.__version__, "comm": doctor.comm.comm_id}
except Exception as error:
    about["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(about))
"""
_INSTALL = 'pip install "stepnb[lab]"'


def kernel() -> Iterator[Row]:
    """Start a kernel; yields the rows "kernel" and, when it came up, "busy"."""
    try:
        from jupyter_client.kernelspec import NoSuchKernel
        from jupyter_client.manager import KernelManager
    except ImportError:
        yield Row("kernel", "fails", "No Jupyter kernel is installed in this environment.", f"{_INSTALL}.")
        return
    manager = KernelManager(kernel_name=NAME)
    with tempfile.TemporaryFile() as log:
        begun = time.monotonic()
        try:
            manager.start_kernel(stdout=subprocess.DEVNULL, stderr=log)
        except (NoSuchKernel, OSError) as error:
            fix = f"Make it: {_INSTALL}, then {sys.executable} -m ipykernel install --sys-prefix."
            yield Row("kernel", "fails", f"The kernel {NAME} does not start: {error}.", fix)
            return
        try:
            yield from _rows(manager, begun, log)
        finally:
            manager.shutdown_kernel(now=True)


def _rows(manager: Any, begun: float, log: IO[bytes]) -> Iterator[Row]:
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(_START_S)
        came_up = time.monotonic() - begun
        about = json.loads(_run(client, _ABOUT))
    except (RuntimeError, ValueError, queue.Empty) as error:
        client.stop_channels()
        said = _last_line(log) or str(error) or f"no answer within {_STEP_S:g} s"
        yield Row("kernel", "fails", f"The kernel {NAME} did not come up: {said}", f"Try: {_INSTALL}.")
        return
    try:
        if "error" in about:
            fix = f"Install stepnb there: {about['python']} -m pip install stepnb. Or choose another kernel."
            text = f"{NAME} runs {about['python']}, without a working stepnb ({about['error']})."
            yield Row("kernel", "fails", text, fix)
            return
        text = f"{NAME} came up in {came_up:.1f} s: ipykernel {about['ipykernel']}, {about['python']}"
        if about["stepnb"] == stepnb.__version__:
            yield Row("kernel", "ok", text)
        else:
            fix = f"Where that is not meant: {about['python']} -m pip install --upgrade stepnb."
            yield Row("kernel", "note", f"{text}, and stepnb {about['stepnb']}, not this one.", fix)
        yield busy(client, about["comm"])
    except queue.Empty:
        yield Row("busy", "note", f"The kernel fell silent for {_STEP_S:g} s.", UPDATE)
    finally:
        client.stop_channels()


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def busy(client: Any, comm: str) -> Row:
    """Measure how long a widget's message takes while a cell keeps the kernel busy.

    Parameters
    ----------
    client
        A started client of the kernel.
    comm
        The comm of a `Doctor` there, which the kernel's user calls ``doctor``.
    """
    subshell = _subshell(client)
    if subshell is None:
        text = f"ipykernel {version_of('ipykernel')} has no subshells: messages wait for running cells."
        return Row("busy", "note", text, UPDATE)
    request = client.session.msg(
        "execute_request", {"code": "doctor.hold()", "silent": False, "store_history": False}
    )
    client.shell_channel.send(request)
    held = False
    while not held:
        held = _told(_next(client), "held") is not None
    times: list[float] = []
    while len(times) < _PINGS:
        sent = time.monotonic()
        _ping(client, comm, subshell, len(times))
        if not _pong_comes(client):
            break
        times.append((time.monotonic() - sent) * 1000)
    if len(times) < _PINGS or statistics.median(times) > _SLOW_MS:
        return Row("busy", "note", "A widget's messages wait until the cell ends.", UPDATE)
    p95 = sorted(times)[int(0.95 * len(times))]
    text = f"a widget's messages go around it: p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms"
    return Row("busy", "ok", text)


def _pong_comes(client: Any) -> bool:
    """Wait for the pong; False: the cell ended before it came."""
    while True:
        message = _next(client)
        if _told(message, "pong") is not None:
            return True
        told = _told(message, "held")
        if told is not None and not told["on"]:
            return False


def _ping(client: Any, comm: str, subshell: str, n: int) -> None:
    content = {"v": 1, "k": "ping", "seq": n, "t": 0.0, "view": "doctor"}
    data = {"method": "custom", "content": content}
    message = client.session.msg("comm_msg", {"comm_id": comm, "data": data})
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)


def _subshell(client: Any) -> str | None:
    client.control_channel.send(client.session.msg("create_subshell_request", {}))
    try:
        reply = client.get_control_msg(timeout=_STEP_S)
    except queue.Empty:
        return None
    found = reply["content"].get("subshell_id")
    return str(found) if found else None


def _run(client: Any, code: str) -> str:
    request = client.session.msg("execute_request", {"code": code, "silent": False, "store_history": False})
    client.shell_channel.send(request)
    printed = ""
    while True:
        message = _next(client)
        if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
            continue
        content = message["content"]
        if message["msg_type"] == "stream" and content["name"] == "stdout":
            printed += content["text"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            return printed


def _next(client: Any) -> dict[str, Any]:
    message: dict[str, Any] = client.get_iopub_msg(timeout=_STEP_S)
    return message


def _told(message: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """What a widget tells its page, if it is of that kind."""
    data = message["content"].get("data", {}) if message["msg_type"] == "comm_msg" else {}
    content: dict[str, Any] = data.get("content") or {}
    return content if data.get("method") == "custom" and content.get("k") == kind else None
