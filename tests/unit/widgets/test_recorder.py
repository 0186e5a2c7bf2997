"""The kernel's side of the recorder; its page is tested in the browser."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepnb as sn
from tests.engine.rest import LOW_SLOW, clip


class Page:
    """Sends what the page sends, and keeps what it is sent."""

    def __init__(self, recorder: sn.Recorder) -> None:
        self.recorder = recorder
        self.got: list[dict[str, Any]] = []
        recorder.send = lambda content, buffers=None: self.got.append(content)  # type: ignore[method-assign]
        self._seq = 0

    def says(self, kind: str, **fields: Any) -> None:
        content = {"v": 1, "k": kind, "seq": self._seq, "t": 0.0, "view": "v", **fields}
        self._seq += 1
        self.recorder._on_page_message(None, content, None)

    def wait_for(self, kind: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for content in self.got:
                if content["k"] == kind:
                    return content
            time.sleep(0.01)
        raise AssertionError(f"no {kind} came: {[content['k'] for content in self.got]}")


def sound(seconds: float) -> sn.Clip:
    return sn.Clip(np.full(round(seconds * 24_000), 500, np.int16), 24_000)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def taken(recorder: sn.Recorder, count: int = 1) -> sn.Clip:
    deadline = time.monotonic() + 20
    while recorder.takes < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert recorder.takes == count
    return recorder.clip


def test_a_recording_and_what_is_left_of_it() -> None:
    recorder = sn.Recorder("Read this.")
    page = Page(recorder)
    assert recorder.clip.duration == 0
    assert repr(recorder) == "Recorder()"
    page.says("take", pcm=text(sound(8).pcm))
    assert taken(recorder) == sound(8)
    recorder.trim = [1.0, 7.5]
    assert recorder.clip.duration == 6.5
    assert repr(recorder) == "Recorder(6.5 s)"
    assert recorder.script == "Read this."


def test_a_view_that_comes_later_is_shown_the_recording() -> None:
    recorder = sn.Recorder(clip=sound(7))
    page = Page(recorder)
    page.says("hello")
    content = page.wait_for("sound")
    assert content["view"] == "v"
    assert base64.b64decode(content["pcm"]) == sound(7).pcm


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_files_from_the_page(format: str) -> None:
    recorder = sn.Recorder()
    page = Page(recorder)
    page.says("file", name="me.bin", data=text(clip(LOW_SLOW, format)))
    loaded = taken(recorder)
    assert loaded.rate == 24_000
    assert loaded.duration == pytest.approx(8.1, abs=0.2)
    page.wait_for("sound")


@pytest.mark.parametrize("data", [b"", b"this is no audio"])
def test_files_that_are_no_audio_are_refused_by_name(data: bytes) -> None:
    recorder = sn.Recorder()
    page = Page(recorder)
    page.says("file", name="notes.txt", data=text(data))
    refused = page.wait_for("refused")
    assert "notes.txt" in refused["text"]
    assert refused["fix"]
    assert recorder.takes == 0


def test_long_and_other_clips(tmp_path: Path) -> None:
    recorder = sn.Recorder()
    recorder.load(sn.Clip(np.zeros(48_000 * 70, np.int16), 48_000))
    assert recorder._sound.duration == 60
    assert recorder.clip.duration == 10
    sound(6).save(tmp_path / "a.wav")
    recorder.load(tmp_path / "a.wav")
    assert recorder.clip == sound(6)
    with pytest.raises(sn.AudioError, match="is empty"):
        recorder.load(sn.Clip.silence(0))


@pytest.mark.parametrize("wrong", [(10, 5), (5,), "ab", (0, 61), (-1, 5)])
def test_wrong_windows(wrong: Any) -> None:
    with pytest.raises(sn.ConfigError, match="least and the most"):
        sn.Recorder(seconds=wrong)


def test_what_does_not_fit_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    recorder = sn.Recorder()
    page = Page(recorder)
    for kind, fields in (("take", {"pcm": 5}), ("nonsense", {}), ("file", {"name": "x"})):
        page.says(kind, **fields)
    assert len(caplog.records) == 3
    page.says("take", pcm="%%%%")
    assert "broken audio" in page.wait_for("refused")["text"]


def test_no_sound_is_in_the_saved_state() -> None:
    state = sn.Recorder(clip=sound(7)).get_state()
    code = {"_esm", "_css"}
    assert len(str({name: value for name, value in state.items() if name not in code})) < 1000


def test_a_saved_page_plays_what_there_is() -> None:
    recorder = sn.Recorder()
    assert "text/html" not in recorder._repr_mimebundle_()[0]
    recorder.load(clip(LOW_SLOW))
    assert "<audio" in recorder._repr_mimebundle_()[0]["text/html"]
