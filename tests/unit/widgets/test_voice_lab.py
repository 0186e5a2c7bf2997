"""The kernel's side of the voice lab, against the engine; its page is tested in the browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from tests.engine.rest import LOW_SLOW, clip
from tests.unit.widgets.test_recorder import Page


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(seed=7, speed=None) as engine:
        yield engine


@pytest.fixture
def lab(engine: LocalEngine, tmp_path: Path) -> Iterator[sn.VoiceLab]:
    lab = sn.VoiceLab(engine.url, api_key=engine.key, library=tmp_path / "voices.sqlite")
    yield lab
    lab.close()


def soon(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def test_the_four_steps(lab: sn.VoiceLab) -> None:
    page = Page(lab._bench)
    lab.load(clip(LOW_SLOW))
    soon(lambda: lab._bench.checks, "the clip is judged")
    assert {check["verdict"] for check in lab._bench.checks} == {"good"}
    page.says("preview", text="How does this sound?", said="")
    assert page.wait_for("preview")["pcm"]
    soon(lambda: not lab._bench.busy, "the preview is done")
    page.says("clone", name="Ada", said="The words.", consent="Ada, my own voice", accept_cost=True)
    soon(lambda: lab._bench.made, "the voice is made")
    assert lab.voice is not None
    assert lab._bench.made == {"id": lab.voice.id, "name": "Ada"}
    assert lab.voice.consent == "Ada, my own voice"
    soon(lambda: not lab._bench.busy, "the cloning is done")
    page.says("converse")
    soon(lambda: lab.session, "the session is there")
    assert lab.session is not None
    assert lab.session.ask("hello").wait(timeout=30).audio.duration > 0
    assert lab.session.config.voice == lab.voice.id
    assert lab.children[-1] is lab.session.panel
    assert "Ada" in repr(lab)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"consent": "", "accept_cost": True}, "consent of its speaker"),
        ({"consent": "Ada", "accept_cost": False}, "charges 9.90 CNY"),
    ],
)
def test_a_page_cannot_skip_consent_or_cost(lab: sn.VoiceLab, fields: dict[str, Any], words: str) -> None:
    page = Page(lab._bench)
    lab.load(clip(LOW_SLOW))
    page.says("clone", name="", said="", **fields)
    failed = page.wait_for("failed")
    assert words in failed["text"]
    assert failed["step"] == "clone"
    assert lab.voice is None


def test_faults_are_told_with_their_fix(lab: sn.VoiceLab) -> None:
    page = Page(lab._bench)
    page.says("preview", text="Nothing was recorded", said="")
    assert "0.0 s long" in page.wait_for("failed")["text"]
    with pytest.raises(sn.ConfigError, match="no voice yet"):
        lab.converse()


def test_what_was_recorded_is_known_to_be_what_was_read(lab: sn.VoiceLab) -> None:
    from tests.unit.widgets.test_recorder import sound, text

    page = Page(lab._bench)
    page.says("take", pcm=text(sound(6).pcm))
    soon(lambda: lab._bench.recorded, "it was recorded")
    page.says("file", name="a.wav", data=text(clip(LOW_SLOW)))
    soon(lambda: not lab._bench.recorded, "it was loaded")


def test_the_key_is_not_in_what_it_shows(engine: LocalEngine, lab: sn.VoiceLab) -> None:
    shown = repr(lab) + str(lab.get_state()) + str(lab._bench.get_state()) + str(vars(lab))
    assert engine.key not in shown
