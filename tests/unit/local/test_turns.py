"""Turns with scripted ears, mouth and brain: speech, responses, interruptions, failures, profiles."""

from __future__ import annotations

import asyncio
import dataclasses
import tracemalloc

import pytest

from stepnb.errors import EngineError
from stepnb.local import conversation
from stepnb.local.profile import DOCS, LIVE
from tests.engine.desk import Desk, run, silence, tone

# Server VAD --------------------------------------------------------------------------------------------------------


def test_audio_turn() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        before = len(desk.events)
        desk.append(silence(1000) + tone(500) + silence(300))
        assert desk.types[before:] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.created",
            "response.created",
        ]
        started, stopped, committed, created = desk.events[before : before + 4]
        assert started["audio_start_ms"] == 900 and stopped["audio_end_ms"] == 1600
        assert started["item_id"] == stopped["item_id"] == committed["item_id"] == created["item"]["id"]
        done = await desk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert desk.ears.heard == [silence(100) + tone(500) + silence(100)]

    run(script)


def test_reply_waits_for_the_transcript() -> None:
    async def script(desk: Desk) -> None:
        desk.ears.gate.clear()
        desk.vad()
        desk.append(tone(500) + silence(300))
        assert desk.types[-1] == "response.created" and not desk.brain.requests
        desk.ears.gate.set()
        await desk.until("response.done")
        at = desk.types.index
        assert at("conversation.item.input_audio_transcription.completed") < at("response.output_item.added")
        assert desk.brain.requests[0].history[-1].text == "hello there"

    run(script)


def test_what_is_not_understood_is_answered() -> None:
    async def script(desk: Desk) -> None:
        desk.ears.text = ""
        desk.vad()
        desk.append(tone(500) + silence(300))
        done = await desk.until("response.done")
        assert done["response"]["status"] == "completed"
        assert desk.brain.requests[0].history[-1] == dataclasses.replace(
            desk.brain.requests[0].history[-1], text=""
        )
        assert desk.all("conversation.item.input_audio_transcription.completed")[0]["transcript"] == ""
        assert not desk.all("conversation.item.input_audio_transcription.delta")

    run(script)


def test_speech_interrupts() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.mouth.allowed = asyncio.Semaphore(1)  # the second sentence stays out
        desk.say("hi")
        desk.send("response.create")
        await desk.until("response.audio.delta")
        desk.append(tone(200))
        done = await desk.until("response.done")
        assert done["response"]["status"] == "incomplete"
        assert done["response"]["status_details"]["reason"] == "turn_detected"
        at = desk.types.index
        assert at("input_audio_buffer.speech_started") < at("response.audio.done")
        count = len(desk.all("response.audio.delta"))
        desk.mouth.allowed = asyncio.Semaphore(1000)
        desk.append(silence(300))
        second = await desk.until("response.done", 2)
        assert second["response"]["status"] == "completed"
        assert len(desk.all("response.audio.delta")) > count
        partial = done["response"]["output"][0]["content"][0]["transcript"]
        assert desk.brain.requests[1].history[1].text == partial.strip() and partial.startswith("One")

    run(script)


def test_without_auto_interrupt_the_automatic_reply_waits() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.mouth.allowed = asyncio.Semaphore(1)
        desk.say("hi")
        desk.send("response.create")
        await desk.until("response.audio.delta")
        desk.append(tone(300) + silence(300))
        assert len(desk.all("response.created")) == 1
        for _ in range(3):
            desk.mouth.allowed.release()
        await desk.until("response.done", 2)
        assert [event["response"]["status"] for event in desk.all("response.done")] == [
            "completed",
            "completed",
        ]

    run(script, dataclasses.replace(LIVE, auto_interrupt=False))


def test_a_reply_that_waits_is_dropped_by_new_speech() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.mouth.allowed = asyncio.Semaphore(0)
        desk.append(tone(200))
        desk.say("hi")
        desk.send("response.create")  # takes the slot while the user still speaks
        desk.append(tone(200) + silence(300))
        assert len(desk.all("response.created")) == 1
        desk.append(tone(200))
        assert len(desk.all("response.done")) == len(desk.all("response.created")) == 1
        desk.mouth.allowed = asyncio.Semaphore(100)
        desk.append(silence(300))
        await desk.until("response.done", 2)
        assert [message.text for message in desk.brain.requests[-1].history] == [
            "hi",
            "hello there",
            "hello there",
        ]

    run(script)


def test_reply_waits_for_recordings_that_come_meanwhile() -> None:
    async def script(desk: Desk) -> None:
        desk.ears.gate.clear()
        desk.append(tone(1000))
        desk.send("input_audio_buffer.commit")
        desk.send("response.create")
        await asyncio.sleep(0)
        desk.append(tone(1000))
        desk.send("input_audio_buffer.commit")
        desk.ears.gate.set()
        await desk.until("response.done")
        assert [message.text for message in desk.brain.requests[0].history] == ["hello there"] * 2

    run(script)


def test_a_brain_without_an_answer() -> None:
    async def script(desk: Desk) -> None:
        desk.brain.text = " "
        assert (await desk.ask())["response"]["status"] == "failed"
        assert desk.all("error")[0]["error"]["message"] == "The brain gave no answer."

    run(script)


def test_vad_switched_off_in_speech_leaves_the_audio_to_commit() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.append(silence(5000) + tone(1500))
        desk.send("session.update", session={"turn_detection": None})
        desk.send("input_audio_buffer.commit")
        assert "input_audio_buffer.committed" in desk.types
        assert desk.ears.heard == [] or len(desk.ears.heard[0]) < 48 * 2000
        desk.vad()
        desk.append(tone(300) + silence(300))
        stopped = desk.all("input_audio_buffer.speech_stopped")[-1]
        assert stopped["audio_end_ms"] == 6500 + 400

    run(script)


def test_two_utterances_in_one_append() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.append((tone(300) + silence(300)) * 2)
        await desk.until("response.done", 2)
        statuses = [event["response"]["status"] for event in desk.all("response.done")]
        assert statuses == ["incomplete", "completed"]

    run(script)


# Responses ---------------------------------------------------------------------------------------------------------


def test_spoken_response() -> None:
    async def script(desk: Desk) -> None:
        done = await desk.ask()
        at = desk.types.index
        assert done["response"]["output"][0]["content"] == [
            {"type": "audio", "transcript": "One two three. Four five six."}
        ]
        assert desk.mouth.spoken == ["One two three.", "Four five six."]
        # 300 ms, 200 ms of pause, 300 ms
        assert desk.brain.requests[0].seed == 3
        first_audio = at("response.audio.delta")
        assert at("response.audio_transcript.delta") < first_audio
        transcripts = [i for i, name in enumerate(desk.types) if name == "response.audio_transcript.delta"]
        assert len(transcripts) > 2 and any(i > first_audio for i in transcripts)
        sizes = [len(event["delta"]) * 3 // 4 for event in desk.all("response.audio.delta")]
        assert all(6398 <= size <= 6402 for size in sizes[:-1]) and len(sizes) == 6
        usage = done["response"]["usage"]
        assert usage["output_token_details"]["audio_tokens"] == 10

    run(script)


def test_text_response() -> None:
    async def script(desk: Desk) -> None:
        done = await desk.ask(response={"modalities": ["text"], "instructions": "Write."})
        assert done["response"]["output"][0]["content"] == [
            {"type": "text", "text": "One two three. Four five six."}
        ]
        assert not desk.mouth.spoken and "response.audio.delta" not in desk.types
        assert desk.brain.requests[0].instructions == "Write." and desk.brain.requests[0].modalities == (
            "text",
        )
        desk.send("session.update", session={"voice": "cixingnansheng"})  # not locked: nothing was heard
        assert desk.types[-1] == "session.updated"

    run(script)


def test_chinese_sentences_are_joined_without_spaces() -> None:
    async def script(desk: Desk) -> None:
        desk.brain.text = "你好。我是阶跃。"
        done = await desk.ask()
        assert done["response"]["output"][0]["content"][0]["transcript"] == "你好。我是阶跃。"

    run(script)


def test_one_slot() -> None:
    async def script(desk: Desk) -> None:
        desk.mouth.allowed = asyncio.Semaphore(0)
        assert desk.refused("response.cancel")["message"] == "no ongoing response to cancel"
        desk.say("hi")
        desk.send("response.create")
        assert desk.refused("response.create")["message"] == "ongoing response already exists"
        desk.send("response.cancel")
        assert desk.types[-1] == "response.done"
        assert desk.refused("response.cancel")["message"] == "no ongoing response to cancel"
        desk.mouth.allowed = asyncio.Semaphore(100)
        done = await desk.ask()
        assert done["response"]["status"] == "completed"

    run(script)


def test_cancel_in_speech() -> None:
    async def script(desk: Desk) -> None:
        desk.mouth.allowed = asyncio.Semaphore(1)
        desk.say("hi")
        desk.send("response.create")
        await desk.until("response.audio.delta", 2)
        before = len(desk.events)
        desk.send("response.cancel")
        assert desk.types[before:] == [
            "response.audio.done",
            "response.audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.done",
        ]
        response = desk.events[-1]["response"]
        assert response["status"] == "incomplete" and response["output"][0]["status"] == "incomplete"
        transcript = response["output"][0]["content"][0]["transcript"]
        assert transcript and "One two three. Four five six.".startswith(transcript)
        assert transcript != "One two three. Four five six."

    run(script)


def test_empty_context() -> None:
    async def script(desk: Desk) -> None:
        assert "continue_final_message" in desk.refused("response.create")["message"]

    run(script)


@pytest.mark.parametrize("part", ["ears", "brain", "mouth"])
@pytest.mark.parametrize("failure", [EngineError("It broke."), RuntimeError("surprise")])
def test_a_failing_part_fails_the_response_and_not_the_session(part: str, failure: Exception) -> None:
    async def script(desk: Desk) -> None:
        getattr(desk, part).failure = failure
        desk.vad()
        desk.append(tone(500) + silence(300))
        done = await desk.until("response.done")
        assert done["response"]["status"] == "failed"
        error = desk.all("error")[0]["error"]
        assert error["type"] == "server_error" and "surprise" not in error["message"]
        assert done["response"]["status_details"]["error"]["message"] == error["message"]
        assert bool(desk.all("conversation.item.input_audio_transcription.failed")) == (part == "ears")
        getattr(desk, part).failure = None
        done = await desk.ask()
        assert done["response"]["status"] == "completed"

    run(script)


def test_expiry() -> None:
    async def script(desk: Desk) -> None:
        desk.session.expire()
        assert desk.events[-1]["error"]["code"] == "session_expired"

    run(script)


# Profiles and determinism ------------------------------------------------------------------------------------------


def test_docs_profile() -> None:
    async def script(desk: Desk) -> None:
        assert "turn_detection" not in desk.events[0]["session"]
        item = {
            "id": "my_id",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "hi"}],
        }
        desk.send("conversation.item.create", item=item)
        echo = desk.events[-1]["item"]
        assert echo["id"] == "my_id" and echo["status"] == "completed"
        assert echo["content"] == [{"type": "input_text", "transcript": "hi"}]
        desk.refused("conversation.item.create", item=item)  # the id is taken
        desk.mouth.allowed = asyncio.Semaphore(1)
        desk.send("response.create")
        assert (await desk.until("response.output_item.added"))["item"]["content"] == []
        delta = await desk.until("response.audio.delta")
        assert "response_id" not in delta and delta["item_id"]
        desk.send("response.cancel")
        assert desk.types[-2:] == ["response.cancelled", "response.done"]
        assert desk.events[-1]["response"]["status"] == "cancelled"

    run(script, DOCS)


def test_same_script_same_events() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.append(tone(500) + silence(300))
        await desk.until("response.done")
        await desk.ask("again")

    assert run(script).events == run(script).events


def test_a_long_conversation_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_ITEMS", 60)

    async def script(desk: Desk) -> None:
        async def turns(count: int) -> int:
            for _ in range(count):
                await desk.ask()
                desk.events.clear()
                desk.mouth.spoken.clear()
                del desk.brain.requests[:-1]
            ours = tracemalloc.Filter(True, "*/stepnb/*")
            return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([ours]).traces)

        tracemalloc.start()
        try:
            full = await turns(150)
            later = await turns(300)
        finally:
            tracemalloc.stop()
        assert later < full + 20 * 300, "less than 20 bytes a turn"
        assert len(desk.session._conversation) == len(desk.brain.requests[-1].history) == 60

    run(script, orderly=False)
