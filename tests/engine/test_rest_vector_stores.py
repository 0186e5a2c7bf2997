"""Vector stores: files in and out, and what retrieval gets to read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from stepnb.local.engine import LocalEngine
from tests.engine.client import Client, transcript_of
from tests.engine.rest import connect, refused, upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with LocalEngine(seed=7) as engine, connect(engine) as http:
        yield http


def make(http: httpx.Client, **body: str) -> str:
    store_id: str = http.post("/vector_stores", json={"name": "n", **body}).raise_for_status().json()["id"]
    return store_id


def attach(http: httpx.Client, store: str, *files: dict[str, str]) -> httpx.Response:
    return http.post(f"/vector_stores/{store}/files", json={"files": list(files)})


def test_life_of_a_vector_store(http: httpx.Client) -> None:
    store = make(http)
    files = [upload(http, f"{name}.txt", b"words", "retrieval-text") for name in "abc"]
    answer = attach(http, store, *({"file_id": file} for file in files)).json()
    assert answer == {"files": [{"file_id": file, "metadata": {}} for file in files]}
    assert http.get(f"/vector_stores/{store}").json()["file_counts"]["completed"] == 3
    listed = http.get(f"/vector_stores/{store}/files", params={"limit": 2}).json()
    assert [entry["id"] for entry in listed["data"]] == files[:0:-1] and listed["has_more"]
    assert http.delete(f"/vector_stores/{store}/files/{files[0]}").json()["deleted"]
    http.delete(f"/files/{files[1]}")
    assert http.get(f"/vector_stores/{store}").json()["file_counts"]["total"] == 1
    assert http.delete(f"/vector_stores/{store}").json()["object"] == "vector_store.deleted"
    assert http.get("/vector_stores").json() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    assert http.get(f"/files/{files[2]}").status_code == 200


@pytest.mark.parametrize("name", ["", "_manual", "a b", "a-b", "手册", "a\n", "a" * 256])
def test_wrong_names(http: httpx.Client, name: str) -> None:
    refused(http.post("/vector_stores", json={"name": name}), 400, "name")


def test_files_that_do_not_fit(http: httpx.Client) -> None:
    text, image = make(http), make(http, type="image")
    document = upload(http, "a.txt", b"words", "retrieval-text")
    picture = upload(http, "a.png", PNG, "retrieval-image")
    refused(attach(http, text, {"file_id": picture}), 400, "retrieval-text")
    refused(attach(http, image, {"file_id": document, "description": "d"}), 400, "retrieval-image")
    refused(attach(http, image, {"file_id": picture}), 400, "needs a description")
    refused(attach(http, text, {"file_id": document}, {"file_id": "file-none"}), 404, "file-none")
    refused(attach(http, text, {"file_id": document, "description": "d" * 256}), 400, "description")
    refused(attach(http, text), 400, "files")
    assert http.get(f"/vector_stores/{text}").json()["file_counts"]["total"] == 0
    described = attach(http, image, {"file_id": picture, "description": "A bicycle."}).json()
    assert described["files"] == [{"file_id": picture, "metadata": {"description": "A bicycle."}}]
    listed = http.get(f"/vector_stores/{image}/files").json()["data"]
    assert listed[0]["metadata"] == {"description": "A bicycle."}


def test_a_session_answers_from_what_was_uploaded() -> None:
    manual = (
        b"# Kettle K7\n\nThe warranty of the kettle is three years.\n\nIts cable is ninety centimetres long."
    )
    with LocalEngine(seed=7, speed=None) as engine, connect(engine) as http:
        store = make(http)
        attach(http, store, {"file_id": upload(http, "kettle.md", manual, "retrieval-text")})
        function = {"description": "The kettle's manual.", "options": {"vector_store_id": store}}
        with Client(engine) as client:
            client.update(tools=[{"type": "retrieval", "function": function}], modalities=["text"])
            assert "three years" in transcript_of(client.ask("What is the warranty of the kettle?"))
