"""The REST side against its documentation: tests/data/rest.json says what is sent and what must come back."""

from __future__ import annotations

import base64
import copy
import logging
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from stepnb.local.engine import LocalEngine
from tests.engine.rest import HIGH_FAST, LOW_SLOW, SPEC, Json, clip, connect, refused, upload

ENDPOINTS: dict[str, Json] = {f"{spec['method']} {spec['path']}": spec for spec in SPEC["endpoints"]}
BODIES = [
    name for name, spec in ENDPOINTS.items() if spec["request"].get("content_type") == "application/json"
]
PAGED = [name for name, spec in ENDPOINTS.items() if "limit" in spec["request"].get("query", {})]


class World:
    """An engine with one of everything, and documented requests to all of it."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.clip = upload(http, "low.wav", clip(LOW_SLOW))
        self.document = upload(http, "manual.md", b"# Manual\n\nTurn it on.", "retrieval-text")
        self.extract = upload(http, "notes.txt", b"plain text", "file-extract")
        http.post(
            "/audio/voices", json={"model": "stepaudio-2.5-tts", "file_id": self.clip}
        ).raise_for_status()
        self.store = self._vector_store()
        self.attach(self.store)

    def send(self, name: str, body: Json | None = None, **more: Any) -> httpx.Response:
        """Send the documented request of an endpoint."""
        spec = ENDPOINTS[name]
        method, path = name.split(" ")
        ids = {"vector_store_id": self.store, "file_id": self.extract}
        if "vector_store_id" in spec["request"].get("path", {}):
            ids["file_id"] = self.document
        if name.startswith("DELETE"):  # of what is there for it
            file = upload(self.http, "gone.txt", b"text", "retrieval-text")
            store = self._vector_store()
            self.attach(store, file)
            ids = {"vector_store_id": store, "file_id": file}
        path = more.pop("path", path.format(**ids)).removeprefix("/v1")
        if name == "POST /v1/files":
            more.setdefault("data", {"purpose": "storage"})
            more.setdefault("files", {"file": ("sample.wav", clip(HIGH_FAST))})
        elif name in BODIES:
            more["json"] = self.body(name) if body is None else body
        elif name == "GET /v1/audio/system_voices":
            more.setdefault("params", {"model": "step-tts-2"})
        return self.http.request(method, path, **more)

    def body(self, name: str, *, everything: bool = False) -> Json:
        """Build a body of the required fields, or of all documented ones."""
        values: Json = {
            "file_id": self.clip,
            "text": "The old bridge over the river was closed last winter.",
            "sample_text": "The weather is lovely today.",
            "input": "The weather is lovely today.",
            "voice": "linjiajiejie",
            "name": "manual_en",
            "files": [{"file_id": self.document, "description": "user manual"}],
            "instruction": "calmly",
            "speed": 1.5,
            "volume": 0.5,
            "pronunciation_map": {"tone": ["lovely/nice"]},
            "markdown_filter": True,
            "return_url": False,
        }
        built = {}
        for field, spec in ENDPOINTS[name]["request"]["body"].items():
            # A label cannot be used with the model that takes an instruction; another test sends one.
            if spec["required"] or (everything and field != "voice_label"):
                built[field] = values[field] if field in values else spec["enum"][0]
        return built

    def attach(self, store: str, file: str | None = None) -> None:
        body = {"files": [{"file_id": file or self.document, "description": "user manual"}]}
        self.http.post(f"/vector_stores/{store}/files", json=body).raise_for_status()

    def _vector_store(self) -> str:
        made: str = (
            self.http.post("/vector_stores", json={"name": "manual_en"}).raise_for_status().json()["id"]
        )
        return made


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with LocalEngine(seed=7) as engine, connect(engine) as http:
        yield World(http)


def assert_shaped(value: Any, example: Any, where: str) -> None:
    """Assert that every documented key is there with a value of the documented type."""
    if isinstance(example, dict):
        assert isinstance(value, dict), where
        for key, inner in example.items():
            if where.endswith("voices-details"):  # its keys are voices
                assert_shaped(next(iter(value.values())), inner, f"{where}[...]")
                continue
            assert key in value, f"{where}.{key} is missing"
            assert_shaped(value[key], inner, f"{where}.{key}")
    elif isinstance(example, list):
        assert isinstance(value, list), where
        assert value, where
        assert_shaped(value[0], example[0], f"{where}[0]")
    else:
        assert type(value) is type(example), f"{where} is {value!r}"


@pytest.mark.parametrize("name", ENDPOINTS)
def test_documented_exchange(world: World, name: str) -> None:
    response = world.send(name)
    spec = ENDPOINTS[name]["response"]
    assert response.status_code == spec["status"], response.text
    assert response.headers["x-trace-id"]
    if isinstance(spec["example"], dict):
        assert response.headers["content-type"] == "application/json"
        assert_shaped(response.json(), spec["example"], name)
    elif name == "POST /v1/audio/speech":
        assert response.headers["content-type"] == "audio/mpeg" and len(response.content) > 5000
    else:
        assert response.headers["content-type"].startswith("text/plain")
        assert response.text == "plain text"


@pytest.mark.parametrize("name", BODIES)
def test_every_documented_field_is_taken(world: World, name: str) -> None:
    response = world.send(name, world.body(name, everything=True))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("name", [name for name, spec in ENDPOINTS.items() if spec["step_plan_variant"]])
def test_step_plan(world: World, name: str) -> None:
    address = world.http.base_url.copy_with(path=ENDPOINTS[name]["step_plan_variant"])
    response = world.http.post(address, json=world.body(name))
    assert response.status_code == 200, response.text


def variants() -> Iterator[tuple[str, str, Any, bool]]:
    """Documented bounds as single changes of a good body: endpoint, field, value, and whether it is good."""
    for name in BODIES:
        for field, spec in ENDPOINTS[name]["request"]["body"].items():
            for value in spec.get("enum", []):
                yield name, field, value, True
            if "enum" in spec:
                yield name, field, "something else" if spec["type"] == "string" else 12345, False
            if "min" in spec:
                yield name, field, spec["min"], True
                yield name, field, spec["max"], True
                yield name, field, spec["min"] * 0.9, False
                yield name, field, spec["max"] * 1.1, False
            if "max_length" in spec:
                yield name, field, "a" * spec["max_length"], True
                yield name, field, "a" * (spec["max_length"] + 1), False
            yield name, field, {"integer": "text", "number": "text", "boolean": 1}.get(spec["type"], 5), False
            if spec["required"]:
                yield name, field, ..., False


@pytest.mark.parametrize(("name", "field", "value", "good"), list(variants()))
def test_documented_bounds(world: World, name: str, field: str, value: Any, good: bool) -> None:
    body = copy.deepcopy(world.body(name))
    if value is ...:
        del body[field]
    else:
        body[field] = value
    if field == "type" and name == "POST /v1/vector_stores" and good:
        assert world.send(name, body).json()["type"] == value
        return
    if field == "input" and good:
        body["response_format"] = "wav"
    response = world.send(name, body)
    if good:
        assert response.status_code == 200, response.text
    else:
        refused(response, 400, "")


@pytest.mark.parametrize("name", PAGED)
@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"limit": -1}, {"order": "up"}], ids=str
)
def test_wrong_pages(world: World, name: str, params: Json) -> None:
    refused(world.send(name, params=params), 400, next(iter(params)))


@pytest.mark.parametrize("name", PAGED)
def test_pages(world: World, name: str) -> None:
    for params in ({"limit": "100", "order": "asc"}, {"limit": 1, "order": "desc"}):
        body = world.send(name, params=params).json()
        assert body["object"] == "list" and len(body["data"]) <= int(params["limit"])
        assert body["first_id"] == body["data"][0]["id"] and body["last_id"] == body["data"][-1]["id"]
        assert isinstance(body["has_more"], bool)
    refused(world.send(name, params={"after": "nobody"}), 404, "nobody")


@pytest.mark.parametrize("name", [name for name in ENDPOINTS if "{" in name])
def test_unknown_ids(world: World, name: str) -> None:
    path = ENDPOINTS[name]["path"].format(vector_store_id="1", file_id="file-none")
    refused(world.send(name, path=path), 404, "there is no")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_without_the_key(world: World, name: str) -> None:
    for key in ("Bearer wrong", ""):
        refused(world.send(name, headers={"Authorization": key}), 401, "Incorrect API key")


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"file_id=1", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json; charset=utf-8", 400),
        (b'"\xff"', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b" " * (1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_broken_bodies(world: World, name: str, content: bytes, kind: str, status: int) -> None:
    path = ENDPOINTS[name]["path"].format(vector_store_id=world.store).removeprefix("/v1")
    refused(world.http.post(path, content=content, headers={"Content-Type": kind}), status, "")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/files", 405),
        ("DELETE", "/audio/voices", 405),
        ("GET", "/audio/speech", 405),
        ("DELETE", "/audio/voices/voice-tone-0", 404),
        ("GET", "/filesystem", 404),
        ("GET", "/models", 404),
    ],
)
def test_other_requests(world: World, method: str, path: str, status: int) -> None:
    refused(world.http.request(method, path), status, path)


def test_every_answer_has_its_own_trace_id(world: World) -> None:
    ids = {world.http.get("/files").headers["x-trace-id"] for _ in range(5)}
    assert len(ids) == 5


def test_too_many_requests(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepnb.local.rest_wire.MAX_REQUESTS", 0)
    refused(world.http.get("/files"), 429, "at a time")


def test_a_broken_store_is_an_error_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalEngine() as engine, connect(engine) as http:

        def broken(_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr("stepnb.local.store.Store.files", broken)
        refused(http.get("/files"), 503, "store failed")


def test_a_bug_is_an_error_of_the_service_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    class Log(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[0] is ZeroDivisionError:
                logged.set()

    logged = threading.Event()
    log = Log()
    logging.getLogger().addHandler(log)
    try:
        monkeypatch.setattr("stepnb.local.store.Store.files", broken)
        response = world.http.get("/files")
        refused(response, 500, "internal error")
        # The server ends the connection after a bug: a client that kept it would send its next request to nobody.
        assert response.headers["connection"] == "close"
        assert logged.wait(30), "the bug is in the log"
    finally:
        logging.getLogger().removeHandler(log)


def test_a_connection_outlives_its_place_in_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both ended it at the same time, a request could go into a connection that is just being closed."""
    kept: list[float] = []
    on_response_complete = AutoHTTPProtocol.on_response_complete

    def note(protocol: Any) -> None:
        on_response_complete(protocol)
        assert protocol.timeout_keep_alive_task
        kept.append(protocol.timeout_keep_alive_task.when() - protocol.loop.time())

    monkeypatch.setattr(AutoHTTPProtocol, "on_response_complete", note)
    with LocalEngine() as engine, connect(engine) as http:
        http.get("/files").raise_for_status()
    (seconds,) = kept
    in_the_pool = httpx.Limits().keepalive_expiry
    assert in_the_pool is not None and seconds > 2 * in_the_pool


NOT_GIVEN = {"402": "nothing costs money", "451": "nothing is reviewed", "504": "there is no gateway"}


def test_every_documented_status_is_given() -> None:
    """400, 401, 404, 413, 429, 500 and 503 by the tests above, each in the documented shape."""
    given = {"400", "401", "404", "413", "429", "500", "503"}
    assert given | set(NOT_GIVEN) == set(SPEC["error"]["statuses"])


def test_the_preview_is_playable(world: World) -> None:
    body = world.send("POST /v1/audio/voices/preview").json()
    audio = base64.b64decode(body["sample_audio"])
    assert audio[:3] == b"ID3" or audio[0] == 0xFF  # MP3 is the default


def test_every_documented_endpoint_is_tried() -> None:
    assert len(ENDPOINTS) == len(SPEC["endpoints"]) == 17
