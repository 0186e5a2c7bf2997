"""Who gets in, and what the others are told."""

from __future__ import annotations

import json
import socket

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from stepnb.local.engine import LocalEngine
from stepnb.protocol import catalog
from tests.engine.client import MODEL, TIMEOUT_S, Client


def refused(url: str, **headers: str) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        connect(url, additional_headers=headers, proxy=None)
    return caught.value


def check(error: InvalidStatus, status: int, words: str) -> None:
    response = error.response
    assert response.status_code == status
    assert response.headers["x-trace-id"]
    body = json.loads(response.body)
    assert words in body["error"]["message"] and body["error"]["type"]


@pytest.mark.parametrize("key", ["Bearer wrong", "wrong", "Bearer ", None])
def test_wrong_key(engine: LocalEngine, key: str | None) -> None:
    headers = {"Authorization": key} if key is not None else {}
    check(refused(f"{engine.url}?model={MODEL}", **headers), 401, "Incorrect API key")


def test_a_refusal_is_no_error_of_the_engine(engine: LocalEngine, caplog: pytest.LogCaptureFixture) -> None:
    check(refused(f"{engine.url}?model={MODEL}"), 401, "Incorrect API key")
    with Client(engine) as client:
        client.ask("hello")
    assert not [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


@pytest.mark.parametrize(("query", "words"), [("", "missing"), ("?model=gpt", "does not exist")])
def test_bad_model(engine: LocalEngine, query: str, words: str) -> None:
    check(refused(engine.url + query, Authorization=f"Bearer {engine.key}"), 400, words)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/audio", "sibling"),
        ("/asr/stream", "sibling"),
        ("/stateless", "sibling"),
        ("x", "nothing at"),
    ],
)
def test_other_paths(engine: LocalEngine, path: str, words: str) -> None:
    check(refused(f"{engine.url}{path}?model={MODEL}", Authorization=f"Bearer {engine.key}"), 404, words)


@pytest.mark.parametrize(
    "origin", ["https://example.com", "http://127.0.0.1.example.com", "null", "http://[broken"]
)
def test_pages_of_other_sites(engine: LocalEngine, origin: str) -> None:
    error = refused(f"{engine.url}?model={MODEL}", Authorization=f"Bearer {engine.key}", Origin=origin)
    check(error, 403, "pages of other sites")


@pytest.mark.parametrize("origin", ["http://localhost:8888", "http://127.0.0.1:8888", "http://[::1]:8888"])
def test_pages_of_this_machine(engine: LocalEngine, origin: str) -> None:
    headers = {"Authorization": f"Bearer {engine.key}", "Origin": origin}
    with connect(f"{engine.url}?model={MODEL}", additional_headers=headers, proxy=None) as socket:
        assert json.loads(socket.recv(TIMEOUT_S))["type"] == "session.created"


def test_rebound_name(engine: LocalEngine) -> None:
    headers = {"Authorization": f"Bearer {engine.key}", "Host": "attacker.example:80"}
    response = httpx.get(engine.rest_url + "/audio/system_voices", headers=headers, trust_env=False)
    assert response.status_code == 403 and "Host" in response.json()["error"]["message"]


def test_names_of_an_engine_on_all_addresses() -> None:
    with LocalEngine(host="0.0.0.0") as engine:
        url = f"http://127.0.0.1:{engine.rest_url.rpartition(':')[2]}/audio/voices"
        names = {
            "attacker.example:80": 403,
            "": 403,
            "192.168.1.7:8765": 200,
            "[::1]:8765": 200,
            f"{socket.gethostname()}:8765": 200,
            f"{socket.gethostname().upper()}.local": 200,
        }
        for name, status in names.items():
            headers = {"Authorization": f"Bearer {engine.key}", "Host": name}
            assert httpx.get(url, headers=headers, trust_env=False).status_code == status, name


@pytest.mark.parametrize("model", [known.id for known in catalog.models()])
def test_every_known_model(engine: LocalEngine, model: str) -> None:
    with Client(engine, model) as client:
        assert client.created["session"]["model"] == model
        assert client.socket.response is not None and client.socket.response.headers["x-trace-id"]


def test_too_many_sessions() -> None:
    with LocalEngine(max_sessions=1) as engine, Client(engine):
        error = refused(f"{engine.url}?model={MODEL}", Authorization=f"Bearer {engine.key}")
        check(error, 429, "more than 1")


def test_session_limit() -> None:
    with (
        LocalEngine(profile="live:session_limit_s=0.2") as engine,
        Client(engine) as client,
    ):
        assert client.until("error")[-1]["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as caught:
            client.receive()
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1000


def test_rest(engine: LocalEngine) -> None:
    headers = {"Authorization": f"Bearer {engine.key}"}
    with httpx.Client(headers=headers, trust_env=False) as http:
        voices = http.get(f"{engine.rest_url}/audio/system_voices", params={"model": "step-tts-2"})
        assert voices.status_code == 200 and voices.headers["x-trace-id"]
        body = voices.json()
        assert "linjiajiejie" in body["voices"]
        assert body["voices-details"]["linjiajiejie"]["voice-name"] == "邻家姐姐"
        cases = [
            ("GET", "/audio/system_voices", 400),
            ("POST", "/audio/system_voices", 405),
            ("OPTIONS", "/audio/voices", 405),
            ("GET", "/filesystem", 404),
            ("GET", "/models", 404),
            ("GET", "/realtime/audio", 404),
            ("GET", "/realtime", 426),
        ]
        for method, path, status in cases:
            response = http.request(method, engine.rest_url + path)
            assert response.status_code == status, path
            assert response.json()["error"]["message"] and response.headers["x-trace-id"]
    without_key = httpx.get(f"{engine.rest_url}/audio/system_voices", trust_env=False)
    assert without_key.status_code == 401 and without_key.json()["error"]["type"] == "invalid_api_key"
