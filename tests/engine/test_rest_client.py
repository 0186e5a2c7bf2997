"""Requests through a proxy that breaks things: what is tried again, what is not, and what the user is told."""

from __future__ import annotations

import io
import logging
import time
import traceback
from typing import Any

import msgspec
import pytest

from stepnb import errors
from stepnb.local.engine import LocalEngine
from stepnb.rest.client import Client, Requests
from stepnb.service.loop import io_thread
from tests.engine.rest_proxy import Fault, RestProxy

KEY = "sk-very-secret-0123456789"
FILES = "/v1/files"


@pytest.fixture(scope="module")
def engine() -> Any:
    with LocalEngine(api_key=KEY) as engine:
        yield engine


def ask(
    proxy: RestProxy | str, method: str = "GET", path: str = "/files", key: str = KEY, **options: Any
) -> Any:
    async def make() -> Any:
        async with Client(proxy if isinstance(proxy, str) else proxy.url, key).connect() as requests:
            return await requests.json(dict, method, path, **options)

    return io_thread.submit(make()).result(60)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, errors.BadRequest, "made up for a test"),
        (401, errors.AuthenticationError, "key"),
        (402, errors.BalanceExhausted, "Top up"),
        (404, errors.WrongPath, "Check the id"),
        (413, errors.BadRequest, "Send a smaller one"),
        (451, errors.ContentBlocked, "Content review"),
        (301, errors.HandshakeError, "refused"),
    ],
)
def test_what_cannot_succeed_is_asked_once(
    engine: LocalEngine, status: int, kind: type[errors.HandshakeError], words: str
) -> None:
    with RestProxy(engine, Fault("GET", FILES, status, times=9, headers={"X-Trace-Id": "trace-7"})) as proxy:
        with pytest.raises(kind, match=words) as caught:
            ask(proxy)
        assert proxy.seen[f"GET {FILES}"] == 1
    assert (caught.value.status, caught.value.trace_id) == (status, "trace-7")
    assert caught.value.fix


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(engine: LocalEngine, status: int) -> None:
    with RestProxy(engine, Fault("GET", FILES, status)) as proxy:
        assert ask(proxy)["object"] == "list"
        assert proxy.seen[f"GET {FILES}"] == 2


@pytest.mark.parametrize("cut", ["request", "answer"])
def test_a_broken_connection_is_made_again_where_that_is_safe(engine: LocalEngine, cut: Any) -> None:
    with RestProxy(engine, Fault("GET", FILES, cut=cut)) as proxy:
        assert ask(proxy)["object"] == "list"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("POST", "/v1/vector_stores", 500, after=True), errors.ServiceUnavailable),
        (Fault("POST", "/v1/vector_stores", cut="answer"), errors.ConnectionLost),
    ],
)
def test_what_may_have_happened_is_not_done_twice(
    engine: LocalEngine, fault: Fault, kind: type[errors.StepnbError]
) -> None:
    with RestProxy(engine, fault) as proxy:
        with pytest.raises(kind):
            ask(proxy, "POST", "/vector_stores", body={"name": "once"})
        assert proxy.seen["POST /v1/vector_stores"] == 1


def test_429_to_a_post_is_tried_again_because_nothing_was_done(engine: LocalEngine) -> None:
    with RestProxy(engine, Fault("POST", "/v1/vector_stores", 429, headers={"Retry-After": "0"})) as proxy:
        assert ask(proxy, "POST", "/vector_stores", body={"name": "later"})["name"] == "later"


def test_a_long_wait_is_said_and_not_waited_for(engine: LocalEngine) -> None:
    with (
        RestProxy(engine, Fault("GET", FILES, 429, headers={"Retry-After": "300"})) as proxy,
        pytest.raises(errors.RateLimited, match="wait for 300 s"),
    ):
        ask(proxy)


def test_what_came_of_a_doubtful_request_is_found_out(engine: LocalEngine) -> None:
    async def found() -> dict[str, Any]:
        return {"found": True}

    with RestProxy(engine, Fault("POST", "/v1/vector_stores", cut="answer")) as proxy:
        body = {"name": "doubtful"}
        assert ask(proxy, "POST", "/vector_stores", body=body, recover=found) == {"found": True}


def test_nobody_there() -> None:
    with pytest.raises(errors.Unreachable, match=r"127\.0\.0\.1 cannot be reached"):
        ask("ws://127.0.0.1:9/v1/realtime", "POST", "/vector_stores", body={"name": "x"})


def test_an_answer_of_another_shape(engine: LocalEngine) -> None:
    with (
        RestProxy(engine, Fault("GET", FILES, 200, body=b"<html>welcome to the hotel</html>")) as proxy,
        pytest.raises(errors.ConnectError, match="did not answer /files as documented"),
    ):
        ask(proxy)


def test_the_key_is_shown_nowhere(engine: LocalEngine) -> None:
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        told = b'{"error": {"message": "bad key sk-very-secret-0123456789", "type": "x"}}'
        faults = [
            Fault("GET", FILES, 401, body=told),
            Fault("GET", FILES, cut="answer", times=2),
            Fault("GET", FILES, 200, body=b"?"),
        ]
        with RestProxy(engine, *faults) as proxy:
            for _ in range(2):
                with pytest.raises(errors.StepnbError) as caught:
                    ask(proxy)
                report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
                shown.write("".join(report.format_exception_only()))
                ours = [frame for frame in report.stack if frame.filename != __file__]
                assert any(frame.name == "json" for frame in ours)
                shown.write(repr([(frame.name, frame.locals) for frame in ours]))
            assert proxy.headers["authorization"] == f"Bearer {KEY}"
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    shown.write(repr(Client(proxy.url, KEY)) + repr(Client(proxy.url, KEY).endpoint))
    assert "HTTP Request: GET" in shown.getvalue()  # what httpx logs was caught
    assert KEY not in shown.getvalue()


def test_an_account_has_one_name_and_it_is_not_the_key(engine: LocalEngine) -> None:
    async def name(url: str, key: str) -> str:
        async with Client(url, key).connect() as requests:
            return requests.account

    def account(url: str, key: str) -> str:
        return io_thread.submit(name(url, key)).result(30)

    plain, plan = "wss://api.example/v1/realtime", "wss://api.example/step_plan/v1/realtime"
    assert account(plain, "a") == account(plan, "a") != account(plain, "b")
    assert account(plain, "a") != account("wss://api.other/v1/realtime", "a")
    assert len(account(plain, "a")) == 24


def test_the_step_plan_has_only_some_addresses(engine: LocalEngine) -> None:
    with RestProxy(engine) as proxy:
        plan = proxy.url.replace("/v1/", "/step_plan/v1/")
        ask(plan)
        with pytest.raises(errors.WrongPath):
            ask(plan, "POST", "/audio/voices", body={"model": "stepaudio-2.5-tts", "file_id": "none"})
        assert set(proxy.seen) == {"GET /v1/files", "POST /step_plan/v1/audio/voices"}


def test_lists_are_read_to_their_end(engine: LocalEngine) -> None:
    class Entry(msgspec.Struct):
        id: str

    pages = [
        b'{"data": [{"id": "3"}, {"id": "2"}], "has_more": true, "last_id": "2"}',
        b'{"data": [{"id": "1"}], "has_more": false}',
    ]
    faults = [Fault("GET", "/v1/vector_stores", 200, body=page) for page in pages]

    async def all_of(url: str) -> list[Entry]:
        async with Client(url, KEY).connect() as requests:
            return await requests.all_of(Entry, "/vector_stores")

    with RestProxy(engine, *faults) as proxy:
        found = io_thread.submit(all_of(proxy.url)).result(30)
    assert [entry.id for entry in found] == ["3", "2", "1"]


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1:1")
    with pytest.raises(errors.ConfigError, match="proxy in the environment"):
        ask("wss://api.example/v1/realtime")


def test_the_engines_share_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepnb.local import shared as local

    monkeypatch.setenv("STEPNB_CLUSTER", "local")
    client = Client()

    async def look() -> Requests:
        async with client.connect() as requests:
            await requests.json(dict, "GET", "/files")
            return requests

    before = local._shared_users
    io_thread.submit(look()).result(60)
    io_thread.submit(look()).result(60)
    assert local._shared_users == before + 1
    client.close()
    deadline = time.monotonic() + 30
    while local._shared_users != before and time.monotonic() < deadline:
        time.sleep(0.02)  # it is given back on other threads, and nothing tells
    assert local._shared_users == before
