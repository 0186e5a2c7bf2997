"""Each model with its own abilities (protocol notes, sections 2 and 12)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from stepnb.local.engine import LocalEngine
from stepnb.local.parts import ToolCall
from stepnb.local.profile import LIVE
from stepnb.protocol import catalog
from tests.engine.client import Client, audio_of, transcript_of
from tests.engine.desk import Desk, run

OLD_20 = [
    "jingdiannvsheng",
    "cixingnansheng",
    "zhengpaiqingnian",
    "yuanqinansheng",
    "qingniandaxuesheng",
    "boyinnansheng",
    "ruyananshi",
    "shenchennanyin",
    "qinqienvsheng",
    "wenrounvsheng",
    "jilingshaonv",
    "yuanqishaonv",
    "ruanmengnvsheng",
    "youyanvsheng",
    "lengyanyujie",
    "shuangkuaijiejie",
    "wenjingxuejie",
    "linjiajiejie",
    "linjiameimei",
    "zhixingjiejie",
]
NEW_5 = ["elegantgentle-female", "livelybreezy-female", "qingchunshaonv", "wenroushunv", "wenrounansheng"]
VOICES_ON_CN = {
    "stepaudio-2.5-realtime": [*OLD_20, *NEW_5],
    "step-1o-audio": OLD_20,
    "step-audio-2": ["qingchunshaonv", "wenrounansheng", "elegantgentle-female", "livelybreezy-female"],
    "step-audio-2-mini": ["qingchunshaonv", "wenrounansheng"],
}
THINKING = {
    "stepaudio-3-realtime-preview",
    "step-audio-2-think",
    "step-audio-2-mini-think",
    "step-audio-r1.1",
    "step-audio-r1.5",
}
MODELS = [known.id for known in catalog.models()]


@pytest.mark.parametrize("model", VOICES_ON_CN)
def test_voices(model: str) -> None:
    async def script(desk: Desk) -> None:
        for official in catalog.voices():
            desk.send("session.update", session={"voice": official.id})

    desk = run(script, LIVE.changed(voices="cn"), model=model)
    taken = [event["session"]["voice"] for event in desk.all("session.updated")]
    assert sorted(taken) == sorted(VOICES_ON_CN[model])
    assert desk.events[0]["session"]["voice"] in taken, "the default voice is one of them"


def test_the_preview_takes_every_official_voice() -> None:
    async def script(desk: Desk) -> None:
        for voice in ("cixingnansheng", "qingchunshaonv", "jingdiannvsheng", "lively-girl", "nobody"):
            desk.send("session.update", session={"voice": voice})

    desk = run(script, model="stepaudio-3-realtime-preview")
    assert [event["type"] for event in desk.events[1:]] == ["session.updated"] * 4 + ["error"]


@pytest.mark.parametrize("model", MODELS)
def test_only_reasoning_models_think(model: str) -> None:
    async def script(desk: Desk) -> None:
        desk.brain.thinking = "Let me count."
        await desk.ask()

    types = run(script, model=model).types
    assert ("response.thinking.delta" in types) == (model in THINKING)
    assert "response.audio.delta" in types


@pytest.mark.parametrize("model", MODELS)
def test_calls_are_made_or_said(model: str) -> None:
    async def script(desk: Desk) -> None:
        desk.brain.text = "One moment."
        desk.brain.calls = (ToolCall("look", '{"at": "the sky"}'),)
        await desk.ask()

    desk = run(script, model=model)
    (done,) = desk.all("response.done")
    kinds = [item["type"] for item in done["response"]["output"]]
    if model == "step-audio-r1.5":
        assert kinds == ["message"]
        said = done["response"]["output"][0]["content"][-1]["transcript"]
        assert said == 'One moment. look({"at": "the sky"})'
    else:
        assert kinds == ["message", "function_call"]


@pytest.mark.parametrize(
    ("model", "instructions", "voice"),
    [
        ("step-audio-2-mini", "Speak with the default male voice.", "wenrounansheng"),
        ("step-audio-2-mini", "请用默认女声回答。", "qingchunshaonv"),
        ("step-audio-2-think", "Default Male Voice, please.", "wenrounansheng"),
        ("step-audio-2-mini-think", "Be brief.", "qingchunshaonv"),
        ("stepaudio-2.5-realtime", "Speak with the default male voice.", "linjiajiejie"),
    ],
)
def test_voices_that_are_named_in_the_instructions(model: str, instructions: str, voice: str) -> None:
    async def script(desk: Desk) -> None:
        desk.send("session.update", session={"instructions": instructions})
        assert desk.session._settings.reply_options().voice == voice

    run(script, model=model)


def test_the_named_voice_is_heard(engine: LocalEngine) -> None:
    def said(instructions: str) -> bytes:
        with Client(engine, "step-audio-2-mini") as client:
            client.update(instructions=instructions)
            events = client.ask("hello")
            assert transcript_of(events)
            return audio_of(events)

    assert said("Use the default male voice.") != said("Use the default female voice.")


def handshake(engine: LocalEngine, path: str, model: str) -> Any:
    url = engine.url.replace("/v1/realtime", path) + f"?model={model}"
    with connect(url, additional_headers={"Authorization": f"Bearer {engine.key}"}, proxy=None) as socket:
        return json.loads(socket.recv(10))


@pytest.mark.parametrize("model", MODELS)
def test_step_plan_has_one_model(engine: LocalEngine, model: str) -> None:
    path = "/step_plan/v1/realtime"
    if model == "stepaudio-2.5-realtime":
        assert handshake(engine, path, model)["session"]["model"] == model
        return
    with pytest.raises(InvalidStatus) as caught:
        handshake(engine, path, model)
    assert caught.value.response.status_code == 400
    assert "not in the Step Plan" in json.loads(caught.value.response.body)["error"]["message"]


@pytest.mark.parametrize("prefix", ["", "/step_plan"])
@pytest.mark.parametrize("sibling", ["audio", "asr/stream", "stateless"])
def test_siblings_are_refused(engine: LocalEngine, prefix: str, sibling: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        handshake(engine, f"{prefix}/v1/realtime/{sibling}", "stepaudio-2.5-realtime")
    assert caught.value.response.status_code == 404
    assert "sibling of the Realtime API" in json.loads(caught.value.response.body)["error"]["message"]


def test_the_siblings_model_is_refused(engine: LocalEngine) -> None:
    with pytest.raises(InvalidStatus) as caught:
        handshake(engine, "/v1/realtime", "step-overture-preview")
    assert caught.value.response.status_code == 400
    assert "sibling" in json.loads(caught.value.response.body)["error"]["message"]


def test_models_nobody_knows() -> None:
    with LocalEngine(profile="live:unknown_models=true", speed=None) as engine:
        with Client(engine, "stepaudio-9-realtime") as client:
            assert client.created["session"]["model"] == "stepaudio-9-realtime"
            assert client.ask("hello")[-1]["response"]["status"] == "completed"
        with pytest.raises(InvalidStatus):
            handshake(engine, "/v1/realtime", "")
