"""The session against the real engine over real sockets: what a user does, and what a user does wrong."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.service import loop, retry
from stepnb.session.status import Notice

TIMEOUT = 30


@pytest.fixture
def session(engine: LocalEngine) -> Iterator[sn.Session]:
    with sn.Session(engine.url, api_key=engine.key) as session:
        yield session


def on_io_thread(work: Callable[[], None]) -> None:
    """Run something on the I/O thread and wait for it: everything posted before has happened then."""

    async def run() -> None:
        work()

    loop.io_thread.submit(run()).result(TIMEOUT)


def test_making_a_session_does_no_io(engine: LocalEngine) -> None:
    session = sn.Session("ws://127.0.0.1:9/v1/realtime", api_key="unused")
    assert session.status.state == "idle" and len(session.events) == 0
    session.close()


def test_a_text_turn(session: sn.Session) -> None:
    turn = session.ask("What is seven times six?")
    assert turn.wait(TIMEOUT) is turn
    assert turn.status == "completed" and "42" in turn.transcript
    assert turn.audio.duration > 0.5 and turn.audio.rate == 24_000
    assert turn.user == "What is seven times six?"
    assert turn.latency.first_audio is not None and turn.latency.first_heard is None
    assert turn.usage is not None and turn.heard_ms is None
    assert session.turns == [turn] and session.status.state == "ready"
    assert repr(turn).startswith("Turn(1, completed,")


def test_turns_can_be_awaited(session: sn.Session) -> None:
    async def main() -> sn.Turn:
        return await session.ask("Hello")

    assert asyncio.run(main()).status == "completed"


def test_turns_queue_for_the_one_response_slot(session: sn.Session) -> None:
    turns = [session.ask(f"What is {n} plus {n}?") for n in range(2, 6)]
    said = [turn.wait(TIMEOUT).transcript for turn in turns]
    assert [turn.id for turn in turns] == [1, 2, 3, 4]
    assert all(str(2 * n) in answer for n, answer in zip(range(2, 6), said, strict=True))


def test_a_clip_is_one_message_in_either_vad_mode(
    engine: LocalEngine, speech: Callable[[str], bytes]
) -> None:
    clip = sn.Clip.from_pcm(speech("What is two plus two?"))
    for vad in (sn.ServerVAD(), None):
        with sn.Session(engine.url, api_key=engine.key, vad=vad) as session:
            turn = session.ask(clip).wait(TIMEOUT)
            assert turn.user == clip and turn.user_transcript == "what is two plus two"
            assert "4" in turn.transcript or "four" in turn.transcript.lower()
            sent = [record.kind for record in session.events if record.side == "out"]
            assert sent == ["session.update", "conversation.item.create", "response.create"]


def test_a_streamed_clip_is_heard_as_speech(session: sn.Session, speech: Callable[[str], bytes]) -> None:
    clip = sn.Clip.from_pcm(speech("What is two plus two?"))
    turn = session.append(clip).wait(TIMEOUT)
    assert turn.user_transcript == "what is two plus two"
    assert isinstance(turn.user, sn.Clip) and turn.user.duration >= 0.8 * clip.duration
    kinds = [record.kind for record in session.events]
    assert "input_audio_buffer.speech_stopped" in kinds and "input_audio_buffer.commit" not in kinds


def test_push_to_talk_commits_and_pads(engine: LocalEngine, speech: Callable[[str], bytes]) -> None:
    with sn.Session(engine.url, api_key=engine.key, vad=None) as session:
        short = sn.Clip.from_pcm(speech("What is your name?"))[0:0.6]
        turn = session.append(short).wait(TIMEOUT)
        assert turn.error is None
        assert isinstance(turn.user, sn.Clip) and turn.user.duration == pytest.approx(1.0, abs=0.03)


def test_silence_is_an_honest_failure(session: sn.Session) -> None:
    turn = session.append(sn.Clip.silence(0.5)).wait(TIMEOUT)
    assert turn.status == "failed" and turn.error is not None and "no speech" in str(turn.error)
    assert session.ask("Hello").wait(TIMEOUT).status == "completed"


def test_a_repeated_question_uses_the_conversation(session: sn.Session) -> None:
    session.ask("My name is Ada.").wait(TIMEOUT)
    assert "Ada" in session.ask("What is my name?").wait(TIMEOUT).transcript


def test_interrupting_cancels_the_answer() -> None:
    with LocalEngine(seed=1, speed=1.0) as engine, sn.Session(engine.url, api_key=engine.key) as session:
        turn = session.ask("Tell me what you can do.")
        first_audio = threading.Event()
        session.on("response.audio.delta", lambda _: first_audio.set())
        assert first_audio.wait(TIMEOUT)
        session.interrupt()
        assert turn.wait(TIMEOUT).status == "interrupted"
        assert any(record.kind == "response.cancel" for record in session.events)


def test_settings_change_live_and_are_confirmed(session: sn.Session) -> None:
    session.connect()
    updated = threading.Event()
    session.on("session.updated", lambda _: updated.set())
    session.update(vad=sn.ServerVAD(silence_duration_ms=800), instructions="Answer in Chinese.")
    assert updated.wait(TIMEOUT)
    assert session.config.vad == sn.ServerVAD(silence_duration_ms=800)
    assert any("\u4e00" <= c <= "\u9fff" for c in session.ask("Hello").wait(TIMEOUT).transcript)


def test_the_voice_is_fixed_after_the_first_audio(session: sn.Session) -> None:
    session.ask("Hello").wait(TIMEOUT)
    with pytest.raises(sn.ConfigError, match="voice is fixed"):
        session.update(voice="cixingnansheng")


def test_a_voice_the_service_refuses_is_replaced_and_said(engine: LocalEngine) -> None:
    with sn.Session(engine.url, api_key=engine.key, voice="no-such-voice") as session:
        assert session.ask("Hello").wait(TIMEOUT).status == "completed"
        assert any("no-such-voice" in notice.text for notice in session.notices)


# Following ------------------------------------------------------------------------------------------------------------


def test_a_callback_that_raises_becomes_a_notice_and_harms_nothing(session: sn.Session) -> None:
    told = threading.Event()
    session.on("response.created", lambda _: 1 / 0)
    turn = session.ask("Hello").wait(TIMEOUT)
    loop.user_thread.submit(asyncio.sleep(0)).result(TIMEOUT)
    on_io_thread(told.set)
    assert turn.status == "completed"
    assert any("ZeroDivisionError" in notice.text for notice in session.notices)


def test_the_end_of_a_clip_with_a_pause_in_it_is_heard_too(
    session: sn.Session, speech: Callable[[str], bytes]
) -> None:
    ended = threading.Semaphore(0)
    session.on("input_audio_buffer.speech_stopped", lambda _: ended.release())
    question = sn.Clip.from_pcm(speech("what time is it"))
    session.append(question + sn.Clip.silence(0.8) + question)
    assert ended.acquire(timeout=TIMEOUT)
    assert ended.acquire(timeout=TIMEOUT), "nobody let silence flow after the second half"
    assert session.turns[-1].wait(TIMEOUT).transcript


def test_the_stream_brings_every_event_in_order_until_close(engine: LocalEngine) -> None:
    session = sn.Session(engine.url, api_key=engine.key)

    async def main() -> list[str]:
        kinds = []
        async for event in session.stream():
            kinds.append(event.type)
            if event.type == "session.updated":
                session.ask("Hello")
            if event.type == "response.done":
                await asyncio.to_thread(session.close)
        return kinds

    async def both() -> list[str]:
        following = asyncio.ensure_future(main())
        await asyncio.sleep(0)
        await asyncio.to_thread(session.connect)
        return await asyncio.wait_for(following, TIMEOUT)

    kinds = asyncio.run(both())
    assert kinds == [record.kind for record in session.events if record.side == "in"]
    assert kinds[0] == "session.created" and kinds[-1] == "response.done"


def test_events_rebuild_byte_for_byte(session: sn.Session) -> None:
    session.ask("Hello").wait(TIMEOUT)
    audio = b""
    for record in session.events:
        if record.kind == "response.audio.delta":
            frame = session.events.frame(record)
            assert len(frame) > len(record.skeleton or "")
            audio += sn.Clip.from_pcm(session.events.audio.read([record.audio])).pcm if record.audio else b""
    assert audio == session.turns[0].audio.pcm


# Wrong use ------------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_named_and_the_session_stays_usable(engine: LocalEngine) -> None:
    with sn.Session(engine.url, api_key="sk-wrong") as session:
        with pytest.raises(sn.AuthenticationError, match="key") as caught:
            session.ask("Hello").wait(TIMEOUT)
        assert caught.value.status == 401 and caught.value.fix and caught.value.trace_id
        assert "sk-wrong" not in str(caught.value)
        assert session.status.state == "failed" and "key" in session.status.detail
        assert session.turns[0].status == "failed"


def test_an_unknown_model_is_named(engine: LocalEngine) -> None:
    with (
        sn.Session(engine.url, api_key=engine.key, model="no-such-model") as session,
        pytest.raises(sn.BadRequest, match="no-such-model"),
    ):
        session.connect()


def test_an_unreachable_host_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}/v1/realtime"
        with sn.Session(url, api_key="k") as session, pytest.raises(sn.Unreachable, match=r"127\.0\.0\.1"):
            session.connect()


def test_a_session_connects_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "ATTEMPTS", 2)  # of a minute's worth
    with LocalEngine(seed=3, speed=None) as first:
        session = sn.Session(first.url, api_key=first.key)
        assert session.ask("Hello").wait(TIMEOUT).status == "completed"
        port = int(first.url.rsplit(":", 1)[1].split("/")[0])
        key = first.key
    with pytest.raises(sn.Unreachable):
        session.ask("Are you there?").wait(TIMEOUT)
    assert session.status.state == "failed"
    with LocalEngine(seed=3, speed=None, port=port, api_key=key):
        assert session.ask("Hello").wait(TIMEOUT).status == "completed"
    session.close()


def test_a_port_that_is_taken_is_named(engine: LocalEngine) -> None:
    port = int(engine.url.rsplit(":", 1)[1].split("/")[0])
    with pytest.raises(sn.PortInUse, match=str(port)):
        LocalEngine(port=port).start()


@pytest.mark.parametrize("content", [b"", b"not audio at all"])
def test_an_unreadable_audio_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(content)
    with pytest.raises(sn.AudioError, match=r"speech\.wav"):
        sn.Clip.load(path)


@pytest.mark.parametrize(
    ("what", "error"),
    [("", sn.ConfigError), ("  ", sn.ConfigError), (None, sn.ConfigError), (7, sn.ConfigError)],
)
def test_asking_nothing_raises_a_sentence(session: sn.Session, what: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        session.ask(what)  # type: ignore[arg-type]


def test_an_empty_or_endless_clip_raises_before_anything_is_sent(session: sn.Session) -> None:
    with pytest.raises(sn.AudioError, match="empty"):
        session.ask(sn.Clip.silence(0))
    with pytest.raises(sn.AudioError, match="301 s"):
        session.append(sn.Clip.silence(301))
    assert len(session.events) == 0


def test_a_closed_session_says_so_and_stays_readable(engine: LocalEngine) -> None:
    session = sn.Session(engine.url, api_key=engine.key)
    turn = session.ask("Hello").wait(TIMEOUT)
    session.close()
    session.close()
    assert session.status.state == "closed" and turn.audio.duration > 0
    for use in (
        lambda: session.ask("Hello"),
        session.connect,
        session.interrupt,
        lambda: session.update(vad=None),
    ):
        with pytest.raises(sn.SessionClosed, match="closed"):
            use()


def test_closing_settles_what_is_open() -> None:
    with LocalEngine(seed=1, speed=1.0) as engine:
        session = sn.Session(engine.url, api_key=engine.key)
        turn = session.ask("Tell me what you can do.")
        started = threading.Event()
        session.on("response.audio.delta", lambda _: started.set())
        assert started.wait(TIMEOUT)
        session.close()
        with pytest.raises(sn.SessionClosed):
            turn.wait(1)


def test_a_wait_that_runs_out_says_so_and_the_turn_goes_on(session: sn.Session) -> None:
    turn = session.ask("Hello")
    with pytest.raises(sn.TurnTimeout, match="goes on"):
        turn.wait(0)
    assert turn.wait(TIMEOUT).status == "completed"


@pytest.mark.parametrize(
    "arguments",
    [
        {"cluster": "mars"},
        {"cluster": "http://example.org"},
        {"cluster": "wss://user:pass@example.org/v1/realtime"},
        {"api_key": "  "},
        {"vad": "server_vad"},
        {"voice": 7},
        {"cluster": "cn", "api_key": None},
    ],
)
def test_wrong_arguments_raise_a_sentence(
    arguments: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STEPFUN_API_KEY", "STEP_API_KEY", "STEPNB_CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(sn.ConfigError) as caught:
        sn.Session(**{"api_key": "k", **arguments})  # type: ignore[arg-type]
    assert caught.value.fix


# Ending ---------------------------------------------------------------------------------------------------------------


def test_a_forgotten_session_closes_by_itself(engine: LocalEngine) -> None:
    session = sn.Session(engine.url, api_key=engine.key)
    session.connect()
    core = weakref.ref(session._core)
    closed = threading.Event()

    class Watch:
        def on_status(self, status: object) -> None:
            if getattr(status, "state", "") == "closed":
                closed.set()

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_: None

    listeners = session._core.hub.listeners
    on_io_thread(lambda: listeners.append(Watch()))  # type: ignore[arg-type]
    del session
    gc.collect()
    assert closed.wait(TIMEOUT)
    assert core() is None or core().closed  # type: ignore[union-attr]


def test_sessions_without_a_key_share_one_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("STEPFUN_API_KEY", "STEP_API_KEY", "STEPNB_CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)  # no .env here
    monkeypatch.setattr("stepnb.session.lifetimes._no_key_said", False)
    first, second = sn.Session(), sn.Session()
    try:
        assert capsys.readouterr().out.count("local practice engine") == 1
        first.connect()
        second.connect()
        assert isinstance(first.notices[0], Notice) and "local practice engine" in first.notices[0].text
        threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("stepnb-engine")]
        assert len(threads) <= 1
        first.close()
        assert second.ask("Hello").wait(TIMEOUT).status == "completed"
    finally:
        first.close()
        second.close()


def test_the_key_is_in_no_log_repr_or_event(caplog: pytest.LogCaptureFixture) -> None:
    secret = "sk-very-secret-0123456789"
    with LocalEngine(seed=1, speed=None, api_key=secret) as engine, caplog.at_level(logging.DEBUG):
        with sn.Session(engine.url, api_key=secret) as session:
            session.ask("Hello").wait(TIMEOUT)
            shown = [repr(session), repr(session._core.endpoint), repr(engine), session.events._repr_html_()]
            shown += [session.events.frame(record) for record in session.events if record.side != "local"]
            shown += [str(record.data) for record in session.events]
        shown += [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert not [text for text in shown if secret in text]


def test_a_turn_says_what_was_heard_what_it_used_and_when_things_happened(
    engine: LocalEngine, speech: Callable[[str], bytes]
) -> None:
    with sn.Session(engine.url, api_key=engine.key) as session:
        turn = session.append(sn.Clip.from_pcm(speech("What is two plus two?"))).wait(TIMEOUT)
        assert turn.heard is turn.unheard is turn.heard_ms is turn.unheard_ms is None, "there is no player"
        length = turn.audio.duration * 1000
        item = session.conversation.answer(session.conversation.turns[1])[0].id
        on_io_thread(lambda: session._core.played({item: length / 2}))
        assert turn.heard_ms == pytest.approx(length / 2) == turn.unheard_ms
        assert turn.heard and turn.unheard and f"{turn.heard} {turn.unheard}" == turn.transcript
        on_io_thread(lambda: session._core.played({item: length}))
        assert turn.heard == turn.transcript and turn.unheard == "" and turn.unheard_ms == 0

        order = ("asked", "speech_started", "last_input", "speech_stopped", "committed", "response_created")
        names = [name for name, _ in turn.stamps]
        assert [name for name in names if name in order] == list(order)
        assert turn.stamps.first_delta is not None and turn.stamps.done is not None
        assert names.index("first_audio") < names.index("last_audio") < names.index("last_heard")
        times = session.events.df()
        (stopped,) = times[times["type"] == "input_audio_buffer.speech_stopped"]["seconds"]
        assert turn.stamps.speech_stopped is not None and turn.stamps.speech_stopped.s == pytest.approx(
            stopped
        )
        assert turn.latency.turn_detection is not None and turn.latency.turn_detection > 0

        assert turn.finish_reason == "stop" and turn.usage is not None and not turn.usage.estimated
        assert turn.cost is not None and turn.cost.amount is None and turn.cost.cny and turn.cost.usd
        session.ask("Hello").wait(TIMEOUT)
        both = [turn.usage for turn in session.turns]
        assert session.usage == both[0] + both[1] and session.cost.cny == pytest.approx(  # type: ignore[operator]
            sum(turn.cost.cny for turn in session.turns)  # type: ignore[misc,union-attr]
        )


def test_what_a_model_cannot_do_raises_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepnb.protocol import catalog

    def unable(model: str) -> catalog.Capabilities:
        known = catalog.models()[0]
        return msgspec.structs.replace(
            known, id=model, function_tools=False, server_tools=False, cloned_voices=False
        )

    def look() -> str:
        """Look."""
        return ""

    monkeypatch.setattr(catalog, "capabilities", unable)
    with sn.Session("ws://127.0.0.1:9/v1/realtime", api_key="k", model="m") as session:
        for wish, said in (
            ({"tools": [look]}, "m cannot call functions"),
            ({"tools": [sn.WebSearch()]}, "m cannot use WebSearch or Retrieval"),
            ({"voice": "voice-tone-123"}, "m cannot speak with a cloned voice"),
        ):
            with pytest.raises(sn.ConfigError, match=said) as caught:
                session.update(**wish)  # type: ignore[arg-type]
            assert caught.value.fix
            with pytest.raises(sn.ConfigError, match=said):
                sn.Session("ws://127.0.0.1:9/v1/realtime", api_key="k", model="m", **wish)  # type: ignore[arg-type]
        assert len(session.events) == 0


def test_a_voice_that_was_refused_before_is_a_warning_and_is_tried(engine: LocalEngine) -> None:
    with sn.Session(engine.url, api_key=engine.key, voice="tianmeinvsheng") as session:
        assert "was refused for stepaudio-2.5-realtime" in session.notices[0].text
        assert session.ask("Hello").wait(TIMEOUT).status == "completed"
        sent = next(record for record in session.events if record.kind == "session.update")
        assert '"voice":"tianmeinvsheng"' in (sent.skeleton or "")
