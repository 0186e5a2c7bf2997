from __future__ import annotations

import base64
import copy
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, inspect

from stepnb.protocol import codec
from stepnb.protocol.codec import Decoded, decode, encode, to_wire
from stepnb.protocol.events import (
    EVENTS,
    AudioDelta,
    ConversationItemCreated,
    ErrorEvent,
    ErrorInfo,
    Event,
    InputAudioBufferAppend,
    Item,
    MalformedEvent,
    Open,
    Part,
    ResponseDone,
    SessionInfo,
    SessionUpdate,
    SessionUpdated,
    UnknownEvent,
)

SPEC: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "events.json").read_text(encoding="utf-8")
)
EXAMPLES: list[dict[str, Any]] = [spec["example"] for spec in SPEC]


# Round trip: every event, built from what its Struct says of itself --------------------------------------

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
integers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
pcm = st.binary(max_size=64).map(lambda data: data[: len(data) // 2 * 2])
plain_json = st.recursive(
    st.none() | st.booleans() | integers | floats | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


def of_kind(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StrType():
            return text
        case inspect.IntType():
            return integers
        case inspect.FloatType():
            return floats
        case inspect.NoneType():
            return st.none()
        case inspect.AnyType():
            return plain_json
        case inspect.ListType():
            return st.lists(of_kind(kind.item_type), max_size=3)
        case inspect.DictType():
            return st.dictionaries(text, plain_json, max_size=3)
        case inspect.StructType():
            return of_struct(kind.cls)
        case inspect.UnionType():
            return st.one_of(*(of_kind(member) for member in kind.types))
    raise AssertionError(f"no strategy for {kind}")


def of_struct(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    names = {field.name for field in info.fields}
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for field in info.fields:
        if issubclass(cls, Open) and field.name == "extra":
            unknown = text.filter(lambda key: key not in names)
            fields[field.name] = st.dictionaries(unknown, plain_json, max_size=2)
        elif (cls, field.name) in ((InputAudioBufferAppend, "audio"), (AudioDelta, "delta")):
            fields[field.name] = pcm.map(lambda data: base64.b64encode(data).decode())
        elif field.default is UNSET:
            fields[field.name] = st.just(UNSET) | of_kind(field.type)
        else:
            fields[field.name] = of_kind(field.type)
    return st.builds(cls, **fields)


@pytest.mark.parametrize("cls", EVENTS.values(), ids=EVENTS.keys())
def test_every_event_survives_encode_and_decode(cls: type[Event]) -> None:
    @settings(max_examples=60, deadline=None)
    @given(of_struct(cls))
    def check(event: Event) -> None:
        frame = encode(event)
        assert json.loads(frame)["type"] == cls.type
        decoded = decode(frame)
        assert decoded.event == event
        assert type(decoded.event) is cls
        assert decoded.repairs == ()

    check()


@given(pcm)
def test_audio_comes_out_as_it_went_in(data: bytes) -> None:
    decoded = decode(encode(AudioDelta(delta=base64.b64encode(data).decode())))
    assert decoded.pcm == data


BESIDE: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(0, 9), st.text(max_size=6), st.just({"delta": "AAAA"}), st.just("x" * 600)
)


@given(
    sent=st.booleans(),
    data=st.binary(min_size=0, max_size=900),
    odd=st.sampled_from(["", "", "", "=", "!", "\\u0041", "AAF="]),
    beside=st.dictionaries(
        st.sampled_from(["item_id", "audio", "delta", "zz", "response_id"]), BESIDE, max_size=3
    ),
    order=st.randoms(use_true_random=False),
    spaced=st.booleans(),
)
def test_the_quick_way_of_audio_agrees_with_the_careful_one(
    sent: bool, data: bytes, odd: str, beside: dict[str, Any], order: random.Random, spaced: bool
) -> None:
    field, name = ("audio", "input_audio_buffer.append") if sent else ("delta", "response.audio.delta")
    entries = list(({"type": name} | beside | {field: base64.b64encode(data).decode() + odd}).items())
    order.shuffle(entries)
    separators = (", ", ": ") if spaced else (",", ":")
    frame = json.dumps(dict(entries), separators=separators).replace("\\\\u", "\\u")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "_LONG", 1 << 30)
        careful = decode(frame)
    quick = decode(frame)
    assert quick == careful
    if quick.audio is not None and quick.audio.at >= 0:
        at, skeleton = quick.audio.at, quick.audio.skeleton
        assert skeleton[:at] + base64.b64encode(quick.audio.pcm).decode() + skeleton[at:] == frame


def test_the_quick_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = encode(AudioDelta(delta="AAAA" * 200, item_id="i"))
    monkeypatch.setattr(codec, "_with_audio", None)
    assert decode(frame).pcm == bytes(600)


def test_only_the_two_audio_events_have_pcm() -> None:
    with_pcm = {example["type"] for example in EXAMPLES if decode(json.dumps(example)).pcm is not None}
    assert with_pcm == {"input_audio_buffer.append", "response.audio.delta"}


def test_null_is_written_and_unset_is_not() -> None:
    off = encode(SessionUpdate(session=SessionInfo(turn_detection=None)))
    assert json.loads(off) == {"type": "session.update", "session": {"turn_detection": None}}
    assert json.loads(encode(SessionUpdate(session=SessionInfo()))) == {
        "type": "session.update",
        "session": {},
    }


# Mutated frames ------------------------------------------------------------------------------------------

DEEP = "@@deep@@"
ODD: list[Any] = [
    None, True, False, 0, -1, 300.7, 1e308, -0.0, 2**53 + 1, 10**30, 10**4200, float("nan"), float("inf"),
    "", "300", "-7", "1e999", "9" * 5000, "\x00", "\u202e\ufeff", "𝄞é\u0301", "\ud800", "AAA", "====",
    [], [[]], [None], {}, {"type": 5}, {"": {"extra": []}}, DEEP,
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in a JSON value."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    else:
        return []
    found = [(value, key) for key in keys]
    for key in keys:
        found += places(value[key])
    return found


def swap_a_value(example: dict[str, Any], dice: random.Random) -> str | bytes:
    for _ in range(dice.randint(1, 3)):
        container, key = dice.choice(places(example))
        container[key] = copy.deepcopy(dice.choice(ODD))
    depth = dice.choice([50, 900, 20_000])
    frame = json.dumps(example, ensure_ascii=dice.random() < 0.5)
    return frame.replace(f'"{DEEP}"', "[" * depth + "]" * depth)


def drop_a_key(example: dict[str, Any], dice: random.Random) -> str | bytes:
    container, key = dice.choice(places(example))
    del container[key]
    return json.dumps(example)


def double_a_key(example: dict[str, Any], dice: random.Random) -> str | bytes:
    key = dice.choice([*example, "type"])
    again = json.dumps({key: dice.choice([*ODD[:10], *EVENTS])})
    return json.dumps(example)[:-1] + "," + again[1:]


def turn_bytes(example: dict[str, Any], dice: random.Random) -> str | bytes:
    frame = bytearray(json.dumps(example).encode())
    for _ in range(dice.randint(1, 4)):
        frame[dice.randrange(len(frame))] = dice.randrange(256)
    return bytes(frame)


def truncate(example: dict[str, Any], dice: random.Random) -> str | bytes:
    frame = json.dumps(example)
    cut = dice.randrange(len(frame))
    return frame[:cut] if dice.random() < 0.5 else frame[cut:].encode()


def insert_odd_text(example: dict[str, Any], dice: random.Random) -> str | bytes:
    frame = json.dumps(example)
    at = dice.randrange(len(frame))
    return (
        frame[:at]
        + dice.choice(["\ud800", "\ufeff", "\u2028", "\x00", "NaN", "\\ud83d", "é", "[", '"'])
        + frame[at:]
    )


def with_every_field(spec: dict[str, Any]) -> dict[str, Any]:
    """Return an event's example with all its optional fields filled in."""
    fillings = {"string": "s", "integer": 1, "number": 0.5, "array": [], "object": {}}
    body: dict[str, Any] = copy.deepcopy(spec["example"])
    for path, kinds in spec["optional"].items():
        *parents, name = path.split(".")
        place = body
        for key in parents:
            place = place.setdefault(key, {})
        place.setdefault(name, copy.deepcopy(fillings[kinds.split("|")[0]]))
    return body


MUTATIONS = [swap_a_value, swap_a_value, drop_a_key, double_a_key, turn_bytes, truncate, insert_odd_text]


def test_ten_thousand_mutated_frames() -> None:
    dice = random.Random(7)
    bodies = [*EXAMPLES, *map(with_every_field, SPEC)]
    seen = {"repaired": 0, "clean": 0, "unknown": 0, "malformed": 0}
    for _ in range(10_000):
        frame = dice.choice(MUTATIONS)(copy.deepcopy(dice.choice(bodies)), dice)
        decoded = decode(frame)
        assert isinstance(decoded, Decoded)
        if isinstance(decoded.event, MalformedEvent):
            text = frame.decode(errors="ignore") if isinstance(frame, bytes) else frame
            assert decoded.event.frame in (frame, text)
            assert decoded.event.reason.endswith(".")
            assert decoded.pcm is None
            seen["malformed"] += 1
        elif isinstance(decoded.event, UnknownEvent):
            assert decoded.event.body["type"] == decoded.event.type
            seen["unknown"] += 1
        else:
            # What came out is a proper event: it can be sent on, and needs no repair a second time.
            again = decode(encode(decoded.event))
            assert again.event == decoded.event, frame
            assert again.repairs == (), frame
            seen["repaired" if decoded.repairs else "clean"] += 1
    assert all(count > 300 for count in seen.values()), seen


# Repairs -------------------------------------------------------------------------------------------------


def at(path: str, value: Any) -> str:
    """Return a frame with a value at a dotted path below the event's own fields."""
    frames: dict[str, tuple[str, ...]] = {
        "session": ("session.updated", "session"),
        "item": ("conversation.item.created", "item"),
        "response": ("response.done", "response"),
        "error": ("error", "error"),
        "part": ("response.content_part.done", "part"),
        "output_index": ("response.audio.done",),
        "start_time": ("response.audio_transcript.delta",),
        "transcript": ("response.audio_transcript.done",),
        "rate_limits": ("rate_limits.updated",),
    }
    keys = path.split(".")
    for key in reversed(keys):
        value = {key: value}
    return json.dumps({"type": frames[keys[0]][0], **value})


GONE = object()


@pytest.mark.parametrize(
    ("path", "odd", "taken", "repair"),
    [
        ("output_index", "3", 3, "output_index: '3' taken as 3"),
        ("output_index", " 3 ", 3, "output_index: ' 3 ' taken as 3"),
        ("output_index", "-3", -3, "output_index: '-3' taken as -3"),
        ("output_index", "3.9", 3, "output_index: '3.9' taken as 3"),
        ("output_index", "9007199254740993", 2**53 + 1,
         "output_index: '9007199254740993' taken as 9007199254740993"),
        ("output_index", 300.7, 300, "output_index: 300.7 taken as 300"),
        ("output_index", 1e300, GONE, "output_index: 1e+300 dropped"),
        ("output_index", "1e999", GONE, "output_index: '1e999' dropped"),
        ("output_index", "nan", GONE, "output_index: 'nan' dropped"),
        ("output_index", "", GONE, "output_index: '' dropped"),
        ("output_index", "three", GONE, "output_index: 'three' dropped"),
        ("output_index", True, GONE, "output_index: True dropped"),
        ("output_index", [1], GONE, "output_index: [1] dropped"),
        ("output_index", {}, GONE, "output_index: {} dropped"),
        ("start_time", "1.5", 1.5, "start_time: '1.5' taken as 1.5"),
        ("start_time", False, GONE, "start_time: False dropped"),
        ("start_time", "inf", GONE, "start_time: 'inf' dropped"),
        ("transcript", 5, "5", "transcript: 5 taken as '5'"),
        ("transcript", 5.5, "5.5", "transcript: 5.5 taken as '5.5'"),
        ("transcript", True, GONE, "transcript: True dropped"),
        ("transcript", ["a"], GONE, "transcript: ['a'] dropped"),
        ("transcript", ["x" * 90], GONE, "transcript: ['" + "x" * 35 + "... dropped"),
        ("rate_limits", {}, GONE, "rate_limits: {} dropped"),
        ("session.voice", None, UNSET, "session.voice: null"),
        ("session.voice", 7, "7", "session.voice: 7 taken as '7'"),
        ("session.modalities", "text", UNSET, "session.modalities: 'text' dropped"),
        ("session.modalities", ["text", None], ["text"], "session.modalities[1]: null"),
        ("session.tools", [{"type": "retrieval"}, 5], [{"type": "retrieval"}], "session.tools[1]: 5 dropped"),
        ("session.temperature", "0.8", 0.8, "session.temperature: '0.8' taken as 0.8"),
        ("session.max_response_output_tokens", [1], UNSET, "session.max_response_output_tokens: [1] dropped"),
        ("session.turn_detection", "server_vad", UNSET, "session.turn_detection: 'server_vad' dropped"),
        ("session.turn_detection.silence_duration_ms", "300", 300,
         "session.turn_detection.silence_duration_ms: '300' taken as 300"),
        ("session.turn_detection.silence_duration_ms", "", GONE,
         "session.turn_detection.silence_duration_ms: '' dropped"),
        ("item.content", {"type": "text"}, GONE, "item.content: {'type': 'text'} dropped"),
        ("item.content", [5], [], "item.content[0]: 5 dropped"),
        ("item.content", [{"type": 5}], [Part(type="5")], "item.content[0].type: 5 taken as '5'"),
        ("response.output", [{"content": [{"text": 5}]}], [Item(content=[Part(text="5")])],
         "response.output[0].content[0].text: 5 taken as '5'"),
        ("response.usage", "many", GONE, "response.usage: 'many' dropped"),
        ("error.code", 429, "429", "error.code: 429 taken as '429'"),
        ("part.transcript", 1, "1", "part.transcript: 1 taken as '1'"),
    ],
)  # fmt: skip
def test_an_odd_field_is_repaired_or_nulled_and_named(path: str, odd: Any, taken: Any, repair: str) -> None:
    decoded = decode(at(path, odd))
    value: Any = decoded.event
    for key in path.split("."):
        value = getattr(value, key)
    assert value == (None if taken is GONE else taken)
    assert type(value) is type(None if taken is GONE else taken)
    assert decoded.repairs == (repair,)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("session.turn_detection", None),
        ("session.max_response_output_tokens", "inf"),
        ("session.max_response_output_tokens", 4096),
        ("session.temperature", 1),
        ("item.content", None),
        ("item.content", []),
        ("item.arguments", None),
        ("response.status_details", None),
        ("output_index", None),
    ],
)
def test_a_documented_variant_is_no_repair(path: str, value: Any) -> None:
    decoded = decode(at(path, value))
    taken: Any = decoded.event
    for key in path.split("."):
        taken = getattr(taken, key)
    assert taken == value
    assert decoded.repairs == ()


def test_an_integer_too_big_for_a_float_is_dropped() -> None:
    decoded = decode(at("session.temperature", 10**4000))
    assert isinstance(decoded.event, SessionUpdated)
    assert decoded.event.session.temperature is UNSET
    assert len(decoded.repairs) == 1


@pytest.mark.parametrize(
    ("body", "repair"),
    [({}, "item: missing"), ({"item": None}, "item: missing"), ({"item": "x"}, "item: 'x' dropped")],
)
def test_a_missing_object_is_an_empty_one_and_named_once(body: dict[str, Any], repair: str) -> None:
    decoded = decode(json.dumps({"type": "conversation.item.created", **body}))
    assert decoded.event == ConversationItemCreated(item=Item())
    assert decoded.repairs == (repair,)


def test_several_repairs_are_all_named() -> None:
    decoded = decode(
        '{"type": "response.audio.done", "output_index": "1", "content_index": {}, "item_id": 9}'
    )
    assert len(decoded.repairs) == 3


# Unknown keys --------------------------------------------------------------------------------------------

UNKNOWN = {"zz": {"a": [1, None]}, "extra": {"b": 2}, "event": "x"}


@pytest.mark.parametrize(
    "body",
    [
        {"type": "session.updated", "session": {"voice": "v", **UNKNOWN}},
        {"type": "session.updated", "session": {"turn_detection": {"type": "", **UNKNOWN}}},
        {
            "type": "conversation.item.created",
            "item": {"id": "i", **UNKNOWN, "content": [{"type": "audio", **UNKNOWN}]},
        },
        {
            "type": "response.done",
            "response": {"status": "completed", **UNKNOWN, "output": [{"id": "i", **UNKNOWN}]},
        },
        {"type": "response.content_part.added", "part": {"type": "audio", **UNKNOWN}},
        {"type": "response.create", "response": {"modalities": ["text"], **UNKNOWN}},
        {"type": "error", "error": {"message": "m", **UNKNOWN}},
    ],
    ids=lambda body: body["type"],
)
def test_unknown_keys_of_nested_objects_are_kept_and_written_again(body: dict[str, Any]) -> None:
    decoded = decode(json.dumps(body))
    assert decoded.repairs == ()
    assert isinstance(decoded.event, Event)
    assert json.loads(encode(decoded.event)) == body


def test_unknown_keys_are_found_in_extra() -> None:
    event = decode(json.dumps({"type": "response.done", "response": {"id": "r", "speed": 2}})).event
    assert isinstance(event, ResponseDone)
    assert event.response.extra == {"speed": 2}
    assert to_wire(event.response) == {"id": "r", "speed": 2}


def test_two_events_do_not_share_their_unknown_keys() -> None:
    one, other = SessionInfo(), SessionInfo()
    one.extra["a"] = 1
    assert other.extra == {}


# Errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"type": "error", "event_id": "s1", "error": {"type": "t", "message": "m", "event_id": "c1"}},
         ErrorEvent(event_id="s1", error=ErrorInfo(type="t", message="m", event_id="c1"))),
        ({"type": "invalid_request_error", "event_id": "c1", "code": "c", "message": "m", "param": None},
         ErrorEvent(error=ErrorInfo(type="invalid_request_error", code="c", message="m", event_id="c1"))),
        ({"type": "error", "event_id": "c1", "message": "m"},
         ErrorEvent(error=ErrorInfo(message="m", event_id="c1"))),
        ({"type": "error", "event_id": "s1", "error": "boom"},
         ErrorEvent(event_id="s1", error=ErrorInfo(message="boom"))),
        ({"type": "error", "error": "boom", "code": "c", "trace": "t"},
         ErrorEvent(error=ErrorInfo(message="boom", code="c", extra={"trace": "t"}))),
        ({"type": "server_error", "error": {"message": "m"}},
         ErrorEvent(error=ErrorInfo(type="server_error", message="m"))),
        ({"type": "error", "error": ["a", 1]}, ErrorEvent(error=ErrorInfo(message='["a",1]'))),
        ({"type": "error"}, ErrorEvent(error=ErrorInfo())),
    ],
)  # fmt: skip
def test_the_shapes_of_an_error(body: dict[str, Any], error: ErrorEvent) -> None:
    decoded = decode(json.dumps(body))
    assert decoded.event == error
    assert decoded.repairs == ()


# What cannot be understood ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["response.audio.delta", "input_audio_buffer.append", "response.output_audio.delta"]
)
@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        ("AAA", "not base64"),
        ("A", "not base64"),
        ("AAAA\n", "not base64"),
        ("-_-_", "not base64"),
        ("ä" * 4, "not base64"),
        ("AA=AAAAA", "not base64"),
        ("AA==", "half a sample"),
        ("AAAA", "half a sample"),
        (None, "missing or unusable"),
        (["AAA="], "missing or unusable"),
        (True, "missing or unusable"),
    ],
)
def test_unusable_audio_is_malformed_and_kept(name: str, audio: Any, reason: str) -> None:
    field = "audio" if name.startswith("input") else "delta"
    frame = json.dumps({"type": name, field: audio})
    decoded = decode(frame)
    assert isinstance(decoded.event, MalformedEvent)
    assert decoded.event.frame is frame
    assert reason in decoded.event.reason
    assert decoded.pcm is None


def test_no_audio_is_still_audio() -> None:
    assert decode('{"type": "response.audio.delta", "delta": ""}').pcm == b""


@pytest.mark.parametrize(
    "frame",
    ["", "{", "null", "5", "[]", '"text"', "{}", '{"type": null}', '{"type": ["error"]}', '{"type": NaN}',
     '{"type": "error"} x', '{"type": "error", "error": {"n": 1e400}}', b"\xff\xfe", "\ud800",
     '{"type": "\\ud800"}', '{"type": "x", "a": ' + "[" * 100_000 + "]" * 100_000 + "}"],
    ids=lambda frame: repr(frame)[:30],
)  # fmt: skip
def test_a_frame_that_is_no_event_is_malformed_and_kept(frame: str | bytes) -> None:
    decoded = decode(frame)
    assert isinstance(decoded.event, MalformedEvent)
    assert decoded.event.frame is frame
    assert decoded.event.reason.startswith("The frame is not")


@pytest.mark.parametrize("name", ["response.raw_text.delta", "tts.response.audio", "", "malformed", "Event"])
def test_an_unknown_type_keeps_its_body(name: str) -> None:
    body = {"type": name, "event_id": "e1", "deep": [{"a": None}]}
    assert decode(json.dumps(body)) == Decoded(UnknownEvent(type=name, body=body, event_id="e1"))


def test_an_odd_id_of_an_unknown_event_stays_in_its_body() -> None:
    event = decode('{"type": "zz", "event_id": 5}').event
    assert event == UnknownEvent(type="zz", body={"type": "zz", "event_id": 5})


def test_a_missing_required_field_is_named() -> None:
    event = decode('{"type": "conversation.item.truncate", "item_id": "i", "content_index": 0}').event
    assert isinstance(event, MalformedEvent)
    assert event.reason == "The field audio_end_ms is missing or unusable."
