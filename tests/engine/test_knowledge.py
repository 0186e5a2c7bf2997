"""Knowledge bases against the engine: made, filled, asked in a session, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from tests.engine.rest_proxy import Fault, RestProxy


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(speed=None) as engine:  # on the real clock: when a file came is compared with it
        yield engine


@pytest.fixture
def knowledge(engine: LocalEngine) -> Iterator[sn.Knowledge]:
    knowledge = sn.Knowledge(engine.url, api_key=engine.key)
    yield knowledge
    for store in knowledge.list():
        knowledge.delete(store)


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    path = tmp_path / "manual.md"
    path.write_text(
        "# The coffee machine\n\nDescale the coffee machine every four weeks with citric acid.\n\n"
        "# The lamp\n\nThe lamp takes bulbs of the type E27.\n",
        "utf-8",
    )
    return path


def test_a_session_answers_from_what_was_uploaded(
    engine: LocalEngine, knowledge: sn.Knowledge, manual: Path
) -> None:
    store = knowledge.create("manual")
    (file_id,) = store.upload(manual)
    assert store.files() == [file_id]
    tool = store.tool("The manual of the coffee machine. Look here for every question about it.")
    assert isinstance(tool, sn.Retrieval)
    with sn.Session(engine.url, api_key=engine.key, tools=[tool]) as session:
        turn = session.ask("How often should I descale the coffee machine?").wait(timeout=30)
    assert "four weeks" in turn.transcript


def test_stores_are_listed_found_and_deleted(knowledge: sn.Knowledge) -> None:
    first, second = knowledge.create("first"), knowledge.create("second", type="image")
    assert [store.id for store in knowledge.list()] == [second.id, first.id]
    again = knowledge.get(second.id)
    assert (again.name, again.type) == ("second", "image")
    assert again.created is not None
    knowledge.delete(first.id)
    with pytest.raises(sn.WrongPath, match="no vector store"):
        knowledge.get(first.id)
    page = knowledge.list()._repr_html_()  # type: ignore[attr-defined]
    assert "second" in page
    assert "first" not in page


def test_a_file_is_removed_from_store_and_account(
    engine: LocalEngine, knowledge: sn.Knowledge, manual: Path
) -> None:
    store = knowledge.create("manual")
    (file_id,) = store.upload(manual)
    store.remove(file_id)
    assert store.files() == []
    assert "0 files" in repr(store)
    with pytest.raises(sn.WrongPath):
        store.remove(file_id)


def test_it_can_be_awaited(knowledge: sn.Knowledge, manual: Path) -> None:
    async def work() -> list[str]:
        store = await knowledge.create.aio("awaited")
        await store.upload.aio(manual)
        return await store.files.aio()

    assert len(asyncio.run(work())) == 1


def test_an_upload_whose_answer_was_lost_is_not_made_twice(engine: LocalEngine, manual: Path) -> None:
    with RestProxy(engine, Fault("POST", "/v1/files", cut="answer")) as proxy:
        store = sn.Knowledge(proxy.url, api_key=engine.key).create("lost")
        assert len(store.upload(manual)) == 1
        assert proxy.seen["POST /v1/files"] == 1


def test_a_connection_cut_in_the_middle_of_an_upload(engine: LocalEngine, manual: Path) -> None:
    manual.write_text("The answer is forty two. " * 200_000, "utf-8")
    with RestProxy(engine, Fault("POST", "/v1/files", cut="request")) as proxy:
        store = sn.Knowledge(proxy.url, api_key=engine.key).create("cut")
        assert len(store.upload(manual)) == 1
        assert proxy.seen["POST /v1/files"] == 2


def test_processing_that_fails_or_never_ends(engine: LocalEngine, manual: Path) -> None:
    for status, words in (("failed", "could not process"), ("parsing", "not processed within 0.3 s")):
        with RestProxy(engine) as proxy:
            store = sn.Knowledge(proxy.url, api_key=engine.key).create("slow")
            body = f'{{"id": "f-1", "filename": "manual.md", "status": "{status}"}}'.encode()
            proxy.faults += [
                Fault("POST", "/v1/files", 200, body=b'{"id": "f-1"}'),
                Fault("GET", "/v1/files/f-1", 200, body=body, times=99),
            ]
            with pytest.raises(sn.ServiceError, match=words):
                store.upload(manual, timeout=0.3)
            assert proxy.seen[f"POST /v1/vector_stores/{store.id}/files"] == 0


@pytest.mark.parametrize("name", ["", "_x", "with space", "a-b", "名"])
def test_names_the_service_would_refuse(knowledge: sn.Knowledge, name: str) -> None:
    with pytest.raises(sn.ConfigError, match="cannot be used"):
        knowledge.create(name)


def test_files_the_service_would_refuse(knowledge: sn.Knowledge, tmp_path: Path) -> None:
    store = knowledge.create("checks")
    empty, program = tmp_path / "empty.txt", tmp_path / "program.exe"
    empty.touch()
    program.write_bytes(b"MZ")
    cases = {tmp_path / "none.txt": "no file", program: "These can", empty: "is empty"}
    for path, words in cases.items():
        with pytest.raises(sn.ConfigError, match=words):
            store.upload(path)
    with pytest.raises(sn.ConfigError, match="nothing to upload"):
        store.upload()
    with pytest.raises(sn.ConfigError, match="'text' or 'image'"):
        knowledge.create("x", type="sound")  # type: ignore[arg-type]


def test_names_are_text_in_the_table(engine: LocalEngine) -> None:
    body = b'{"data": [{"id": 7, "name": "<script>alert(1)</script>"}]}'
    with RestProxy(engine, Fault("GET", "/v1/vector_stores", 200, body=body)) as proxy:
        page = sn.Knowledge(proxy.url, api_key=engine.key).list()._repr_html_()  # type: ignore[attr-defined]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
