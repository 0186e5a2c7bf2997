"""Uploads: what is taken, what is refused, and that no upload costs more than its share."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from stepnb.local.engine import LocalEngine
from tests.engine.rest import LOW_SLOW, clip, connect, refused, upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with LocalEngine(seed=7) as engine, connect(engine) as http:
        yield http


def post(http: httpx.Client, name: str, data: bytes, purpose: str = "storage") -> httpx.Response:
    return http.post("/files", data={"purpose": purpose}, files={"file": (name, data)})


def test_life_of_a_file(http: httpx.Client) -> None:
    made = post(http, "Clip.WAV", clip(LOW_SLOW)).json()
    assert made["filename"] == "Clip.WAV" and made["bytes"] == len(clip(LOW_SLOW))
    assert made["status"] == "processed"
    found = http.get(f"/files/{made['id']}").json()
    assert found == {**made, "status": "success"}
    assert found in http.get("/files").json()["data"]
    assert http.delete(f"/files/{made['id']}").json() == {"id": made["id"], "object": "file", "deleted": True}
    refused(http.get(f"/files/{made['id']}"), 404, made["id"])
    refused(http.delete(f"/files/{made['id']}"), 404, made["id"])


@pytest.mark.parametrize(
    ("name", "data", "purpose"),
    [
        ("a.wav", b"RIFF\0\0\0\0WAVE", "storage"),
        ("a.mp3", b"ID3\4", "storage"),
        ("a.mp3", b"\xff\xfb\x90", "storage"),
        ("a.png", PNG, "storage"),
        ("a.jpeg", b"\xff\xd8\xff\xe0", "storage"),
        ("a.webp", b"RIFF\0\0\0\0WEBP", "storage"),
        ("a.gif", b"GIF89a", "storage"),
        ("a.mp4", b"\0\0\0\x18ftypmp42", "storage"),
        ("a.png", PNG, "retrieval-image"),
        ("a.md", b"words", "retrieval-text"),
        ("a.csv", b"a,b\n1,2", "file-extract"),
    ],
)
def test_formats(http: httpx.Client, name: str, data: bytes, purpose: str) -> None:
    assert post(http, name, data, purpose).status_code == 200


@pytest.mark.parametrize(
    ("name", "data", "purpose", "words"),
    [
        ("a.wav", b"fLaC" + bytes(100), "storage", "not wav, whatever"),
        ("a.mp3", b"RIFF\0\0\0\0WAVE", "storage", "not mp3, whatever"),
        ("a.flac", b"fLaC" + bytes(100), "storage", "must be one of .wav"),
        ("clip", b"RIFF\0\0\0\0WAVE", "storage", "must be one of .wav"),
        ("a.wav", b"", "storage", "is empty"),
        ("a.exe", b"MZ", "storage", "must be one of"),
        ("a.pdf", b"%PDF", "retrieval-text", "in the local engine"),
        ("a.txt", b"\xff\xff", "retrieval-text", "not text"),
        ("a.json", b"{", "file-extract", "JSON is broken"),
        ("a.txt", b"words", "retrieval-image", "must be one of .jpg"),
        ("a.wav", b"RIFF\0\0\0\0WAVE", "cloning", "purpose must be one of"),
        ("a.txt", b"words", "retrieval", "was retired"),
    ],
)
def test_refused(http: httpx.Client, name: str, data: bytes, purpose: str, words: str) -> None:
    refused(post(http, name, data, purpose), 400, words)


def test_forms_that_are_none(http: httpx.Client) -> None:
    wav = ("a.wav", b"RIFF\0\0\0\0WAVE")
    refused(http.post("/files", files={"file": wav}), 400, "purpose must be")
    refused(http.post("/files", data={"purpose": "storage"}), 415, "multipart/form-data")
    refused(http.post("/files", json={"purpose": "storage"}), 415, "multipart/form-data")
    refused(http.post("/files", files={"purpose": (None, "storage")}), 400, "file is missing")
    form = {"purpose": (None, "storage"), "url": (None, "https://example.com/a.wav")}
    refused(http.post("/files", files=form), 400, "fetches nothing")
    assert http.post("/files", files={**form, "file": wav}).status_code == 200  # the file wins
    refused(http.post("/files", files=[("file", wav), ("file", wav)]), 400, "form is broken")
    for boundary in ("; boundary=b", ""):
        kind = {"Content-Type": f"multipart/form-data{boundary}"}
        refused(http.post("/files", content=b"nonsense", headers=kind), 400, "form is broken")


def test_names(http: httpx.Client) -> None:
    for name, kept in (
        ("../../etc/x.txt", "x.txt"),
        ("C:\\Users\\me\\x.txt", "x.txt"),
        ("录音.txt", "录音.txt"),
        ("a" * 400 + ".txt", "a" * 251 + ".txt"),
        ("a\u200bb.txt", "ab.txt"),
    ):
        assert post(http, name, b"words", "retrieval-text").json()["filename"] == kept


def test_content(http: httpx.Client) -> None:
    page = upload(http, "a.html", b"<h1>Title</h1><p>One &amp; two", "file-extract")
    assert http.get(f"/files/{page}/content").text == "Title\n\nOne & two"
    other = upload(http, "a.md", b"words", "retrieval-text")
    refused(http.get(f"/files/{other}/content"), 400, "file-extract")


def test_more_than_128_mb_is_not_taken(http: httpx.Client) -> None:
    before = http.get("/files").json()
    refused(post(http, "a.wav", b"RIFF\0\0\0\0WAVE" + bytes(129 * MIB)), 413, "larger than 128 MB")

    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(140):
            yield bytes(MIB)

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    refused(http.post("/files", content=endless(), headers=kind), 413, "larger than 128 MB")
    assert http.get("/files").json() == before


def test_more_than_64_mb_of_a_document(http: httpx.Client) -> None:
    refused(post(http, "a.png", PNG + bytes(64 * MIB), "retrieval-image"), 413, "may have 64 MB")


def test_a_field_cannot_be_a_file(http: httpx.Client) -> None:
    refused(http.post("/files", files={"purpose": (None, "x" * 70_000)}), 400, "form is broken")


def test_the_store_fills_up(monkeypatch: pytest.MonkeyPatch, http: httpx.Client) -> None:
    monkeypatch.setattr("stepnb.local.store.MAX_FILES", 0)
    refused(post(http, "a.txt", b"words", "retrieval-text"), 400, "files already")


def test_many_uploads_at_once(http: httpx.Client) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda number: post(http, f"{number}.txt", b"words", "retrieval-text"), range(48))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 48


def test_an_upload_that_is_cut_off_leaves_nothing(http: httpx.Client) -> None:
    before = http.get("/files").json()

    def cut() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF'
        raise RuntimeError("the client gives up")

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    with pytest.raises(RuntimeError):
        http.post("/files", content=cut(), headers=kind)
    assert http.get("/files").json() == before


def test_ids_follow_from_the_seed() -> None:
    ids = []
    for _ in range(2):
        with LocalEngine(seed=3) as engine, connect(engine) as http:
            ids.append([upload(http, "a.txt", b"words", "retrieval-text") for _ in range(3)])
    assert ids[0] == ids[1]


def test_two_engines_on_one_file(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with (
        LocalEngine(seed=1, store=path) as one,
        LocalEngine(seed=2, store=path) as two,
        connect(one) as first,
        connect(two) as second,
        ThreadPoolExecutor(4) as pool,
    ):

        def work(number: int) -> str:
            return upload(
                (first, second)[number % 2], "a.txt", io.BytesIO(b"x" * 50_000).read(), "retrieval-text"
            )

        ids = list(pool.map(work, range(20)))
        listed = [[file["id"] for file in http.get("/files").json()["data"]] for http in (first, second)]
        assert listed[0] == listed[1] and set(listed[0]) == set(ids) and len(ids) == 20
