"""Sessions with the local engine: recorded, killed, saved, loaded, replayed and continued."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepnb.audio.clip import Clip
from stepnb.errors import ConfigError, RecordingError, ReplayMismatch, SessionClosed
from stepnb.local.engine import LocalEngine
from stepnb.recording.recording import Recording
from stepnb.session.session import Session
from stepnb.session.turn import Turn

KEY = "sk-secret-0123456789-this-must-stay-in-the-kernel"
LONG = "Tell me a long story about the sea."


@pytest.fixture(scope="module")
def paced() -> Iterator[LocalEngine]:
    """An engine that sends its audio slowly enough to be interrupted."""
    with LocalEngine(seed=7, speed=2, api_key=KEY) as engine:
        yield engine


@pytest.fixture
def question(speech: Callable[[str], bytes]) -> Clip:
    return Clip.from_pcm(speech("What is two plus two?"))


def converse(session: Session, question: Clip) -> None:
    """Text, a clip, streamed speech, an interruption, and a turn after it."""
    session.ask("What is your name?").wait(30)
    session.ask(question).wait(30)
    session.append(question).wait(30)
    interrupted_in_audio(session)
    session.ask("Thank you.").wait(30)


def interrupted_in_audio(session: Session) -> Turn:
    heard = threading.Event()
    unsubscribe = session.on("response.audio.delta", lambda _: heard.set())
    turn = session.ask(LONG)
    assert heard.wait(30)
    session.interrupt()
    unsubscribe()
    return turn.wait(30)


def facts(turn: Turn, *, times: bool) -> dict[str, Any]:
    names = ["id", "kind", "status", "transcript", "audio", "user_transcript", "thinking"]
    names += ["heard", "unheard", "heard_ms", "unheard_ms", "finish_reason", "usage", "cost"]
    found = {name: getattr(turn, name) for name in names} | {"error": str(turn.error)}
    return found | {"latency": turn.latency, "stamps": turn.stamps, "user": turn.user} if times else found


@pytest.fixture(scope="module")
def conversation(
    paced: LocalEngine, speech: Callable[[str], bytes], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Session, Path, Path]:
    """A closed session, the folder it recorded into, and the file it was saved to."""
    folder = tmp_path_factory.mktemp("recordings")
    question = Clip.from_pcm(speech("What is two plus two?"))
    with Session(cluster=paced.url, api_key=KEY, record=folder / "run") as session:
        converse(session, question)
        session.save(folder / "run.stepnb")
    statuses = [turn.status for turn in session.turns]
    assert statuses == ["completed", "completed", "completed", "interrupted", "completed"]
    return session, folder / "run", folder / "run.stepnb"


@pytest.mark.parametrize("form", ["folder", "file"])
def test_a_recording_gives_the_same_turns_events_and_figures(
    conversation: tuple[Session, Path, Path], form: str
) -> None:
    session, folder, file = conversation
    recording = Recording.load(folder if form == "folder" else file)
    assert recording.notices == []
    assert [facts(t, times=True) for t in recording.turns] == [facts(t, times=True) for t in session.turns]
    live = session.events[: len(recording.events)]
    assert list(recording.events) == list(live)
    assert [recording.events.frame(r) for r in recording.events if r.skeleton] == [
        session.events.frame(r) for r in live if r.skeleton
    ]
    assert repr(recording.turns) == repr(session.turns)


@pytest.mark.parametrize("speed", [0, 4])
def test_a_replay_gives_the_same_turns(
    conversation: tuple[Session, Path, Path], question: Clip, speed: float
) -> None:
    session, _, file = conversation
    with Recording.load(file).replay(speed=speed) as replayed:
        converse(replayed, question)
        first = [facts(t, times=False) for t in session.turns]
        assert [facts(t, times=False) for t in replayed.turns] == first

        def came(events: Any) -> list[str]:
            return [events.frame(record) for record in events if record.side == "in"]

        def plain(frames: list[str]) -> list[str]:
            return [
                frame for frame in frames if "audio_end_ms" not in frame and "audio_start_ms" not in frame
            ]

        # Where speech lies in the stream may differ by the silence before it; all else is as it was.
        assert plain(came(replayed.events)) == plain(came(session.events))
        spoken, again = session.turns[2].user, replayed.turns[2].user
        assert isinstance(spoken, Clip) and isinstance(again, Clip)
        assert spoken.samples.nonzero()[0].size == again.samples.nonzero()[0].size


def test_a_replay_of_a_replay(
    conversation: tuple[Session, Path, Path], question: Clip, tmp_path: Path
) -> None:
    with Recording.load(conversation[2]).replay() as once:
        converse(once, question)
        once.save(tmp_path / "again.stepnb")
    with Recording.load(tmp_path / "again.stepnb").replay() as twice:
        converse(twice, question)
        assert [facts(t, times=False) for t in twice.turns] == [facts(t, times=False) for t in once.turns]


def test_another_question_is_a_mismatch(conversation: tuple[Session, Path, Path]) -> None:
    with Recording.load(conversation[2]).replay() as session:
        with pytest.raises(ReplayMismatch, match="What is your name") as caught:
            session.ask("What is your quest?").wait(10)
        assert "What is your quest" in str(caught.value) and caught.value.expected
        assert session.status.state == "failed" and "your quest" in session.status.detail
        with pytest.raises(ReplayMismatch):
            session.ask("What is your name?").wait(10)


def test_other_settings_are_a_mismatch(conversation: tuple[Session, Path, Path]) -> None:
    session = Recording.load(conversation[2]).replay()
    session.update(instructions="Speak like a pirate.")
    with session, pytest.raises(ReplayMismatch, match="pirate"):
        session.connect(10)


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny and {len(city) * 4} degrees."


def test_recorded_results_stand_in_for_the_functions(engine: LocalEngine, tmp_path: Path) -> None:
    question = "What is the weather in Paris?"
    with Session(
        cluster=engine.url, api_key=engine.key, tools=[get_weather], record=tmp_path / "run"
    ) as session:
        then = session.ask(question).wait(30)
        assert then.tool_calls[0].output == "Sunny and 20 degrees."
    recording = Recording.load(tmp_path / "run")
    (call,) = recording.turns[0].tool_calls
    assert (call.name, call.arguments, call.status) == ("get_weather", {"city": "Paris"}, "completed")
    with recording.replay() as replayed:
        now = replayed.ask(question).wait(30)
        assert now.transcript == then.transcript and now.audio == then.audio
        assert [call.output for call in now.tool_calls] == ["Sunny and 20 degrees."]


@pytest.mark.parametrize("speed", [-1, float("nan"), "fast"])
def test_a_speed_is_a_number(conversation: tuple[Session, Path, Path], speed: Any) -> None:
    with pytest.raises(ConfigError, match="speed is"):
        Recording.load(conversation[2]).replay(speed=speed)


def test_the_key_is_nowhere(conversation: tuple[Session, Path, Path]) -> None:
    _, folder, file = conversation
    needles = (KEY.encode(), b"Bearer", KEY.encode("utf-16-le"))
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    with zipfile.ZipFile(file) as archive:
        found |= {f"zip:{name}": archive.read(name) for name in archive.namelist()}
    found["the file"] = file.read_bytes()
    assert len(found) >= 12
    assert [name for name, content in found.items() for needle in needles if needle in content] == []


def test_what_was_said_stays_readable_after_close(engine: LocalEngine, tmp_path: Path) -> None:
    with Session(cluster=engine.url, api_key=engine.key) as session:
        session.ask("Hello").wait(30)
        session.events.flush()
        folder = session.events.spool.folder
        assert folder is not None and folder.exists()
    assert not folder.exists()
    (turn,) = session.turns
    assert turn.transcript and turn.audio.duration
    loaded = Recording.load(session.save(tmp_path / "late.stepnb"))
    assert loaded.turns[0].audio == turn.audio


@pytest.mark.parametrize(
    ("keep", "heard", "asked"), [("output", True, False), ("input", False, True), ("none", False, False)]
)
def test_retention(
    engine: LocalEngine, question: Clip, tmp_path: Path, keep: Any, heard: bool, asked: bool
) -> None:
    with Session(cluster=engine.url, api_key=engine.key, record=tmp_path / "run", keep_audio=keep) as session:
        session.ask(question).wait(30)
    for turn in (*session.turns, *Recording.load(tmp_path / "run").turns):
        assert turn.status == "completed" and turn.transcript
        assert bool(turn.audio.duration) == heard
        assert isinstance(turn.user, Clip) and bool(turn.user.duration) == asked
    sizes = [(tmp_path / "run" / name).stat().st_size > 0 for name in ("output.pcm", "input.pcm")]
    assert sizes == [heard, asked]
    with Recording.load(tmp_path / "run").replay() as replayed:
        assert replayed.ask(question).wait(30).transcript == session.turns[0].transcript


def test_a_folder_is_not_used_twice(engine: LocalEngine, tmp_path: Path) -> None:
    with Session(cluster=engine.url, api_key=engine.key, record=tmp_path / "run") as session:
        session.ask("Hello").wait(30)
    with pytest.raises(RecordingError, match="is not empty"):
        Session(cluster=engine.url, api_key=engine.key, record=tmp_path / "run")


def test_a_removed_folder_is_said_once_and_the_session_goes_on(engine: LocalEngine, tmp_path: Path) -> None:
    with Session(cluster=engine.url, api_key=engine.key, record=tmp_path / "run") as session:
        told = threading.Event()
        session.ask("Hello").wait(30)
        session._core.hub.listeners.append(_Notices(told))
        shutil.rmtree(tmp_path / "run")
        assert told.wait(10)
        assert session.ask("What is your name?").wait(30).status == "completed"
    notices = [str(notice) for notice in session.notices if "Recording stopped" in notice.text]
    assert len(notices) == 1 and "was removed" in notices[0]


class _Notices:
    """Waits for a notice."""

    def __init__(self, told: threading.Event) -> None:
        self.on_notice = lambda notice: told.set() if "Recording stopped" in notice.text else None

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


CHILD = """
import sys, threading
from stepnb.session.session import Session
session = Session(cluster=sys.argv[1], api_key=sys.argv[2], record=sys.argv[3])
session.ask("What is your name?").wait(30)
print("asked", flush=True)
deltas = threading.Event()
session.on("response.audio.delta", lambda _: deltas.set())
turn = session.ask("Tell me a long story about the sea.")
deltas.wait(30)
print(len(session.events), flush=True)
sys.stdin.read()
"""


def test_a_killed_process_leaves_a_recording_that_opens(paced: LocalEngine, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, paced.url, KEY, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == "asked\n"
        records = int(child.stdout.readline())
        # One flush later everything up to here is on disk.
        events = tmp_path / "run" / "events.jsonl"
        waiting = threading.Event()
        for _ in range(40):
            if events.read_bytes().count(b"\n") >= records:
                break
            waiting.wait(0.05)
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    recording = Recording.load(tmp_path / "run")
    assert len(recording.events) >= records
    assert recording.notices == []
    first, second = recording.turns
    assert first.status == "completed" and first.audio.duration and first.transcript
    assert second.status in ("active", "completed") and second.audio.duration
    assert Recording.load(recording.save(tmp_path / "saved.stepnb")).turns[0].audio == first.audio
    with recording.replay() as replayed:
        assert replayed.ask("What is your name?").wait(30).audio == first.audio


ENDING_CHILD = """
import sys
from stepnb.session.session import Session
session = Session(cluster=sys.argv[1], api_key=sys.argv[2], record=sys.argv[3] or None)
session.ask("What is your name?").wait(30)
session.events.flush()
print(session.events.spool.folder, flush=True)
"""


@pytest.mark.parametrize("kept", [True, False])
def test_a_process_that_ends_writes_the_rest_and_leaves_nothing_else(
    engine: LocalEngine, tmp_path: Path, kept: bool
) -> None:
    command = [
        sys.executable,
        "-c",
        ENDING_CHILD,
        engine.url,
        engine.key,
        str(tmp_path / "run") if kept else "",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    folder = Path(ended.stdout.strip())
    assert "Traceback" not in ended.stderr and folder.exists() == kept
    if kept:
        recording = Recording.load(folder)
        assert recording.notices == [] and recording.turns[0].status == "completed"
        assert recording.events[-1].kind == "disconnected"


def test_a_session_continues_a_recording(
    conversation: tuple[Session, Path, Path], engine: LocalEngine, tmp_path: Path
) -> None:
    recording = Recording.load(conversation[1])
    with Session(
        cluster=engine.url, api_key=engine.key, history=recording, record=tmp_path / "run"
    ) as session:
        assert session.ask("Hello").wait(30).id == 1
        (turn,) = session.turns
        sent = session.events.filter(side="out", type="conversation.item.create")
        told = [record.text for record in sent]
        assert told[0] == "What is your name?" and told[-1] == "Hello" and len(told) == 11
        notices = " ".join(str(notice) for notice in session.notices)
        assert "sound of" in notices and "told as text" in notices
        assert turn.user == "Hello" and turn.status == "completed"
        # The eleventh acknowledgement is the question's own, and not one of the past.
        acknowledged = list(session.events.filter(type="conversation.item.created", side="in"))[10]
        assert f'"id":"{session.conversation.turns[1].item}"' in (acknowledged.skeleton or "")
    with Recording.load(tmp_path / "run").replay() as replayed:
        assert replayed.ask("Hello").wait(30).transcript == turn.transcript


def test_a_session_begins_with_messages(engine: LocalEngine) -> None:
    messages = [("user", "My name is Ada."), ("assistant", "Nice to meet you, Ada.")]
    with Session(cluster=engine.url, api_key=engine.key, history=messages) as session:
        session.ask("Hello").wait(30)
        told = session.events.filter(side="out", type="conversation.item.create")
        assert [record.text for record in told] == ["My name is Ada.", "Nice to meet you, Ada.", "Hello"]
    with pytest.raises(ConfigError, match="is not a message"):
        Session(cluster=engine.url, api_key=engine.key, history=[("system", "Be brief.")])


def test_a_closed_replay_is_closed(conversation: tuple[Session, Path, Path]) -> None:
    session = Recording.load(conversation[2]).replay()
    session.connect(10)
    session.close()
    with pytest.raises(SessionClosed):
        session.ask("What is your name?")
