"""The settings' widget against the real engine: every way a setting can be moved, and every way it can be refused."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.widgets.controls import SessionControls

TIMEOUT = 30


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"dry in {city}"


@pytest.fixture
def session(engine: LocalEngine) -> Iterator[sn.Session]:
    with sn.Session(engine.url, api_key=engine.key, tools=[weather]) as session:
        yield session.connect()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)  # traits are set on other threads, and tell nobody but observers


def updates(session: sn.Session) -> int:
    return sum(record.kind == "session.update" for record in session.events)


def settled(controls: SessionControls) -> None:
    """Wait until nothing is being moved, sent or awaited."""
    until(lambda: not controls._two_way.moved and not controls.info["unconfirmed"])


def changed(controls: SessionControls, name: str, **values: Any) -> list[dict[str, Any]]:
    return [entry | (values if entry["name"] == name else {}) for entry in controls.tools]


def test_a_move_is_sent_once_and_confirmed(session: sn.Session) -> None:
    controls = session.controls()
    before = updates(session)
    for silence in range(300, 420, 20):
        controls.silence_duration_ms = silence
    controls.instructions = "Be brief."
    settled(controls)
    assert session.config.vad == sn.ServerVAD(silence_duration_ms=400)
    assert session.config.instructions == "Be brief."
    assert updates(session) == before + 1
    controls.vad = False
    settled(controls)
    assert session.config.vad is None
    controls.silence_duration_ms = 250
    settled(controls)
    assert controls.silence_duration_ms == 250, "it waits for VAD to be on"
    controls.vad = True
    settled(controls)
    assert session.config.vad == sn.ServerVAD(silence_duration_ms=250)


def test_code_moves_the_controls_and_what_is_linked_to_them(session: sn.Session) -> None:
    controls = session.controls()
    slider = ipywidgets.IntSlider(max=5000)
    ipywidgets.link((controls, "energy_awakeness_threshold"), (slider, "value"))
    seen: list[int] = []
    controls.observe(lambda change: seen.append(change["new"]), "energy_awakeness_threshold")
    before = updates(session)
    session.update(vad=sn.ServerVAD(energy_awakeness_threshold=1200), voice="yuanqinansheng")
    until(lambda: slider.value == 1200)
    assert (controls.voice, seen) == ("yuanqinansheng", [1200])
    slider.value = 900
    settled(controls)
    assert session.config.vad == sn.ServerVAD(energy_awakeness_threshold=900)
    assert updates(session) == before + 2


def test_a_refused_value_goes_back_and_says_why(session: sn.Session) -> None:
    controls = session.controls()
    voice = controls.voice
    controls.voice = "nobody"
    until(lambda: "voice" in controls.info["refused"])
    assert controls.voice == voice == session.config.voice
    assert "nobody is not valid" in controls.info["refused"]["voice"]
    controls.voice = "yuanqinansheng"
    settled(controls)
    assert controls.info["refused"] == {} and session.config.voice == "yuanqinansheng"
    with pytest.raises(Exception, match="energy_awakeness_threshold"):
        controls.energy_awakeness_threshold = 5001


def test_what_a_session_would_not_take_is_never_sent(session: sn.Session) -> None:
    controls = session.controls()
    before = updates(session)
    controls.tools = changed(controls, "retrieval", on=True)
    until(lambda: "tools" in controls.info["refused"])
    assert "vector_store_id" in controls.info["refused"]["tools"]
    assert [entry["on"] for entry in controls.tools if entry["name"] == "retrieval"] == [False]
    controls.tools = [{"kind": "function", "name": "unheard_of", "on": True}]
    until(lambda: "unheard_of" in controls.info["refused"]["tools"])
    assert updates(session) == before


def test_tools_have_switches_and_values(session: sn.Session) -> None:
    controls = session.controls()
    controls.tools = changed(controls, "web_search", on=True, top_k=7)
    settled(controls)
    assert sn.WebSearch(top_k=7) in session.config.tools and len(session.config.tools) == 2
    controls.tools = changed(controls, "weather", on=False, approval="never")
    settled(controls)
    assert [tool for tool in session.config.tools if not isinstance(tool, sn.WebSearch)] == []
    controls.tools = changed(controls, "weather", on=True)
    settled(controls)
    (again,) = [tool for tool in session.config.tools if not isinstance(tool, sn.WebSearch)]
    assert (again.name, again.approve) == ("weather", False)
    session.update(tools=None)
    until(lambda: not any(entry["on"] for entry in controls.tools))
    assert {entry["name"]: entry.get("top_k") for entry in controls.tools}["web_search"] == 7
    store = {"vector_store_id": "1646", "prompt_template": "From {{knowledge}}"}
    controls.tools = changed(controls, "retrieval", **store)
    settled(controls)
    controls.tools = changed(controls, "retrieval", on=True)
    settled(controls)
    assert session.config.tools == (sn.Retrieval("1646", prompt_template="From {{knowledge}}"),)


def test_the_voice_is_locked_by_the_first_audio_until_a_restart(session: sn.Session) -> None:
    controls = session.controls()
    session.ask("What is seven times six?").wait(TIMEOUT)
    until(lambda: controls.info["voice_locked"])
    before = controls.voice
    controls.voice = "yuanqinansheng"
    until(lambda: "restart" in controls.info["refused"].get("voice", ""))
    assert controls.voice == before
    with pytest.raises(sn.ConfigError, match="restart"):
        session.update(voice="yuanqinansheng")
    session.restart(voice="yuanqinansheng")
    until(lambda: not controls.info["voice_locked"])
    assert controls.voice == "yuanqinansheng" and controls.info["refused"] == {}
    turn = session.ask("What did I ask you before?").wait(TIMEOUT)
    assert "seven times six" in turn.transcript
    assert len(session.turns) == 2 and session.restored == ["the sound of 1 message (the words are told)"]


def test_a_restart_cuts_off_what_is_being_said(engine: LocalEngine) -> None:
    with sn.Session(engine.url, api_key=engine.key) as session:
        session.restart(voice="yuanqinansheng")  # not connected yet: the first connection has it
        turn = session.ask("Tell me a long story.")
        until(lambda: turn.audio.duration > 0)
        session.restart(voice="linjiajiejie")
        assert turn.wait(TIMEOUT).status in ("interrupted", "completed")
        assert session.ask("What is seven times six?").wait(TIMEOUT).status == "completed"
        assert session.config.voice == "linjiajiejie"


def test_a_section_alone_and_an_unknown_one(session: sn.Session) -> None:
    assert session.controls("turns").info["sections"] == ["turns"]
    assert session.controls() is session.controls()
    with pytest.raises(sn.ConfigError, match="devices"):
        session.controls("devices")


def test_an_observer_that_fails_is_a_notice(session: sn.Session) -> None:
    controls = session.controls()

    def fail(change: Any) -> None:
        raise ZeroDivisionError("mine")

    controls.observe(fail, "instructions")
    session.update(instructions="Be brief.", voice="yuanqinansheng")
    until(lambda: any("mine" in notice.text for notice in session.notices))
    until(lambda: controls.voice == "yuanqinansheng")
    session.close()
    until(lambda: controls.info["closed"])


class Page:
    """The controls' page: what it says comes in checked, and what it is told is kept."""

    def __init__(self, controls: SessionControls, monkeypatch: pytest.MonkeyPatch) -> None:
        self.got: list[dict[str, Any]] = []
        self._controls = controls
        self._seq = 0
        monkeypatch.setattr(controls, "send", self.got.append)

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        envelope = {"v": 1, "k": kind, "seq": self._seq, "t": 0.0, "view": "v1"}
        self._seq += 1
        before = len(self.got)
        self._controls._on_page_message(self._controls, envelope | fields, [])
        until(lambda: len(self.got) > before)
        return self.got[-1]


def test_voices_can_be_heard_and_own_ones_are_listed(
    session: sn.Session, engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEPNB_LIBRARY", str(tmp_path / "voices.sqlite"))
    page = Page(session.controls(), monkeypatch)
    sample = page.ask("sample", voice="linjiajiejie")
    clip = sn.Clip.load(base64.b64decode(sample["wav"]))
    assert clip.duration > 0.5 and (sample["view"], sample["problem"]) == ("v1", None)
    assert page.ask("sample", voice="linjiajiejie")["wav"] == sample["wav"], "paid for once"
    refused = page.ask("sample", voice="nobody")
    assert refused["wav"] is None and refused["problem"]
    voices = sn.Voices(engine.url, api_key=engine.key)
    sentence = voices.speak("the quick brown fox jumps over the lazy dog, " * 4, "linjiajiejie")
    mine = voices.clone(sentence[:6.0], consent="me", accept_cost=True, name="<b>Me</b>")
    assert page.ask("own_voices")["problem"] is None
    own = session.controls().voices[0]
    assert (own["id"], own["name"]["en"], own["own"]) == (mine.id, "<b>Me</b>", True)
    session.controls().voice = mine.id
    settled(session.controls())
    assert session.config.voice == mine.id


def test_what_the_page_may_not_say_is_not_done(
    session: sn.Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    controls = session.controls()
    for content in (
        {"k": "restart"},
        "text",
        {"v": 1, "k": "eval", "seq": 0, "t": 0, "view": "v", "code": "1"},
    ):
        controls._on_page_message(controls, content, [])
    assert len([record for record in caplog.records if "does not fit" in record.message]) == 3
