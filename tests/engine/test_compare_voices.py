"""Voices compared, against the engine."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.widgets.spoken import measured
from tests.engine.rest import HIGH_FAST, LOW_SLOW, clip

TEXTS = ["Please bring an umbrella and a warm coat today.", "The train leaves at noon."]


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(seed=7, speed=None) as engine:
        yield engine


@pytest.fixture(scope="module")
def clones(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, sn.ClonedVoice]:
    library = tmp_path_factory.mktemp("library") / "voices.sqlite"
    voices = sn.Voices(engine.url, api_key=engine.key, library=library)
    return {
        name: voices.clone(clip(speaker), consent="Ada Example", accept_cost=True, name=name)
        for name, speaker in (("low", LOW_SLOW), ("high", HIGH_FAST))
    }


@pytest.mark.parametrize("way", ["speech", "realtime"])
def test_the_figures_tell_the_voices_apart(
    engine: LocalEngine, clones: dict[str, sn.ClonedVoice], way: Any
) -> None:
    compared = sn.compare_voices(
        list(clones.values()), TEXTS, way=way, cluster=engine.url, api_key=engine.key
    )
    assert repr(compared) == "VoiceComparison(2 voices, 2 texts)"
    for text in TEXTS:
        low, high = compared["low", text], compared["high", text]
        assert low.pitch is not None and high.pitch is not None and low.pitch < 0.7 * high.pitch
        assert low.rate is not None and high.rate is not None and low.rate < high.rate
    table = compared.df()
    assert list(table.columns) == ["voice", "text", "duration", "pitch", "rate", "error"]
    assert len(table) == 4
    page = compared._static_html()
    assert page.count("<audio") == 4
    assert "Hz" in page


def test_a_voice_that_is_refused_leaves_the_others(engine: LocalEngine) -> None:
    compared = sn.compare_voices(
        {"known": "linjiajiejie", "unknown": "<b>nobody</b>"}, TEXTS, cluster=engine.url, api_key=engine.key
    )
    assert compared["known", TEXTS[0]].clip is not None
    assert "not valid" in (compared["unknown", TEXTS[0]].error or "")
    assert compared.trial["total"] == 0  # there is nothing to compare it with
    assert "2 failed" in repr(compared)
    assert "<b>nobody</b>" not in compared._static_html()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["linjiajiejie"], TEXTS), "at least two"),
        ((["linjiajiejie", "linjiajiejie"], TEXTS), "same name"),
        ((["linjiajiejie", "ruyananshi"], []), "one or more texts"),
        ((["linjiajiejie", "ruyananshi"], ["x", "x"]), "twice"),
    ],
)
def test_wrong_arguments(engine: LocalEngine, arguments: Any, words: str) -> None:
    with pytest.raises(sn.ConfigError, match=words):
        sn.compare_voices(*arguments, cluster=engine.url, api_key=engine.key)
    with pytest.raises(sn.ConfigError, match="'speech' or 'realtime'"):
        sn.compare_voices(["a", "b"], "x", way="letter")  # type: ignore[arg-type]


def test_a_blind_test_tells_no_names_before_its_end(engine: LocalEngine) -> None:
    voices = ["linjiajiejie", "ruyananshi"]
    compared = sn.compare_voices(voices, TEXTS, cluster=engine.url, api_key=engine.key)
    got: list[dict[str, Any]] = []
    compared.send = lambda content, buffers=None: got.append(content)

    def says(kind: str, **fields: Any) -> None:
        content = {"v": 1, "k": kind, "seq": 0, "t": 0.0, "view": "v", **fields}
        compared._on_page_message(None, content, None)

    def soon(condition: Any) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    says("listen", cell="a")
    soon(lambda: got)
    trial = compared._test.trials[0]
    sound = sn.Clip.load(base64.b64decode(got[0]["wav"]))
    assert sound == compared[trial.a, trial.text].clip
    assert not any(voice in str(got[0] | compared.trial) for voice in voices)
    assert compared.scores == []
    says("judge", number=0, choice="a")
    says("judge", number=0, choice="a")  # a double click
    soon(lambda: compared.trial["number"] == 1)
    assert compared.scores == []
    says("undo")
    soon(lambda: compared.trial["number"] == 0)
    says("judge", number=0, choice="tie")
    says("judge", number=1, choice="b")
    soon(lambda: compared.scores)
    assert compared.results["choice"].tolist() == ["tie", "b"]
    table = compared.preferences
    assert table["preference"].tolist() == [0.75, 0.25]
    assert (table["low"] < table["preference"]).all()
    says("begin")
    soon(lambda: compared.trial["number"] == 0)
    says("listen", cell="9")
    soon(lambda: got[-1]["cell"] == "9")
    assert got[-1]["wav"] is None


def test_chinese_characters_count_as_words() -> None:
    sound = sn.Clip.load(clip(LOW_SLOW))[0:3]
    seconds = sound.trim_silence().duration
    assert measured("v", "你好，world! It's fine.", sound).rate == pytest.approx(5 / seconds * 60)


def test_the_lowest_voices_are_not_taken_for_their_overtones(engine: LocalEngine) -> None:
    deep = sn.Clip.load(clip(LOW_SLOW))
    # Played slower, everything is lower: at 55 Hz.
    slow = sn.Clip(deep.samples, round(deep.rate * 55 / (measured("v", "x", deep).pitch or 1)))
    assert measured("v", "x", slow.resample(24_000)).pitch == pytest.approx(55, abs=3)


def test_the_state_holds_no_sound(engine: LocalEngine, tmp_path: Path) -> None:
    compared = sn.compare_voices(
        ["linjiajiejie", "ruyananshi"], TEXTS, cluster=engine.url, api_key=engine.key
    )
    state = {key: value for key, value in compared.get_state().items() if key not in ("_esm", "_css")}
    assert len(str(state)) < 10_000
