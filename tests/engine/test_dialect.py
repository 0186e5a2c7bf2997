"""Where the sources disagree (protocol notes, section 16): settings, errors, turns and the connection, over a socket.

Every test names its row. Interruptions, endings and limits are in `test_dialect_life`, what frames carry in
`test_dialect_events`, where a check makes sure that each of the 36 rows has a test.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import soundfile

import stepnb as sn
from stepnb.errors import ConfigError, ServiceError
from stepnb.protocol import catalog
from tests.engine.dialect import echo, refusal, settings
from tests.engine.scripted import Event, ScriptedServer, Step, created, done, function_call, message, on
from tests.engine.test_session_tools import USER, answer, call_of, get_weather, output, run, session

VAD_ON = {"type": "server_vad"}
VAD_OFF = [{}, {"turn_detection": None}, {"turn_detection": {"type": ""}}]


@pytest.mark.parametrize("vad", [sn.ServerVAD(), None], ids=["on", "off"])
def test_vad_is_always_said_and_its_echo_checked(vad: sn.ServerVAD | None) -> None:
    """Row 1: nobody knows the default, so turn_detection is sent as an object or null; another echo is told."""
    contrary = None if vad else VAD_ON
    s, server = settings(Step({"type": "session.update"}, echo(turn_detection=contrary)), vad=vad)
    sent = server.received[0]["session"]["turn_detection"]
    assert sent is None if vad is None else sent["type"] == "server_vad"
    assert "vad" in s.notices[0].text


@pytest.mark.parametrize("off", VAD_OFF, ids=["omitted", "null", "empty"])
@pytest.mark.parametrize("vad", [sn.ServerVAD(), None], ids=["on", "off"])
def test_three_ways_of_saying_that_vad_is_off(off: dict[str, Any], vad: sn.ServerVAD | None) -> None:
    """Row 2: omitted, null and an empty type all mean off: no news to who wanted that, news to who did not."""
    s, _ = settings(on("session.update", {"type": "session.updated", "session": off}), vad=vad)
    assert bool(s.notices) == (vad is not None)


def test_a_second_session_created_confirms_the_settings() -> None:
    """Row 3: `session.updated` came typed as `session.created`; it counts, and its echo is compared."""

    def slip(event: Event) -> Iterable[Event]:
        yield {"type": "session.created", "session": event["session"] | {"voice": "other"}}

    s, _ = settings(Step({"type": "session.update"}, slip), voice="wanted")
    assert s.config.voice == "other" and len(s.notices) == 1


@pytest.mark.parametrize("slip", ["status", "early done", "repeated"])
def test_the_type_of_a_frame_counts_not_its_status(slip: str) -> None:
    """Row 4: a `response.created` says completed, comes after a stray `response.done`, or again after the real one."""
    first = created("r1")
    first["response"]["status"] = "completed"
    early, late = [done("r1")] * (slip == "early done"), [first] * (slip == "repeated")
    events = [*early, first, *message("r1", "m1", "Here."), done("r1"), *late]
    with (
        ScriptedServer(USER, on("response.create", *events), USER, answer("Again.", "r2")) as server,
        session(server) as s,
    ):
        assert s.ask("One?").wait(timeout=10).transcript == "Here."
        assert s.ask("Two?").wait(timeout=10).transcript == "Again."


@pytest.mark.parametrize("limit", ["4096", 4096, "inf"])
def test_the_token_limit_is_a_number_or_a_text(limit: object) -> None:
    """Row 5: max_response_output_tokens comes as "4096", 4096 or "inf"; each is as it should be."""
    s, _ = settings(Step({"type": "session.update"}, echo(max_response_output_tokens=limit)))
    (record,) = s.events.filter(type="session.updated")
    assert record.repairs == () and not s.notices


def test_function_tools_are_sent_nested() -> None:
    """Row 6: the documented shape is nested; the flat one is accepted live and never called."""
    _, server, _ = run(answer(), tools=(get_weather,))
    (tool,) = server.of("session.update")[0]["session"]["tools"]
    assert set(tool) == {"type", "function"} and tool["function"]["name"] == "get_weather"


@pytest.mark.parametrize(
    "event",
    [
        refusal("boom", "t1.create", type="invalid_request_error"),
        {"type": "invalid_request_error", "message": "boom", "event_id": "t1.create"},
        {"type": "error", "message": "boom", "code": 429, "event_id": "t1.create"},
    ],
    ids=["nested", "guide", "relay"],
)
def test_an_error_in_any_shape_fails_its_turn(event: Event) -> None:
    """Row 10: nested, flat with the error's type as the frame's type, or with a number as code."""
    with ScriptedServer(USER, on("response.create", event), USER, answer()) as server, session(server) as s:
        turn = s.ask("Hello?").wait(timeout=10)
        assert turn.status == "failed" and isinstance(turn.error, ServiceError)
        assert "boom" in str(turn.error) and turn.error.code in (None, "429")
        assert s.ask("Still there?").wait(timeout=10).status == "completed"


def test_an_error_that_is_a_bare_text_is_told() -> None:
    """Row 10: a relay sends a string; it names no event, so nothing fails for it."""
    events = [{"type": "error", "error": "boom"}, created("r1"), *message("r1", "m1", "Hi."), done("r1")]
    turn, _, s = run(on("response.create", *events), tools=())
    assert turn.transcript == "Hi." and "boom" in s.notices[0].text


def test_the_ids_of_the_server_are_adopted() -> None:
    """Row 12: the client gives no item ids; acknowledgements match in order, also between items of other kinds."""
    acks = [
        {"type": "conversation.item.created", "item": {"id": n, "type": "message", "role": "user"}}
        for n in ("server-1", "server-2")
    ]
    got = {"id": "f1", "type": "function_call_output", "call_id": "c1", "output": "ok"}
    with (
        ScriptedServer(
            Step(USER.expects, (acks[0],)),
            call_of(("c1", "get_weather", '{"city":"Paris"}')),
            Step(output("c1").expects, ({"type": "conversation.item.created", "item": got},)),
            answer(),
            Step(USER.expects, (acks[1],)),
            answer(response="r3"),
        ) as server,
        session(server, get_weather) as s,
    ):
        s.ask("One?").wait(timeout=10)
        s.ask("Two?").wait(timeout=10)
    assert [turn.item for turn in s.conversation.turns.values()] == ["server-1", "server-2"]
    assert not any("id" in event["item"] for event in server.of("conversation.item.create"))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "audio", "transcript": "hello"},
        {"type": "input_text", "transcript": "hello"},
        {"text": "hello"},
    ],
    ids=["live", "docs", "text"],
)
def test_the_echo_of_a_message_carries_its_text_somewhere(part: dict[str, Any]) -> None:
    """Row 13: text in any part under `text` or `transcript`: a written message keeps its own, a spoken one takes it."""
    item = {"id": "u1", "type": "message", "role": "user", "status": "in_progress", "content": [part]}
    told = Step(USER.expects, ({"type": "conversation.item.created", "item": item},))
    with ScriptedServer(told, answer(response="r1")) as server, session(server) as s:
        turn = s.ask("Hello, you!").wait(timeout=10)
    assert turn.user == "Hello, you!" and turn.user_transcript is None
    with ScriptedServer(told, answer(response="r1")) as server, session(server) as s:
        turn = s.ask(sn.Clip.silence(1.0)).wait(timeout=10)
    assert turn.user_transcript == "hello"


def test_transcripts_need_no_setting() -> None:
    """Row 19: input_audio_transcription is not sent, and a transcript that comes all the same is taken."""
    heard = {"item_id": "u1", "transcript": "Hi there."}
    ack = {"type": "conversation.item.created", "item": {"id": "u1", "type": "message", "role": "user"}}
    completed = {"type": "conversation.item.input_audio_transcription.completed", **heard}
    with ScriptedServer(Step(USER.expects, (ack, completed)), answer()) as server, session(server) as s:
        turn = s.ask(sn.Clip.silence(1.0)).wait(timeout=10)
    assert turn.user_transcript == "Hi there."
    assert "input_audio_transcription" not in server.of("session.update")[0]["session"]


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        ({}, False),
        ({"model": "m1"}, False),
        ({"model": "m1", "language": "zh"}, False),
        (None, True),
        ({"model": "m2"}, True),
    ],
)
def test_a_server_that_needs_input_audio_transcription_gets_it(taken: Any, told: bool) -> None:
    """Row 19: it is an option, and an echo that says otherwise is told: under VAD it may be dropped."""
    changes = {} if taken == {} else {"input_audio_transcription": taken}
    s, server = settings(Step({"type": "session.update"}, echo(**changes)), transcription="m1")
    sent = server.of("session.update")[0]["session"]
    assert sent["input_audio_transcription"] == {"model": "m1"}
    assert any("input_audio_transcription" in notice.text for notice in s.notices) == told


def test_the_energy_threshold_has_the_services_name_and_scale() -> None:
    """Row 20: energy_awakeness_threshold 0-5000 is sent; 0-1 is converted, in advice and echo."""
    vad = sn.ServerVAD(energy_awakeness_threshold=1500)
    other = VAD_ON | {"prefix_padding_ms": 500, "silence_duration_ms": 500, "threshold": 0.3}
    s, server = settings(Step({"type": "session.update"}, echo(turn_detection=other)), vad=vad)
    sent = server.received[0]["session"]["turn_detection"]
    assert sent["energy_awakeness_threshold"] == 1500 and "threshold" not in sent and not s.notices
    with pytest.raises(ConfigError, match="is 2500"):
        sn.ServerVAD(energy_awakeness_threshold=0.5)  # type: ignore[arg-type]


def test_response_create_says_modalities_and_nothing_else() -> None:
    """Row 21: instructions are the session's; `response.create` carries the modalities only."""
    _, server, _ = run(answer(), tools=(), instructions="Be brief.")
    (create,) = server.of("response.create")
    assert create["response"] == {"modalities": ["text", "audio"]}
    assert set(create) == {"type", "event_id", "response"}
    assert server.of("session.update")[0]["session"]["instructions"] == "Be brief."


def test_rate_limits_mean_nothing_here() -> None:
    """Row 23: only the guide has `rate_limits.updated`: it is in the log, and that is all."""
    limits = {"type": "rate_limits.updated", "rate_limits": [{"name": "requests", "remaining": 9}]}
    events = [limits, created("r1"), limits, *message("r1", "m1", "Hi."), limits, done("r1")]
    turn, _, s = run(on("response.create", *events), tools=())
    assert turn.transcript == "Hi." and not s.notices
    assert len(s.events.filter(type="rate_limits.updated")) == 3


def test_nobody_can_send_a_system_item() -> None:
    """Row 25: the service takes user and assistant only, so another role raises before there is a session."""
    with pytest.raises(ConfigError, match="other roles the service refuses"):
        sn.Session("ws://127.0.0.1:9", api_key="k", history=[("system", "Be brief.")])


@pytest.mark.parametrize("acknowledged", [True, False])
def test_nobody_waits_for_the_acknowledgement_of_a_result(acknowledged: bool) -> None:
    """Row 27: a `function_call_output` is acknowledged or not; the follow-up is asked for either way."""
    item = {"id": "f1", "type": "function_call_output", "call_id": "c1", "output": "x"}
    told = ({"type": "conversation.item.created", "item": item},) if acknowledged else ()
    call = call_of(("c1", "get_weather", '{"city":"Paris"}'))
    turn, _, s = run(call, Step(output("c1").expects, told), answer("Warm."), tools=(get_weather,))
    assert turn.transcript == "Warm." and not s.notices


def test_a_model_nobody_here_knows_is_passed_on() -> None:
    """Row 29: the list of models is a hint; the name goes into the address as it is."""
    assert catalog.capabilities("stepaudio-9") is None
    with ScriptedServer(USER, answer()) as server, session(server, model="stepaudio-9") as s:
        assert s.ask("Hello?").wait(timeout=10).status == "completed"
        assert server._socket is not None and server._socket.request is not None
        assert server._socket.request.path == "/?model=stepaudio-9"


def test_a_cloned_voice_is_passed_on_and_its_refusal_explained() -> None:
    """Row 30: one page allows cloned voices, another lists seven: the service decides, and what it said is told."""
    clone = "voice-tone-Ab12Cd34Ef"
    s, server = settings(
        on(
            "session.update", refusal(f"voice {clone} is not valid", "first.update"), session={"voice": clone}
        ),
        Step({"type": "session.update"}, echo(voice="usual")),
        voice=clone,
    )
    assert "voice" not in server.received[1]["session"]
    (notice,) = s.notices
    assert clone in notice.text and "is not valid" in str(notice) and s.config.voice is None


def test_a_voice_put_in_silently_is_told() -> None:
    """Row 30: a substitution shows in the echo alone."""
    s, _ = settings(Step({"type": "session.update"}, echo(voice="usual")), voice="voice-tone-Ab12Cd34Ef")
    (notice,) = s.notices
    assert "'usual'" in notice.text and "'voice-tone-Ab12Cd34Ef'" in notice.text and s.config.voice == "usual"


@pytest.mark.parametrize("format", ["WAV", "MP3"])
def test_the_container_of_audio_is_found_out(format: str) -> None:
    """Row 32: the preview says WAV and sends MP3, or not: the bytes say what they are."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(24000, np.float32), 24000, format=format)
    assert sn.Clip.load(file.getvalue()).duration == pytest.approx(1, abs=0.1)


def test_the_names_of_the_english_guide_are_read_and_not_sent() -> None:
    """Row 36: VAD durations in `input_audio_config` are read; the reference's names are sent."""
    guide = {"prefix_padding_ms": 500, "silence_duration_ms": 350}
    s, server = settings(
        Step({"type": "session.update"}, echo(turn_detection=VAD_ON, input_audio_config=guide)), voice="v"
    )
    assert len(s.notices) == 1 and "350" in s.notices[0].text
    assert server.received[0]["session"]["turn_detection"]["silence_duration_ms"] == 500
    assert "input_audio_config" not in server.received[0]["session"]
    called = done("r1") | {"response": done("r1")["response"] | {"status_details": {"reason": "tool_calls"}}}
    call = on("response.create", created("r1"), *function_call("r1", "c1", "get_weather", "{}"), called)
    turn, server, s = run(call, output("c1"), answer(), tools=(get_weather,))
    (result,) = [event["item"] for event in server.of("conversation.item.create")][1:]
    assert set(result) == {"type", "call_id", "output"} and turn.status == "completed"
    assert s.conversation.responses["r1"].status_details == {"reason": "tool_calls"}
    assert s.conversation.responses["r1"].finish_reason == "tool_calls" and turn.finish_reason == "stop"
