"""Every switch of a profile, by what a client sees of it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import docstring_parser
import pytest

from stepnb.errors import ConfigError
from stepnb.local.parts import ToolCall
from stepnb.local.profile import ALWAYS, DOCS, LIVE, PROFILES, Profile, named
from stepnb.protocol import catalog
from tests.engine.desk import VAD, Desk, run, silence, tone

ROWS = 36  # of the protocol notes' table of disagreements
OPENED_MS = 1767312000000  # the desk's clock
FLAT = {"type": "function", "name": "look", "parameters": {"type": "object"}}
Script = Callable[[Desk], Awaitable[None]]


def shown(
    script: Script, orderly: bool = False, model: str = "stepaudio-2.5-realtime", **switches: Any
) -> Desk:
    """Run a script with some switches set, in the live profile."""
    return run(script, LIVE.changed(**switches), orderly=orderly, model=model)


async def nothing(desk: Desk) -> None:
    """Only open the session."""


async def update(desk: Desk) -> None:
    desk.send("session.update", session={})


async def ask(desk: Desk) -> None:
    await desk.ask()


async def speak(desk: Desk) -> None:
    """One spoken turn with VAD."""
    desk.vad()
    desk.append(silence(300) + tone(600) + silence(300))
    await desk.until("response.done")


def transcripts(desk: Desk) -> list[str]:
    return [kind.rpartition(".")[2] for kind in desk.types if "input_audio_transcription" in kind]


def test_vad_at_start() -> None:
    assert shown(nothing).events[0]["session"]["turn_detection"] == {"type": ""}
    detection = shown(nothing, vad_at_start=True).events[0]["session"]["turn_detection"]
    assert detection["type"] == "server_vad" and detection["silence_duration_ms"] == 100

    async def speak_at_once(desk: Desk) -> None:
        desk.append(silence(300) + tone(600) + silence(300))
        await desk.until("response.done")

    assert "input_audio_buffer.speech_started" in shown(speak_at_once, vad_at_start=True).types


def test_vad_off_echo() -> None:
    def echo(form: str) -> Any:
        return shown(nothing, vad_off_echo=form).events[0]["session"].get("turn_detection", "absent")

    assert [echo(form) for form in ("empty", "null", "absent")] == [{"type": ""}, None, "absent"]


def test_updated_as_created() -> None:
    assert shown(update).types == ["session.created", "session.updated"]
    assert shown(update, updated_as_created=True).types == ["session.created", "session.created"]


def test_created_status() -> None:
    created = shown(ask, created_status="completed").all("response.created")[0]["response"]
    assert created["status"] == "completed" and created["output"] == []


def test_token_limit() -> None:
    def limits(form: str) -> list[Any]:
        events = shown(update, token_limit=form).events
        return [event["session"]["max_response_output_tokens"] for event in events]

    assert [limits(form) for form in ("mixed", "text", "number", "inf")] == [
        ["4096", 4096],
        ["4096", "4096"],
        [4096, 4096],
        ["inf", "inf"],
    ]


def test_calls_flat_tools() -> None:
    async def script(desk: Desk) -> None:
        desk.send("session.update", session={"tools": [FLAT]})
        await desk.ask()
        (request,) = desk.brain.requests
        flat = desk.session._setup.profile.calls_flat_tools
        nested = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
        assert request.tools == ((nested,) if flat else ())
        assert desk.all("session.updated")[0]["session"]["tools"] == [FLAT], "the echo is as it came"

    shown(script)
    shown(script, calls_flat_tools=True)


def test_error_shape() -> None:
    async def script(desk: Desk) -> None:
        desk.send("response.cancel")

    message = "no ongoing response to cancel"
    nested = shown(script).events[-1]
    assert nested["error"] == {"type": "invalid_request_error", "message": message, "event_id": "mine"}
    flat = shown(script, error_shape="flat").events[-1]
    assert flat == {"type": "invalid_request_error", "message": message, "event_id": "mine"}
    text = shown(script, error_shape="text").events[-1]
    assert (text["type"], text["error"]) == ("error", message)


async def interrupted(desk: Desk) -> None:
    desk.mouth.allowed = asyncio.Semaphore(0)
    desk.say("hi")
    desk.send("response.create")
    await desk.until("response.output_item.added")
    desk.send("response.cancel")


def test_interrupted_status() -> None:
    done = shown(interrupted, interrupted_status="cancelled").events[-1]["response"]
    assert done["status"] == "cancelled" and done["output"][0]["status"] == "incomplete"
    assert shown(interrupted).events[-1]["response"]["status"] == "incomplete"


def test_sends_response_cancelled() -> None:
    assert shown(interrupted, sends_response_cancelled=True).types[-2:] == [
        "response.cancelled",
        "response.done",
    ]
    assert "response.cancelled" not in shown(interrupted).types


async def own_id(desk: Desk) -> None:
    content = [{"type": "input_text", "text": "hi"}]
    item = {"id": "item_of_mine", "type": "message", "role": "user", "content": content}
    desk.send("conversation.item.create", item=item)


def test_keep_client_ids() -> None:
    assert shown(own_id, keep_client_ids=True).events[-1]["item"]["id"] == "item_of_mine"
    assert shown(own_id).events[-1]["item"]["id"] != "item_of_mine"


def test_text_echoed_as_audio() -> None:
    live = shown(own_id).events[-1]["item"]
    assert (live["status"], live["content"]) == ("in_progress", [{"type": "audio", "transcript": "hi"}])
    docs = shown(own_id, text_echoed_as_audio=False).events[-1]["item"]
    assert (docs["status"], docs["content"]) == ("completed", [{"type": "input_text", "transcript": "hi"}])


def test_fresh_content() -> None:
    def content(form: str) -> list[Any]:
        desk = shown(ask, fresh_content=form)
        added = desk.all("response.output_item.added")[0]["item"]
        created = desk.all("conversation.item.created")[1]["item"]
        assert desk.all("response.output_item.done")[0]["item"]["content"]
        return [added.get("content", "absent"), created.get("content", "absent")]

    assert content("absent") == ["absent", "absent"]
    assert content("empty") == [[], []]
    assert content("null") == [None, None]


def test_previous_item_id() -> None:
    def previous(form: str) -> list[Any]:
        items = shown(ask, previous_item_id=form).all("conversation.item.created")
        ids = {item["item"]["id"]: number for number, item in enumerate(items)}
        return [
            ids.get(item["previous_item_id"]) if "previous_item_id" in item else "absent" for item in items
        ]

    assert previous("last") == ["absent", 0]
    assert previous("absent") == ["absent", "absent"]
    assert previous("own") == [0, 1]


def times(desk: Desk) -> tuple[Any, Any]:
    started, stopped = (desk.all(f"input_audio_buffer.speech_{end}")[0] for end in ("started", "stopped"))
    return started["audio_start_ms"], stopped.get("audio_end_ms")


def test_epoch_times() -> None:
    relative = times(shown(speak))
    assert 0 <= relative[0] < relative[1] < 2000
    assert times(shown(speak, epoch_times=True)) == tuple(OPENED_MS + ms for ms in relative)


def test_text_times() -> None:
    assert times(shown(speak, text_times=True)) == tuple(map(str, times(shown(speak))))


def test_speech_stopped_time() -> None:
    start, end = times(shown(speak, speech_stopped_time=False, epoch_times=True, text_times=True))
    assert start.isdecimal() and end is None


def test_cumulative_transcripts() -> None:
    assert transcripts(shown(speak)) == ["delta", "delta", "completed"]
    deltas = shown(speak).all("conversation.item.input_audio_transcription.delta")
    assert [delta["delta"] for delta in deltas] == ["hello", "hello there"]
    assert transcripts(shown(speak, cumulative_transcripts=False)) == ["completed"]


def test_transcripts_on_request() -> None:
    async def requested(desk: Desk) -> None:
        desk.send("session.update", session={"input_audio_transcription": {"model": "any"}})
        await speak(desk)

    assert transcripts(shown(speak, transcripts_on_request=True)) == []
    assert transcripts(shown(requested, transcripts_on_request=True)) == ["delta", "delta", "completed"]


def test_reads_threshold() -> None:
    async def script(desk: Desk) -> None:
        desk.send("session.update", session={"turn_detection": {"type": "server_vad", "threshold": 0.1}})

    def threshold(**switches: Any) -> int:
        detection = shown(script, **switches).events[-1]["session"]["turn_detection"]
        return int(detection["energy_awakeness_threshold"])

    assert threshold() == 2500 and threshold(reads_threshold=True) == 500


def test_output_item_created() -> None:
    types = shown(ask, output_item_created=True).types
    assert "response.output_item.created" in types and "response.output_item.added" not in types


def test_rate_limits() -> None:
    types = shown(ask, rate_limits=True, orderly=False).types
    assert types[types.index("response.created") + 1] == "rate_limits.updated"
    assert "rate_limits.updated" not in shown(ask).types


def test_response_id_on_deltas() -> None:
    def named_by(**switches: Any) -> set[bool]:
        desk = shown(ask, **switches)
        deltas = desk.all("response.audio.delta") + desk.all("response.audio_transcript.delta")
        return {"response_id" in delta for delta in deltas}

    assert named_by() == {True} and named_by(response_id_on_deltas=False) == {False}


async def call(desk: Desk) -> None:
    desk.brain.calls = (ToolCall("look", '{"at": "the sky"}'),)
    await desk.ask()


def test_ids_on_call_deltas() -> None:
    for wanted in (True, False):
        desk = shown(call, ids_on_call_deltas=wanted)
        for event in desk.all("response.function_call_arguments.delta"):
            assert ("item_id" in event, "response_id" in event) == (wanted, wanted)


def test_call_delta_in_both_keys() -> None:
    for wanted in (True, False):
        deltas = shown(call, call_delta_in_both_keys=wanted).all("response.function_call_arguments.delta")
        assert "".join(delta["arguments"] for delta in deltas) == '{"at": "the sky"}'
        assert all(("delta" in delta) == wanted for delta in deltas)


def test_system_item_closes() -> None:
    async def script(desk: Desk) -> None:
        content = [{"type": "input_text", "text": "be brief"}]
        item = {"type": "message", "role": "system", "content": content}
        desk.send("conversation.item.create", item=item)
        assert desk.events[-1]["error"]["message"] == "item.role must be user or assistant"

    assert shown(script).hangup is None
    hangup = shown(script, system_item_closes=True).hangup
    assert hangup is not None and hangup.code == 1008


def test_text_as_speech() -> None:
    async def script(desk: Desk) -> None:
        await desk.ask(response={"modalities": ["text"]})

    assert "response.text.delta" in shown(script).types
    types = shown(script, text_as_speech=True).types
    assert "response.audio.delta" in types and "response.text.delta" not in types


def test_acknowledges_outputs() -> None:
    async def script(desk: Desk) -> None:
        item = {"type": "function_call_output", "call_id": "call_1", "output": "blue"}
        desk.send("conversation.item.create", item=item)

    assert shown(script).types == ["session.created", "conversation.item.created"]
    assert shown(script, acknowledges_outputs=False).types == ["session.created"]


def test_auto_interrupt() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.mouth.allowed = asyncio.Semaphore(0)
        desk.say("hi")
        desk.send("response.create")
        await desk.until("response.output_item.added")
        desk.append(silence(300) + tone(600))

    assert shown(script).types[-1] == "response.done"
    assert "response.done" not in shown(script, auto_interrupt=False).types


def voice(name: str) -> Script:
    async def script(desk: Desk) -> None:
        desk.send("session.update", session={"voice": name})

    return script


@pytest.mark.parametrize(
    ("voices", "name", "taken"),
    [
        ("all", "linjiajiejie", True),
        ("all", "lively-girl", True),
        ("all", "tianmeinvsheng", False),
        ("cn", "linjiajiejie", True),
        ("cn", "lively-girl", False),
        ("global", "linjiajiejie", False),
        ("global", "lively-girl", True),
        ("global", "zixinnansheng", True),
    ],
)
def test_voices(voices: str, name: str, taken: bool) -> None:
    desk = shown(voice(name), voices=voices)
    assert desk.types[-1] == ("session.updated" if taken else "error")
    if not taken:
        assert desk.events[-1]["error"]["message"] == f"voice {name} is not valid"


@pytest.mark.parametrize("model", ["stepaudio-2.5-realtime", "stepaudio-3-realtime-preview"])
def test_the_overseas_cluster_has_seven_voices(model: str) -> None:
    async def script(desk: Desk) -> None:
        for official in catalog.voices():
            await voice(official.id)(desk)

    desk = shown(script, voices="global", model=model)
    taken = [event["session"]["voice"] for event in desk.all("session.updated")]
    assert sorted(taken) == [
        "elegantgentle-female",
        "lively-girl",
        "livelybreezy-female",
        "magnetic-voiced-male",
        "soft-spoken-gentleman",
        "vibrant-youth",
        "zixinnansheng",
    ]
    assert desk.events[0]["session"]["voice"] in taken


def test_cloned_voices() -> None:
    async def script(desk: Desk) -> None:
        desk.session._settings = dataclasses.replace(desk.session._settings, is_clone=lambda _: True)
        await voice("voice-tone-1")(desk)

    assert shown(script).types[-1] == "session.updated"
    assert shown(script, cloned_voices=False).types[-1] == "error"


def expire(desk: Desk) -> Awaitable[None]:
    async def script() -> None:
        desk.session.expire()

    return script()


def test_session_limit_error() -> None:
    assert shown(expire).events[-1]["error"]["code"] == "session_expired"
    desk = shown(expire, session_limit_error=False)
    assert desk.types == ["session.created"] and desk.hangup is not None


def test_session_limit_code() -> None:
    for code in (1000, 4001):
        hangup = shown(expire, session_limit_code=code).hangup
        assert hangup is not None and (hangup.code, hangup.reason) == (code, "session expired")


def test_ignores_late_voice() -> None:
    async def script(desk: Desk) -> None:
        await desk.ask()
        await voice("cixingnansheng")(desk)

    assert shown(script).types[-1] == "error"
    ignored = shown(script, ignores_late_voice=True).events[-1]
    assert ignored["type"] == "session.updated" and ignored["session"]["voice"] == "linjiajiejie"


def test_truncation() -> None:
    async def script(desk: Desk) -> None:
        done = await desk.ask()
        item_id = done["response"]["output"][0]["id"]
        desk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)

    assert shown(script).types[-1] == "conversation.item.truncated"
    assert "unknown event type" in shown(script, truncation=False).events[-1]["error"]["message"]


# The table ----------------------------------------------------------------------------------------------------------

TESTED_OVER_SOCKETS = {
    "unknown_models",
    "preview_is_wav",
    "session_limit_s",
}  # in test_handshake, test_rest_voices


def switches() -> dict[str, int]:
    return {
        entry.name: entry.metadata["row"] for entry in dataclasses.fields(Profile) if entry.name != "name"
    }


def test_every_row_is_a_switch_or_has_one_way() -> None:
    rows = set(switches().values())
    assert not rows & set(ALWAYS)
    assert rows | set(ALWAYS) == set(range(1, ROWS + 1))


def test_every_switch_is_documented_and_tested() -> None:
    documented = [entry.arg_name for entry in docstring_parser.parse(Profile.__doc__ or "").params]
    assert documented == ["name", *switches()]
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(switches()) - TESTED_OVER_SOCKETS <= tested


def test_the_documentations_profile_is_another_one() -> None:
    differing = {name for name in switches() if getattr(LIVE, name) != getattr(DOCS, name)}
    assert differing == {
        "vad_off_echo",
        "call_delta_in_both_keys",
        "ids_on_call_deltas",
        "interrupted_status",
        "sends_response_cancelled",
        "keep_client_ids",
        "text_echoed_as_audio",
        "fresh_content",
        "cumulative_transcripts",
        "response_id_on_deltas",
    }
    assert PROFILES == {"live": LIVE, "docs": DOCS}


def test_profiles_from_text() -> None:
    assert named("docs") is DOCS
    changed = named("live: epoch_times=true, vad_off_echo=null, session_limit_s=90.5")
    assert changed == LIVE.changed(epoch_times=True, vad_off_echo="null", session_limit_s=90.5)
    assert named(changed) is changed
    assert repr(DOCS) == "<Profile docs>"
    assert repr(LIVE.changed(text_times=True)) == "<Profile live, text_times=True>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("loud", "no profile 'loud'"),
        ("live:loud=true", "no 'loud' in the profile"),
        ("live:epoch_times=maybe", "epoch_times of the profile cannot be 'maybe'"),
        ("live:vad_off_echo=loud", "vad_off_echo of the profile cannot be 'loud'"),
        ("live:session_limit_s=0", "session_limit_s of the profile cannot be '0'"),
    ],
)
def test_wrong_profiles(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        named(text)
    assert caught.value.fix


def test_wrong_values() -> None:
    with pytest.raises(ConfigError, match="epoch_times"):
        LIVE.changed(epoch_times="yes")
    with pytest.raises(ConfigError, match="fresh_content"):
        Profile(name="mine", fresh_content="none")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no 'loud'"):
        LIVE.changed(loud=True)


def test_all_switches_at_once_keep_a_session_going() -> None:
    other: dict[str, Any] = {}
    for name in switches():
        value = getattr(LIVE, name)
        if isinstance(value, bool):
            other[name] = not value
    other.pop("truncation")
    profile = LIVE.changed(
        **other, vad_off_echo="null", token_limit="inf", error_shape="text", fresh_content="null"
    )

    async def script(desk: Desk) -> None:
        await desk.ask()
        desk.send("session.update", session={"turn_detection": VAD})
        desk.append(silence(300) + tone(600) + silence(300))
        done = await desk.until("response.done", 2)
        assert done["response"]["status"] == "completed"

    desk = run(script, profile, orderly=False)
    assert all(json.dumps(event) for event in desk.events)
