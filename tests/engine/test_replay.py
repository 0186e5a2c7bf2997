"""One conversation with everything in it, live, loaded and replayed: the same turns, figures and events."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.local.parts import BrainReply, BrainRequest, ToolCall
from tests.engine.desk import ScriptedEars, ScriptedMouth, tone

MODEL = "step-audio-r1.1"  # reasons aloud, and calls functions
TIMEOUT = 30
LONG = "One two three four five six seven eight. Nine ten eleven twelve thirteen fourteen fifteen."
SPEECH = sn.Clip.from_pcm(tone(900))
# What a replay takes at its own pace, or what is a wall-clock time.
PACE = {"stamps", "latency"}


class Brain:
    """Thinks, and calls a function where weather is asked for; whatever is asked for at length is told at length."""

    def reply(self, request: BrainRequest) -> BrainReply:
        last = request.history[-1]
        if last.role == "tool":
            return BrainReply(text=f"It says {last.text}.", language="en", thinking="So it has looked.")
        if "weather" in last.text:
            calls = tuple(ToolCall("look", json.dumps({"where": place})) for place in ("Paris", "Rome"))
            return BrainReply(text="Let me look.", language="en", thinking="I should look.", calls=calls)
        if "long" in last.text:
            return BrainReply(text=LONG, language="en")
        return BrainReply(text="I see.", language="en", thinking="Nothing to look up.")


def look(where: str) -> str:
    """Look at the weather somewhere."""
    return f"sun in {where}"


def converse(session: sn.Session) -> None:
    """Text, functions, a clip, streamed speech, an interruption, and a turn after it."""
    session.ask("Good morning").wait(TIMEOUT)
    session.ask("What is the weather?").wait(TIMEOUT)
    session.ask(SPEECH).wait(TIMEOUT)
    session.append(SPEECH).wait(TIMEOUT)
    heard = threading.Event()
    unsubscribe = session.on("response.audio.delta", lambda _: heard.set())
    turn = session.ask("A long story, please")
    assert heard.wait(TIMEOUT)
    unsubscribe()
    session.interrupt()
    turn.wait(TIMEOUT)
    session.ask("Thank you").wait(TIMEOUT)


def facts(turn: sn.Turn) -> dict[str, Any]:
    """Everything public that a turn says of itself."""
    names = [name for name in dir(type(turn)) if isinstance(getattr(type(turn), name, None), property)]
    found = {name: getattr(turn, name) for name in names if not name.startswith("_") and name != "source"}
    calls = [(call.name, call.arguments, call.output, call.status, call.error) for call in turn.tool_calls]
    return found | {"error": repr(turn.error), "tool_calls": calls}


def without_pace(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in turn.items() if name not in PACE} for turn in found]


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(ears=ScriptedEars(), mouth=ScriptedMouth(), brain=Brain(), speed=2.0) as engine:
        yield engine


@pytest.fixture(scope="module")
def live(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> tuple[sn.Session, Path]:
    """A closed session and the folder it recorded into."""
    folder = tmp_path_factory.mktemp("replay") / "run"
    with sn.Session(engine.url, api_key=engine.key, model=MODEL, tools=[look], record=folder) as session:
        converse(session)
    turns = session.turns
    assert [turn.status for turn in turns] == ["completed"] * 4 + ["interrupted", "completed"]
    assert [call.output for call in turns[1].tool_calls] == ["sun in Paris", "sun in Rome"]
    assert "I should look." in turns[1].thinking and turns[3].user_transcript == "hello there"
    return session, folder


def test_loaded_it_is_the_same_to_the_last_figure(live: tuple[sn.Session, Path]) -> None:
    session, folder = live
    recording = sn.Recording.load(folder)
    assert recording.notices == []
    assert [facts(turn) for turn in recording.turns] == [facts(turn) for turn in session.turns]
    assert list(recording.events) == list(session.events)
    assert repr(recording.conversation.turns) == repr(session.conversation.turns)
    assert recording.conversation.items == session.conversation.items
    assert recording.conversation.responses == session.conversation.responses
    assert recording.cost == session.cost


@pytest.mark.parametrize("speed", [0, 3])
def test_replayed_it_is_the_same_but_for_the_pace(live: tuple[sn.Session, Path], speed: float) -> None:
    session, folder = live
    with sn.Recording.load(folder).replay(speed=speed) as replayed:
        converse(replayed)
    assert without_pace([facts(turn) for turn in replayed.turns]) == without_pace(
        [facts(turn) for turn in session.turns]
    )
    assert replayed.cost == session.cost
    assert events(replayed) == events(session)


def events(session: sn.Session) -> dict[str, list[Any]]:
    """What came and was sent, without our ids, the cutting of the microphone's audio and places in its stream."""
    found: dict[str, list[Any]] = {"in": [], "out": []}
    for record in session.events:
        if record.side == "local" or record.kind == "input_audio_buffer.append":
            continue
        body = json.loads(session.events.frame(record))
        if record.side == "out":
            body.pop("event_id")
        for name in ("audio_start_ms", "audio_end_ms"):
            body.pop(name, None)
        found[record.side].append(body)
    return found
