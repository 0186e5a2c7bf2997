"""Losing the connection: what the user sees, and that nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.service.loop import io_thread
from stepnb.session.lifeline import ROTATE_AFTER
from stepnb.session.status import Status
from tests.engine.person import Person, answered
from tests.engine.proxy import Proxy
from tests.engine.scripted import ScriptedServer, on
from tests.engine.states import States
from tests.engine.test_session_tools import answer

TIMEOUT = 30


@pytest.fixture
def proxy(engine: LocalEngine) -> Iterator[Proxy]:
    with Proxy(engine.url) as proxy:
        yield proxy


@pytest.fixture
def session(proxy: Proxy, engine: LocalEngine) -> Iterator[sn.Session]:
    with sn.Session(proxy.url, api_key=engine.key) as session:
        yield session


def test_a_lost_connection_comes_back_and_remembers(session: sn.Session, proxy: Proxy) -> None:
    session.ask("My name is Ada.").wait(TIMEOUT)
    states = States(session)
    proxy.cut()
    states.wait_for("reconnecting", "ready")
    assert "broke off. Connecting again." in states.details["reconnecting"]
    assert "Ada" in session.ask("What is my name?").wait(TIMEOUT).transcript
    assert session.restored == ["the sound of 1 message (the words are told)"]
    assert any("Connected again" in notice.text for notice in session.notices)
    assert proxy.connections == 2


def test_an_answer_that_had_begun_ends_where_it_was() -> None:
    with (
        LocalEngine(seed=1, speed=1.0) as slow,
        Proxy(slow.url) as proxy,
        sn.Session(proxy.url, api_key=slow.key) as session,
    ):
        begun = threading.Event()
        session.on("response.audio.delta", lambda _: begun.set())
        turn = session.ask("Tell me what you can do.")
        assert begun.wait(TIMEOUT)
        proxy.cut()
        assert turn.wait(TIMEOUT).status == "interrupted"
        assert turn.transcript and turn.audio.duration > 0
        assert session.ask("Hello").wait(TIMEOUT).status == "completed"


def test_a_question_without_an_answer_is_asked_again(session: sn.Session, proxy: Proxy) -> None:
    session.connect()
    states = States(session)
    proxy.stall()
    first, second = session.ask("What is two plus two?"), session.ask("What is three plus three?")
    proxy.cut()
    proxy.flow()
    states.wait_for("reconnecting")
    assert "4" in first.wait(TIMEOUT).transcript
    assert "6" in second.wait(TIMEOUT).transcript


def test_speech_during_the_gap_is_kept(
    session: sn.Session, proxy: Proxy, speech: Callable[[str], bytes]
) -> None:
    session.connect()
    states = States(session)
    proxy.cut()
    states.wait_for("reconnecting")
    turn = session.append(sn.Clip.from_pcm(speech("What is two plus two?")))
    assert turn.wait(TIMEOUT).user_transcript == "what is two plus two"


@pytest.mark.parametrize("vad", [sn.ServerVAD(), None], ids=["vad", "push-to-talk"])
def test_what_is_said_while_the_session_connects_is_kept(
    engine: LocalEngine, speech: Callable[[str], bytes], vad: sn.ServerVAD | None
) -> None:
    """The person is silent again before there is a connection."""
    with sn.Session(engine.url, api_key=engine.key, vad=vad) as session:
        person = Person(session)
        person.talk(True)
        person.say(speech("What is two plus two?"))
        person.talk(False)
        answered(session, "what is two plus two")


def test_what_is_said_in_the_gap_is_kept(
    session: sn.Session, proxy: Proxy, speech: Callable[[str], bytes]
) -> None:
    session.connect()
    states, person = States(session), Person(session)
    person.talk(True)
    person.say(bytes(24_000))
    proxy.cut()
    states.wait_for("reconnecting")
    person.say(speech("What is two plus two?"))
    person.talk(False)
    answered(session, "what is two plus two")


def test_a_turn_that_is_held_when_the_connection_is_lost_goes_on_as_another_one(
    engine: LocalEngine, proxy: Proxy, speech: Callable[[str], bytes]
) -> None:
    with sn.Session(proxy.url, api_key=engine.key, vad=None) as session:
        session.connect()
        states, person = States(session), Person(session)
        person.talk(True)
        person.say(speech("Hello"))
        person.sent()
        proxy.cut()
        states.wait_for("reconnecting")
        person.say(speech("What is two plus two?"))
        person.talk(False)
        answered(session, None, "what is two plus two")
        assert session.turns[0].status == "failed" and "Ask again" in str(session.turns[0].error)


def test_the_connection_is_replaced_between_turns_and_nobody_notices(
    proxy: Proxy, engine: LocalEngine
) -> None:
    with sn.Session(proxy.url, api_key=engine.key) as session:
        session._core.lifeline.rotate_after = 0.2
        session.ask("My name is Ada.").wait(TIMEOUT)
        states = States(session)
        rotated = threading.Event()
        session.on("session.updated", lambda _: rotated.set())
        assert rotated.wait(TIMEOUT)
        assert "Ada" in session.ask("What is my name?").wait(TIMEOUT).transcript
        assert any(record.kind == "rotating" for record in session.events)
        assert set(states.seen) <= {"thinking", "ready"}
        assert not session.notices


FAST = 600
"""The engine's clock against the real one: its 30 minutes last 3 s."""


def test_on_a_fast_clock_the_limit_is_never_met() -> None:
    with (
        LocalEngine(seed=1, speed=None, faults=[sn.faults.FastClock(factor=FAST)]) as engine,
        sn.Session(engine.url, api_key=engine.key) as session,
    ):
        session._core.lifeline.rotate_after = ROTATE_AFTER / FAST
        session.ask("My name is Ada.").wait(TIMEOUT)
        states = States(session)
        for _ in range(2):
            rotated = threading.Event()
            session.on("session.updated", lambda _, rotated=rotated: rotated.set())
            assert rotated.wait(TIMEOUT)
            assert "Ada" in session.ask("What is my name?").wait(TIMEOUT).transcript
        assert sum(record.kind == "rotating" for record in session.events) >= 2
        assert not [record for record in session.events if record.kind == "error"]
        assert set(states.seen) <= {"thinking", "ready"}
        assert not session.notices


def test_on_a_fast_clock_the_limit_is_survived() -> None:
    with (
        LocalEngine(seed=1, speed=None, faults=[sn.faults.FastClock(factor=FAST)]) as engine,
        sn.Session(engine.url, api_key=engine.key) as session,
    ):
        session.ask("My name is Ada.").wait(TIMEOUT)
        states = States(session)
        states.wait_for("reconnecting", "ready")
        assert "Ada" in session.ask("What is my name?").wait(TIMEOUT).transcript


class Door:
    """A server that refuses the first handshakes."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.asked = 0

    async def process(self, _: ServerConnection, __: Request) -> Response | None:
        self.asked += 1
        if not self.statuses:
            return None
        status = HTTPStatus(self.statuses.pop(0))
        from websockets.datastructures import Headers

        body = b'{"error":{"message":"not now"}}'
        headers = Headers({"x-trace-id": "trace-7", "content-length": str(len(body)), "connection": "close"})
        return Response(status, status.phrase, headers, body)


@pytest.fixture
def door() -> Iterator[Callable[..., tuple[Door, str]]]:
    """A server in front of a scripted conversation: refuses with these statuses first, then begins sessions."""
    from websockets.asyncio.server import Server, serve

    from stepnb.protocol import codec
    from stepnb.protocol import events as ev

    servers: list[Server] = []

    def build(*statuses: int) -> tuple[Door, str]:
        made = Door(*statuses)

        async def begin(socket: ServerConnection) -> None:
            await socket.send(codec.encode(ev.SessionCreated(session=ev.SessionInfo(id="s"))))
            async for frame in socket:
                event = codec.decode(frame).event
                if isinstance(event, ev.SessionUpdate):
                    await socket.send(codec.encode(ev.SessionUpdated(session=event.session)))

        async def start() -> Server:
            return await serve(begin, "127.0.0.1", 0, process_request=made.process)

        server = io_thread.submit(start()).result(TIMEOUT)
        servers.append(server)
        return made, f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1/realtime"

    yield build

    async def stop(server: Server) -> None:
        server.close()
        await server.wait_closed()

    for server in servers:
        io_thread.submit(stop(server)).result(TIMEOUT)


def test_an_overloaded_service_is_tried_again(door: Callable[..., tuple[Door, str]]) -> None:
    made, url = door(503, 429)
    with sn.Session(url, api_key="k") as session:
        assert session.connect().status.state == "ready"
    assert made.asked == 3
    assert [record.kind for record in session.events].count("retry") == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, sn.BadRequest),
        (401, sn.AuthenticationError),
        (402, sn.BalanceExhausted),
        (404, sn.WrongPath),
        (451, sn.ContentBlocked),
    ],
)
def test_what_cannot_succeed_is_not_tried_again(
    door: Callable[..., tuple[Door, str]], status: int, error: type[sn.HandshakeError]
) -> None:
    made, url = door(status)
    with sn.Session(url, api_key="k") as session, pytest.raises(error, match="not now") as caught:
        session.connect()
    assert made.asked == 1
    assert caught.value.status == status and caught.value.trace_id == "trace-7" and caught.value.fix


def test_too_many_failures_end_with_the_last_reason(door: Callable[..., tuple[Door, str]]) -> None:
    made, url = door(*[500] * 9)
    with sn.Session(url, api_key="k") as session, pytest.raises(sn.ServiceUnavailable):
        session.connect()
    assert made.asked == 5


def test_a_turn_opened_right_after_the_loss_waits_for_the_next_connection(
    session: sn.Session, proxy: Proxy, speech: Callable[[str], bytes]
) -> None:
    """It belongs to no connection yet, so the loss must not end it."""
    session.connect()
    clip = sn.Clip.from_pcm(speech("What is two plus two?"))
    turns: list[sn.Turn] = []

    class AtOnce:
        def on_status(self, status: Status) -> None:
            if status.state == "reconnecting":
                turns.append(session.append(clip))

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_: None

    states = States(session)
    session._core.loop.call_soon_threadsafe(session._core.hub.listeners.append, AtOnce())  # type: ignore[arg-type]
    proxy.cut()
    states.wait_for("reconnecting", "ready")
    assert turns[0].wait(TIMEOUT).user_transcript == "what is two plus two"


def test_speech_that_was_heard_and_not_answered_is_sent_again_as_one_message() -> None:
    heard = [
        {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 20},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "u1", "audio_end_ms": 80},
        {"type": "input_audio_buffer.committed", "item_id": "u1"},
    ]
    audio = {"type": "message", "role": "user", "content": [{"type": "input_audio"}]}
    with (
        ScriptedServer(
            on("conversation.item.create", event_id="t1.item", item=audio), answer("Yes?")
        ) as server,
        sn.Session(server.url, api_key="k") as session,
    ):
        session.connect()
        states = States(session)
        turn = session.append(sn.Clip.silence(0.1))
        server.came("input_audio_buffer.append", 5)
        server.send(*heard)
        states.wait_for("thinking")
        server.close(1011)
        assert turn.wait(TIMEOUT).transcript == "Yes?" and len(session.turns) == 1
        assert isinstance(turn.user, sn.Clip) and turn.user.duration == pytest.approx(0.06)


@pytest.mark.parametrize("heard", ["Hello there.", None])
def test_speech_whose_sound_was_not_kept_is_asked_by_its_words(heard: str | None) -> None:
    words = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": heard}]}
    steps = (on("conversation.item.create", event_id="t1.item", item=words), answer("Yes?")) if heard else ()
    with (
        ScriptedServer(*steps) as server,
        sn.Session(server.url, api_key="k", keep_audio="none") as session,
    ):
        session.connect()
        states = States(session)
        turn = session.append(sn.Clip.silence(0.1))
        server.came("input_audio_buffer.append", 5)
        for kind in ("speech_started", "speech_stopped", "committed"):
            server.send({"type": f"input_audio_buffer.{kind}", "item_id": "u1"})
        if heard:
            kind = "conversation.item.input_audio_transcription.completed"
            server.send({"type": kind, "item_id": "u1", "transcript": heard})
        states.wait_for("thinking")
        server.close(1011)
        turn.wait(TIMEOUT)
        assert turn.transcript == "Yes?" if heard else "Ask again" in str(turn.error)
