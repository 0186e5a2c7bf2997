"""What a client sends: settings, frames, items and recordings, with every message of the error catalogue."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.audio.pcm import encode
from stepnb.local.hearing import MAX_WAITING
from tests.engine.desk import MODEL, Desk, run, silence, tone

# Settings ----------------------------------------------------------------------------------------------------------


def test_session_created_and_updated() -> None:
    async def script(desk: Desk) -> None:
        created = desk.events[0]["session"]
        assert created["model"] == MODEL and created["max_response_output_tokens"] == "4096"
        assert created["turn_detection"] == {"type": ""}
        desk.send(
            "session.update", session={"instructions": "Be brief.", "voice": "cixingnansheng", "nonsense": 1}
        )
        updated = desk.events[1]["session"]
        assert updated["instructions"] == "Be brief." and updated["voice"] == "cixingnansheng"
        assert updated["max_response_output_tokens"] == 4096 and updated["id"] == created["id"]
        assert "nonsense" not in updated
        desk.send("session.update", session={"turn_detection": {"type": "server_vad"}})
        assert desk.events[2]["session"]["turn_detection"] == {
            "type": "server_vad",
            "prefix_padding_ms": 500,
            "silence_duration_ms": 100,
            "energy_awakeness_threshold": 2500,
        }
        assert desk.events[2]["session"]["instructions"] == "Be brief."
        desk.send("session.update", session={"turn_detection": None})
        assert desk.events[3]["session"]["turn_detection"] == {"type": ""}

    run(script)


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ({"voice": "nobody"}, "voice nobody is not valid"),
        ({"voice": "tianmeinvsheng"}, "voice tianmeinvsheng is not valid"),  # official, but not this model's
        ({"modalities": ["video"]}, "modalities must be"),
        ({"input_audio_format": "opus"}, "input_audio_format must be pcm16"),
        ({"turn_detection": {"type": "semantic_vad"}}, "turn_detection.type must be server_vad"),
        ({"turn_detection": {"type": "server_vad", "silence_duration_ms": -1}}, "silence_duration_ms is -1"),
        ({"tool_choice": {"type": "function"}}, "invalid event format"),
        ({"tools": [{"type": "magic"}]}, "a tool's type must be one of"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "function.name must be"),
        ({"instructions": "x" * 100_001}, "instructions are longer"),
    ],
)
def test_refused_updates_change_nothing(session: dict[str, Any], message: str) -> None:
    async def script(desk: Desk) -> None:
        error = desk.refused("session.update", session={"instructions": "Changed.", **session})
        assert message in error["message"] and error["type"] == "invalid_request_error"
        desk.send("session.update", session={})
        assert desk.events[-1]["session"]["instructions"] != "Changed."

    run(script)


def test_voice_is_locked_by_the_first_audio() -> None:
    async def script(desk: Desk) -> None:
        await desk.ask()
        assert (
            "voice cannot be changed"
            in desk.refused("session.update", session={"voice": "cixingnansheng"})["message"]
        )
        desk.send("session.update", session={"voice": "linjiajiejie"})  # the same one
        assert desk.types[-1] == "session.updated"

    run(script)


# Frames ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        '{"type": "nonsense", "event_id": "mine"}',
        '{"type": "session.created", "event_id": "mine", "session": {}}',
        '{"type": "session.update", "event_id": "mine"}',
        '{"type": "session.update", "event_id": "mine", "session": 7}',
        '{"type": "input_audio_buffer.append", "event_id": "mine"}',
        '{"type": "input_audio_buffer.append", "event_id": "mine", "audio": "???"}',
        '{"type": "input_audio_buffer.append", "event_id": "mine", "audio": "AAAA"}',
        '{"type": "conversation.item.delete", "event_id": "mine"}',
        '{"event_id": "mine"}',
        b'{"type": "response.cancel", "event_id": "mine"}',
    ],
)
def test_invalid_event_format(frame: str | bytes) -> None:
    async def script(desk: Desk) -> None:
        desk.session.handle(frame)
        error = desk.events[-1]["error"]
        assert error["message"].startswith("invalid event format") and error["event_id"] == "mine"

    run(script)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["session", "item", "audio", "content", "type", "role", "voice", "event_id", "x"]
                ),
                inner,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(
        [
            "session.update",
            "input_audio_buffer.append",
            "input_audio_buffer.commit",
            "conversation.item.create",
            "conversation.item.truncate",
            "response.create",
            "response.cancel",
        ]
    ),
)
def test_any_frame_leaves_a_session_that_answers(body: Any, type: str) -> None:
    async def script(desk: Desk) -> None:
        frame = {**body, "type": type} if isinstance(body, dict) else body
        desk.session.handle(json.dumps(frame))
        assert not any(e["error"]["type"] == "server_error" for e in desk.all("error"))
        desk.send("response.cancel")
        desk.send("session.update", session={"modalities": ["text"]})
        done = await desk.ask()
        assert done["response"]["status"] == "completed"

    run(script)


# Items -------------------------------------------------------------------------------------------------------------


def test_items_are_echoed_as_the_live_service_does() -> None:
    async def script(desk: Desk) -> None:
        item = {
            "id": "my_id",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "hi"}],
        }
        desk.send("conversation.item.create", item=item)
        first = desk.events[-1]
        assert "previous_item_id" not in first
        echo = first["item"]
        assert echo["id"] != "my_id" and echo["status"] == "in_progress"
        assert echo["content"] == [{"type": "audio", "transcript": "hi"}]
        desk.send(
            "conversation.item.create",
            item={"type": "message", "role": "assistant", "content": [{"type": "text", "text": "yes"}]},
        )
        assert desk.events[-1]["previous_item_id"] == echo["id"]
        assert desk.events[-1]["item"]["content"] == [{"type": "text", "text": "yes"}]
        desk.send(
            "conversation.item.create", item={"type": "function_call_output", "call_id": "c", "output": "4"}
        )
        assert desk.events[-1]["item"]["call_id"] == "c" and desk.events[-1]["item"]["output"] == "4"
        desk.send("response.create")
        await desk.until("response.done")
        history = [(message.role, message.text) for message in desk.brain.requests[0].history]
        assert history == [("user", "hi"), ("assistant", "yes"), ("tool", "4")]

    run(script)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"type": "message", "role": "system", "content": []}, "item.role must be user or assistant"),
        ({"type": "function_call", "name": "f"}, "item.type must be message or function_call_output"),
        ({"type": "message", "role": "user", "content": []}, "the message is empty"),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "input_audio", "audio": ""}]},
            "has no part",
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "?"}]},
            "invalid event",
        ),
        ({"type": "function_call_output", "output": "4"}, "invalid event format"),
        (
            {"type": "message", "role": "user", "content": [{"type": "text", "text": "x" * 40_000}]},
            "longer than",
        ),
    ],
)
def test_refused_items(item: dict[str, Any], message: str) -> None:
    async def script(desk: Desk) -> None:
        assert message in desk.refused("conversation.item.create", item=item)["message"]

    run(script)


def test_previous_item() -> None:
    async def script(desk: Desk) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "between"}]}
        for unknown in ("root", "nobody"):
            error = desk.refused("conversation.item.create", item=item, previous_item_id=unknown)
            assert error["message"] == "cannot find previous item"
        first, _ = desk.say("first"), desk.say("last")
        desk.send("conversation.item.create", item=item, previous_item_id=first["id"])
        assert desk.events[-1]["previous_item_id"] == first["id"]
        desk.send("response.create")
        await desk.until("response.done")
        assert [message.text for message in desk.brain.requests[0].history] == ["first", "between", "last"]

    run(script)


def test_delete() -> None:
    async def script(desk: Desk) -> None:
        item = desk.say("forget this")
        desk.send("conversation.item.delete", item_id=item["id"])
        assert (
            desk.events[-1]["type"] == "conversation.item.deleted"
            and desk.events[-1]["item_id"] == item["id"]
        )
        assert "cannot find item" in desk.refused("conversation.item.delete", item_id=item["id"])["message"]
        assert "continue_final_message" in desk.refused("response.create")["message"]

    run(script)


def test_truncate_cuts_what_the_brain_remembers() -> None:
    async def script(desk: Desk) -> None:
        done = await desk.ask()
        item_id = done["response"]["output"][0]["id"]
        # "One two three. " takes 300 ms, then 200 ms of pause: at 250 ms "three." has begun, "Four" has not.
        desk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=250)
        event = desk.events[-1]
        assert event["type"] == "conversation.item.truncated" and event["audio_end_ms"] == 250
        await desk.ask("and then?")
        assert desk.brain.requests[1].history[1].text == "One two three."
        for wrong_id, ms in ((item_id, -1), ("nobody", 0), (desk.say("x")["id"], 0)):
            desk.refused("conversation.item.truncate", item_id=wrong_id, content_index=0, audio_end_ms=ms)

    run(script)


# Push-to-talk ------------------------------------------------------------------------------------------------------


def test_commit() -> None:
    async def script(desk: Desk) -> None:
        assert desk.refused("input_audio_buffer.commit")["message"] == "append is not called"
        desk.append(tone(600))
        desk.send("input_audio_buffer.clear")
        assert desk.types[-1] == "input_audio_buffer.cleared"
        assert desk.refused("input_audio_buffer.commit")["message"] == "append is not called"
        desk.append(tone(999))
        assert desk.refused("input_audio_buffer.commit")["message"] == "no speech found"
        desk.append(silence(2000))
        assert desk.refused("input_audio_buffer.commit")["message"] == "no speech found"
        assert "response.created" not in desk.types
        before = len(desk.events)
        desk.append(tone(600) + silence(400))
        desk.send("input_audio_buffer.commit")
        desk.send("response.create")
        await desk.until("response.done")
        committed, created = desk.events[before : before + 2]
        assert committed["type"] == "input_audio_buffer.committed"
        assert created["type"] == "conversation.item.created"
        assert committed["item_id"] == created["item"]["id"]
        assert desk.ears.heard == [tone(600) + silence(400)]
        assert desk.brain.requests[0].history[0].text == "hello there"
        deltas = desk.all("conversation.item.input_audio_transcription.delta")
        assert [event["delta"] for event in deltas] == ["hello", "hello there"]
        completed = await desk.until("conversation.item.input_audio_transcription.completed")
        assert completed["transcript"] == "hello there" and completed["item_id"] == committed["item_id"]

    run(script)


def test_commit_with_vad() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        assert "commit when server vad" in desk.refused("input_audio_buffer.commit")["message"]

    run(script)


def test_too_much_audio() -> None:
    async def script(desk: Desk) -> None:
        huge = bytes(15 * 1024 * 1024)
        assert "15 MB" in desk.refused("input_audio_buffer.append", audio=encode(huge + b"\0\0"))["message"]
        desk.append(huge)
        desk.append(huge)
        assert "buffer is full" in desk.refused("input_audio_buffer.append", audio=encode(huge))["message"]

    run(script)


def test_spoken_item() -> None:
    async def script(desk: Desk) -> None:
        content = [{"type": "input_audio", "audio": encode(tone(500))}]
        desk.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        desk.send("response.create")
        await desk.until("response.done")
        assert desk.ears.heard == [tone(500)]
        assert desk.brain.requests[0].history[0].text == "hello there"

    run(script)


def test_bounded_hearing() -> None:
    async def script(desk: Desk) -> None:
        desk.ears.gate.clear()
        content = [{"type": "input_audio", "audio": encode(tone(100))}]
        item = {"type": "message", "role": "user", "content": content}
        for _ in range(MAX_WAITING):
            desk.send("conversation.item.create", item=item)
        assert "too many recordings" in desk.refused("conversation.item.create", item=item)["message"]

    run(script)
