from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import stepnb as sn
from stepnb.experiments import claims
from stepnb.experiments.grid import Variant
from stepnb.experiments.inputs import Input
from stepnb.experiments.perform import Outcome
from stepnb.experiments.plan import Case
from stepnb.experiments.store import ScoreRow, Store
from stepnb.experiments.summary import TurnSummary
from stepnb.recording.archive import pack
from stepnb.recording.log import EventLog
from tests.unit.recording.story import append, delta, words

TURN = TurnSummary(said="hello", spoken=False, answer="hi", status="completed")
CAME = np.random.default_rng(2).integers(-3000, 3000, 7200, np.int16).tobytes()


def case(key: str = "k1") -> Case:
    variant = Variant("v", {}, {}, {"voice": "v"})
    return Case(key, variant, Input("hello", name="hello"), 0, 1, "local", (0, 0, 0))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("story")
    log = EventLog(folder / "spool")
    append(log, bytes(960))
    words(log, "Hello")
    delta(log, CAME)
    return pack(log, folder / "run.stepnb").read_bytes()


def outcome(recording: bytes, key: str = "k1", error: str | None = None) -> Outcome:
    return Outcome(key=key, recording=recording, error=error, started=1.0, seconds=2.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "x")


def test_a_run_comes_back_as_it_was(store: Store, packed: bytes) -> None:
    scores = [ScoreRow(key="k1", scorer="s", name="wer", value=0.25)]
    store.add(case(), outcome(packed), [TURN], scores)
    (run,) = store.runs()
    assert (run.variant, run.input, run.turns, run.attempts) == ("v", "hello", [TURN], 1)
    assert store.scores() == scores
    recording = store.recording("k1")
    (item,) = recording.conversation.items.values()
    assert item.text == "Hello"
    assert recording.events.audio.read(item.audio) == CAME


def test_audio_lies_in_flac_files_named_by_their_content(store: Store, packed: bytes) -> None:
    store.add(case("k1"), outcome(packed, "k1"), [TURN], [])
    store.add(case("k2"), outcome(packed, "k2"), [TURN], [])
    files = sorted((store.folder / "audio").rglob("*.flac"))
    assert len(files) == 2  # one a lane; the same audio is kept once
    assert any(sn.Clip.load(path).pcm == CAME for path in files)


def test_a_run_that_is_done_stays_as_it_is(store: Store, packed: bytes) -> None:
    store.add(case(), outcome(packed), [TURN], [])
    store.add(case(), outcome(packed, error="late"), [], [])
    assert store.runs()[0].error is None


def test_a_failed_run_is_replaced_and_counted(store: Store, packed: bytes) -> None:
    store.add(case(), outcome(packed, error="gone"), [], [])
    assert store.done() == frozenset()
    store.add(case(), outcome(packed), [TURN], [])
    assert store.done() == {"k1"}
    assert store.runs()[0].attempts == 2


def test_a_claim_is_held_until_it_is_given_up(store: Store, packed: bytes) -> None:
    ours, theirs = claims.new_owner(), claims.new_owner()
    assert store.claim("k1", ours, again=True) == "yours"
    assert store.claim("k1", theirs, again=True) == "held"
    store.release(ours)
    assert store.claim("k1", theirs, again=True) == "yours"
    store.add(case(), outcome(packed), [TURN], [])
    assert store.claim("k1", ours, again=True) == "done"


def test_the_claim_of_a_dead_process_is_worth_nothing(store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from stepnb.experiments import claims;"
        "from stepnb.experiments.store import Store;"
        "print(Store(Path(sys.argv[1])).claim('k1', claims.new_owner(), again=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "yours"
    assert store.claim("k1", claims.new_owner(), again=True) == "yours"


def test_two_writers_do_not_lose_anything(store: Store, packed: bytes) -> None:
    def work(name: str) -> None:
        own = Store(store.folder)
        for n in range(20):
            own.add(case(f"{name}{n}"), outcome(packed, f"{name}{n}"), [TURN], [])

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.done()) == 40


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite").write_bytes(b"this is no database, whatever its name says" * 40)
    with pytest.raises(sn.ExperimentError, match="is damaged"):
        Store(tmp_path)


def test_a_newer_format_is_named(store: Store) -> None:
    with sqlite3.connect(store.folder / "runs.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(sn.ExperimentError, match="format 99"):
        Store(store.folder)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a file")
    with pytest.raises(sn.ExperimentError, match="Choose another folder"):
        Store(tmp_path / "x")


def test_missing_audio_is_said_and_the_rest_is_there(store: Store, packed: bytes) -> None:
    store.add(case(), outcome(packed), [TURN], [])
    for path in (store.folder / "audio").rglob("*.flac"):
        path.unlink()
    recording = store.recording("k1")
    assert any("audio are missing" in notice for notice in recording.notices)
    with pytest.raises(sn.ExperimentError, match="no run 'k9'"):
        store.recording("k9")


def test_scores_of_a_scorer_replace_its_earlier_ones(store: Store, packed: bytes) -> None:
    store.add(case(), outcome(packed), [TURN], [ScoreRow(key="k1", scorer="a", name="x", value=1)])
    store.score(
        "k1", [ScoreRow(key="k1", scorer="a", name="y", value=2), ScoreRow(key="k1", scorer="b", name="z")]
    )
    assert {(score.scorer, score.name) for score in store.scores()} == {("a", "y"), ("b", "z")}
    assert store.scored("b") == {"k1"}


def test_the_latest_rating_counts_and_all_are_kept(store: Store) -> None:
    store.rate("rating", "k1", "2")
    store.rate("rating", "k1", "4", blind=True)
    store.rate("note", "k1", "too slow")
    store.rate("rating", "k2", "5")
    assert store.latest_ratings("k1") == {"rating": "4", "note": "too slow"}
    assert [(one.key, one.value, one.blind) for one in store.ratings()] == [
        ("k1", "2", False),
        ("k1", "4", True),
        ("k1", "too slow", False),
        ("k2", "5", False),
    ]
