from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pybase64
import pytest

import stepnb as sn
from scripts.example_conversation import Stage
from stepnb.plots.scene import Scene
from stepnb.plots.timeline import share
from stepnb.widgets.timeline import MAX_SECONDS, Timeline, facts, sound
from tests.unit.plots.test_scene import example


class Page:
    """What the page is sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = example().timeline()
        self.messages: list[dict[str, Any]] = []
        self._came = threading.Condition()
        monkeypatch.setattr(self.widget, "send", self._take)

    def _take(self, content: dict[str, Any]) -> None:
        with self._came:
            self.messages.append(content)
            self._came.notify_all()

    def says(self, **message: Any) -> None:
        self.widget._on_page_message(None, {"v": 1, "seq": 0, "t": 0.0, "view": "v1", **message}, None)

    def wait_for(self, count: int) -> dict[str, Any]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.messages) >= count, 20)
        return self.messages[count - 1]


def test_a_view_that_looks_gets_the_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(monkeypatch)
    page.says(k="look")
    message = page.wait_for(1)
    assert (message["k"], message["view"], message["v"], message["seq"]) == ("scene", "v1", 1, 0)
    scene = Scene.of(example())
    assert len(message["speech"]) == len(scene.speech) and message["cuts"] == [
        cut.start for cut in scene.cuts
    ]
    assert message["events"] == pytest.approx(scene.events.tolist(), abs=0.001)
    assert message["threshold"] == pytest.approx(float(share(1200)))


def test_levels_are_those_of_the_sound_every_20_ms() -> None:
    found = facts(example())
    levels = np.frombuffer(pybase64.b64decode(found["you"]), np.uint8)
    assert levels.size == round(found["end"] / 0.02)
    loud = levels > 60
    assert loud[50:160].any() and not loud[:49].any() and not loud[200:540].any()


def test_what_was_said_is_sent_as_a_wav(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(monkeypatch)
    page.says(k="play", turn=1, who="step")
    message = page.wait_for(1)
    clip = sn.Clip.load(pybase64.b64decode(message["wav"]))
    assert clip == example().turns[0].audio
    assert message["start"] == pytest.approx(5.72) and (message["turn"], message["who"]) == (1, "step")
    page.says(k="play", turn=3, who="you")  # it was typed
    assert page.wait_for(2)["wav"] is None
    page.says(k="play", turn=99, who="you")
    assert page.wait_for(3)["wav"] is None


def test_what_does_not_fit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(monkeypatch)
    for wrong in (
        {"k": "play", "turn": 0, "who": "you"},
        {"k": "play", "turn": 1, "who": "me"},
        {"k": "hello"},
        {},
    ):
        page.says(**wrong)
    page.widget._on_page_message(None, "text", None)
    page.says(k="look")
    assert page.wait_for(1)["k"] == "scene" and len(page.messages) == 1


def test_a_long_piece_is_cut_to_what_may_travel_at_once() -> None:
    stage = Stage()
    stage.typed(1.0, 1, "Go on")
    stage.answer(1.1, "and on", sn.Clip(np.full(24000 * 130, 3000, np.int16), 24000), speed=100.0)
    clip, _ = sound(stage.recording(), 1, "step")
    assert clip.duration == MAX_SECONDS


def test_it_falls_back_to_the_picture_and_says_what_it_is() -> None:
    widget = Timeline(example())
    data, metadata = widget._repr_mimebundle_()
    assert pybase64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"] == {"width": 900, "height": 300}
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == repr(widget) == f"Timeline({example()!r})"
