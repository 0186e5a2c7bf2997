"""What a client sees of each fault, over a real socket; everything is planted while the engine runs."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from stepnb.local import faults
from stepnb.local.engine import LocalEngine
from stepnb.local.faults import KINDS
from tests.engine.client import MODEL, Client, audio_of, b64, transcript_of
from tests.engine.desk import ScriptedBrain, ScriptedEars, ScriptedMouth, tone
from tests.engine.order import Event

ANSWER = "One two three. Four five six."
SPOKEN = [{"type": "input_audio", "audio": b64(tone(1000))}]


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalEngine]:
    with LocalEngine(
        ears=ScriptedEars(), mouth=ScriptedMouth(), brain=ScriptedBrain(ANSWER), speed=None
    ) as engine:
        yield engine


@pytest.fixture
def engine(shared: LocalEngine) -> Iterator[LocalEngine]:
    """An engine without faults, whatever a test leaves behind."""
    yield shared
    shared.faults.clear()


def types(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


def speak(client: Client) -> list[Event]:
    """One spoken turn; returns the events of its response and what comes among them."""
    client.send("conversation.item.create", item={"type": "message", "role": "user", "content": SPOKEN})
    client.send("response.create")
    return client.until("response.done")


def transcripts(events: list[Event]) -> list[str]:
    return [
        event["type"].rpartition(".")[2] for event in events if "input_audio_transcription" in event["type"]
    ]


def refused(engine: LocalEngine) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        connect(
            f"{engine.url}?model={MODEL}",
            additional_headers={"Authorization": f"Bearer {engine.key}"},
            proxy=None,
        )
    return caught.value


def test_handshake_status(engine: LocalEngine) -> None:
    engine.faults.add(faults.HandshakeStatus(status=451, message="blocked by content review", times=1))
    answer = refused(engine).response
    assert answer.status_code == 451 and answer.headers["x-trace-id"]
    assert json.loads(answer.body)["error"]["message"] == "blocked by content review"
    with Client(engine) as client:
        assert client.ask("hi")[-1]["response"]["status"] == "completed"


def test_too_many_connections(engine: LocalEngine) -> None:
    engine.faults.add("too_many_connections:after=2")
    for _ in range(2):
        with Client(engine):
            pass
    answer = refused(engine).response
    assert answer.status_code == 429
    assert json.loads(answer.body)["error"]["type"] == "rate_limit_exceeded"


def test_fast_clock(engine: LocalEngine) -> None:
    engine.faults.add("fast_clock:factor=9000")  # half an hour in a fifth of a second
    with Client(engine) as client:
        error = client.until("error")[-1]["error"]
        assert error["code"] == "session_expired" and "30 minutes" in error["message"]
        with pytest.raises(ConnectionClosed) as caught:
            client.receive()
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1000


def test_slow_first_audio(engine: LocalEngine) -> None:
    engine.faults.add("slow_first_audio:seconds=0.5,times=1")
    with Client(engine) as client:
        client.add_text("hi")
        client.send("response.create")
        client.until("response.content_part.added")
        began = time.monotonic()
        client.until("response.audio.delta")
        assert time.monotonic() - began > 0.4
        assert client.until("response.done")[-1]["response"]["status"] == "completed"


def test_slow_first_audio_can_be_cancelled(engine: LocalEngine) -> None:
    engine.faults.add("slow_first_audio:seconds=1000")
    with Client(engine) as client:
        client.add_text("hi")
        client.send("response.create")
        client.until("response.content_part.added")
        client.send("response.cancel")
        events = client.until("response.done")
    assert events[-1]["response"]["status"] == "incomplete" and not audio_of(events)


def test_internal_error_at_the_end(engine: LocalEngine) -> None:
    engine.faults.add(faults.InternalError(sentences=9, times=1))
    with Client(engine) as client:
        events = client.ask("hi")
    assert transcript_of(events) == ANSWER and events[-1]["response"]["status"] == "failed"


def test_internal_error(engine: LocalEngine) -> None:
    engine.faults.add(faults.InternalError(sentences=1, times=1))
    with Client(engine) as client:
        events = client.ask("hi")
        assert transcript_of(events) == "One two three."
        done = events[-1]
        error = next(event for event in events if event["type"] == "error")["error"]
        assert error["type"] == "server_error" and error["message"] == "engine internal error"
        assert done["response"]["status"] == "failed"
        assert done["response"]["status_details"]["error"]["message"] == "engine internal error"
        assert client.ask("hi")[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("code", [1000, 1011, 1013, 4000])
def test_close(engine: LocalEngine, code: int) -> None:
    engine.faults.add(faults.Close(code=code, reason="on demand", nth=3))
    with Client(engine) as client, pytest.raises(ConnectionClosed) as caught:
        client.ask("hi")
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, "on demand")
    assert types(client.events).count("response.audio.delta") == 2


def test_an_answer_without_the_frame_does_not_use_a_fault_up(engine: LocalEngine) -> None:
    fault = engine.faults.add("close:times=1")
    with Client(engine) as client:
        client.ask("hi", modalities=["text"])
        assert engine.faults.struck(fault) == 0
        with pytest.raises(ConnectionClosed):
            client.ask("hi")
    assert engine.faults.struck(fault) == 1


def test_close_without_a_goodbye(engine: LocalEngine) -> None:
    engine.faults.add("close:code=1006,at=response.content_part.added,nth=1")
    with Client(engine) as client, pytest.raises(ConnectionClosed) as caught:
        client.ask("hi")
    assert caught.value.rcvd is None
    assert types(client.events)[-1] == "conversation.item.created"


def drain(client: Client, quiet_s: float) -> None:
    """Receive until nothing has come for so long."""
    while True:
        client.receive(timeout=quiet_s)


def test_stall(engine: LocalEngine) -> None:
    engine.faults.add("stall:seconds=0.8,nth=2")
    with Client(engine) as client:
        client.add_text("hi")
        client.send("response.create")
        with pytest.raises(TimeoutError):
            drain(client, quiet_s=0.3)
        assert types(client.events).count("response.audio.delta") == 1
        assert client.until("response.done")[-1]["response"]["status"] == "completed"


def test_an_engine_closes_while_it_stalls() -> None:
    with (
        LocalEngine(mouth=ScriptedMouth(), speed=None, faults=["stall:seconds=1000"]) as engine,
        Client(engine) as client,
    ):
        client.add_text("hi")
        client.send("response.create")
        client.until("response.audio.delta")
        began = time.monotonic()
        engine.close()
        assert time.monotonic() - began < 10


def test_jitter(engine: LocalEngine) -> None:
    with Client(engine) as client:
        audio = audio_of(client.ask("hi"))
        engine.faults.add("jitter:seconds=0.05")
        began = time.monotonic()
        events = client.ask("hi")
    deltas = types(events).count("response.audio.delta")
    assert engine.faults.struck("jitter:seconds=0.05") == deltas
    assert audio_of(events) == audio and time.monotonic() - began < deltas * 0.05 + 10


def test_transcript_only(engine: LocalEngine) -> None:
    engine.faults.add("transcript_only")
    with Client(engine) as client:
        events = client.ask("hi")
    assert transcript_of(events) == ANSWER and not audio_of(events)
    assert "response.audio.done" in types(events)


def test_missing_transcript(engine: LocalEngine) -> None:
    engine.faults.add("missing_transcript:times=1")
    with Client(engine) as client:
        assert transcripts(speak(client)) == []
        assert transcripts(speak(client)) == ["delta", "delta", "completed"]


def test_late_transcript(engine: LocalEngine) -> None:
    engine.faults.add("late_transcript:seconds=0.5")
    with Client(engine) as client:
        assert transcripts(speak(client)) == []
        late = client.until("conversation.item.input_audio_transcription.completed")
    assert transcripts(late) == ["delta", "delta", "completed"] and late[-1]["transcript"] == "hello there"


def test_a_session_that_ends_takes_its_late_transcript_along(engine: LocalEngine) -> None:
    engine.faults.add("late_transcript:seconds=3600")
    with Client(engine) as client:
        speak(client)
    with Client(engine) as client:
        assert client.ask("hi")[-1]["response"]["status"] == "completed"


def test_failed_transcript(engine: LocalEngine) -> None:
    engine.faults.add("failed_transcript")
    with Client(engine) as client:
        events = speak(client)
    assert transcripts(events) == ["failed"]
    failed = next(event for event in events if event["type"].endswith("transcription.failed"))
    assert failed["item_id"] and failed["error"]["code"] == "transcription_failed"
    assert events[-1]["response"]["status"] == "completed"


def test_duplicate_terminal(engine: LocalEngine) -> None:
    engine.faults.add("duplicate_terminal")
    with Client(engine, orderly=False) as client:
        first = client.ask("hi")[-1]
        assert client.receive() == first


def test_unknown_type(engine: LocalEngine) -> None:
    engine.faults.add(faults.UnknownType(type="response.raw_text.delta"))
    with Client(engine, orderly=False) as client:
        events = client.ask("hi")
    place = types(events).index("response.raw_text.delta")
    assert types(events)[place + 1] == "response.audio.delta"
    assert events[-1]["response"]["status"] == "completed"


def test_odd_types(engine: LocalEngine) -> None:
    engine.faults.add("odd_types")
    with Client(engine, orderly=False) as client:
        events = client.ask("hi")
    created = next(event for event in events if event["type"] == "response.created")
    assert created["response"]["output"] is None
    assert {event["output_index"] for event in events if "output_index" in event} == {"0"}
    assert events[-1]["response"]["usage"]["output_tokens"].isdecimal()
    assert client.created["session"]["tools"] is None


def test_oversized_frame(engine: LocalEngine) -> None:
    fault = engine.faults.add(faults.OversizedFrame(bytes=1_500_000, times=1))
    with Client(engine) as client:
        large = audio_of(client.ask("hi"))
        assert engine.faults.struck(fault) == 1
        assert audio_of(client.ask("hi")) == large, "a client that takes it loses nothing"
    engine.faults.add(fault)
    with connect(  # takes 1 MiB, as many libraries do by default
        f"{engine.url}?model={MODEL}",
        additional_headers={"Authorization": f"Bearer {engine.key}"},
        proxy=None,
    ) as picky:
        content = [{"type": "input_text", "text": "hi"}]
        item = {"type": "message", "role": "user", "content": content}
        picky.send(json.dumps({"type": "conversation.item.create", "item": item}))
        picky.send(json.dumps({"type": "response.create"}))
        with pytest.raises(ConnectionClosed) as caught:
            list(iter(lambda: picky.recv(10), None))
    assert caught.value.sent is not None and caught.value.sent.code == 1009


def test_truncated_base64(engine: LocalEngine) -> None:
    engine.faults.add("truncated_base64:nth=1")
    with Client(engine) as client:
        events = client.ask("hi")
    first, *rest = [event["delta"] for event in events if event["type"] == "response.audio.delta"]
    with pytest.raises(binascii.Error):
        base64.b64decode(first)
    assert rest and all(base64.b64decode(delta) for delta in rest)


def test_request_status(engine: LocalEngine) -> None:
    headers = {"Authorization": f"Bearer {engine.key}"}
    engine.faults.add("request_status:path=/v1/audio,status=402,message=no money,times=1")
    with httpx.Client(base_url=engine.rest_url, headers=headers, trust_env=False) as http:
        assert http.get("/files").status_code == 200
        answer = http.post("/audio/voices", json={"model": "step-tts-2", "file_id": "file-1"})
        assert answer.status_code == 402 and answer.headers["x-trace-id"]
        assert answer.json()["error"] == {"message": "no money", "type": "invalid_request_error"}
        assert http.get("/audio/voices").json()["data"] == []


def test_slow_request(engine: LocalEngine) -> None:
    headers = {"Authorization": f"Bearer {engine.key}"}
    engine.faults.add("slow_request:seconds=0.5,times=1")
    with httpx.Client(base_url=engine.rest_url, headers=headers, trust_env=False, timeout=0.2) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.get("/audio/voices")
        assert http.get("/audio/voices", timeout=30).status_code == 200


def test_faults_beside_the_answers(engine: LocalEngine) -> None:
    engine.faults.add("stall:at=session.created,seconds=0.3,times=1")
    engine.faults.add("close:at=conversation.item.created,after=2,code=1013")
    began = time.monotonic()
    with Client(engine) as client:
        assert time.monotonic() - began > 0.25
        client.ask("hi")  # two items
        with pytest.raises(ConnectionClosed) as caught:
            client.add_text("hi")
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1013


def test_faults_are_composed(engine: LocalEngine) -> None:
    engine.faults.add("transcript_only")
    engine.faults.add("duplicate_terminal")
    engine.faults.add("odd_types:chance=0.5")
    with Client(engine, orderly=False) as client:
        events = client.ask("hi")
        assert client.receive()["type"] == "response.done"
    assert not audio_of(events)
    assert {type(event["output_index"]) for event in events if "output_index" in event} == {int, str}


def test_faults_can_be_taken_away_while_a_session_runs(engine: LocalEngine) -> None:
    with Client(engine) as client:
        fault = engine.faults.add("transcript_only")
        assert not audio_of(client.ask("hi"))
        engine.faults.remove(fault)
        assert audio_of(client.ask("hi"))


def test_an_engine_can_begin_with_faults() -> None:
    with LocalEngine(mouth=ScriptedMouth(), speed=None, faults=["transcript_only"]) as engine:
        assert list(engine.faults) == [faults.TranscriptOnly()]
        with Client(engine) as client:
            assert not audio_of(client.ask("hi"))


def test_every_fault_has_a_test() -> None:
    tests = [name for name in globals() if name.startswith("test_")]
    assert all(f"test_{name}" in tests for name in KINDS)
