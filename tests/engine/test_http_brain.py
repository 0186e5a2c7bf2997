"""The brain behind HTTP, against a real server of that shape: streaming, tools both ways, retrieval, faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stepnb.errors import ConfigError, EngineError
from stepnb.local.engine import LocalEngine
from stepnb.local.http_brain import HttpBrain, messages_of
from stepnb.local.library import Passage
from stepnb.local.parts import BrainRequest, Message, Piece, Sentence, Thought, ToolCall
from tests.engine.client import Client, transcript_of

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CALL = ToolCall("get_weather", '{"city": "Paris"}', "call_1")


class ChatServer:
    """A chat server whose answers are scripted: deltas to stream, or a whole response."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[list[dict[str, Any]] | Response] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.cut_off = threading.Event()
        routes = [
            Route("/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/v1/models", self._models),
        ]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=routes), log_config=None, lifespan="off", timeout_graceful_shutdown=2
            )
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()

    def close(self) -> None:
        self.go_on.set()
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._listener.close()

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "tiny"}]})

    async def _complete(self, request: Request) -> Response:
        self.requests.append({**await request.json(), "authorization": request.headers.get("authorization")})
        answer = self.answers.pop(0)
        if isinstance(answer, Response):
            return answer
        return StreamingResponse(self._stream(answer), media_type="text/event-stream")

    async def _stream(self, deltas: list[dict[str, Any]]) -> AsyncIterator[str]:
        try:
            for number, delta in enumerate(deltas):
                if number:
                    await asyncio.to_thread(self.go_on.wait, 30)
                yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n"
            yield ": a comment\n\ndata: [DONE]\n\n"
        except asyncio.CancelledError:
            self.cut_off.set()
            raise


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    try:
        yield server
    finally:
        server.close()


def ask(
    server: ChatServer, text: str = "hi", history: tuple[Message, ...] = (), **request: Any
) -> list[Piece]:
    async def main() -> list[Piece]:
        brain = HttpBrain(server.url, "tiny", api_key="secret", library=request.pop("library", None))
        try:
            asked = BrainRequest(history=(*history, Message("user", text)), now=NOW, seed=7, **request)
            async with contextlib.aclosing(brain.stream(asked)) as pieces:
                return [piece async for piece in pieces]
        finally:
            await brain.close()

    return asyncio.run(main())


def content(*texts: str) -> list[dict[str, Any]]:
    return [{"content": text} for text in texts]


def test_a_streamed_answer_comes_in_sentences(server: ChatServer) -> None:
    server.answers.append(
        content("It is", " 3.5 degrees", ". Take a", " coat", "! 你好。", "再见", "。", " End")
    )
    assert ask(server, instructions="Be kind.") == [
        Sentence("It is 3.5 degrees."),
        Sentence("Take a coat!"),
        Sentence("你好。"),
        Sentence("再见。"),
        Sentence("End"),
    ]
    (request,) = server.requests
    assert (request["model"], request["stream"], request["seed"]) == ("tiny", True, 7)
    assert request["authorization"] == "Bearer secret"
    system, user = request["messages"]
    assert (
        system["role"] == "system"
        and "Be kind." in system["content"]
        and "14 March 2026" in system["content"]
    )
    assert user == {"role": "user", "content": "hi"}
    assert "tools" not in request


def test_the_first_sentence_does_not_wait_for_the_last(server: ChatServer) -> None:
    server.answers.append(content("One. T", "wo."))
    server.go_on.clear()

    async def main() -> None:
        brain = HttpBrain(server.url, "tiny")
        async with contextlib.aclosing(brain.stream(BrainRequest(history=(), now=NOW))) as pieces:
            async with asyncio.timeout(10):
                assert await anext(pieces) == Sentence("One.")
        await brain.close()

    asyncio.run(main())
    assert server.cut_off.wait(10), "an abandoned answer is not read to its end"


def test_tools_go_out_and_calls_come_back(server: ChatServer) -> None:
    def piece(index: int, **function: str) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, "function": function}]}

    server.answers.append(
        [
            *content("Let me see."),
            piece(0, name="get_weather", arguments=""),
            piece(0, arguments='{"city": '),
            piece(1, name="get_weather", arguments='{"city": "Rome"}'),
            piece(0, arguments='"Paris"}'),
        ]
    )
    search = {"type": "web_search"}
    assert ask(server, tools=(TOOL, search), tool_choice="required") == [
        Sentence("Let me see."),
        ToolCall("get_weather", '{"city": "Paris"}'),
        ToolCall("get_weather", '{"city": "Rome"}'),
    ]
    assert server.requests[0]["tools"] == [TOOL] and server.requests[0]["tool_choice"] == "required"


def test_thoughts(server: ChatServer) -> None:
    server.answers.append([{"reasoning_content": "Hm, "}, {"reasoning": "well."}, *content("Yes.")])
    assert ask(server) == [Thought("Hm, "), Thought("well."), Sentence("Yes.")]


def test_a_server_that_does_not_stream(server: ChatServer) -> None:
    message = {"role": "assistant", "content": "One. Two.", "tool_calls": None}
    server.answers.append(JSONResponse({"choices": [{"message": message}]}))
    assert ask(server) == [Sentence("One."), Sentence("Two.")]


def test_history_as_chat_messages() -> None:
    history = (
        Message("user", "the weather in Paris"),
        Message("assistant", "Let me see."),
        Message("assistant", "", calls=(CALL,)),
        Message("assistant", "", calls=(ToolCall("get_weather", "{}", "unanswered"),)),
        Message("tool", "sunny", call_id="call_1"),
        Message("tool", "rain", call_id="forgotten"),
        Message("assistant", "Sunny."),
    )
    function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    assert messages_of(history) == [
        {"role": "user", "content": "the weather in Paris"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "user", "content": "Output of a tool: rain"},
        {"role": "assistant", "content": "Sunny."},
    ]


class Shelf:
    def passages(self, vector_store_id: str) -> list[Passage] | None:
        return [Passage("Holidays are requested with form 12.", "handbook.md")]


def test_retrieval_goes_through_the_template(server: ChatServer) -> None:
    options = {"vector_store_id": "vs_1", "prompt_template": "Use {{knowledge}} to answer {{query}}"}
    tool = {"type": "retrieval", "function": {"options": options}}
    server.answers.append(content("With form 12."))
    ask(server, "How are holidays requested?", tools=(tool,), library=Shelf())
    assert server.requests[0]["messages"][-1]["content"] == (
        "Use Holidays are requested with form 12. to answer How are holidays requested?"
    )


def test_search_hands_over_the_bundled_page(server: ChatServer) -> None:
    server.answers.append(content("Fleming."))
    ask(server, "who discovered penicillin", tools=({"type": "web_search"},))
    assert (
        "offline collection, not the web: Alexander Fleming" in server.requests[0]["messages"][-1]["content"]
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            JSONResponse({"error": {"message": "no such model"}}, status_code=404),
            "answered 404.*no such model",
        ),
        (JSONResponse({"error": "out of memory"}), "reports an error: out of memory"),
        (JSONResponse([1]), "no chat completion"),
        (Response("data: {broken\n\n", media_type="text/event-stream"), "no chat completion"),
        ([{"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]}], "no JSON object"),
    ],
)
def test_faults_of_the_server(server: ChatServer, answer: Any, reason: str) -> None:
    server.answers.append(answer)
    with pytest.raises(EngineError, match=reason):
        ask(server)


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with pytest.raises(EngineError, match=r"does not answer.*Start it"):
        LocalEngine(brain=url, brain_model="tiny").start()
    with pytest.raises(ConfigError, match="address"):
        LocalEngine(brain="localhost:1", brain_model="tiny").start()
    with pytest.raises(ConfigError, match="--brain-model"):
        LocalEngine(brain=url).start()


def test_in_the_engine(server: ChatServer) -> None:
    """A spoken answer with a call, its output, and the second answer, over the engine's socket."""
    server.answers.append(
        [
            *content("Let me see."),
            {
                "tool_calls": [
                    {"index": 0, "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
                ]
            },
        ]
    )
    server.answers.append(content("It is ", "sunny. Enjoy it."))
    with LocalEngine(speed=None, brain=server.url, brain_model="tiny") as engine, Client(engine) as client:
        client.update(tools=[TOOL])
        done = client.ask("the weather in Paris")[-1]
        message, call = done["response"]["output"]
        assert message["content"][0]["transcript"] == "Let me see."
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
        client.send("conversation.item.create", item=item)
        client.send("response.create")
        events = client.until("response.done")
        assert transcript_of(events) == "It is sunny. Enjoy it."
    *_, asked, told = server.requests[1]["messages"]
    assert asked["content"] == "Let me see." and asked["tool_calls"][0]["id"] == call["call_id"]
    assert told == {"role": "tool", "tool_call_id": call["call_id"], "content": "sunny"}
