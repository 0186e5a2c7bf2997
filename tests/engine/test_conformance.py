"""Every documented server event from a real engine, in both profiles, with the fields the documentation gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stepnb.errors import EngineError
from stepnb.local.ears import SphinxEars
from stepnb.local.engine import LocalEngine
from stepnb.local.parts import Heard
from tests.engine.client import VAD, Client, silence
from tests.engine.conftest import NOON
from tests.engine.order import Event
from tests.engine.test_tools import WEATHER
from tests.engine.watch import EVENTS

SERVER = {spec["type"]: spec for spec in EVENTS if spec["direction"] == "server"}
PROFILES = ("live", "docs")
REASONING = "stepaudio-3-realtime-preview"

# Named in the guide's tables without a schema, never seen on the service; the engine sends it when it is told to.
NEVER = {name for name, spec in SERVER.items() if spec["status"] == "guide_only"}
ONLY_IN = {
    "response.cancelled": "docs",  # promised by the documentation's prose, not seen live
    "conversation.item.input_audio_transcription.delta": "live",  # seen live, not documented
}

FIELDS_NEVER_SENT = {
    "error code": "the flat error of one sample; the nested one is sent",
    "error message": "the flat error",
    "error param": "the flat error",
    "input_audio_buffer.speech_stopped response_id": "in the documentation's table, not in its sample",
    "response.created response.status_details": "null in the samples, which is left out",
    "response.output_item.added item.arguments": "null at that moment",
    "conversation.item.created item.arguments": "null at that moment",
    "response.created response.metadata": "a client's metadata is not echoed",
    "response.done response.metadata": "a client's metadata is not echoed",
    "response.content_part.added part.audio": "audio comes in deltas; so the documentation's other samples",
    "response.content_part.done part.audio": "audio comes in deltas",
    "response.audio.done audio": "an SDK declares it, no sample has it",
    "response.audio_transcript.delta start_time": "an SDK declares it, no sample has it",
    "response.cancelled response": "the documentation gives it no schema",
    "conversation.item.created response_id": "an SDK declares it, no sample has it",
    "conversation.item.input_audio_transcription.completed usage": "an SDK declares it, no sample has it",
}

TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
ABSENT = object()


class Ears(SphinxEars):
    """The engine's own, which fail when told to."""

    fail = False

    async def hear(self, pcm: bytes) -> Heard:
        if self.fail:
            raise EngineError("The ears are gone.")
        return await super().hear(pcm)


def tour(profile: str, speech: Callable[[str], bytes]) -> list[Event]:
    """Do everything a client can do, for all that a server can say."""
    ears = Ears()
    with LocalEngine(profile, seed=7, speed=2.0, ears=ears, now=lambda: NOON) as engine:
        with Client(engine, REASONING) as client:
            client.update(tools=[WEATHER], volume_ratio=1.5, instructions="Be brief.")
            client.ask("What is the weather in Paris?", modalities=["text"])
            client.send("nonsense")
            client.until("error")
            client.send("response.create", response={"voice": "nobody"})
            client.until("error")
            client.update(tools=[], turn_detection=VAD)
            client.append(silence(300) + speech("What is two plus two?") + silence(900))
            client.until("response.done")
            ears.fail = True
            client.append(speech("What is your name?") + silence(900))
            client.until("response.done")
            ears.fail = False
            client.update(turn_detection=None)
            client.append(silence(50))
            client.send("input_audio_buffer.clear")
            client.until("input_audio_buffer.cleared")
            client.send(
                "conversation.item.create",
                item={"type": "function_call_output", "call_id": "call_0", "output": "21 degrees"},
            )
            output = client.until("conversation.item.created")[-1]
            client.send("conversation.item.delete", item_id=output["item"]["id"])
            client.until("conversation.item.deleted")
            client.add_text("Count from one to twenty.")
            client.send("response.create")
            item_id = client.until("response.audio.delta")[-1]["item_id"]
            client.send("response.cancel")
            client.until("response.done")
            client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)
            client.until("conversation.item.truncated")
        return client.events


@pytest.fixture(scope="module")
def seen(speech: Callable[[str], bytes]) -> dict[str, list[Event]]:
    return {profile: tour(profile, speech) for profile in PROFILES}


def at(event: Event, path: str) -> Any:
    """Return what an event has at a dotted path, or ABSENT."""
    value: Any = event
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return ABSENT
        value = value[key]
    return value


@pytest.mark.parametrize("name", SERVER)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_documented_event_is_sent(seen: dict[str, list[Event]], profile: str, name: str) -> None:
    sent = any(event["type"] == name for event in seen[profile])
    assert sent == (name not in NEVER and ONLY_IN.get(name, profile) == profile)


def assert_documented(event: Event) -> None:
    """Assert that an event has the documented fields with their types, and no others."""
    spec = SERVER[event["type"]]
    types = spec["required"] | spec["optional"]
    for path, kinds in types.items():
        value = at(event, path)
        if value is ABSENT:
            assert path not in spec["required"], f"{path} is missing in {event}"
        else:
            assert any(TYPES[kind](value) for kind in kinds.split("|")), f"{path} in {event}"
    # What the documentation lists of an object is all there is.
    for parent in {path.rpartition(".")[0] for path in types}:
        inside = at(event, parent) if parent else event
        if isinstance(inside, dict):
            keys = {f"{parent}.{key}".lstrip(".") for key in inside}
            assert keys <= set(types), f"not documented: {keys - set(types)} in {event}"


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_else_is_sent(seen: dict[str, list[Event]], profile: str) -> None:
    for event in seen[profile]:
        assert_documented(event)


def test_what_only_the_guide_names_can_be_switched_on() -> None:
    with LocalEngine("live:rate_limits=true", speed=None) as engine, Client(engine) as client:
        client.ask("Hello", modalities=["text"])
    sent = {event["type"] for event in client.events}
    assert sent >= NEVER == {"rate_limits.updated"}
    for event in client.events:
        assert_documented(event)


def test_every_documented_field_is_sent(seen: dict[str, list[Event]]) -> None:
    missing = {
        f"{name} {path}"
        for name, spec in SERVER.items()
        for path in spec["optional"]
        if name not in NEVER
        and all(at(e, path) is ABSENT for profile in PROFILES for e in seen[profile] if e["type"] == name)
    }
    assert missing == set(FIELDS_NEVER_SENT)
