"""What an experiment costs: ``python -m tests.bench.experiments [runs]``.

The engine takes a fixed time for each answer (a fault of its own: one second before the first audio), so that the ideal
is known: so many runs, so many at a time, each as long as a run alone takes. Printed are the wall time beside that
ideal, the runner's own CPU time for a run, the same over Dask with one and two workers, and what a store of 10,000 runs
takes to read.
"""

from __future__ import annotations

import io
import math
import resource
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import stepnb as sn
from stepnb.experiments.perform import Outcome
from stepnb.experiments.store import ScoreRow
from stepnb.experiments.summary import TurnSummary

CONCURRENCY = 8
ANSWER_S = 1.0
BIG = 10_000


def experiment(
    folder: Path, runs: int, fixed: dict[str, object], key: str | None, at_once: int
) -> sn.Experiment:
    return sn.Experiment(
        "bench", grid={"voice": ["linjiajiejie", "cixingnansheng"]}, inputs=["What is two plus two?"],
        repeats=runs // 2, fixed=fixed, limits={"local": sn.Limits(at_once, None)}, folder=folder, api_key=key,
        scorers=[sn.scorers.Latency(), sn.scorers.Contains("4")],
    )  # fmt: skip


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    wall, used = time.monotonic(), cpu()
    work()
    return time.monotonic() - wall, cpu() - used


def local(runs: int, scratch: Path) -> None:
    import subprocess

    # The engine in a process of its own, so that its CPU time is not the runner's.
    code = (
        "import sys, stepnb as sn\n"
        f"with sn.LocalEngine(seed=7, speed=None, faults=['slow_first_audio:seconds={ANSWER_S}']) as engine:\n"
        "    print(engine.url, engine.key, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    engine = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert engine.stdout is not None and engine.stdin is not None
    url, key = engine.stdout.readline().split()
    try:
        alone = experiment(scratch / "alone", 8, {"cluster": url}, key, 1)
        alone.run()
        each = statistics.median(run.seconds for run in alone.runs)
        x = experiment(scratch / "many", runs, {"cluster": url}, key, CONCURRENCY)
        wall, used = timed(x.run)
        ideal = math.ceil(runs / CONCURRENCY) * each
        print(
            f"{runs} runs, {CONCURRENCY} at a time, {each:.2f} s each alone: {wall:.1f} s, ideal {ideal:.1f} s, "
            f"ratio {wall / ideal:.2f}; {1000 * used / runs:.0f} ms of CPU a run in the runner's process"
        )
    finally:
        engine.stdin.close()
        engine.wait(20)


def dask(runs: int, scratch: Path) -> None:
    from distributed import Client, LocalCluster

    for workers in (1, 2):
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=4,
                dashboard_address=None,
                processes=True,
                silence_logs=50,
            ) as cluster,
            Client(cluster) as client,
        ):
            warm = experiment(
                scratch / f"warm{workers}", 4 * workers, {"cluster": "local"}, None, 4 * workers
            )
            warm.run(dask=client)  # each worker starts its engine once
            x = experiment(scratch / f"dask{workers}", runs, {"cluster": "local"}, None, 4 * workers)
            wall, used = timed(lambda: x.run(dask=client))  # noqa: B023 - called at once
            print(
                f"Dask, {workers} workers, 4 runs each at a time: {runs / wall:.1f} runs/s, "
                f"{1000 * used / runs:.0f} ms of CPU a run where the experiment is"
            )


def big(scratch: Path) -> None:
    x = sn.Experiment(
        "big", grid={"voice": [f"v{n}" for n in range(10)]}, inputs=[f"Question {n}" for n in range(100)],
        repeats=BIG // 1000, fixed={"cluster": "local"}, scorers=[sn.scorers.Duration(), sn.scorers.Latency()],
        folder=scratch / "big",
    )  # fmt: skip
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    names = ["duration", *(f"latency.{part}" for part in sn.scorers.Latency().parts)]
    with x.store.writing() as db:
        for case in x._cases:
            turn = TurnSummary(said="x", spoken=False, answer="y" * 80, status="completed", audio_ms=900)
            outcome = Outcome(key=case.key, recording=buffer.getvalue(), started=time.time(), seconds=1)
            scorer = {"duration": x.scorers[0].id}
            scores = [
                ScoreRow(key=case.key, scorer=scorer.get(name, x.scorers[1].id), name=name, value=0.9)
                for name in names
            ]
            x.store.put(db, case, outcome, [turn], scores)
    walls = [timed(x.df)[0] for _ in range(5)]
    print(f"df() of {BIG} runs: {statistics.median(walls):.2f} s (goal: under 1 s)")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        local(count, Path(folder))
        dask(min(count, 60), Path(folder))
        big(Path(folder))
