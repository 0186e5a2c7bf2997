"""``stepnb doctor`` as a user runs it, with a real kernel, a real engine and no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from stepnb import cli
from stepnb.checkup import command
from stepnb.checkup.row import NAMES, Row

KEY = "sk-doctor-9876543210-secret"
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: no test meets the service, whatever network there is."""
OFFLINE = ("python", "package", "jupyterlab", "widgets", "server", "engine", "audio", "kernel", "busy", "key")


def test_everything_voice_needs_is_here() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stepnb.cli", "doctor"],
        capture_output=True,
        text=True,
        env={**os.environ, "STEPFUN_API_KEY": KEY, "STEPNB_CLUSTER": "cn", "https_proxy": NOWHERE},
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "" and KEY not in done.stdout
    found = dict(
        re.findall(r"^(OK|note|FAILS|-) +(.+?)  ", done.stdout, re.MULTILINE)[i][::-1]
        for i in range(len(OFFLINE) + 3)
    )
    assert list(found) == [NAMES[check] for check in (*OFFLINE, "global", "cn", "clock")]
    assert {name: found[NAMES[name]] for name in OFFLINE} == dict.fromkeys(OFFLINE, "OK"), done.stdout
    assert "sessions use api.stepfun.com" in done.stdout
    assert [found[NAMES[name]] for name in ("global", "cn", "clock")] == ["note", "note", "-"]


def test_ctrl_c_ends_it_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> Iterator[Row]:
        yield Row("python", "ok", "x")
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "in_terminal", interrupted)
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("state", "status"), [("ok", 0), ("note", 0), ("open", 0), ("fails", 1)])
def test_only_what_fails_makes_the_status_1(
    state: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [Row("python", "ok", "x"), Row("engine", state, "y", "z"), Row("audio", "ok", "x")]  # type: ignore[arg-type]
    monkeypatch.setattr(command, "in_terminal", lambda: iter(rows))
    assert cli.main(["doctor"]) == status
    assert capsys.readouterr().out.count("\n") == 4
