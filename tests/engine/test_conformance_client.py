"""Every documented client event with each of its documented fields: taken, at work, and refused when malformed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stepnb.local.engine import LocalEngine
from tests.engine.client import VAD, Client, audio_of, b64, silence, transcript_of
from tests.engine.conftest import NOON
from tests.engine.order import Event
from tests.engine.test_tools import WEATHER, calls_of
from tests.engine.watch import EVENTS

CLIENT = {spec["type"]: spec for spec in EVENTS if spec["direction"] == "client"}
FIELDS = [
    (name, path)
    for name, spec in CLIENT.items()
    for path in spec["required"] | spec["optional"]
    if path != "type"
]
Speech = Callable[[str], bytes]
Check = Callable[[Client, Speech], None]

QUESTION = "What is two plus two?"


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}], **more}


@pytest.fixture(scope="module", params=["live", "docs"])
def profiled(request: pytest.FixtureRequest) -> Iterator[LocalEngine]:
    with LocalEngine(request.param, seed=7, speed=None, now=lambda: NOON) as engine:
        yield engine


@pytest.fixture
def client(profiled: LocalEngine) -> Iterator[Client]:
    with Client(profiled) as client:
        client.update(modalities=["text"])
        yield client


# What each field does -------------------------------------------------------------------------------------------------

CHECKS: dict[tuple[str, str], Check] = {}


def does(*fields: str) -> Callable[[Check], Check]:
    """Say which fields a check is for: ``event field`` each."""

    def note(check: Check) -> Check:
        for field in fields:
            name, path = field.split(" ")
            CHECKS[name, path] = check
        return check

    return note


@does(*(f"{name} event_id" for name in CLIENT))
def event_ids_come_back_in_errors_only(client: Client, _: Speech) -> None:
    for name in CLIENT:
        bad = {"type": name, "event_id": f"mine of {name}", "session": 1, "item": 1, "item_id": 1, "audio": 1}
        if name in ("input_audio_buffer.commit", "response.create", "response.cancel"):
            bad = {"type": name, "event_id": f"mine of {name}"}  # with nothing to act on
        client.socket.send(json.dumps(bad))
        answer = client.receive()
        if name == "input_audio_buffer.clear":
            assert answer["type"] == "input_audio_buffer.cleared"
        else:
            assert answer["error"]["event_id"] == f"mine of {name}"
        assert answer["event_id"] != f"mine of {name}"


@does("session.update session")
def an_update_may_be_empty(client: Client, _: Speech) -> None:
    before = client.update()["session"]
    assert client.update()["session"] == before


@does("session.update session.modalities")
def modalities(client: Client, _: Speech) -> None:
    assert client.update(modalities=["text", "audio"])["session"]["modalities"] == ["text", "audio"]
    assert audio_of(client.ask(QUESTION))
    client.update(modalities=["text"])
    assert not audio_of(client.ask(QUESTION))
    assert client.refusal("session.update", session={"modalities": ["audio"]})["code"] == "invalid_value"


@does("session.update session.instructions")
def instructions(client: Client, _: Speech) -> None:
    told = "Always answer with the word Moin."
    assert client.update(instructions=told)["session"]["instructions"] == told
    assert client.update(voice="cixingnansheng")["session"]["instructions"] == told


@does("session.update session.voice")
def voice(client: Client, _: Speech) -> None:
    client.update(modalities=["text", "audio"])
    assert client.update(voice="cixingnansheng")["session"]["voice"] == "cixingnansheng"
    wrong = client.refusal("session.update", session={"voice": "nobody"})
    assert wrong["message"] == "voice nobody is not valid"
    client.ask(QUESTION)
    assert client.update(voice="cixingnansheng")["session"]["voice"] == "cixingnansheng"  # no change
    late = client.refusal("session.update", session={"voice": "linjiajiejie"})
    assert "voice cannot be changed" in late["message"] and late["type"] == "invalid_request_error"


@does("session.update session.input_audio_format", "session.update session.output_audio_format")
def only_pcm16(client: Client, _: Speech) -> None:
    for key in ("input_audio_format", "output_audio_format"):
        assert client.update(**{key: "pcm16"})["session"][key] == "pcm16"
        assert client.refusal("session.update", session={key: "g711_ulaw"})["code"] == "invalid_value"


@does("session.update session.turn_detection", "session.update session.turn_detection.type")
def turn_detection(client: Client, _: Speech) -> None:
    on = client.update(turn_detection={"type": "server_vad"})["session"]["turn_detection"]
    assert on == {
        "type": "server_vad",
        "prefix_padding_ms": 500,
        "silence_duration_ms": 100,
        "energy_awakeness_threshold": 2500,
    }
    assert client.update(turn_detection={"silence_duration_ms": 400})["session"]["turn_detection"] == {
        **on,
        "silence_duration_ms": 400,
    }
    for off in (None, {"type": ""}):
        client.update(turn_detection=VAD)
        echo = client.update(turn_detection=off)["session"]
        assert not echo.get("turn_detection", {}).get("type")
        assert "append is not called" in client.refusal("input_audio_buffer.commit")["message"]
    wrong = client.refusal("session.update", session={"turn_detection": {"type": "semantic_vad"}})
    assert wrong["code"] == "invalid_value"


def spoken(client: Client, speech: Speech, **vad: int) -> tuple[int, int]:
    """Speak in a quiet room; returns where the service heard speech begin and end, ms."""
    client.update(turn_detection={**VAD, **vad})
    client.append(silence(1500) + speech("Good morning.") + silence(2500))
    events = client.until("input_audio_buffer.speech_stopped")
    times = [
        e.get("audio_start_ms", e.get("audio_end_ms")) for e in events if "audio_buffer.speech" in e["type"]
    ]
    client.until("response.done")
    return times[0], times[-1]


@does("session.update session.turn_detection.prefix_padding_ms")
def prefix_padding(client: Client, speech: Speech) -> None:
    with_little = spoken(client, speech, prefix_padding_ms=100)[0]
    client.update(turn_detection=None)
    client.send("input_audio_buffer.clear")
    with_much = spoken(client, speech, prefix_padding_ms=900)[0]
    heard = 1500 + len(speech("Good morning.")) // 48 + 2500  # the second time starts here
    assert with_little - (with_much - heard) == 800


@does("session.update session.turn_detection.silence_duration_ms")
def silence_duration(client: Client, speech: Speech) -> None:
    soon = spoken(client, speech, silence_duration_ms=300)[1]
    client.update(turn_detection=None)
    client.send("input_audio_buffer.clear")
    late = spoken(client, speech, silence_duration_ms=1100)[1]
    heard = 1500 + len(speech("Good morning.")) // 48 + 2500
    assert (late - heard) - soon == 800


@does("session.update session.turn_detection.energy_awakeness_threshold")
def threshold(client: Client, _: Speech) -> None:
    hum = b"".join(int(1500 * (-1) ** (n // 60)).to_bytes(2, "little", signed=True) for n in range(24 * 400))
    client.update(turn_detection={**VAD, "energy_awakeness_threshold": 5000})
    client.append(hum + silence(700))
    client.update(turn_detection={**VAD, "energy_awakeness_threshold": 500})
    assert [event["type"] for event in client.events].count("input_audio_buffer.speech_started") == 0
    client.append(hum + silence(700))
    client.until("response.done")
    wrong = {"turn_detection": {"energy_awakeness_threshold": 5001}}
    assert client.refusal("session.update", session=wrong)["code"] == "invalid_value"


@does("session.update session.tools")
def tools(client: Client, _: Speech) -> None:
    web = {
        "type": "web_search",
        "function": {"description": "Search.", "options": {"top_k": 5, "timeout_seconds": 3}},
    }
    options = {"vector_store_id": "200000000000000001", "prompt_template": "{{knowledge}} {{query}}"}
    documents = {"type": "retrieval", "function": {"description": "The manual.", "options": options}}
    assert client.update(tools=[WEATHER, web, documents])["session"]["tools"] == [WEATHER, web, documents]
    (call,) = calls_of(client.ask("What is the weather in Paris?")[-1])
    assert call["name"] == "get_weather" and json.loads(call["arguments"]) == {"city": "Paris"}
    assert client.update(tools=[])["session"]["tools"] == []
    assert not calls_of(client.ask("What is the weather in Rome?")[-1])
    for wrong in ({"type": "mcp"}, {"type": "function", "function": {"name": "no spaces"}}):
        assert client.refusal("session.update", session={"tools": [wrong]})["type"] == "invalid_request_error"


@does("session.update session.tool_choice")
def tool_choice(client: Client, _: Speech) -> None:
    echo = client.update(tools=[WEATHER], tool_choice="none")["session"]
    assert "tool_choice" not in echo
    assert not calls_of(client.ask("What is the weather in Paris?")[-1])
    client.update(tool_choice="auto")
    assert calls_of(client.ask("What is the weather in Oslo?")[-1])
    wrong = client.refusal("session.update", session={"tool_choice": {"type": "function", "name": "x"}})
    assert "invalid event format" in wrong["message"]


@does(
    "session.update session.temperature",
    "session.update session.max_response_output_tokens",
    "session.update session.input_audio_transcription",
    "session.update session.reasoning",
)
def taken_without_effect(client: Client, _: Speech) -> None:
    before = client.update()["session"]
    for ignored in (
        {"temperature": 0.8},
        {"max_response_output_tokens": 100},
        {"max_response_output_tokens": "inf"},
        {"input_audio_transcription": None},
        {"input_audio_transcription": {"model": "x"}},
        {"reasoning": None},
        {"reasoning": {"effort": "low"}},
        # What other clients send, and nobody documents.
        {
            "speed": 1.5,
            "built_in_tools": ["web_search"],
            "max_response_output_length": 4096,
            "threshold": 0.5,
        },
    ):
        assert client.update(**ignored)["session"] == before


@does("session.update session.volume_ratio")
def volume_ratio(client: Client, _: Speech) -> None:
    assert client.update(volume_ratio=1.5)["session"]["volume_ratio"] == 1.5
    assert client.update(voice="cixingnansheng")["session"]["volume_ratio"] == 1.5


@does("input_audio_buffer.append audio")
def audio_is_heard(client: Client, speech: Speech) -> None:
    client.append(speech(QUESTION) + silence(1000), chunk=1440)
    client.send("input_audio_buffer.commit")
    client.until("conversation.item.input_audio_transcription.completed", lambda e: "two" in e["transcript"])
    for wrong in ("?", "AAA", b64(b"\0" * 3)):
        assert "invalid event format" in client.refusal("input_audio_buffer.append", audio=wrong)["message"]


@does(
    "conversation.item.create item",
    "conversation.item.create item.type",
    "conversation.item.create item.role",
)
def items(client: Client, _: Speech) -> None:
    client.send("conversation.item.create", item=text("My name is Ada."))
    user = client.until("conversation.item.created")[-1]["item"]
    assert (user["type"], user["role"], user["object"]) == ("message", "user", "realtime.item")
    answer = {**text("Nice to meet you."), "role": "assistant"}
    answer["content"][0]["type"] = "text"
    client.send("conversation.item.create", item=answer)
    assert client.until("conversation.item.created")[-1]["item"]["role"] == "assistant"
    assert "Ada" in transcript_of(client.ask("What is my name?"))
    for wrong, words in (
        ({**text("x"), "role": "system"}, "item.role must be user or assistant"),
        ({**text("x"), "type": "function_call"}, "item.type must be message or function_call_output"),
        ({"role": "user", "content": text("x")["content"]}, "item.type must be"),
    ):
        assert words in client.refusal("conversation.item.create", item=wrong)["message"]


@does("conversation.item.create previous_item_id")
def previous_item(client: Client, _: Speech) -> None:
    first, second = (client.add_text(words) for words in ("My name is Ada.", "My name is Bob."))
    assert second["previous_item_id"] == first["item"]["id"]
    client.send("conversation.item.create", item=text("hello"), previous_item_id=first["item"]["id"])
    between = client.until("conversation.item.created")[-1]
    assert between["previous_item_id"] == first["item"]["id"]
    for unknown in ("root", "nobody"):
        wrong = client.refusal("conversation.item.create", item=text("x"), previous_item_id=unknown)
        assert wrong["message"] == "cannot find previous item"
    client.send("response.create")
    assert client.until("response.output_item.added")  # and the answer stands at the end
    created = client.until("conversation.item.created")[-1]
    assert created["previous_item_id"] == second["item"]["id"]
    client.until("response.done")


@does("conversation.item.create item.id")
def own_id(client: Client, _: Speech) -> None:
    client.send("conversation.item.create", item=text("hello", id="mine"))
    kept = client.until("conversation.item.created")[-1]["item"]["id"] == "mine"
    assert kept == keeps_ids(client)
    if kept:
        assert (
            "already exists"
            in client.refusal("conversation.item.create", item=text("x", id="mine"))["message"]
        )


def keeps_ids(client: Client) -> bool:
    """Only the documentation shows push-to-talk by leaving `turn_detection` out, and only it keeps ids."""
    return "turn_detection" not in client.created["session"]


@does("conversation.item.create item.status")
def own_status(client: Client, _: Speech) -> None:
    client.send("conversation.item.create", item=text("hello", status="completed"))
    status = client.until("conversation.item.created")[-1]["item"]["status"]
    assert status == ("completed" if keeps_ids(client) else "in_progress")


@does("conversation.item.create item.content")
def content(client: Client, speech: Speech) -> None:
    parts = [{"type": "input_text", "text": "hello"}, {"type": "input_audio", "audio": b64(speech(QUESTION))}]
    client.send("conversation.item.create", item={**text(""), "content": parts})
    created = client.until("conversation.item.created")[-1]["item"]
    assert created["content"][0]["transcript"] == "hello"
    client.until("conversation.item.input_audio_transcription.completed")
    client.send("response.create")
    assert "4" in transcript_of(client.until("response.done"))
    for wrong in (
        [],
        [{"type": "input_text", "text": ""}],
        [{"type": "image", "text": "x"}],
        [{"type": "input_audio", "audio": "?"}],
    ):
        bad = client.refusal("conversation.item.create", item={**text(""), "content": wrong})
        assert bad["param"].startswith("item")
    said = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "input_audio", "audio": b64(bytes(96))}],
    }
    assert "no part of type" in client.refusal("conversation.item.create", item=said)["message"]


@does("conversation.item.create item.call_id", "conversation.item.create item.output")
def call_output(client: Client, _: Speech) -> None:
    client.update(tools=[WEATHER])
    (call,) = calls_of(client.ask("What is the weather in Paris?")[-1])
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "Snow."}
    client.send("conversation.item.create", item=output)
    created = client.until("conversation.item.created")[-1]["item"]
    assert (created["call_id"], created["output"]) == (call["call_id"], "Snow.")
    client.send("response.create")
    assert transcript_of(client.until("response.done")) == "Snow."
    for missing in ("call_id", "output"):
        part = {key: value for key, value in output.items() if key != missing}
        assert missing in client.refusal("conversation.item.create", item=part)["message"]


@does("conversation.item.delete item_id")
def deleted(client: Client, _: Speech) -> None:
    item = client.add_text("My name is Ada.")["item"]["id"]
    client.send("conversation.item.delete", item_id=item)
    assert client.until("conversation.item.deleted")[-1]["item_id"] == item
    assert "Ada" not in transcript_of(client.ask("What is my name?"))
    assert "cannot find item" in client.refusal("conversation.item.delete", item_id=item)["message"]


@does(
    "conversation.item.truncate item_id",
    "conversation.item.truncate content_index",
    "conversation.item.truncate audio_end_ms",
)
def truncated(client: Client, _: Speech) -> None:
    client.update(modalities=["text", "audio"])
    answer = client.ask("Tell me a joke.")[-1]["response"]["output"][0]
    place = {"item_id": answer["id"], "content_index": 0, "audio_end_ms": 300}
    client.send("conversation.item.truncate", **place)
    event = client.until("conversation.item.truncated")[-1]
    assert {key: event[key] for key in place} == place
    for wrong in (
        {"item_id": "nobody"},
        {"audio_end_ms": -1},
        {"item_id": client.add_text("x")["item"]["id"]},
    ):
        assert client.refusal("conversation.item.truncate", **{**place, **wrong})["code"] == "invalid_value"


@does("response.create response")
def a_bare_request(client: Client, _: Speech) -> None:
    assert "continue_final_message" in client.refusal("response.create")["message"]
    client.add_text(QUESTION)
    client.send("response.create", response={})
    assert client.until("response.done")[-1]["response"]["status"] == "completed"


@does("response.create response.modalities")
def modalities_of_one_response(client: Client, _: Speech) -> None:
    assert audio_of(client.ask(QUESTION, modalities=["text", "audio"]))
    assert not audio_of(client.ask(QUESTION))
    bad = client.refusal("response.create", response={"modalities": ["audio"]})
    assert bad["param"] == "response.modalities"


@does(
    "response.create response.instructions", "response.create session", "response.create session.instructions"
)
def instructions_of_one_response(client: Client, _: Speech) -> None:
    client.add_text("Hi")
    before = client.update()["session"]
    for body in ({"response": {"instructions": "Be brief."}}, {"session": {"instructions": "Be brief."}}):
        client.send("response.create", **body)
        assert client.until("response.done")[-1]["response"]["status"] == "completed"
    assert client.update()["session"] == before
    for body in ({"response": {"instructions": "x" * 100_001}}, {"session": {"instructions": "x" * 100_001}}):
        assert client.refusal("response.create", **body)["code"] == "invalid_value"


@does("response.create response.voice")
def voice_of_one_response(client: Client, _: Speech) -> None:
    client.update(modalities=["text", "audio"])
    assert client.refusal("response.create", response={"voice": "nobody"})["message"].startswith(
        "chat template"
    )
    client.add_text(QUESTION)
    assert (
        client.refusal("response.create", response={"voice": "nobody"})["message"]
        == "voice nobody is not valid"
    )
    client.send("response.create", response={"voice": "cixingnansheng"})
    assert audio_of(client.until("response.done"))
    late = client.refusal("response.create", response={"voice": "wenrounvsheng"})
    assert "voice cannot be changed" in late["message"]


@does("response.create response.tools")
def tools_of_one_response_are_not_used(client: Client, _: Speech) -> None:
    assert not calls_of(client.ask("What is the weather in Paris?", tools=[WEATHER])[-1])


@does("response.create response.tool_choice")
def tool_choice_of_one_response(client: Client, _: Speech) -> None:
    client.update(tools=[WEATHER])
    assert not calls_of(client.ask("What is the weather in Paris?", tool_choice="none")[-1])
    assert calls_of(client.ask("What is the weather in Oslo?", tool_choice="auto")[-1])


@does(
    "response.create response.input_audio_format",
    "response.create response.output_audio_format",
    "response.create response.metadata",
)
def taken_without_effect_on_one_response(client: Client, _: Speech) -> None:
    options = {"input_audio_format": "pcm16", "output_audio_format": "pcm16", "metadata": {"mine": "1"}}
    events = client.ask(QUESTION, **options)
    assert events[-1]["response"]["status"] == "completed"
    assert not [event for event in events if "metadata" in event.get("response", {})]


@pytest.mark.parametrize(("name", "path"), FIELDS)
def test_a_documented_field(client: Client, speech: Speech, name: str, path: str) -> None:
    CHECKS[name, path](client, speech)


def test_checks_are_of_documented_fields() -> None:
    assert set(CHECKS) == set(FIELDS)


# Malformed ------------------------------------------------------------------------------------------------------------

ODD: dict[str, Any] = {
    "string": "x",
    "integer": 7,
    "number": 0.5,
    "array": [{"type": "x"}],
    "object": {"odd": 1},
    "boolean": True,
}
# A number is written in many ways; an integer is one.
ALSO = {"number": {"integer"}, "integer": set()}


def documented(name: str) -> Event:
    """Return the documentation's own example of an event, with what it shows of no field left out."""
    return json.loads(json.dumps(CLIENT[name]["example"]))  # a copy of its own


def put(event: Event, path: str, value: Any) -> Event:
    *parents, last = path.split(".")
    inside = event
    for key in parents:
        inside = inside.setdefault(key, {})
        if not isinstance(inside, dict):
            return event
    if value is ...:
        inside.pop(last, None)
    else:
        inside[last] = value
    return event


@pytest.mark.parametrize(("name", "path"), FIELDS)
def test_a_field_of_a_wrong_type_is_refused(client: Client, name: str, path: str) -> None:
    spec = CLIENT[name]
    right = set((spec["required"] | spec["optional"])[path].split("|"))
    right |= {also for kind in right for also in ALSO.get(kind, ())}
    before = client.update()["session"]
    for kind, value in ODD.items():
        if kind in right:
            continue
        event = put(documented(name), path, value)
        client.socket.send(
            json.dumps({"event_id": "odd", **event, **({} if path == "event_id" else {"event_id": "odd"})})
        )
        error = client.until("error")[-1]["error"]
        assert error["message"].startswith("invalid event format") and error["code"] == "invalid_param"
        if path != "event_id":
            assert error["event_id"] == "odd"
    assert client.update()["session"] == before


@pytest.mark.parametrize("name", CLIENT)
def test_a_missing_field_is_refused(client: Client, name: str) -> None:
    for path in CLIENT[name]["required"]:
        for value in (..., None):
            client.socket.send(json.dumps({**put(documented(name), path, value), "event_id": "bare"}))
            error = client.until("error")[-1]["error"]
            assert error["type"] == "invalid_request_error" and error["event_id"] == "bare", (path, value)


def test_a_null_is_a_field_that_is_not_given(client: Client) -> None:
    for name, spec in CLIENT.items():
        for path in spec["optional"]:
            event = put(documented(name), path, None)
            client.socket.send(json.dumps(event))
    client.socket.send("the end")
    errors = [
        event["error"]
        for event in client.until("error", lambda e: "not JSON" in e["error"]["message"])[:-1]
        if event["type"] == "error"
    ]
    assert not [error for error in errors if "invalid event format" in error["message"]]
