"""Experiments on the real engine: planned, run, interrupted, killed, resumed, spread, reported."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stepnb as sn
from stepnb import scorers as sc
from stepnb.local.engine import LocalEngine

SPEECH = Callable[[str], bytes]


@pytest.fixture
def at(engine: LocalEngine) -> dict[str, object]:
    """Where experiments of a test go."""
    return {"cluster": engine.url}


def test_a_grid_from_nothing_to_a_table(at: dict[str, object], engine: LocalEngine, tmp_path: Path) -> None:
    x = sn.Experiment(
        "names",
        grid={
            "instructions": {"plain": None, "nova": "Your name is Nova.", "iris": "Your name is Iris."},
            "voice": ["linjiajiejie", "cixingnansheng"],
        },
        inputs=["What is your name?", "Who are you?"],
        repeats=3,
        fixed=at,
        scorers=[sc.Contains("Nova", name="nova"), sc.Latency()],
        folder=tmp_path / "names",
        api_key=engine.key,
    )
    assert len(x.plan().left) == 36
    assert "36 sessions to run" in repr(x.plan())
    x.run()
    df = x.df()
    assert len(df) == 36
    assert set(df["status"]) == {"completed"}
    assert (df["nova"] == (df["instructions"] == "nova")).all()
    assert x.plan().left == []
    told = [str(one) for one in x.compare("nova", by="instructions", baseline="plain")]
    assert told[0] == "nova is higher than plain by 1 [1, 1], 12 pairs."
    assert told[1].startswith("No difference between iris and plain can be told")
    saved = x.gallery()._repr_mimebundle_()[0]["text/html"]
    assert saved.count("<audio") == 12, "a saved page plays an answer of each variant to each input"
    assert saved.count("Nova") == 4


def test_what_is_there_is_not_run_again(at: dict[str, object], engine: LocalEngine, tmp_path: Path) -> None:
    def made(inputs: list[str]) -> sn.Experiment:
        return sn.Experiment(
            "again",
            grid={"voice": ["linjiajiejie"]},
            inputs=inputs,
            fixed=at,
            folder=tmp_path,
            api_key=engine.key,
        )

    first = made(["What is two plus two?"]).run()
    began = [run.started for run in first.runs]
    second = made(["What is two plus two?", "What is two plus three?"])
    assert len(second.plan().left) == 1
    second.run()
    assert [run.started for run in second.runs if run.input.endswith("two?")] == began
    assert len(second.runs) == 2


def test_a_changed_scorer_scores_what_is_kept(
    at: dict[str, object], engine: LocalEngine, tmp_path: Path
) -> None:
    def made(*scorers: object) -> sn.Experiment:
        return sn.Experiment(
            "scored", grid={"voice": ["linjiajiejie"]}, inputs=["What is two plus two?"], fixed=at,
            scorers=scorers, folder=tmp_path, api_key=engine.key,
        )  # fmt: skip

    made().run()

    def words(turn: sn.Turn) -> int:
        return len(turn.transcript.split())

    def broken(turn: sn.Turn) -> int:
        raise RuntimeError("no")

    x = made(words, broken, sc.Interrupted()).score()
    assert x.df()["words"].tolist() == [3.0]
    notes = {score.name: score.note for score in x.store.scores()}
    assert notes["broken"] == "RuntimeError: no"
    assert notes["interrupted.heard"] == "not exercised"
    assert x.df()["interrupted.heard"].isna().all()


def test_speech_is_heard_interrupted_and_scored(
    at: dict[str, object], engine: LocalEngine, tmp_path: Path, speech: SPEECH
) -> None:
    question = sn.Clip.from_pcm(speech("tell me a joke"))
    second = sn.Clip.from_pcm(speech("what time is it"))
    x = sn.Experiment(
        "spoken",
        grid={"noise": [None, 30]},
        inputs={
            "asked": sn.Input(question, said="Tell me a joke."),
            "broken in on": [question, sn.Interruption(second, after=0.6)],
        },
        fixed=at,
        scorers=[sc.WER(), sc.Interrupted(), sc.Pitch(), sc.WordsPerMinute(), sc.Language("en")],
        folder=tmp_path,
        api_key=engine.key,
    ).run()
    df = x.df()
    assert set(df["status"]) == {"completed"}
    asked = df[df["input"] == "asked"]
    assert (asked["wer"] <= 0.5).all()
    assert asked["interrupted.heard"].isna().all()
    cut = df[df["input"] == "broken in on"]
    assert cut["turns"].tolist() == [2, 2]
    # It was broken in on after 0.6 s; the speech has to be heard before anything is cut.
    assert cut["interrupted.heard"].between(600, 2500).all()
    assert (cut["interrupted.unheard"] > 0).all()
    assert (df["language"] == 1).all()


async def asks_twice(call: sn.Call) -> None:
    first = await call.say("What is two plus two?")
    assert "4" in first.transcript
    await call.say("And times three?")


async def gives_up(call: sn.Call) -> None:
    await call.say("What is two plus two?")
    raise ValueError("I have had enough")


def test_callers_are_functions_and_their_errors_are_results(
    at: dict[str, object], engine: LocalEngine, tmp_path: Path
) -> None:
    x = sn.Experiment(
        "callers", grid={"voice": ["linjiajiejie"]}, inputs={"twice": asks_twice, "gives up": gives_up},
        fixed=at, folder=tmp_path, api_key=engine.key,
    )  # fmt: skip
    x.run()
    runs = {run.input: run for run in x.runs}
    assert [turn.status for turn in runs["twice"].turns] == ["completed", "completed"]
    assert runs["gives up"].error == "ValueError: I have had enough"
    assert len(runs["gives up"].turns) == 1
    assert len(x.plan().left) == 1  # a failed run is to be made again


def test_a_second_session_plays_the_person(
    at: dict[str, object], engine: LocalEngine, tmp_path: Path
) -> None:
    caller = sn.SimulatedCaller("You ask what things cost.", opening="What is two plus two?", turns=2)
    x = sn.Experiment(
        "two", grid={"voice": ["linjiajiejie"]}, inputs={"person": caller}, fixed=at, folder=tmp_path,
        api_key=engine.key,
    )  # fmt: skip
    x.run()
    (run,) = x.runs
    assert run.error is None
    assert len(run.turns) >= 2
    assert all(turn.spoken for turn in run.turns)


def test_the_budget_and_stop_begin_no_further_run(
    at: dict[str, object], engine: LocalEngine, tmp_path: Path
) -> None:
    x = sn.Experiment(
        "stopped", grid={"voice": ["linjiajiejie"]}, inputs=["What is two plus two?"], repeats=12, fixed=at,
        limits={"local": sn.Limits(1, None)}, folder=tmp_path, api_key=engine.key,
    )  # fmt: skip
    handle = x.start()
    while handle.progress.done == 0:
        time.sleep(0.02)  # the handle has nothing to wait on but its end
    handle.stop()
    progress = handle.wait(60)
    assert 0 < progress.done < 12
    assert "it was stopped" in repr(handle)
    assert x.start().wait(60).done == 12


def test_cancelling_closes_the_sessions_and_gives_up_the_claims(
    at: dict[str, object], engine: LocalEngine, tmp_path: Path
) -> None:
    begun = threading.Event()

    async def endless(call: sn.Call) -> None:
        await call.say("What is two plus two?")
        begun.set()
        await asyncio.Event().wait()

    x = sn.Experiment(
        "cancelled", grid={"voice": ["linjiajiejie"]}, inputs={"endless": endless}, fixed=at, folder=tmp_path,
        api_key=engine.key,
    )  # fmt: skip
    handle = x.start()
    assert begun.wait(60)
    handle.cancel()
    assert not handle.running
    assert x.store.done() == frozenset()
    with sqlite3.connect(tmp_path / "runs.sqlite") as db:
        assert db.execute("SELECT count(*) FROM claims").fetchone() == (0,)
    db.close()


def test_the_key_is_not_kept(at: dict[str, object], engine: LocalEngine, tmp_path: Path) -> None:
    x = sn.Experiment(
        "secret", grid={"voice": ["linjiajiejie"]}, inputs=["What is two plus two?"], fixed=at, folder=tmp_path / "s",
        api_key=engine.key,
    ).run()  # fmt: skip
    x.report(tmp_path / "s" / "r.html")
    for path in (tmp_path / "s").rglob("*"):
        if path.is_file():
            assert engine.key.encode() not in path.read_bytes(), path
    assert engine.key not in repr(x)


KILLED = """
import sys
import stepnb as sn
folder, url, key = sys.argv[1:]
x = sn.Experiment("killed", grid={"voice": ["linjiajiejie", "cixingnansheng"]},
                  inputs=[f"What is {n} plus two?" for n in range(8)], fixed={"cluster": url}, folder=folder,
                  api_key=key)
print("begun", flush=True)
x.run()
print("ended", flush=True)
"""


# For each line a child that runs a code; prints its process id, then how it ended. What is imported, is imported once.
FORKING = """
import os, sys
import stepnb as sn
sn.Experiment, sn.Session
_, code, *sys.argv[1:] = sys.argv
for _ in sys.stdin:
    said, says = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(said, 1)
        exec(code)
        os._exit(0)
    print(pid, flush=True)
    os.write(says, b".")
    _, status = os.waitpid(pid, 0)
    print(status, ".", sep="\\n", flush=True)
    os.close(said), os.close(says)
"""


def test_ctrl_c_ends_cleanly_and_running_again_goes_on(engine: LocalEngine, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), engine.url, engine.key],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "begun"
    until = time.monotonic() + 60
    while not _rows(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)  # nothing but the store is there to look at
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0 and "KeyboardInterrupt" in said and "it was cancelled" in said
    kept = _rows(tmp_path)
    assert 0 < len(kept) < 16
    with sqlite3.connect(tmp_path / "runs.sqlite") as db:
        assert db.execute("SELECT count(*) FROM claims").fetchone() == (0,)
    db.close()
    again = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), engine.url, engine.key],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    assert "ended" in again.stdout
    assert dict(kept).items() <= dict(_rows(tmp_path)).items()
    assert len(_rows(tmp_path)) == 16


def test_kill_9_loses_nothing_and_does_nothing_twice(engine: LocalEngine, tmp_path: Path) -> None:
    """Twenty random kills while 16 runs are made; each finished run is there once and unchanged."""
    randomness = random.Random(4)
    seen: dict[str, float] = {}
    kills = 0
    with subprocess.Popen(
        [sys.executable, "-c", FORKING, KILLED, str(tmp_path), engine.url, engine.key],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        for _ in range(200):
            process.stdin.write(b"\n")
            pid = int(process.stdout.readline())
            assert process.stdout.readline() == b"begun\n"
            if kills < 20 and not select.select([process.stdout], [], [], randomness.uniform(0.05, 0.5))[0]:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            *_, status = iter(process.stdout.readline, b".\n")
            now = {row[0]: row[1] for row in _rows(tmp_path)}
            assert seen.items() <= now.items(), "a finished run was made again or lost"
            seen = now
            if int(status) == 0:
                break
        process.stdin.close()
    assert len(seen) == 16
    assert kills >= 5
    store = sn.Experiment(
        "killed", grid={"voice": ["linjiajiejie"]}, inputs=["x"], fixed={"cluster": engine.url}, folder=tmp_path,
        api_key=engine.key,
    ).store  # fmt: skip
    for key in seen:
        assert store.recording(key).turns[0].status == "completed"


def _rows(folder: Path) -> list[tuple[str, float]]:
    db = sqlite3.connect(folder / "runs.sqlite", timeout=30)
    try:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return db.execute("SELECT key, started FROM runs").fetchall()
    finally:
        db.close()


def test_two_processes_share_the_work(engine: LocalEngine, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), engine.url, engine.key],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=90)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert len(_rows(tmp_path)) == 16
    assert all("16 of 16 runs done" in text for text in said), said


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=4, dashboard_address=None, processes=True, silence_logs=50
        ) as local,
        Client(local) as client,
    ):
        yield client


def _process_of_a_worker() -> int:
    return os.getpid()


def test_dask_spreads_runs_and_a_killed_worker_loses_nothing(cluster: object, tmp_path: Path) -> None:
    client: object = cluster
    x = sn.Experiment(
        "spread", grid={"voice": ["linjiajiejie", "cixingnansheng"]},
        inputs=[f"What is {n} plus two?" for n in range(6)], fixed={"cluster": "local"},
        limits={"local": sn.Limits(6, None)}, folder=tmp_path,
    )  # fmt: skip
    handle = x.start(dask=client)
    workers = list(client.run(_process_of_a_worker).values())  # type: ignore[attr-defined]
    assert os.getpid() not in workers
    while handle.progress.done < 2:
        time.sleep(0.05)
    os.kill(workers[0], signal.SIGKILL)
    progress = handle.wait(100)
    assert (progress.done, progress.failed) == (12, 0)
    assert {run.error for run in x.runs} == {None}
    assert all(run.turns[0].answer for run in x.runs)


def test_a_key_is_not_sent_to_workers(cluster: object, engine: LocalEngine, tmp_path: Path) -> None:
    x = sn.Experiment(
        "keyed", grid={"voice": ["a"]}, inputs=["x"], fixed={"cluster": engine.url}, folder=tmp_path,
        api_key=engine.key,
    )  # fmt: skip
    with pytest.raises(sn.ConfigError, match="not sent to other processes"):
        x.run(dask=cluster)
    with pytest.raises(sn.ConfigError, match="Give a Client"):
        sn.Experiment(
            "odd", grid={"voice": ["a"]}, inputs=["x"], fixed={"cluster": "local"}, folder=tmp_path / "b"
        ).run(dask=object())
