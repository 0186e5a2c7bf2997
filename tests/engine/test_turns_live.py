"""Turns of the profile ``live`` over a real socket, with the engine's own ears, mouth and brain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepnb.local.engine import LocalEngine
from tests.engine.client import VAD, Client, audio_of, b64, silence, transcript_of
from tests.engine.conftest import NOON
from tests.engine.order import Event

LONG = "Tell me a joke, then count from one to twenty."


def slow_engine() -> LocalEngine:
    """At twice real time a short answer lasts long enough to be interrupted."""
    return LocalEngine(seed=7, speed=2.0, now=lambda: NOON)


def test_text_turn(client: Client) -> None:
    assert client.created["session"]["max_response_output_tokens"] == "4096"
    assert client.update(instructions="Answer in English.")["session"]["max_response_output_tokens"] == 4096
    events = client.ask("What is two plus two?")
    response = events[-1]["response"]
    assert response["status"] == "completed"
    assert "4" in transcript_of(events) or "four" in transcript_of(events).lower()
    audio = audio_of(events)
    assert len(audio) > 48 * 300 and any(audio)
    sizes = [len(audio_of([event])) for event in events if event["type"] == "response.audio.delta"]
    assert set(sizes[:-1]) <= {6400} and 0 < sizes[-1] <= 6400
    assert client.order.finished == 1


def test_transcript_and_audio_are_interleaved(client: Client) -> None:
    kinds = [event["type"] for event in client.ask("What can you do?")]
    first = kinds.index("response.audio.delta")
    assert kinds.index("response.audio_transcript.delta") < first
    assert "response.audio_transcript.delta" in kinds[first:]
    last = len(kinds) - 1 - kinds[::-1].index("response.audio_transcript.delta")
    assert "response.audio.delta" in kinds[last:]


def test_text_only(client: Client) -> None:
    events = client.ask("What is two plus two?", modalities=["text"])
    kinds = {event["type"] for event in events}
    assert "response.text.done" in kinds and "response.audio.delta" not in kinds
    assert transcript_of(events) == events[-1]["response"]["output"][0]["content"][0]["text"]


@pytest.mark.parametrize(
    ("type", "body", "message"),
    [
        ("response.cancel", {}, "no ongoing response to cancel"),
        ("response.create", {}, "continue_final_message"),
        ("input_audio_buffer.commit", {}, "append is not called"),
        ("session.update", {"session": {"voice": "nobody"}}, "voice nobody is not valid"),
        ("session.update", {"session": {"tool_choice": {"type": "function"}}}, "invalid event format"),
        ("nonsense", {}, "invalid event format"),
        (
            "conversation.item.create",
            {"item": {"type": "message", "role": "system"}},
            "item.role must be user or assistant",
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call"}},
            "item.type must be message or function_call_output",
        ),
        (
            "conversation.item.create",
            {
                "previous_item_id": "root",
                "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
            },
            "cannot find previous item",
        ),
    ],
)
def test_error_catalogue(client: Client, type: str, body: Event, message: str) -> None:
    error = client.refusal(type, **body)
    assert message in error["message"] and error["type"] == "invalid_request_error"
    assert client.update(modalities=["text"])["session"]["modalities"] == ["text"]


def test_error_catalogue_of_audio(client: Client) -> None:
    client.append(silence(500))
    assert client.refusal("input_audio_buffer.commit")["message"] == "no speech found"
    client.append(silence(1500))
    assert client.refusal("input_audio_buffer.commit")["message"] == "no speech found"
    client.update(turn_detection=VAD)
    assert "commit when server vad" in client.refusal("input_audio_buffer.commit")["message"]


def test_cancel_and_one_slot() -> None:
    with slow_engine() as engine, Client(engine) as client:
        client.add_text(LONG)
        client.send("response.create")
        client.until("response.audio.delta")
        client.send("response.create")
        client.send("response.cancel")
        events = client.until("response.done")
        errors = [event["error"]["message"] for event in events if event["type"] == "error"]
        assert errors == ["ongoing response already exists"]
        response = events[-1]["response"]
        assert response["status"] == "incomplete" and response["output"][0]["status"] == "incomplete"
        heard = response["output"][0]["id"]
        client.send("conversation.item.truncate", item_id=heard, content_index=0, audio_end_ms=100)
        assert client.receive()["type"] == "conversation.item.truncated"
        assert client.refusal("response.cancel")["message"] == "no ongoing response to cancel"
        client.send("response.create")
        client.until("response.audio.delta")  # the session goes on


def test_push_to_talk(client: Client, speech: Callable[[str], bytes]) -> None:
    client.send("input_audio_buffer.clear")
    client.until("input_audio_buffer.cleared")
    client.append(speech("What is two plus two?") + silence(1000))
    client.send("input_audio_buffer.commit")
    client.send("response.create")
    events = client.until("response.done")
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["input_audio_buffer.committed", "conversation.item.created"]
    assert "response.created" in kinds[2:]
    transcript = next(e for e in events if e["type"].endswith("transcription.completed"))
    assert "two plus two" in transcript["transcript"]
    assert events[-1]["response"]["status"] == "completed"


def test_audio_turn(client: Client, speech: Callable[[str], bytes]) -> None:
    client.update(turn_detection=VAD)
    spoken = speech("What is two plus two?")
    client.append(silence(600) + spoken + silence(1000))
    events = client.until("response.done")
    kinds = [event["type"] for event in events]
    assert kinds[:5] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        "response.created",
    ]
    started, stopped, committed, created = events[:4]
    assert started["item_id"] == stopped["item_id"] == committed["item_id"] == created["item"]["id"]
    assert 0 <= started["audio_start_ms"] <= 600
    assert 600 + 500 < stopped["audio_end_ms"] <= 600 + len(spoken) // 48 + 600
    deltas = [e["delta"] for e in events if e["type"].endswith("transcription.delta")]
    completed = next(e for e in events if e["type"].endswith("transcription.completed"))
    assert completed["item_id"] == created["item"]["id"]
    assert "two plus two" in completed["transcript"]
    assert len(deltas) == 2 and deltas[1] == completed["transcript"] and deltas[1].startswith(deltas[0])
    assert events[-1]["response"]["usage"]["input_token_details"]["audio_tokens"] > 0
    assert audio_of(events)
    assert "4" in transcript_of(events) or "four" in transcript_of(events)


def test_noise_gets_an_honest_answer(client: Client) -> None:
    client.update(turn_detection=VAD)
    hum = b"".join(int(6000 * (-1) ** (n // 120)).to_bytes(2, "little", signed=True) for n in range(24 * 700))
    client.append(hum + silence(800))
    events = client.until("response.done")
    assert events[-1]["response"]["status"] == "completed" and transcript_of(events)


def test_spoken_item(client: Client, speech: Callable[[str], bytes]) -> None:
    content = [{"type": "input_audio", "audio": b64(speech("What is your name?"))}]
    client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    client.send("response.create")
    events = client.until("response.done")
    completed = next(e for e in events if e["type"].endswith("transcription.completed"))
    assert "name" in completed["transcript"]
    assert events[-1]["response"]["status"] == "completed"


def test_barge_in_by_speech(speech: Callable[[str], bytes]) -> None:
    with slow_engine() as engine, Client(engine) as client:
        client.update(turn_detection=VAD)
        client.add_text(LONG)
        client.send("response.create")
        client.until("response.audio.delta")
        client.append(silence(200) + speech("What is two plus two?") + silence(1000))
        events = client.until("response.done")
        kinds = [event["type"] for event in events]
        assert events[-1]["response"]["status"] == "incomplete"
        assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.audio.done")
        interrupted = events[-1]["response"]["id"]
        after = client.until("response.done")
        assert after[-1]["response"]["status"] == "completed"
        assert not [
            e for e in after if e["type"] == "response.audio.delta" and e["response_id"] == interrupted
        ]
        assert any(
            "two plus two" in e.get("transcript", "")
            for e in after
            if e["type"].endswith("transcription.completed")
        )


def test_voice_is_locked_and_mandarin_is_spoken(client: Client) -> None:
    client.update(voice="cixingnansheng")
    events = client.ask("你好")
    assert any("\u4e00" <= char <= "\u9fff" for char in transcript_of(events)) and audio_of(events)
    assert "voice" in client.refusal("session.update", session={"voice": "linjiajiejie"})["message"]


def test_the_brain_answers_from_the_conversation_as_it_is(client: Client) -> None:
    named = client.add_text("My name is Ada.")["item"]["id"]
    client.send("response.create")
    client.until("response.done")
    assert "Ada" in transcript_of(client.ask("What is my name?"))
    client.send("conversation.item.delete", item_id=named)
    client.until("conversation.item.deleted")
    assert "Ada" not in transcript_of(client.ask("What is my name?"))


def test_what_was_not_heard_is_not_remembered(client: Client) -> None:
    joke = client.ask("Tell me a joke.")
    item_id = joke[-1]["response"]["output"][0]["id"]
    client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=900)
    client.until("conversation.item.truncated")
    repeated = transcript_of(client.ask("Can you repeat that?"))
    assert repeated.strip() and len(repeated) < len(transcript_of(joke))
    assert transcript_of(joke).startswith(repeated.strip().rstrip("."))
