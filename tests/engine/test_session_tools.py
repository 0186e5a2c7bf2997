"""Tools over a real socket: a session, a scripted service, and functions that are really run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

import stepnb as sn
from stepnb.conversation.reducer import Conversation
from stepnb.session import dispatch
from tests.engine.scripted import ScriptedServer, Step, created, done, function_call, message, on

USER = on("conversation.item.create", item={"type": "message", "role": "user"})


def call_of(*calls: tuple[str, str, str], response: str = "r1", filler: str | None = None) -> Step:
    """The first response: perhaps a filler, then calls (id, name, arguments)."""
    events = [created(response)]
    if filler:
        events += message(response, f"m_{response}", filler)
    for call in calls:
        events += function_call(response, *call)
    return on("response.create", *events, done(response))


def output(call: str, text: str | None = None, **expected: Any) -> Step:
    item = {"type": "function_call_output", "call_id": call} | ({} if text is None else {"output": text})
    return on("conversation.item.create", item=item, **expected)


def answer(text: str = "Done.", response: str = "r2") -> Step:
    return on("response.create", created(response), *message(response, f"m_{response}", text), done(response))


def session(server: ScriptedServer, *tools: Any, **options: Any) -> sn.Session:
    return sn.Session(server.url, api_key="secret-key", tools=tools, **options)


def run(*steps: Step, tools: tuple[Any, ...], **options: Any) -> tuple[sn.Turn, ScriptedServer, sn.Session]:
    """Ask one question of a scripted service; return the turn when it has ended."""
    with ScriptedServer(USER, *steps) as server, session(server, *tools, **options) as s:
        turn = s.ask("How is the weather?").wait(timeout=20)
    return turn, server, s


class Waiter:
    """Waits until something about a session is so, woken by its changes."""

    def __init__(self, s: sn.Session) -> None:
        self._changed = threading.Condition()
        s._core.loop.call_soon_threadsafe(s._core.hub.listeners.append, self)

    def until(self, so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(so, 10)

    def on_change(self, change: Any, pcm: bytes | None) -> None:
        with self._changed:
            self._changed.notify_all()

    def ignore(self, *_: object) -> None: ...

    def on_status(self, status: object) -> None:
        with self._changed:
            self._changed.notify_all()

    on_notice = on_flush = on_config = ignore


def get_weather(city: str) -> dict[str, Any]:
    """Look up the weather."""
    return {"city": city, "celsius": 21}


def test_a_call_its_result_and_the_follow_up_are_one_turn() -> None:
    turn, server, s = run(
        call_of(("c1", "get_weather", '{"city":"Paris"}'), filler="Let me check."),
        output("c1", '{"city":"Paris","celsius":21}', event_id="t1.output1"),
        answer("It is 21 degrees."),
        tools=(get_weather,),
    )
    assert turn.status == "completed" and len(s.turns) == 1
    assert turn.transcript == "Let me check. It is 21 degrees."
    (call,) = turn.tool_calls
    assert (call.name, call.arguments, call.call_id) == ("get_weather", {"city": "Paris"}, "c1")
    assert call.result == {"city": "Paris", "celsius": 21} and call.status == "completed"
    assert call.output == '{"city":"Paris","celsius":21}' and call.error is None
    assert call.duration_ms is not None and call.duration_ms > 0
    kinds = [record.kind for record in s.events if record.kind.startswith("tool_")]
    assert kinds == ["tool_call", "tool_result"]
    sent = server.of("session.update")[0]["session"]["tools"]
    assert sent[0]["function"]["name"] == "get_weather"


def test_an_async_tool_runs_on_the_users_loop_and_a_plain_one_on_a_thread_of_its_own() -> None:
    where: list[str] = []

    @sn.tool
    async def look() -> str:
        """Look."""
        await asyncio.sleep(0)
        where.append(threading.current_thread().name)
        return "looked"

    @sn.tool
    def wait() -> str:
        """Wait."""
        where.append(threading.current_thread().name)
        return "waited"

    run(
        call_of(("c1", "look", ""), ("c2", "wait", "{}")),
        output("c1", "looked"),
        output("c2", "waited"),
        answer(),
        tools=(look, wait),
    )
    assert sorted(where) == ["stepnb-tool", "stepnb-user"]


def test_several_calls_send_all_outputs_in_order_and_one_create() -> None:
    second_done = threading.Event()

    @sn.tool
    def first() -> str:
        assert second_done.wait(10)
        return "one"

    @sn.tool
    def second() -> str:
        second_done.set()
        return "two"

    turn, server, _ = run(
        call_of(("c1", "first", "{}"), ("c2", "second", "{}")),
        output("c1", "one", event_id="t1.output1"),
        output("c2", "two", event_id="t1.output2"),
        answer(),
        tools=(first, second),
    )
    assert [call.output for call in turn.tool_calls] == ["one", "two"]
    assert len(server.of("response.create")) == 2


@pytest.mark.parametrize(
    ("arguments", "part"),
    [('{"city":5}', "Expected `str`"), ("{", "truncated"), ("{}", "city"), ('{"city":"x","zip":1}', "zip")],
)
def test_wrong_arguments_are_told_to_the_model_and_the_function_is_not_called(
    arguments: str, part: str
) -> None:
    def never(city: str) -> str:
        raise AssertionError("called with wrong arguments")

    turn, _, _ = run(call_of(("c1", "never", arguments)), output("c1"), answer(), tools=(never,))
    (call,) = turn.tool_calls
    assert call.status == "failed" and turn.status == "completed"
    assert call.output is not None and "The arguments are wrong" in call.output and part in call.output


def failing() -> str:
    raise KeyError("no such city")


def exiting() -> str:
    raise SystemExit(3)


async def failing_async() -> str:
    raise ValueError("no such city")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("says nothing")


def mute() -> str:
    raise Mute


def decoding() -> str:
    return msgspec.json.decode("{", type=str)


def wrapping_async() -> Any:
    return failing_async()


async def exiting_async() -> str:
    raise SystemExit(3)


async def cancelling() -> str:
    raise asyncio.CancelledError


@sn.tool(timeout=0.1)
async def slow() -> str:
    await asyncio.sleep(60)
    return "never"


@pytest.mark.parametrize(
    ("function", "part"),
    [
        (failing, "KeyError: 'no such city'"),
        (exiting, "SystemExit(3)"),
        (mute, "Mute"),
        (decoding, "msgspec.ValidationError: Expected"),
        (failing_async, "ValueError: no such city"),
        (wrapping_async, "ValueError: no such city"),
        (exiting_async, "SystemExit(3)"),
        (cancelling, "cancelled from within"),
        (slow, "longer than 0.1 s"),
    ],
    ids=[
        "raises",
        "exits",
        "raises-mute",
        "decodes",
        "raises-async",
        "raises-wrapped",
        "exits-async",
        "cancels-itself",
        "too-slow",
    ],
)
def test_a_tool_that_fails_is_text_for_the_model_and_a_notice_for_the_person(
    function: Callable[..., Any], part: str
) -> None:
    name = getattr(function, "name", None) or function.__name__
    turn, _, s = run(call_of(("c1", name, "{}")), output("c1"), answer(), tools=(function,))
    (call,) = turn.tool_calls
    assert call.status == "failed" and call.output is not None and part in call.output
    assert turn.status == "completed"
    assert any(part in str(notice) for notice in s.notices)


def test_a_plain_tool_that_takes_too_long_is_given_up() -> None:
    release = threading.Event()

    @sn.tool(timeout=0.1)
    def stuck() -> str:
        release.wait(10)
        return "late"

    turn, _, _ = run(call_of(("c1", "stuck", "{}")), output("c1"), answer(), tools=(stuck,))
    release.set()
    (call,) = turn.tool_calls
    assert call.output is not None and "longer than 0.1 s" in call.output and call.result is None


def test_an_unknown_tool_is_answered_with_the_names_there_are() -> None:
    turn, _, _ = run(call_of(("c1", "get_time", "{}")), output("c1"), answer(), tools=(get_weather,))
    assert turn.tool_calls[0].output == "There is no tool called 'get_time'. There are: get_weather."


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("verdict", [True, False])
def test_approval_is_asked_first(kind: str, verdict: bool) -> None:
    asked: list[sn.ToolCall] = []
    called: list[str] = []

    @sn.tool(approve=True)
    def delete(path: str) -> str:
        called.append(path)
        return "deleted"

    def approve(call: sn.ToolCall) -> bool:
        asked.append(call)
        return verdict

    async def approve_async(call: sn.ToolCall) -> bool:
        return approve(call)

    turn, _, s = run(
        call_of(("c1", "delete", '{"path":"/tmp/x"}')),
        output("c1"),
        answer(),
        tools=(delete,),
        approve=approve if kind == "sync" else approve_async,
    )
    assert [call.arguments for call in asked] == [{"path": "/tmp/x"}]
    assert asked[0].status == "awaiting approval"
    assert called == (["/tmp/x"] if verdict else [])
    (call,) = turn.tool_calls
    assert call.status == ("completed" if verdict else "denied")
    if not verdict:
        assert call.output == "The call was not made: the person did not approve it."
    states = [record.data["status"] for record in s.events if record.kind == "tool_call" and record.data]
    assert states == ["awaiting approval", "running"][: 1 + verdict]


def test_an_approve_callback_that_fails_approves_nothing() -> None:
    def approve(call: sn.ToolCall) -> bool:
        raise RuntimeError("no terminal")

    turn, _, s = run(
        call_of(("c1", "get_weather", '{"city":"Paris"}')),
        output("c1"),
        answer(),
        tools=(get_weather,),
        approve=approve,
    )
    assert turn.tool_calls[0].status == "denied"
    assert any("no terminal" in notice.text for notice in s.notices)


def test_a_turn_calls_a_bounded_number_of_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "CALLS_PER_TURN", 2)
    called: list[int] = []

    def count(n: int) -> int:
        called.append(n)
        return n

    def again(n: int) -> Step:
        return call_of((f"c{n}", "count", f'{{"n":{n}}}'), response=f"r{n}")

    turn, server, _ = run(
        again(1),
        output("c1", "1"),
        again(2),
        output("c2", "2"),
        again(3),
        output("c3"),
        again(4),
        tools=(count,),
    )
    assert sorted(called) == [1, 2]
    assert turn.status == "failed" and "did not stop calling" in str(turn.error)
    assert "Not called" in server.of("conversation.item.create")[-1]["item"]["output"]


def test_interrupting_cancels_what_runs_and_ignores_what_comes_late() -> None:
    running, release = threading.Event(), threading.Event()
    waiting, cancelled = threading.Event(), threading.Event()

    @sn.tool
    def slow_plain() -> str:
        running.set()
        release.wait(10)
        return "late"

    @sn.tool
    async def slow_async() -> str:
        waiting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "never"

    calls = call_of(("c1", "slow_plain", "{}"), ("c2", "slow_async", "{}"))
    with (
        ScriptedServer(USER, calls, USER, answer("Still here.")) as server,
        session(server, slow_plain, slow_async) as s,
    ):
        waiter = Waiter(s)
        turn = s.ask("Go.")
        assert running.wait(10) and waiting.wait(10)
        waiter.until(lambda: turn.status == "active" and s._core.conversation.active is None)
        waiter.until(lambda: s.status.state == "thinking")
        s.interrupt()
        turn.wait(timeout=10)
        assert cancelled.wait(10)
        waiter.until(lambda: s.status.state == "ready")
        release.set()
        assert s.ask("Are you there?").wait(timeout=10).transcript == "Still here."
        assert turn.status == "interrupted"
        assert [call.status for call in turn.tool_calls] == ["cancelled", "cancelled"]
        assert [call.output for call in turn.tool_calls] == [None, None]


def test_closing_cancels_what_runs() -> None:
    running, cancelled = threading.Event(), threading.Event()

    async def forever() -> str:
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        return "never"

    with ScriptedServer(USER, call_of(("c1", "forever", "{}"))) as server:
        s = session(server, forever)
        turn = s.ask("Go.")
        assert running.wait(10)
        server.reached(2)
        s.close()
    assert cancelled.wait(10)
    assert turn.tool_calls[0].status == "cancelled"


def test_speech_while_a_tool_runs_holds_the_follow_up_until_it_is_answered() -> None:
    release = threading.Event()

    def look() -> str:
        assert release.wait(10)
        return "found"

    speech = {"item_id": "u2"}
    steps = (USER, call_of(("c1", "look", "{}")), output("c1", "found"), answer("Found.", "r3"))
    with ScriptedServer(*steps) as server, session(server, look) as s:
        waiter = Waiter(s)
        turn = s.ask("Look.")
        server.reached(2)
        server.send({"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, **speech})
        waiter.until(lambda: s._core.conversation.speaking)
        release.set()
        waiter.until(lambda: turn.tool_calls[0].status == "completed")
        server.send(
            {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 500, **speech},
            {"type": "input_audio_buffer.committed", **speech},
            created("r2"),
            *message("r2", "m_r2", "Yes?"),
            done("r2"),
        )
        turn.wait(timeout=10)
        assert turn.transcript == "Found." and s.turns[1].transcript == "Yes?"
        flow = [(record.side, record.kind) for record in s.events]
        automatic_end = [n for n, at in enumerate(flow) if at == ("in", "response.done")][1]
        items_sent = [n for n, at in enumerate(flow) if at == ("out", "conversation.item.create")]
        assert items_sent[1] > automatic_end


def test_results_that_the_service_refuses_do_not_end_the_turn() -> None:
    refused = {"type": "error", "error": {"message": "unknown call_id", "event_id": "t1.output1"}}
    step = Step({"type": "conversation.item.create", "event_id": "t1.output1"}, (refused,))
    turn, _, s = run(
        call_of(("c1", "get_weather", '{"city":"Paris"}')), step, answer("Sorry."), tools=(get_weather,)
    )
    assert turn.status == "completed" and turn.transcript == "Sorry."
    assert any("unknown call_id" in notice.text for notice in s.notices)


def test_a_create_refused_for_an_automatic_response_is_repeated_without_the_results() -> None:
    taken = {
        "type": "error",
        "error": {"message": "ongoing response already exists", "event_id": "t1.create"},
    }
    turn, server, _ = run(
        call_of(("c1", "get_weather", '{"city":"Paris"}')),
        output("c1"),
        on("response.create", created("auto"), taken, *message("auto", "m_auto", "Hm?"), done("auto")),
        answer("It is warm.", "r3"),
        tools=(get_weather,),
    )
    assert turn.status == "completed" and "It is warm." in turn.transcript
    outputs = [
        event for event in server.received if event.get("item", {}).get("type") == "function_call_output"
    ]
    assert len(outputs) == 1


def test_tools_change_while_the_session_lives() -> None:
    def late() -> str:
        return "new"

    steps = (USER, call_of(("c1", "late", "{}")), output("c1", "new"), answer())
    with ScriptedServer(*steps) as server, session(server) as s:
        s.connect()
        s.update(tools=[late, sn.WebSearch(top_k=3)])
        assert s.ask("Go.").wait(timeout=10).tool_calls[0].output == "new"
        sent = server.of("session.update")[-1]["session"]
        assert [tool["type"] for tool in sent["tools"]] == ["function", "web_search"]
        s.update(tools=None)
        s.connect()  # done already; it only waits for the I/O thread
        assert s.config.tools == ()


@pytest.mark.parametrize("profile", ["live", "docs"])
def test_with_the_local_engine(profile: Any) -> None:
    with (
        sn.LocalEngine(profile=profile, seed=7, speed=None) as engine,
        sn.Session(engine.url, api_key=engine.key, tools=[get_weather]) as s,
    ):
        turn = s.ask("What is the weather in Paris?").wait(timeout=60)
        (call,) = turn.tool_calls
        assert (call.name, call.arguments, call.status) == ("get_weather", {"city": "Paris"}, "completed")
        assert turn.status == "completed" and "21" in turn.transcript and turn.audio.duration > 1
        after = s.ask("Thank you!").wait(timeout=60)
        assert after.status == "completed" and not after.tool_calls and not s.notices


def test_the_log_alone_gives_the_same_calls() -> None:
    turn, _, s = run(
        call_of(("c1", "get_weather", '{"city":"Paris"}'), ("c2", "get_weather", "{}")),
        output("c1"),
        output("c2"),
        answer(),
        tools=(get_weather,),
    )
    again = Conversation()
    for record in s.events:
        again.apply(record, record.event)
    (copy,) = again.turns.values()
    original = s._core.conversation
    assert again.calls(copy) == original.calls(original.turns[1])
    assert [call.status for call in again.calls(copy)] == ["completed", "failed"]
    assert copy == original.turns[1] and turn.status == "completed"
