"""Tools over the engine's socket, with the engine's own brain: asked by voice and by text, to the spoken answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx

from stepnb.local.engine import LocalEngine
from tests.engine.client import VAD, Client, silence, transcript_of

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city.",
        "parameters": {
            "type": "object",
            "required": ["city"],
            "properties": {"city": {"type": "string", "description": "Name of the city"}},
        },
    },
}
TIMER = {
    "type": "function",
    "function": {
        "name": "set_timer",
        "description": "Start a timer.",
        "parameters": {
            "type": "object",
            "required": ["minutes"],
            "properties": {"minutes": {"type": "integer"}},
        },
    },
}


def calls_of(event: dict) -> list[dict]:  # type: ignore[type-arg]
    return [item for item in event["response"]["output"] if item["type"] == "function_call"]


def give(client: Client, call: dict, output: str) -> None:  # type: ignore[type-arg]
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": output}
    client.send("conversation.item.create", item=item)


def test_asked_back_called_and_answered(client: Client) -> None:
    client.update(tools=[WEATHER, TIMER])
    asked = client.ask("What's the weather?")
    assert transcript_of(asked) == "Which city?" and not calls_of(asked[-1])
    (call,) = calls_of(client.ask("in Paris please")[-1])
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Paris"})
    give(client, call, '{"temp_c": 21, "sky": "clear"}')
    client.send("response.create")
    events = client.until("response.done")
    assert transcript_of(events) == "Paris: temperature 21 degrees Celsius, sky clear."
    assert "response.audio.delta" in [event["type"] for event in events]


def test_two_calls_one_answer(client: Client) -> None:
    client.update(tools=[WEATHER, TIMER], modalities=["text"])
    weather, timer = calls_of(client.ask("What is the weather in Oslo and set a timer for ten minutes")[-1])
    assert json.loads(timer["arguments"]) == {"minutes": 10}
    give(client, weather, "Snow.")
    give(client, timer, '{"ok": true}')
    client.send("response.create")
    assert transcript_of(client.until("response.done")) == "Snow. Done: set timer, minutes 10."


def test_a_spoken_question(client: Client, speech: Callable[[str], bytes]) -> None:
    client.update(tools=[WEATHER, TIMER], turn_detection=VAD)
    client.append(silence(300) + speech("What is the weather in London?") + silence(1200))
    (call,) = calls_of(client.until("response.done")[-1])
    assert call["name"] == "get_weather" and "London" in call["arguments"]


def test_tool_choice_none(client: Client) -> None:
    client.update(tools=[WEATHER])
    assert not calls_of(client.ask("What is the weather in Paris?", tool_choice="none")[-1])


def test_a_reasoning_model_thinks_aloud_in_writing(engine: LocalEngine) -> None:
    with Client(engine, "stepaudio-3-realtime-preview") as client:
        client.update(tools=[WEATHER])
        events = client.ask("What is the weather in Paris?")
        thoughts = "".join(event["delta"] for event in events if event["type"] == "response.thinking.delta")
        assert (
            thoughts == 'The user said: "What is the weather in Paris?". The tool for that: '
            'get_weather({"city": "Paris"}).'
        )
        assert "The tool" not in transcript_of(events) and calls_of(events[-1])


def test_retrieval_reads_what_was_uploaded(engine: LocalEngine, client: Client) -> None:
    text = b"Holidays are requested with form 12. The team lead signs it."
    with httpx.Client(base_url=engine.rest_url, headers={"Authorization": f"Bearer {engine.key}"}) as rest:
        store = rest.post("/vector_stores", json={"name": "handbook"}).json()["id"]
        form = {"files": {"file": ("handbook.txt", text)}, "data": {"purpose": "retrieval-text"}}
        file_id = rest.post("/files", **form).json()["id"]  # type: ignore[arg-type]
        uploaded = rest.post(f"/vector_stores/{store}/files", json={"files": [{"file_id": file_id}]})
        assert uploaded.status_code == 200, uploaded.text
    tool = {
        "type": "retrieval",
        "function": {"description": "Handbook", "options": {"vector_store_id": store}},
    }
    client.update(tools=[tool], modalities=["text"])
    answer = transcript_of(client.ask("How are holidays requested?"))
    assert answer == f"According to handbook.txt: {text.decode()}"
    assert "handbook" not in transcript_of(client.ask("hello"))
