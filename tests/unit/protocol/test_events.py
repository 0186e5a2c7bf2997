"""Every event of the protocol notes (tests/data/events.json) against its Struct."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from stepnb.protocol.codec import decode, encode
from stepnb.protocol.events import (
    ALIASES,
    CLIENT_EVENTS,
    EVENTS,
    SERVER_EVENTS,
    Event,
    SessionInfo,
    TurnDetection,
)

SPEC: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "events.json").read_text(encoding="utf-8")
)
every_event = pytest.mark.parametrize("spec", SPEC, ids=lambda spec: spec["type"])

KINDS: dict[str, tuple[type, ...]] = {
    "string": (inspect.StrType,),
    "integer": (inspect.IntType,),
    "number": (inspect.FloatType,),
    "array": (inspect.ListType,),
    "object": (inspect.StructType, inspect.DictType),
    "null": (inspect.NoneType,),
}


def members(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def lookup(cls: type[msgspec.Struct], path: str) -> tuple[inspect.Type, ...]:
    """Return what a field may hold; path is dotted."""
    info = inspect.type_info(cls)
    for key in path.split("."):
        assert isinstance(info, inspect.StructType), f"{path}: {key} is below something without fields"
        fields = {field.encode_name: field for field in info.fields}
        assert key in fields, f"{info.cls.__name__} has no field {key}"
        kinds = members(fields[key].type)
        info = next((kind for kind in kinds if isinstance(kind, inspect.StructType)), info)
    return kinds


def without_nulls(value: Any, keep: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v, keep) for k, v in value.items() if v is not None or k in keep}
    if isinstance(value, list):
        return [without_nulls(item, keep) for item in value]
    return value


def test_the_structs_are_the_forty_documented_events() -> None:
    assert len(SPEC) == 40
    assert set(EVENTS) == {spec["type"] for spec in SPEC}
    assert set(CLIENT_EVENTS) == {spec["type"] for spec in SPEC if spec["direction"] == "client"}
    assert set(SERVER_EVENTS) == {spec["type"] for spec in SPEC if spec["direction"] == "server"}


@every_event
def test_type_is_the_wire_name(spec: dict[str, Any]) -> None:
    cls = EVENTS[spec["type"]]
    assert issubclass(cls, Event)
    assert cls.type == spec["type"]


@every_event
def test_every_documented_field_exists_with_its_kind(spec: dict[str, Any]) -> None:
    for path, documented in (spec["required"] | spec["optional"]).items():
        if path == "type":
            continue
        if spec["type"] == "error" and path in ("code", "message", "param"):
            path = f"error.{path}"  # of the flat shape, which decode brings into the nested one
        kinds = lookup(EVENTS[spec["type"]], path)
        wanted = documented.split("|")
        assert any(isinstance(kind, KINDS[name]) for name in wanted for kind in kinds if name != "null"), path
        if "null" in wanted:
            assert any(isinstance(kind, inspect.NoneType) for kind in kinds), f"{path} may be null"


@every_event
def test_the_example_goes_round(spec: dict[str, Any]) -> None:
    decoded = decode(json.dumps(spec["example"]))
    assert type(decoded.event) is EVENTS[spec["type"]]
    assert decoded.repairs == ()
    assert json.loads(encode(decoded.event)) == without_nulls(spec["example"], frozenset())


@every_event
def test_a_frame_of_bytes_and_keys_in_another_order_make_no_difference(spec: dict[str, Any]) -> None:
    shuffled = dict(reversed(spec["example"].items()))
    one, other = decode(json.dumps(shuffled).encode()), decode(json.dumps(spec["example"]))
    assert (one.event, one.pcm, one.repairs) == (other.event, other.pcm, other.repairs)


@every_event
def test_the_careful_way_agrees_with_the_direct_one(spec: dict[str, Any]) -> None:
    direct = decode(json.dumps(spec["example"]))
    careful = decode(json.dumps(spec["example"] | {"event_id": 5}))
    assert careful.repairs == ("event_id: 5 taken as '5'",)
    assert msgspec.structs.replace(careful.event, event_id=spec["example"]["event_id"]) == direct.event
    assert careful.pcm == direct.pcm


@pytest.mark.parametrize(("alias", "name"), sorted(ALIASES.items()))
def test_an_alias_is_decoded_as_the_event_it_names(alias: str, name: str) -> None:
    assert alias not in EVENTS
    example = next(spec["example"] for spec in SPEC if spec["type"] == name)
    decoded = decode(json.dumps(example | {"type": alias}))
    assert type(decoded.event) is EVENTS[name]
    assert decoded.repairs == ()
    assert decoded.event == decode(json.dumps(example)).event


def test_the_documented_aliases_are_known() -> None:
    documented = {alias: spec["type"] for spec in SPEC for alias in spec["aliases"]}
    assert documented.items() <= ALIASES.items()


def test_the_session_object_tells_null_from_absent() -> None:
    off = msgspec.json.decode(b'{"turn_detection": null}', type=SessionInfo)
    absent = msgspec.json.decode(b"{}", type=SessionInfo)
    assert off.turn_detection is None
    assert absent.turn_detection is msgspec.UNSET
    assert SessionInfo(turn_detection=TurnDetection(type="")) != SessionInfo(turn_detection=None)
