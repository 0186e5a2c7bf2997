"""A process that records is killed with SIGKILL again and again, at random moments: what was flushed is there."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stepnb.conversation.record import Record
from stepnb.recording.log import EventLog
from stepnb.recording.recording import Recording
from tests.unit.recording.story import append, delta, words

KILLS = 25
ROOT = Path(__file__).parents[3]


def write(log: EventLog, n: int) -> Record:
    """Append the nth fact, which is the same every time but for its time."""
    pcm = n.to_bytes(4, "little") * (5 + n % 300)
    match n % 4:
        case 0:
            return delta(log, pcm)
        case 1:
            return append(log, pcm)
        case 2:
            return words(log, f"word {n} " * (n % 50))
        case _:
            return log.append_local("page", {"n": n, "said": "x" * (n % 700)})


def record_until_killed(folder: Path, number: int) -> None:
    """Record as fast as a busy session and flush all the time; say after each flush how much must be there."""
    import threading

    log = EventLog(folder)

    def flush() -> None:
        while True:
            count = log._index.count
            log.flush()
            os.write(1, f"{number} {count}\n".encode())
            time.sleep(0.002)

    threading.Thread(target=flush, daemon=True).start()
    for n in range(1 << 30):
        write(log, n)
        if n % 20 == 0:
            time.sleep(0.001)


def kill_many(folder: Path) -> None:
    """Fork recording processes, one after the other, and kill each."""
    dice = random.Random(os.getpid())
    for number in range(KILLS):
        child = os.fork()
        if child == 0:
            record_until_killed(folder / str(number), number)
        time.sleep(dice.uniform(0.02, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def facts(record: Record) -> tuple[object, ...]:
    return record.n, record.side, record.kind, record.skeleton, record.cut, record.audio, record.data


@pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")
def test_what_was_flushed_survives_every_kill(tmp_path: Path) -> None:
    program = (
        f"from pathlib import Path; from {__name__} import kill_many; kill_many(Path({str(tmp_path)!r}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
    )
    flushed = {int(number): int(count) for number, count in re.findall(r"(\d+) (\d+)\n", ended.stdout)}
    killed = sorted((path for path in tmp_path.iterdir()), key=lambda path: int(path.name))
    assert len(killed) > KILLS // 2 and max(flushed.values()) > 100
    reference = EventLog()
    for folder in killed:
        if not (folder / "events.jsonl").exists():
            assert folder.name not in map(str, flushed)
            continue  # before the first flush there may be nothing
        recording = Recording.load(folder)
        events = recording.events
        assert len(events) >= flushed.get(int(folder.name), 0)
        assert all("last record is incomplete" in notice for notice in recording.notices)
        while len(reference) < len(events):
            write(reference, len(reference))
        expected = reference[: len(events)]
        assert [facts(record) for record in events] == [facts(record) for record in expected]
        refs = [record.audio for record in events if record.audio]
        assert events.audio.read(refs) == reference.audio.read(refs)
    last = Recording.load(killed[-1])
    again = Recording.load(last.save(tmp_path / "saved.stepnb"))
    assert [facts(record) for record in again.events] == [facts(record) for record in last.events]
