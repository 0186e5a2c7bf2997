"""Other people's clients, unmodified: the vendor's own, OpenAI's, and the script of the vendor's guide."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
import stepfun_realtime_api as stepfun

from stepnb.local.engine import LocalEngine
from tests.engine.client import VAD, silence
from tests.engine.conftest import NOON
from tests.engine.test_tools import WEATHER

Speech = Callable[[str], bytes]
MODEL = "stepaudio-2.5-realtime"
TIMEOUT_S = 60
QUESTION = "What is two plus two?"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is on this machine, and the vendor's client would send even that through a proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module", params=["docs", "live"])
def profiled(request: pytest.FixtureRequest) -> Iterator[LocalEngine]:
    with LocalEngine(request.param, seed=7, speed=4.0, now=lambda: NOON) as engine:
        yield engine


# stepfun-realtime-api -------------------------------------------------------------------------------------------------


class Vendor:
    """The vendor's client, and everything the service sent to it."""

    def __init__(self, client: stepfun.RealtimeClient) -> None:
        self.client = client
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        client.on("server.*", self.events.put_nowait)

    async def until(self, type: str) -> list[dict[str, Any]]:
        """Wait for an event; returns all up to it."""
        received: list[dict[str, Any]] = []
        async with asyncio.timeout(TIMEOUT_S):
            while not received or received[-1]["type"] != type:
                received.append(await self.events.get())
        return received


@asynccontextmanager
async def vendor(engine: LocalEngine) -> AsyncIterator[Vendor]:
    client = stepfun.RealtimeClient(url=engine.url, secret=engine.key)
    client.session["model"] = MODEL
    with_events = Vendor(client)
    await client.connect()
    try:
        await with_events.until("session.updated")
        yield with_events
    finally:
        await client.disconnect()


def run(engine: LocalEngine, script: Callable[[Vendor], Awaitable[None]]) -> None:
    async def go() -> None:
        async with vendor(engine) as client:
            await script(client)

    asyncio.run(go())


def answers(vendor: Vendor) -> list[dict[str, Any]]:
    """Return the answers as the vendor's client has put them together from the events."""
    items = vendor.client.get_conversation().items
    return [item["formatted"] for item in items if item["role"] == "assistant"]


def sees_answers(engine: LocalEngine) -> bool:
    """Tell whether the vendor's client can follow the answers.

    It reads `content` of every new item, which the live service leaves out of an answer's: there it loses sight of the
    answers, as it does here. Its callbacks get every event all the same.
    """
    return engine.profile.fresh_content == "empty"


def complaints(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Return what the vendor's client printed about events that it could not digest."""
    return {line for line in capsys.readouterr().out.splitlines() if line.startswith("Error in")}


NO_CONTENT = "Error in handler for event type server.conversation.item.created: 'content'"
NO_ROLE = "Error in handler for event type server.conversation.item.created: 'role'"


def said(events: list[dict[str, Any]]) -> str:
    return "".join(e["delta"] for e in events if e["type"] == "response.audio_transcript.delta")


def transcript(events: list[dict[str, Any]]) -> str:
    return next(e["transcript"] for e in events if e["type"].endswith("transcription.completed"))


def test_vendor_text_turn(profiled: LocalEngine, capsys: pytest.CaptureFixture[str]) -> None:
    async def script(vendor: Vendor) -> None:
        await vendor.client.send_user_message([{"type": "input_text", "text": QUESTION}])
        events = await vendor.until("response.done")
        assert events[-1]["response"]["status"] == "completed" and "4" in said(events)
        assert vendor.client.get_session_id()
        if sees_answers(profiled):
            (answer,) = answers(vendor)
            assert answer["transcript"] == said(events) and len(answer["audio"]) > 48 * 300

    run(profiled, script)
    assert complaints(capsys) == (set() if sees_answers(profiled) else {NO_CONTENT})


def test_vendor_audio_turn(profiled: LocalEngine, speech: Speech, capsys: pytest.CaptureFixture[str]) -> None:
    question = speech(QUESTION)

    async def script(vendor: Vendor) -> None:
        await vendor.client.update_session(turn_detection=VAD)
        await vendor.until("session.updated")
        await vendor.client.append_input_audio(silence(300))
        await vendor.client.append_input_audio(question + silence(1000))
        events = await vendor.until("response.done")
        assert transcript(events) == "what is two plus two" and "4" in said(events)
        user = vendor.client.get_conversation().items[0]
        assert user["role"] == "user" and user["formatted"]["transcript"] == "what is two plus two"
        assert user["formatted"]["audio"], "the client has cut the utterance out by the times it was told"

    run(profiled, script)
    assert complaints(capsys) == (set() if sees_answers(profiled) else {NO_CONTENT})


def test_vendor_push_to_talk(profiled: LocalEngine, speech: Speech) -> None:
    question = speech(QUESTION)

    async def script(vendor: Vendor) -> None:
        await vendor.client.update_session(turn_detection={})
        await vendor.until("session.updated")
        await vendor.client.append_input_audio(question + silence(500))
        await vendor.client.create_response()  # commits first
        events = await vendor.until("response.done")
        assert events[0]["type"] == "input_audio_buffer.committed"
        assert transcript(events) == "what is two plus two" and "4" in said(events)

    run(profiled, script)


def test_vendor_tool_call(profiled: LocalEngine, capsys: pytest.CaptureFixture[str]) -> None:
    async def script(vendor: Vendor) -> None:
        await vendor.client.update_session(tools=[WEATHER])
        await vendor.until("session.updated")
        await vendor.client.send_user_message(
            [{"type": "input_text", "text": "What's the weather in Paris?"}]
        )
        events = await vendor.until("response.done")
        call = events[-1]["response"]["output"][-1]
        assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Paris"})
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": "Snow."}
        await vendor.client.api.send({"type": "conversation.item.create", "item": item})
        await vendor.client.create_response()
        assert said(await vendor.until("response.done")) == "Snow."

    run(profiled, script)
    # It knows messages only: the items of a call have no role. The call itself reaches the callbacks.
    known = {NO_ROLE} if sees_answers(profiled) else {NO_ROLE, NO_CONTENT}
    assert complaints(capsys) == known


def test_vendor_barge_in(profiled: LocalEngine, speech: Speech) -> None:
    question = speech(QUESTION)

    async def script(vendor: Vendor) -> None:
        interrupted = asyncio.Event()
        vendor.client.on("interrupted", lambda _: interrupted.set())
        await vendor.client.update_session(turn_detection=VAD)
        count = [{"type": "input_text", "text": "Tell me a joke, then count from one to twenty."}]
        await vendor.client.send_user_message(count)
        await vendor.until("response.audio.delta")
        await vendor.client.append_input_audio(question + silence(1000))
        events = await vendor.until("response.done")
        assert interrupted.is_set()
        assert events[-1]["response"]["status"] == profiled.profile.interrupted_status
        assert "4" in said(await vendor.until("response.done"))
        # Its cancel_response() forgets to await what it sends; what it would send works.
        await vendor.client.send_user_message(count)
        await vendor.until("response.audio.delta")
        await vendor.client.api.send({"type": stepfun.ClientEventType.RESPONSE_CANCEL})
        events = await vendor.until("response.done")
        assert events[-1]["response"]["status"] == profiled.profile.interrupted_status
        await vendor.client.delete_item(events[-1]["response"]["output"][0]["id"])
        await vendor.until("conversation.item.deleted")

    run(profiled, script)


def test_vendor_with_a_wrong_key(profiled: LocalEngine) -> None:
    client = stepfun.RealtimeClient(url=profiled.url, secret="wrong")
    with pytest.raises(Exception, match=r"WebSocket connection error: .*HTTP 401"):
        asyncio.run(client.connect())


# openai ---------------------------------------------------------------------------------------------------------------
# Its beta client speaks the dialect that StepFun's descends from; the newer one has other names for the deltas.

OPTIONS: Any = {"legacy": True}  # it opens sockets the way websockets had before version 17


@pytest.fixture
def connection(profiled: LocalEngine) -> Iterator[Any]:
    base = profiled.url.removesuffix("/realtime")
    with (
        openai.OpenAI(api_key=profiled.key, base_url=profiled.rest_url, websocket_base_url=base) as client,
        client.beta.realtime.connect(model=MODEL, websocket_connection_options=OPTIONS) as connection,
    ):
        assert connection.recv().type == "session.created"
        yield connection


def received(connection: Any, type: str = "response.done") -> list[Any]:
    events = []
    while not events or events[-1].type != type:
        events.append(connection.recv())
    return events


def create(connection: Any, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})


def test_openai_text_turn(connection: Any) -> None:
    create(connection, QUESTION)
    connection.response.create(response={"modalities": ["text"]})
    events = received(connection)
    assert "4" in "".join(event.delta for event in events if event.type == "response.text.delta")
    done = events[-1].response
    assert done.status == "completed" and done.usage.total_tokens > 0
    assert done.output[0].role == "assistant"


def test_openai_audio_turn(connection: Any, speech: Speech) -> None:
    connection.session.update(session={"turn_detection": VAD})
    assert received(connection, "session.updated")[-1].session.turn_detection.type == "server_vad"
    connection.input_audio_buffer.append(
        audio=base64.b64encode(silence(300) + speech(QUESTION) + silence(1000)).decode()
    )
    events = received(connection)
    types = [event.type for event in events]
    assert types[:2] == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"]
    heard = next(event for event in events if event.type.endswith("transcription.completed"))
    assert heard.transcript == "what is two plus two"
    audio = b"".join(base64.b64decode(e.delta) for e in events if e.type == "response.audio.delta")
    assert len(audio) > 48 * 300
    assert "4" in next(e.transcript for e in events if e.type == "response.audio_transcript.done")


def test_openai_push_to_talk_and_cancel(connection: Any, speech: Speech) -> None:
    connection.input_audio_buffer.clear()
    connection.input_audio_buffer.append(audio=base64.b64encode(speech(QUESTION) + silence(500)).decode())
    connection.input_audio_buffer.commit()
    connection.response.create()
    assert "4" in next(
        e.transcript for e in received(connection) if e.type == "response.audio_transcript.done"
    )
    create(connection, "Tell me a joke, then count from one to twenty.")
    connection.response.create()
    item_id = received(connection, "response.audio.delta")[-1].item_id
    connection.response.cancel()
    assert received(connection)[-1].response.status in ("incomplete", "cancelled")
    connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=100)
    assert received(connection, "conversation.item.truncated")[-1].audio_end_ms == 100
    connection.response.cancel()
    error = received(connection, "error")[-1].error
    assert (error.type, error.message) == ("invalid_request_error", "no ongoing response to cancel")


def test_openai_tool_call(connection: Any) -> None:
    connection.session.update(session={"tools": [WEATHER], "modalities": ["text"]})
    create(connection, "What's the weather in Paris?")
    connection.response.create()
    events = received(connection)
    done = next(event for event in events if event.type == "response.function_call_arguments.done")
    assert json.loads(done.arguments) == {"city": "Paris"}
    item = {"type": "function_call_output", "call_id": done.call_id, "output": "Snow."}
    connection.conversation.item.create(item=item)
    connection.response.create()
    assert next(e.text for e in received(connection) if e.type == "response.text.done") == "Snow."


# websocket-client -----------------------------------------------------------------------------------------------------


def test_the_script_of_the_guide(profiled: LocalEngine, speech: Speech, tmp_path: Path) -> None:
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    with wave.open(str(question), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(speech(QUESTION))
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("guide_client.py")), str(question), str(answer)],
        env=os.environ | {"STEP_API": profiled.url, "STEP_SECRET": profiled.key},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    heard, spoken, status = ended.stdout.splitlines()
    assert (heard, status) == ("user: what is two plus two", "status: completed")
    assert spoken.startswith("model: ") and "4" in spoken
    with wave.open(str(answer), "rb") as file:
        assert file.getnframes() > 24 * 300 and any(file.readframes(file.getnframes()))
