"""Key, clusters and clock, against servers of this machine."""

from __future__ import annotations

import email.utils
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from stepnb.checkup import network

KEY = "sk-doctor-0123456789-secret"


class Server:
    """Answers 404 with a date, as a service does where nothing is, and keeps what it was asked."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                outer.asked.append(f"{self.requestline}\n{self.headers}")
                self.send_response_only(404)
                self.send_header("Date", email.utils.formatdate(time.time() + outer.ahead_s, usegmt=True))
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_a_cluster_that_answers_is_reached_without_the_key(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPFUN_API_KEY", KEY)
    reached = network.cluster("cn", server.url)
    assert reached.row.state == "ok" and reached.row.text.startswith("api.stepfun.com answers in ")
    (asked,) = server.asked
    assert asked.startswith("HEAD / ") and KEY not in asked and "uthorization" not in asked


def test_the_clock_is_compared_with_the_clusters(server: Server) -> None:
    assert network.clock([network.cluster("global", server.url).ahead_s]).state == "ok"
    server.ahead_s = -3600.0
    row = network.clock([network.cluster("global", server.url).ahead_s, None])
    assert row.state == "note" and row.text in (
        "It is 3600 s fast.",
        "It is 3599 s fast.",
        "It is 3601 s fast.",
    )
    assert network.clock([-90.0]).text == "It is 90 s slow."
    assert network.clock([None, None]).state == "open"
    assert network._ahead("yesterday", 0.0) is None


def test_what_is_not_reached_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url, words in (
        (f"http://127.0.0.1:{port}/", "refused"),
        ("http://no-such-name.invalid/", "its name was not found"),
    ):
        reached = network.cluster("global", url)
        assert reached.row.state == "note" and reached.ahead_s is None
        assert words in reached.row.text and "local engine works" in reached.row.fix


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reached = network.cluster("global", f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert "no answer within 0.2 s" in reached.row.text


def test_a_refused_certificate_is_called_so() -> None:
    refused = ssl.SSLCertVerificationError("bad")
    refused.verify_message = "self-signed certificate"
    error = httpx.ConnectError("handshake")
    error.__cause__ = refused
    assert network._reason(error) == "its certificate was refused (self-signed certificate)"


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STEPFUN_API_KEY", "STEP_API_KEY", "STEPNB_CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("no_key")
def test_the_key_is_found_and_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert network.key().text.startswith("none: sessions use the local engine")
    (tmp_path / ".env").write_text(f"STEPFUN_API_KEY={KEY}\n")
    rows = [network.key()]
    monkeypatch.setenv("STEP_API_KEY", KEY)
    rows.append(network.key())
    monkeypatch.setenv("STEPNB_CLUSTER", "cn")
    rows.append(network.key())
    assert [row.text for row in rows] == [
        "found in .env in this folder; sessions use api.stepfun.ai",
        "found in the environment; sessions use api.stepfun.ai",
        "found in the environment; sessions use api.stepfun.com",
    ]
    monkeypatch.setenv("STEP_API_KEY", f"{KEY}\u00fc")
    row = network.key()
    assert row.state == "note" and "Copy it again" in row.fix
    assert not any(KEY in repr(row) for row in (*rows, row))


@pytest.mark.usefixtures("no_key")
def test_a_cluster_without_its_key_and_an_unknown_one_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, words in (("cn", "needs an API key"), ("nowhere", "is not known")):
        monkeypatch.setenv("STEPNB_CLUSTER", name)
        monkeypatch.setenv("STEPFUN_API_KEY", "" if name == "cn" else KEY)
        row = network.key()
        assert row.state == "note" and words in row.text and row.fix
