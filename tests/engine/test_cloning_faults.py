"""Everything that can go wrong between a clip and a voice: a clear message, nothing paid twice, nothing lost.

The engine is real; the faults are made by a proxy in front of it, or by the file system.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.rest import library
from stepnb.service import retry
from tests.engine.rest import LOW_SLOW, clip
from tests.engine.rest_proxy import Fault, RestProxy

CONSENT = "Ada Example, my own voice, 25 November 2026"
FILES, CREATE = "/v1/files", "/v1/audio/voices"


@pytest.fixture
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(seed=7) as engine:
        yield engine


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long is waited between attempts is tested elsewhere."""
    monkeypatch.setattr(retry, "FIRST_DELAY", 0.02)


class Desk:
    """An account behind a proxy, and a library."""

    def __init__(self, engine: LocalEngine, proxy: RestProxy, path: Path) -> None:
        self.engine, self.proxy, self.path = engine, proxy, path
        self.voices = sn.Voices(proxy.url, api_key=engine.key, library=path)

    def clone(self) -> sn.ClonedVoice:
        return self.voices.clone(clip(LOW_SLOW), "The words.", consent=CONSENT, accept_cost=True, name="Ada")

    def check_one_voice_of_one_file(self, made: sn.ClonedVoice) -> None:
        """The account holds one voice and one file, and the library knows all about it."""
        direct = sn.Voices(self.engine.url, api_key=self.engine.key, library=self.path)
        (listed,) = direct.list()
        assert listed.id == made.id
        assert self.files() == 1
        (kept,) = (voice for voice in self.voices.list() if voice == made)
        assert (kept.name, kept.consent, kept.transcript) == ("Ada", CONSENT, "The words.")
        assert kept.clip == sn.Clip.load(clip(LOW_SLOW))

    def files(self) -> int:
        import httpx

        answer = httpx.get(
            f"{self.engine.rest_url}/files",
            headers={"Authorization": f"Bearer {self.engine.key}"},
            trust_env=False,
        )
        return len(answer.json()["data"])


@pytest.fixture
def desk(engine: LocalEngine, tmp_path: Path) -> Iterator[Desk]:
    with RestProxy(engine) as proxy:
        yield Desk(engine, proxy, tmp_path / "voices.sqlite")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", FILES, 429, headers={"Retry-After": "0"}),
        Fault("POST", FILES, 500),
        Fault("POST", FILES, 500, after=True),
        Fault("POST", FILES, cut="request"),
        Fault("POST", FILES, cut="answer"),
        Fault("POST", CREATE, 429),
        Fault("POST", CREATE, 500),
        Fault("POST", CREATE, 500, after=True),
        Fault("POST", CREATE, 503),
        Fault("POST", CREATE, cut="request"),
        Fault("POST", CREATE, cut="answer"),
        Fault("GET", CREATE, 503),
    ],
    ids=lambda fault: f"{fault.method} {fault.path} {fault.cut or fault.status}{' after' * fault.after}",
)
def test_what_passes_is_got_over(desk: Desk, fault: Fault) -> None:
    desk.proxy.faults.append(fault)
    desk.check_one_voice_of_one_file(desk.clone())


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, sn.BadRequest, "made up for a test"),
        (401, sn.AuthenticationError, "key"),
        (402, sn.BalanceExhausted, "Top up"),
        (413, sn.BadRequest, "larger than"),
        (451, sn.ContentBlocked, "Content review"),
    ],
)
@pytest.mark.parametrize("path", [FILES, CREATE])
def test_what_does_not_pass_is_said_and_the_next_attempt_goes_on(
    desk: Desk, path: str, status: int, kind: type[sn.StepnbError], words: str
) -> None:
    desk.proxy.faults.append(Fault("POST", path, status))
    with pytest.raises(kind, match=words):
        desk.clone()
    assert desk.proxy.seen[f"POST {path}"] == 1
    desk.check_one_voice_of_one_file(desk.clone())
    assert desk.proxy.seen[f"POST {FILES}"] == (2 if path == FILES else 1)


def test_a_service_that_stays_broken_after_the_upload(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepnb.rest.client.ATTEMPTS", 2)
    desk.proxy.faults.append(Fault("POST", CREATE, 500, times=9))
    with pytest.raises(sn.ServiceUnavailable, match="Nothing was paid for twice: run the same line again"):
        desk.clone()
    desk.proxy.faults.clear()
    desk.check_one_voice_of_one_file(desk.clone())
    assert desk.proxy.seen[f"POST {FILES}"] == 1


def test_paid_and_then_the_service_says_nothing_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepnb.rest.client.ATTEMPTS", 2)
    desk.proxy.faults += [Fault("POST", CREATE, cut="answer"), Fault("GET", CREATE, 503, times=9)]
    with pytest.raises(sn.ServiceUnavailable, match="run the same line again"):
        desk.clone()
    desk.proxy.faults.clear()
    desk.check_one_voice_of_one_file(desk.clone())
    assert desk.proxy.seen[f"POST {CREATE}"] == 1


@pytest.mark.parametrize(("method", "path"), [("POST", FILES), ("POST", CREATE)])
def test_a_kernel_killed_after_the_request_went_out(desk: Desk, method: str, path: str) -> None:
    """Its process gets no chance to note anything: it kills itself when the answer arrives."""
    code = f"""
        import os, signal, sys
        import httpx
        import stepnb as sn
        from tests.engine.rest import LOW_SLOW, clip

        send = httpx.AsyncClient.send

        async def fatal(self, request, **options):
            answer = await send(self, request, **options)
            if (request.method, request.url.path) == ({method!r}, {path!r}):
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        httpx.AsyncClient.send = fatal
        voices = sn.Voices({desk.proxy.url!r}, api_key={desk.engine.key!r}, library={str(desk.path)!r})
        voices.clone(clip(LOW_SLOW), consent="Ada", accept_cost=True)
    """
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=root, timeout=60, check=False, env=os.environ
    )
    assert done.returncode == -signal.SIGKILL
    assert desk.proxy.seen[f"{method} {path}"] == 1
    desk.check_one_voice_of_one_file(desk.clone())
    assert desk.proxy.seen[f"{method} {path}"] == 1


def test_a_library_that_another_program_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "BUSY_S", 0.1)
    sn.Voices(desk.proxy.url, api_key=desk.engine.key, library=desk.path).list()  # makes it
    holder = sqlite3.connect(desk.path)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(sn.LibraryError, match="in use by another program"):
            desk.clone()
        assert not desk.proxy.seen[f"POST {CREATE}"]
    finally:
        holder.close()
    desk.check_one_voice_of_one_file(desk.clone())


def test_a_library_that_is_taken_just_when_the_voice_was_paid_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "BUSY_S", 0.1)
    holder: list[sqlite3.Connection] = []
    finish = library.Library.finish

    def taken(self: library.Library, entry: library.Entry, id: str) -> library.Entry:
        holder.append(sqlite3.connect(desk.path, check_same_thread=False))
        holder[0].execute("BEGIN EXCLUSIVE")
        return finish(self, entry, id)

    monkeypatch.setattr(library.Library, "finish", taken)
    with pytest.raises(sn.LibraryError, match=r"is 'voice-tone-\w+': note that down") as caught:
        desk.clone()
    holder[0].close()
    monkeypatch.setattr(library.Library, "finish", finish)
    made = desk.clone()
    assert made.id in str(caught.value)
    desk.check_one_voice_of_one_file(made)
    assert desk.proxy.seen[f"POST {CREATE}"] == 1


def test_a_library_that_is_damaged(desk: Desk) -> None:
    made = desk.clone()
    for companion in desk.path.parent.glob("voices.sqlite-*"):
        companion.unlink()
    damaged = b"SQLite format 3\0" + b"damaged " * 1000
    desk.path.write_bytes(damaged)
    with pytest.raises(sn.LibraryError, match=r"is damaged.*Move the file"):
        desk.clone()
    assert desk.path.read_bytes() == damaged  # what may be rescued is left alone
    desk.path.rename(desk.path.with_suffix(".damaged"))
    assert desk.clone() == made
    desk.check_one_voice_of_one_file(made)


def test_files_that_are_no_library(desk: Desk) -> None:
    desk.path.write_text("Dear diary, " * 100)
    with pytest.raises(sn.LibraryError, match="is damaged"):
        desk.voices.list()
    desk.path.unlink()
    other = sqlite3.connect(desk.path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(sn.LibraryError, match="belongs to another program"):
        desk.voices.list()
    desk.voices.library.path = desk.path / "below" / "a file"
    with pytest.raises(sn.LibraryError, match="cannot be opened"):
        desk.voices.list()


def test_another_notebook_that_never_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "TURN_S", 0.1)
    turn = desk.voices.library.take_turn()
    with pytest.raises(sn.LibraryError, match="did not become free for cloning"):
        desk.clone()
    turn.close()
    desk.check_one_voice_of_one_file(desk.clone())
    assert desk.proxy.seen[f"POST {CREATE}"] == 1
