"""A conversation as Markdown, JSON and stereo sound: what was said, called and heard, and nothing made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.recording.export import markdown

TIMEOUT = 30
MARKUP = "<img src=x onerror=alert(1)> **bold** [link](x)"


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"21 °C and `dry` in {city}"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sn.Recording]:
    folder = tmp_path_factory.mktemp("export")
    with LocalEngine() as engine, sn.Session(engine.url, api_key=engine.key, tools=[get_weather]) as session:
        session.ask("What is seven times six?").wait(TIMEOUT)
        session.ask("What is the weather in Paris?").wait(TIMEOUT)
        session.ask(sn.Clip(np.full(24_000, 3000, np.int16), 24_000)).wait(TIMEOUT)
        session.ask(f"Repeat after me: {MARKUP}").wait(TIMEOUT)
        session.export(folder / "live.md")
        yield sn.Recording.load(session.save(folder / "session.stepnb"))


def test_markdown_tells_who_said_what_and_what_was_called(recording: sn.Recording, tmp_path: Path) -> None:
    text = recording.export(tmp_path / "talk.md").read_text(encoding="utf-8")
    assert text.startswith(f"# Conversation of {recording.started:%Y-%m-%d}")
    assert "**You:** What is seven times six?" in text and "42" in text
    assert '- `get_weather(city="Paris")` → `` 21 °C and `dry` in Paris ``' in text
    assert text == markdown(recording)


def test_nothing_said_becomes_markup(recording: sn.Recording) -> None:
    text = markdown(recording)
    assert "<img" not in text.replace("\\<img", "") and "\\*\\*bold" in text


def test_json_holds_all_that_is_known_of_a_turn(recording: sn.Recording, tmp_path: Path) -> None:
    data = json.loads(recording.export(tmp_path / "talk.json").read_bytes())
    assert (data["model"], data["version"]) == (recording.model, 1)
    first, second, third, _ = data["turns"]
    assert first["user"] == "What is seven times six?" and "42" in first["answer"]
    assert first["finish_reason"] == "stop" and first["usage"]["output_tokens"] > 0
    assert second["tool_calls"][0]["arguments"] == {"city": "Paris"}
    assert third["kind"] == "clip"


def test_wav_has_the_answers_left_and_the_person_right(recording: sn.Recording, tmp_path: Path) -> None:
    sound, rate = soundfile.read(recording.export(tmp_path / "talk.WAV"), dtype="int16")
    assert rate == 24_000 and sound.shape[1] == 2
    left, right = sound.T
    answered = sum(turn.audio.duration for turn in recording.turns)
    assert np.count_nonzero(left) / rate > 0.5 * answered
    (spoken,) = np.nonzero(right)
    assert spoken.size == 24_000 and (right[spoken] == 3000).all()


def test_what_cannot_be_written_is_said(recording: sn.Recording, tmp_path: Path) -> None:
    with pytest.raises(sn.ConfigError, match=r"\.md"):
        recording.export(tmp_path / "talk.pdf")
    with pytest.raises(sn.RecordingError, match="cannot be written"):
        recording.export(tmp_path / "nowhere" / "talk.md")
    assert list(tmp_path.iterdir()) == []


def test_a_conversation_without_sound_has_no_wav(engine: LocalEngine, tmp_path: Path) -> None:
    with sn.Session(engine.url, api_key=engine.key, keep_audio="none") as session:
        session.ask("Hello").wait(TIMEOUT)
        with pytest.raises(sn.RecordingError, match="no sound"):
            session.export(tmp_path / "talk.wav")
    assert list(tmp_path.iterdir()) == []
