"""Where the sources disagree (protocol notes, section 16): what frames carry and when they come. See `test_dialect`."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

import pytest

from stepnb.audio.pcm import encode
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from tests.engine import test_dialect, test_dialect_life
from tests.engine.scripted import Event, created, done, message, on
from tests.engine.test_session_tools import answer, get_weather, output, run
from tests.unit.conversation.test_conversation import Story

ARGUMENTS = '{"city":"Paris"}'
KIND = "response.function_call_arguments"
ADDED, DONE = "response.output_item.added", "response.output_item.done"
HEARD = "conversation.item.input_audio_transcription"


def feed(story: Story, *frames: Event) -> None:
    """Take in frames as they are written."""
    for frame in frames:
        event = codec.decode(json.dumps(frame)).event
        assert isinstance(event, ev.Event), event
        story.came(event)


def call_item(**more: Any) -> Event:
    return {"id": "i1", "type": "function_call", "call_id": "c1", "name": "get_weather", **more}


# Each way is (events of the call, items in the summary of the response).
WAYS: dict[str, tuple[list[Event], list[Event]]] = {
    "done": (
        [{"type": f"{KIND}.done", "item_id": "i1", "call_id": "c1", "arguments": ARGUMENTS}],
        [],
    ),
    "item": ([{"type": DONE, "item": call_item(status="completed", arguments=ARGUMENTS)}], []),
    "summary": ([], [call_item(arguments=ARGUMENTS)]),
}


@pytest.mark.parametrize("keys", [("delta",), ("arguments",), ("delta", "arguments")], ids=" and ".join)
@pytest.mark.parametrize("way", WAYS)
def test_arguments_come_from_whichever_event_has_them(way: str, keys: tuple[str, ...]) -> None:
    """Row 7: fragments under either key are shown; `.done`, the finished item or the response's end are trusted."""
    events, summary = WAYS[way]
    halves = [dict.fromkeys(keys, half) for half in ('{"city":', '"Rome"}')]
    deltas = [{"type": f"{KIND}.delta", "item_id": "i1", "call_id": "c1", **half} for half in halves]
    story = Story()
    story.ask()
    feed(story, created("r1"), {"type": ADDED, "response_id": "r1", "item": call_item()}, *deltas)
    (call,) = story.conversation.calls(story.conversation.turns[1])
    assert call.arguments == '{"city":"Rome"}' and call.status == "arriving"
    called = [created("r1"), {"type": ADDED, "item": call_item()}, *deltas, *events, done("r1", *summary)]
    turn, _, s = run(on("response.create", *called), output("c1"), answer(), tools=(get_weather,))
    assert [call.arguments for call in turn.tool_calls] == [{"city": "Paris"}]
    assert turn.tool_calls[0].status == "completed" and not s.notices


def test_a_call_is_known_by_its_call_id_alone() -> None:
    """Row 8: the guide's fragments have call_id and name and no other id, not even an event_id."""
    fragments: list[Event] = [
        {"event_id": None, "type": f"{KIND}.delta", "call_id": "c1", "name": "get_weather", "arguments": "{"},
        {
            "event_id": None,
            "type": f"{KIND}.done",
            "call_id": "c1",
            "name": "get_weather",
            "arguments": ARGUMENTS,
        },
    ]
    turn, _, _ = run(
        on("response.create", created("r1"), *fragments, done("r1")),
        output("c1"),
        answer(),
        tools=(get_weather,),
    )
    assert [(call.name, call.arguments) for call in turn.tool_calls] == [("get_weather", {"city": "Paris"})]


def test_two_calls_are_told_apart_by_their_ids() -> None:
    """Row 8: fragments of two calls that alternate."""
    story = Story()
    story.ask()
    deltas = [
        {"type": f"{KIND}.delta", "call_id": call, "name": call, "arguments": text}
        for call, text in (("a", "{"), ("b", "["))
        for text in text
    ]
    feed(story, created("r1"), *deltas, {"type": f"{KIND}.done", "call_id": "b", "arguments": "[]"})
    calls = story.conversation.calls(story.conversation.turns[1])
    assert [(call.name, call.arguments, call.status) for call in calls] == [
        ("a", "{", "arriving"),
        ("b", "[]", "ready"),
    ]


@pytest.mark.parametrize(
    "arguments", [{}, {"arguments": None}, {"arguments": ""}], ids=["absent", "null", "empty"]
)
def test_a_call_without_arguments_has_empty_ones(arguments: dict[str, Any]) -> None:
    """Row 9: items of type function_call exist, first without arguments, and with none at all for who takes none."""

    def look() -> str:
        return "seen"

    item = {"id": "i1", "type": "function_call", "call_id": "c1", "name": "look", **arguments}
    events = [
        {"type": ADDED, "item": item},
        {"type": "conversation.item.created", "item": item | {"status": "incomplete"}},
        {"type": DONE, "item": item | {"status": "completed"}},
    ]
    turn, _, s = run(
        on("response.create", created("r1"), *events, done("r1", item)),
        output("c1", "seen"),
        answer(),
        tools=(look,),
    )
    assert [call.arguments for call in turn.tool_calls] == [{}] and not s.notices


@pytest.mark.parametrize("content", [{}, {"content": None}, {"content": []}], ids=["absent", "null", "empty"])
def test_a_fresh_item_has_no_content(content: dict[str, Any]) -> None:
    """Row 14: absent, null or an empty list."""
    story = Story()
    story.ask()
    item = {"id": "m1", "type": "message", "role": "assistant", **content}
    said = {"type": "response.audio_transcript.delta", "item_id": "m1", "delta": "Hi."}
    frames = [
        created("r1"),
        {"type": ADDED, "item": item},
        {"type": "conversation.item.created", "item": item},
    ]
    feed(story, *frames, said, done("r1", item))
    (answered,) = story.conversation.answer(story.conversation.turns[1])
    assert answered.text == "Hi."


@pytest.mark.parametrize("previous", [{}, {"previous_item_id": "nobody"}, {"previous_item_id": "same"}])
def test_the_previous_item_does_not_order_anything(previous: dict[str, str]) -> None:
    """Row 15: absent, unknown or the item's own id: items stand in the order in which they came."""
    story = Story()
    for n, text in enumerate(("One.", "Two."), 1):
        story.ask(text)
        for role, item in (("user", f"u{n}"), ("assistant", f"a{n}")):
            before = {key: item if value == "same" else value for key, value in previous.items()}
            if role == "assistant":
                feed(story, created(f"r{n}"))
            body = {"id": item, "type": "message", "role": role}
            feed(story, {"type": "conversation.item.created", "item": body, **before})
        feed(story, {"type": "response.text.delta", "item_id": f"a{n}", "delta": text}, done(f"r{n}"))
    conversation = story.conversation
    assert [turn.item for turn in conversation.turns.values()] == ["u1", "u2"]
    assert [[i.text for i in conversation.answer(turn)] for turn in conversation.turns.values()] == [
        ["One."],
        ["Two."],
    ]


@pytest.mark.parametrize(
    ("start", "end", "ms"),
    [
        (200, 1000, 800),
        ("200", "1000", 800),
        (200.0, 1000.0, 800),
        (1_790_000_000_200, 1_790_000_001_000, 500),
        ("1790000000200", "1790000001000", 500),
        (None, None, 500),
    ],
    ids=["integer", "text", "float", "epoch", "epoch text", "absent"],
)
def test_times_of_speech_are_relative_or_of_the_epoch(start: object, end: object, ms: int) -> None:
    """Row 16: any number, or a number as text; epoch times say nothing about the stream, so our own clock counts."""
    story = Story()
    story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(48 * 1000))))
    feed(story, {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": start})
    story.sent(ev.InputAudioBufferAppend(audio=encode(bytes(48 * 500))))
    feed(story, {"type": "input_audio_buffer.speech_stopped", "item_id": "u1", "audio_end_ms": end})
    assert sum(ref.length for ref in story.conversation.turns[1].input_audio) == 48 * ms


@pytest.mark.parametrize(
    "fields", [{}, {"response_id": "r1", "item_id": "u1"}, {"audio_end_ms": 900, "item_id": "u1"}]
)
def test_every_field_of_speech_stopped_is_optional(fields: dict[str, Any]) -> None:
    """Row 17: the table's fields, the sample's, or none."""
    story = Story()
    feed(
        story,
        {"type": "input_audio_buffer.speech_started"},
        {"type": "input_audio_buffer.speech_stopped", **fields},
    )
    assert not story.conversation.speaking and "speech_stopped" in story.conversation.turns[1].stamps
    feed(story, created("r1"), *message("r1", "m1", "Yes?"), done("r1"))
    assert story.conversation.turns[1].status == "completed"


def speech(story: Story, item: str) -> None:
    kinds = ("speech_started", "speech_stopped", "committed")
    feed(story, *({"type": f"input_audio_buffer.{kind}", "item_id": item} for kind in kinds))


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([("delta", "what"), ("delta", "what time"), ("completed", "What time?")], "What time?"),
        ([("delta", "what time"), ("delta", "what time")], "what time"),
        ([("completed", "What time?"), ("delta", "what"), ("completed", "What time?")], "What time?"),
        ([("delta", "what"), ("failed", None)], "what"),
        ([("completed", "")], ""),
    ],
    ids=["growing", "repeated", "late", "failed", "empty"],
)
def test_transcripts_grow_repeat_and_come_late(frames: list[tuple[str, str | None]], text: str) -> None:
    """Row 18: a delta is the whole text so far and replaces; completed ends it; the item says whose it is."""
    story = Story()
    speech(story, "u1")
    feed(story, created("r1"), *message("r1", "m1", "Noon."), done("r1"))
    speech(story, "u2")
    for kind, said in frames:
        key = {"delta": "delta", "completed": "transcript"}.get(kind, "text")
        feed(story, {"type": f"{HEARD}.{kind}", "item_id": "u1", key: said})
    first, second = story.conversation.turns.values()
    assert first.user_transcript == text and second.user_transcript is None


def test_an_output_item_may_be_created_instead_of_added() -> None:
    """Row 22: the guide's table calls `output_item.added` `output_item.created`."""
    story = Story()
    story.ask()
    first, *others = message("r1", "m1", "Hi.")
    feed(story, created("r1"), first | {"type": "response.output_item.created"}, *others, done("r1"))
    (item,) = story.conversation.answer(story.conversation.turns[1])
    assert (item.id, item.role, item.text) == ("m1", "assistant", "Hi.")


def test_a_delta_without_a_response_belongs_to_the_running_one() -> None:
    """Row 24: response_id is in the tables and missing in the samples, of audio and of transcripts."""
    pcm = b"\1\0" * 480
    events: list[Event] = [
        created("r1"),
        {"type": "response.audio_transcript.delta", "item_id": "m1", "delta": "Hi."},
        {"type": "response.audio.delta", "item_id": "m1", "delta": encode(pcm)},
        {"type": "response.audio.delta", "delta": encode(pcm)},
    ]
    turn, _, _ = run(on("response.create", *events, done("r1")), tools=())
    assert turn.transcript == "Hi." and turn.audio.pcm == pcm * 2 and turn.status == "completed"


IDS = {"response_id": "r1", "item_id": "m1", "output_index": 0, "content_index": 0}
CHANNELS: dict[str, list[Event]] = {
    "text": [
        {"type": "response.text.delta", **IDS, "delta": "Hel"},
        {"type": "response.text.delta", **IDS, "delta": "lo."},
    ],
    "spoken": [{"type": "response.audio_transcript.delta", **IDS, "delta": "Hello."}],
    "text done": [{"type": "response.text.done", **IDS, "text": "Hello."}],
    "spoken done": [{"type": "response.audio_transcript.done", **IDS, "transcript": "Hello."}],
    "text part": [{"type": "response.content_part.done", **IDS, "part": {"type": "text", "text": "Hello."}}],
    "spoken part": [
        {"type": "response.content_part.done", **IDS, "part": {"type": "audio", "transcript": "Hello."}}
    ],
    "item": [
        {
            "type": DONE,
            "item": {"id": "m1", "type": "message", "content": [{"type": "text", "text": "Hello."}]},
        }
    ],
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_text_is_taken_from_whichever_channel_brings_it(channel: str) -> None:
    """Row 26: a text-only answer comes as text or as a transcript; with deltas lost, the later events fill in."""
    story = Story()
    story.ask()
    feed(story, created("r1"), *CHANNELS[channel], done("r1"))
    turn = story.conversation.turns[1]
    assert [item.text for item in story.conversation.answer(turn)] == [
        "Hello."
    ] and turn.status == "completed"
    assert any(change.kind == "turn" and change.item == "m1" for change in story.changes)


def test_repeated_ends_of_parts_change_nothing() -> None:
    """Beside the rows: everything told twice is there once."""
    story = Story()
    story.ask()
    *events, item_done = message("r1", "m1", "Hello.")
    feed(
        story,
        created("r1"),
        *events,
        *events[4:],
        item_done,
        item_done,
        done("r1"),
        done("r1"),
        created("r1"),
    )
    (item,) = story.conversation.answer(story.conversation.turns[1])
    assert item.text == "Hello." and story.kinds().count("ended") == 1


def test_types_nobody_here_knows_are_kept_and_counted() -> None:
    """Beside the rows: events of sibling endpoints and of the future are in the log, and harm nothing."""
    odd = [{"type": "response.raw_text.delta", "delta": "x"}, {"type": "session.restored", "n": 1}]
    events = [created("r1"), *odd, *message("r1", "m1", "Hi."), odd[0], done("r1")]
    turn, _, s = run(on("response.create", *events), tools=())
    assert turn.transcript == "Hi." and not s.notices
    kept = s.events.filter(type="response.raw_text.delta")
    assert len(kept) == 2 and json.loads(s.events.frame(kept[0]))["delta"] == "x"


def test_every_row_has_a_test() -> None:
    """Beside the rows: each of the 36 is named by a test, and each test names its row."""
    modules = (test_dialect, test_dialect_life, sys.modules[__name__])
    tests = [test for module in modules for name, test in vars(module).items() if name.startswith("test_")]
    heads = [(test.__doc__ or "").split(":")[0] for test in tests if inspect.isfunction(test)]
    rows = {int(head.removeprefix("Row ")) for head in heads if head != "Beside the rows"}
    assert rows == set(range(1, 37))
