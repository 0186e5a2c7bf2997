"""The companion tab's server, over real sockets: who is let in, one tab at a time, and that it ends."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import stepnb as sn
from stepnb.service.loop import io_thread
from stepnb.widgets import companion
from stepnb.widgets.ladder import elsewhere

KEY = "sk-never-in-the-tab"


@pytest.fixture
def session() -> Iterator[sn.Session]:
    with sn.Session("ws://127.0.0.1:9/v1/realtime", api_key=KEY) as session:
        yield session


def parts(url: str) -> tuple[str, str]:
    """The host and port of a companion's address, and its token."""
    address, token = url.removeprefix("http://").split("/#")
    return address, token


def come_in(url: str, *, token: str | None = None, origin: str | None = None) -> ClientConnection:
    address, given = parts(url)
    return connect(
        f"ws://{address}/session?{token if token is not None else given}",
        origin=origin or f"http://{address}",  # type: ignore[arg-type]
        open_timeout=10,
    )


def get(url: str, path: str = "/", host: str | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    address, _ = parts(url)
    client = http.client.HTTPConnection(address, timeout=10)
    try:
        client.putrequest("GET", path, skip_host=True)
        client.putheader("Host", host or address)
        client.endheaders()
        response = client.getresponse()
        return response.status, response.headers, response.read()
    finally:
        client.close()


def hello(tab: ClientConnection, view: str = "tab") -> dict[str, Any]:
    """Say hello as a view does; returns the first message of the kernel."""
    first: dict[str, Any] = json.loads(tab.recv(10))
    tab.send(json.dumps({"v": 1, "k": "hello", "seq": 0, "t": 1.0, "view": view}))
    return first


def until(tab: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(tab.recv(10))
        if message.get("k") == kind:
            return message


def test_the_page_is_served_to_its_own_name_alone_and_holds_no_secret(session: sn.Session) -> None:
    url = session.companion()
    assert url.startswith("http://127.0.0.1:")
    status, headers, page = get(url)
    assert status == 200 and b"companion.js" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert parts(url)[1].encode() not in page and KEY.encode() not in page
    for path in ("/companion.js", "/companion.css"):
        assert get(url, path)[0] == 200
    for path in ("/../panel.js", "/panel.js", "/session/x"):
        assert get(url, path)[0] == 404
    port = parts(url)[0].partition(":")[2]
    for name in (f"attacker.example:{port}", f"localhost:{port}", "127.0.0.1", f"127.0.0.1:{port}."):
        assert get(url, host=name)[0] == 421


def test_only_its_own_page_with_the_token_is_let_in(session: sn.Session) -> None:
    url = session.companion()
    address, token = parts(url)
    for refused in ("", "x", token[:-1], token + "x", token.swapcase(), "é"):
        with pytest.raises(InvalidStatus) as refusal:
            come_in(url, token=refused)
        assert refusal.value.response.status_code in (400, 403)
    for origin in (
        "http://evil.example",
        "null",
        f"https://{address}",
        f"http://localhost:{address.partition(':')[2]}",
        "http://127.0.0.1",
    ):
        with pytest.raises(InvalidStatus) as refusal:
            come_in(url, origin=origin)
        assert refusal.value.response.status_code == 403
    with pytest.raises(InvalidStatus), connect(f"ws://{address}/session?{token}", open_timeout=10):
        pass  # no Origin: no browser
    with come_in(url) as tab:
        assert "state" in hello(tab)
        assert until(tab, "welcome")["view"] == "tab"


def test_one_tab_at_a_time_and_a_link_opens_once(session: sn.Session) -> None:
    url = session.companion()
    with come_in(url) as tab:
        secret = hello(tab)["resume"]
        message = until(tab, "owner")
        assert (message["view"], message["place"]) == ("tab", "companion")
        for token in (None, secret):
            with pytest.raises(InvalidStatus) as refusal:
                come_in(url, token=token)
            assert refusal.value.response.status_code == (409 if token else 403)
        with pytest.raises(sn.ConfigError, match="open already"):
            session.companion()
    soon_owner(session, None)
    with pytest.raises(InvalidStatus):
        come_in(url)  # the link is used up
    with come_in(url, token=secret) as again:  # the tab was loaded anew
        assert hello(again)["resume"] != secret


def test_two_who_ask_at_once_get_addresses_of_one_server(session: sn.Session) -> None:
    server = session.panel._bridge.companion

    async def both() -> list[str]:
        return await asyncio.gather(server.start(), server.start())

    first, second = io_thread.submit(both()).result(10)
    assert parts(first)[0] == parts(second)[0]
    with come_in(second) as tab:
        assert hello(tab)["state"]


def test_who_waits_for_a_server_that_is_stopped_is_told(session: sn.Session) -> None:
    server = session.panel._bridge.companion

    async def stopped() -> None:
        starting = asyncio.create_task(server.start())
        await asyncio.sleep(0)  # it has begun, and waits
        server.stop()
        with pytest.raises(sn.StepnbError, match="stopped"):
            await asyncio.wait_for(starting, 10)

    io_thread.submit(stopped()).result(20)
    assert get(session.companion())[0] == 200


def soon_owner(session: sn.Session, name: str | None) -> None:
    """Wait until the sound has that owner."""

    async def wait() -> None:
        owner = session._input.owner
        changed = asyncio.Event()
        owner.changed.append(changed.set)
        try:
            async with asyncio.timeout(10):
                while owner.name != name:
                    await changed.wait()
                    changed.clear()
        finally:
            owner.changed.remove(changed.set)

    io_thread.submit(wait()).result(15)


def test_traits_go_both_ways_and_what_does_not_fit_is_refused(session: sn.Session) -> None:
    url = session.companion()
    bridge = session.panel._bridge
    with come_in(url) as tab:
        state = hello(tab)["state"]
        assert state["min_speech_ms"] == 0 and KEY not in json.dumps(state)
        for bad in ('{"set": {"min_speech_ms": "x"}}', '{"set": {"status": {}}}', '{"set": 1}', "[1", '"k"'):
            tab.send(bad)
        tab.send('{"set": {"min_speech_ms": 501}}')
        tab.send('{"set": {"min_speech_ms": 200}}')
        while "min_speech_ms" not in (state := json.loads(tab.recv(10)).get("state", {})):
            pass
        assert state == {"min_speech_ms": 200} and session.panel.min_speech_ms == 200
        assert bridge.counts["unknown"] == 6
        # It is one view, and speaks for no other.
        tab.send(
            json.dumps(
                {"v": 1, "k": "talk", "seq": 1, "t": 2.0, "view": "another", "on": True, "how": "toggle"}
            )
        )
        session.panel.min_speech_ms = 100
        while json.loads(tab.recv(10)).get("state") != {"min_speech_ms": 100}:
            pass
        assert session._input.owner.name == "tab" and "another" not in bridge.views


def test_it_ends_with_the_session(session: sn.Session) -> None:
    url = session.companion()
    with come_in(url) as tab:
        hello(tab)
        session.close()
        with pytest.raises(ConnectionClosed):
            until(tab, "nothing of the kind")
    with pytest.raises(ConnectionRefusedError):
        get(url)


def test_a_server_that_nobody_comes_to_ends_by_itself(
    session: sn.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companion, "UNUSED", 0.05)
    url = session.companion()
    task = session.panel._bridge.companion._task

    async def ended() -> None:
        await asyncio.wait([task], timeout=10)

    io_thread.submit(ended()).result(15)
    assert task.done()
    with pytest.raises(ConnectionRefusedError):
        get(url)
    assert get(session.companion())[0] == 200


def test_where_a_kernel_is_taken_to_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepnb.widgets.ladder._CONTAINER_FILES", ())
    assert elsewhere({}) is None
    assert elsewhere({"SSH_CONNECTION": "10.0.0.1 22"}) == "it was started over SSH"
    assert elsewhere({"CODESPACES": "true", "STEPNB_LOCAL": "1"}) is None
    assert elsewhere({"STEPNB_LOCAL": "0"}) is not None
