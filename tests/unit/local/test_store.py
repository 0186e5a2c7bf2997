"""The store: what it keeps, what it refuses, and that neither threads, processes nor kills break it."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.errors import EngineError
from stepnb.local import store as module
from stepnb.local.database import Page, UnknownId
from stepnb.local.library import Library, Passage
from stepnb.local.parts import VoiceSettings
from stepnb.local.store import FIRST_VECTOR_STORE, Store, StoredFile, StoreFull

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
SECONDS = int(NOON.timestamp())


def opened(path: Path | None, seed: int = 7) -> Store:
    return Store(path, seed=seed, now=lambda: NOON)


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "store.sqlite" if request.param == "file" else None)
    yield store
    store.close()


def add(store: Store, data: bytes = b"data", name: str = "a.txt", text: str | None = None) -> StoredFile:
    return store.add_file(io.BytesIO(data), filename=name, purpose="retrieval-text", text=text)


def test_files(store: Store) -> None:
    data = bytes(range(256)) * 10_000  # more than one piece
    file = add(store, data, "name.wav", "words")
    assert file == StoredFile(
        file.id, "retrieval-text", "name.wav", len(data), SECONDS, hashlib.sha256(data).hexdigest()
    )
    assert file.id.startswith("file-") and len(file.id) == 15
    other = add(store, b"")
    assert store.file(file.id) == file and store.content(file.id) == data and store.text(file.id) == "words"
    assert store.content(other.id) == b"" and store.text(other.id) is None
    assert [kept.id for kept in store.files()] == [other.id, file.id]
    store.delete_file(file.id)
    assert store.files() == [other]
    for call in (store.file, store.content, store.text, store.delete_file):
        with pytest.raises(UnknownId, match=f"no file {file.id}"):
            call(file.id)


def test_ids_follow_from_the_seed_and_never_come_again() -> None:
    first, second, different = opened(None), opened(None), opened(None, seed=8)
    ids = [add(first).id for _ in range(3)]
    assert ids == [add(second).id for _ in range(3)] and len(set(ids)) == 3
    assert add(different).id != ids[0]
    first.delete_file(ids[2])
    assert add(first).id not in ids


def test_limits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOTAL_BYTES", 10)
    monkeypatch.setattr(module, "MAX_FILES", 2)
    monkeypatch.setattr(module, "MAX_VOICES", 1)
    monkeypatch.setattr(module, "MAX_VECTOR_STORES", 1)
    add(store, bytes(8))
    with pytest.raises(StoreFull, match="take more"):
        add(store, bytes(3))
    add(store, bytes(2))
    with pytest.raises(StoreFull, match="2 files already"):
        add(store, b"")
    store.add_voice("1", file_id="f", model="m", settings=VoiceSettings())
    with pytest.raises(StoreFull, match="1 cloned voices"):
        store.add_voice("2", file_id="f", model="m", settings=VoiceSettings())
    store.add_vector_store("a", "text")
    with pytest.raises(StoreFull, match="1 vector stores"):
        store.add_vector_store("b", "text")
    assert len(store.files()) == 2


def test_voices(store: Store) -> None:
    settings = VoiceSettings(variant="m3", pitch=12, rate=130)
    voice, duplicated = store.add_voice("digest", file_id="file-1", model="tts", settings=settings)
    assert not duplicated and voice.settings == settings and voice.created_at == SECONDS
    assert store.voice(voice.id) == voice and store.voice("voice-tone-none") is None
    again = store.add_voice("digest", file_id="file-2", model="tts", settings=VoiceSettings())
    assert again == (voice, True)
    other, _ = store.add_voice("another", file_id="file-2", model="tts", settings=VoiceSettings())
    assert store.voices(Page()) == ([other, voice], False)
    elsewhere, _ = opened(None, seed=99).add_voice("digest", file_id="f", model="m", settings=settings)
    assert elsewhere.id == voice.id  # the same clip is the same voice everywhere


def test_vector_stores(store: Store) -> None:
    made = store.add_vector_store("manual", "text")
    assert made.id == str(FIRST_VECTOR_STORE + 1) and made.files == 0
    # Words of the second come first in the alphabet, but documents keep their order.
    first = add(
        store, name="b.txt", text="Beginning.\n\nMiddle of a text that is long enough to be no heading."
    )
    second, image = add(store, name="a.txt", text="An end."), add(store, name="c.png")
    store.attach(made.id, [(first.id, None), (second.id, "old"), (image.id, "A red bicycle.")])
    store.attach(made.id, [(second.id, "new")])
    assert store.vector_store(made.id).files == 3
    found, more = store.attachments(made.id, Page())
    assert not more and [(entry.id, entry.description) for entry in found] == [
        (image.id, "A red bicycle."),
        (second.id, "new"),
        (first.id, None),
    ]
    library: Library = store
    assert library.passages(made.id) == [
        Passage("Beginning.", "b.txt"),
        Passage("Middle of a text that is long enough to be no heading.", "b.txt"),
        Passage("An end.", "a.txt"),
        Passage("A red bicycle.", "c.png"),
    ]
    store.detach(made.id, first.id)
    store.delete_file(image.id)  # a deleted file leaves the vector stores
    assert store.passages(made.id) == [Passage("An end.", "a.txt")]
    with pytest.raises(UnknownId, match="is not in"):
        store.detach(made.id, first.id)
    store.delete_vector_store(made.id)
    assert store.passages(made.id) is None and store.file(second.id) == second
    for call in (store.vector_store, store.delete_vector_store):
        with pytest.raises(UnknownId, match="no vector store"):
            call(made.id)
    assert store.add_vector_store("next", "text").id == str(FIRST_VECTOR_STORE + 2)


def test_attaching_is_all_or_nothing(store: Store) -> None:
    made, file = store.add_vector_store("manual", "text"), add(store)
    with pytest.raises(UnknownId, match="no file file-none"):
        store.attach(made.id, [(file.id, None), ("file-none", None)])
    assert store.vector_store(made.id).files == 0
    with pytest.raises(UnknownId, match="no vector store"):
        store.attach("1", [(file.id, None)])


@given(
    count=st.integers(0, 9),
    limit=st.integers(1, 4),
    order=st.sampled_from(["asc", "desc"]),
    backwards=st.booleans(),
)
def test_walking_through_pages_meets_everything_once(
    count: int, limit: int, order: str, backwards: bool
) -> None:
    store = opened(None)
    ids = [store.add_vector_store(f"n{number}", "text").id for number in range(count)]
    expected = ids if order == "asc" else ids[::-1]
    walked: list[str] = []
    cursor = None
    while True:
        if cursor is None and backwards:
            cursor = expected[-1] if expected else None
            walked = expected[-1:]
        cursors = {"before" if backwards else "after": cursor}
        entries, more = store.vector_stores(Page(limit=limit, order=order, **cursors))  # type: ignore[arg-type]
        page = [entry.id for entry in entries]
        assert len(page) <= limit
        walked = page + walked if backwards and cursor else walked + page
        if not more:
            break
        cursor = page[0] if backwards else page[-1]
    assert walked == expected
    store.close()


def test_between_two_cursors() -> None:
    store = opened(None)
    ids = [store.add_vector_store(f"n{number}", "text").id for number in range(6)]
    entries, more = store.vector_stores(Page(order="asc", after=ids[0], before=ids[4], limit=2))
    assert [entry.id for entry in entries] == ids[1:3] and more
    with pytest.raises(UnknownId, match="no vector store 5"):
        store.vector_stores(Page(after="5"))


def test_a_cursor_of_another_vector_store_is_unknown() -> None:
    store = opened(None)
    one, two, file = store.add_vector_store("a", "text"), store.add_vector_store("b", "text"), add(store)
    store.attach(one.id, [(file.id, None)])
    with pytest.raises(UnknownId):
        store.attachments(two.id, Page(after=file.id))


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = opened(path)
    file = add(store, b"content", text="Some words.")
    voice, _ = store.add_voice("digest", file_id=file.id, model="m", settings=VoiceSettings(pitch=3))
    made = store.add_vector_store("manual", "text")
    store.attach(made.id, [(file.id, "d")])
    before = (store.files(), store.voices(Page()), store.vector_stores(Page()), store.passages(made.id))
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.files()
    store = opened(path)
    assert before == (
        store.files(),
        store.voices(Page()),
        store.vector_stores(Page()),
        store.passages(made.id),
    )
    assert store.voice(voice.id) == voice and store.content(file.id) == b"content"
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no database at all, but quite long enough to be looked at" * 20, "not a database"),
        (None, "another"),
    ],
)
def test_foreign_files_are_refused_and_left_alone(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "theirs"
    if content is None:
        theirs = sqlite3.connect(path)
        theirs.execute("CREATE TABLE precious (x)")
        theirs.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(EngineError, match=words):
        opened(path)
    assert path.read_bytes() == before


def test_another_version_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "s").close()
    database = sqlite3.connect(tmp_path / "s")
    database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(EngineError, match="written by version 2"):
        opened(tmp_path / "s")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be opened: No such file"):
        opened(tmp_path / "none" / "store.sqlite")


def test_many_threads(store: Store) -> None:
    def work(number: int) -> str:
        file = add(store, bytes([number]) * 100_000)
        assert store.content(file.id) == bytes([number]) * 100_000
        return file.id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(work, range(40)))
    assert len(set(ids)) == 40 == len(store.files())


WRITER = """
import io, sys
from datetime import UTC, datetime
from stepnb.local.parts import VoiceSettings
from stepnb.local.store import Store
path, number = sys.argv[1], int(sys.argv[2])
store = Store(path, seed=number, now=lambda: datetime.now(UTC))
for turn in range(int(sys.argv[3])):
    store.add_file(io.BytesIO(bytes([number]) * 200_000), filename="a.wav", purpose="storage")
    store.add_voice(str(turn), file_id="f", model="m", settings=VoiceSettings())
    print(turn, flush=True)
store.close()
"""


def writer(path: Path, number: int, turns: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(number), str(turns)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_several_processes_open_and_write_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    writers = [writer(path, number, 10) for number in range(1, 5)]
    assert [process.wait(60) for process in writers] == [0, 0, 0, 0]
    for process in writers:
        assert process.stdout is not None
        process.stdout.close()
    store = opened(path)
    assert len(store.files()) == 40 and len(store.voices(Page(limit=100))[0]) == 10
    for file in store.files():
        assert hashlib.sha256(store.content(file.id)).hexdigest() == file.digest
    store.close()
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


def test_a_killed_writer_leaves_whole_files_only(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    process = writer(path, 1, 100_000)
    assert process.stdout is not None
    for _ in range(5):
        process.stdout.readline()
    process.kill()
    process.wait(30)
    process.stdout.close()
    store = opened(path)
    assert len(store.files()) >= 5
    for file in store.files():
        assert hashlib.sha256(store.content(file.id)).hexdigest() == file.digest
    add(store)
    store.close()
