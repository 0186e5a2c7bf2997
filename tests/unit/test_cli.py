"""``stepnb serve`` as a user runs it: in a process of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from stepnb import cli

TIMEOUT_S = 60.0
MODEL = "stepaudio-2.5-realtime"


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def serve(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stepnb.cli", "serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_and_stop(number: signal.Signals) -> None:
    with serve("--port", "0", "--api-key", "my-key", "--seed", "3") as process:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], TIMEOUT_S)
        assert readable
        ready = re.fullmatch(
            r"stepnb local engine ready at (ws://127\.0\.0\.1:\d+/v1/realtime) with key my-key\n",
            process.stdout.readline(),
        )
        assert ready
        headers = {"Authorization": "Bearer my-key"}
        with connect(f"{ready[1]}?model={MODEL}", additional_headers=headers, proxy=None) as websocket:
            assert "session.created" in str(websocket.recv(TIMEOUT_S))
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert out == "", "the ready line is the only one"
    assert "session 1: opened" in err and "session 1: closed" in err
    assert "Traceback" not in err and "my-key" not in err


def test_port_taken(port: int) -> None:
    with serve("--port", str(port)) as process:
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1 and out == ""
    assert (
        err == f"stepnb: Port {port} on 127.0.0.1 is taken. Choose another one, or 0 for any that is free.\n"
    )


def test_wrong_arguments_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", "70000"]) == 1
    assert capsys.readouterr().err.startswith("stepnb: The port is 70000.")


def test_open_address_is_warned_about(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    # The port is taken on all addresses' loopback part, so this ends at once.
    assert cli.main(["serve", "--host", "0.0.0.0", "--port", str(port)]) == 1
    assert "can be reached from other machines" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["serve", "--profile", "loud"], ["nonsense"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2 and "usage: stepnb" in capsys.readouterr().err
