"""Responses of several items: thoughts, fillers and calls, in the order of the protocol (checked at the desk)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from stepnb.local.parts import BrainRequest, Message, Piece, Sentence, Thought, ToolCall
from stepnb.local.profile import DOCS, LIVE, Profile
from stepnb.local.reply import MAX_CALLS
from tests.engine.desk import Desk, run

WEATHER = ToolCall("get_weather", '{"city": "Paris", "unit": "celsius"}')
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
THINKER = "stepaudio-3-realtime-preview"


def use_tools(desk: Desk, *tools: object, **session: object) -> None:
    desk.send("session.update", session={"tools": list(tools), **session})
    assert desk.types[-1] == "session.updated"


def output_of(desk: Desk, call_id: str, output: str) -> None:
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    desk.send("conversation.item.create", item=item)


def test_call_with_a_filler() -> None:
    async def script(desk: Desk) -> None:
        use_tools(desk, TOOL)
        desk.brain.text, desk.brain.calls = "Let me check.", (WEATHER,)
        done = await desk.ask("the weather in Paris")
        message, call = done["response"]["output"]
        assert message["content"] == [{"type": "audio", "transcript": "Let me check."}]
        assert call["type"] == "function_call" and call["status"] == "completed"
        assert (call["name"], call["arguments"]) == (WEATHER.name, WEATHER.arguments)
        (created,) = (
            e for e in desk.all("conversation.item.created") if e["item"]["type"] == "function_call"
        )
        assert created["item"] == {
            "id": call["id"],
            "object": "realtime.item",
            "type": "function_call",
            "status": "incomplete",
            "call_id": call["call_id"],
            "name": "get_weather",
        }
        assert created["previous_item_id"] == message["id"]
        deltas = desk.all("response.function_call_arguments.delta")
        assert len(deltas) > 1 and "".join(delta["delta"] for delta in deltas) == WEATHER.arguments
        assert all(
            delta["delta"] == delta["arguments"]
            and delta["output_index"] == 1
            and delta["item_id"] == call["id"]
            for delta in deltas
        )
        (arguments,) = desk.all("response.function_call_arguments.done")
        assert arguments["arguments"] == WEATHER.arguments and arguments["call_id"] == call["call_id"]

        output_of(desk, call["call_id"], "sunny")
        acknowledged = desk.events[-1]
        assert acknowledged["type"] == "conversation.item.created"
        assert acknowledged["item"]["type"] == "function_call_output"
        assert acknowledged["item"]["output"] == "sunny"
        desk.brain.text, desk.brain.calls = "It is sunny.", ()
        desk.send("response.create")
        await desk.until("response.done", 2)
        *_, filler, asked, told = desk.brain.requests[-1].history
        assert filler == Message("assistant", "Let me check.")
        (known,) = asked.calls
        assert (known.name, known.arguments, known.call_id) == (
            WEATHER.name,
            WEATHER.arguments,
            call["call_id"],
        )
        assert told == Message("tool", "sunny", call_id=call["call_id"])

    run(script)


def test_calls_alone_and_several() -> None:
    async def script(desk: Desk) -> None:
        use_tools(desk, TOOL)
        desk.brain.text, desk.brain.calls = "", (WEATHER, ToolCall("get_weather", '{"city": "Rome"}'))
        first, second = (await desk.ask())["response"]["output"]
        assert first["call_id"] != second["call_id"] and first["id"] != second["id"]
        assert not desk.all("response.audio.delta")
        desk.brain.calls = (WEATHER,) * (MAX_CALLS + 5)
        assert len((await desk.ask())["response"]["output"]) == MAX_CALLS

    run(script)


def test_docs_profile_names_only_the_call() -> None:
    async def script(desk: Desk) -> None:
        use_tools(desk, TOOL)
        desk.brain.text, desk.brain.calls = "", (WEATHER,)
        await desk.ask()
        for delta in desk.all("response.function_call_arguments.delta"):
            assert delta.keys() == {"type", "event_id", "call_id", "name", "arguments"}

    run(script, DOCS)


def test_outputs_may_be_taken_silently() -> None:
    import dataclasses

    async def script(desk: Desk) -> None:
        before = len(desk.events)
        output_of(desk, "call_1", "sunny")
        assert len(desk.events) == before
        await desk.ask()
        assert desk.brain.requests[0].history[0].text == "sunny"

    run(script, dataclasses.replace(LIVE, acknowledges_outputs=False))


def test_what_tools_may_be_used(caplog: pytest.LogCaptureFixture) -> None:
    flat = {"type": "function", "name": "flat_one", "parameters": {"type": "object"}}

    async def script(desk: Desk) -> None:
        use_tools(desk, TOOL, flat, {"type": "web_search"})
        assert "never calls it" in caplog.text
        await desk.ask()
        assert desk.brain.requests[-1].tools == (TOOL, {"type": "web_search"})
        await desk.ask(response={"tool_choice": "none"})
        assert desk.brain.requests[-1].tools == ()
        await desk.ask(response={"tools": [], "tool_choice": "required"})
        assert desk.brain.requests[-1].tools and desk.brain.requests[-1].tool_choice == "required"
        desk.send("session.update", session={"tool_choice": "none"})
        assert "tool_choice" not in desk.events[-1]["session"], "never echoed"
        await desk.ask()
        assert desk.brain.requests[-1].tools == ()
        error = desk.refused("session.update", session={"tool_choice": {"type": "function", "name": "x"}})
        assert "invalid event format" in error["message"]
        assert "tool_choice" in desk.refused("session.update", session={"tool_choice": "always"})["message"]

    run(script)


def test_thoughts_have_their_own_part_and_are_not_spoken() -> None:
    async def script(desk: Desk) -> None:
        desk.brain.text, desk.brain.thinking = "It is four.", "The user wants a sum. Two and two."
        done = await desk.ask("two and two")
        (message,) = done["response"]["output"]
        assert message["content"] == [
            {"type": "thinking", "thinking": "The user wants a sum. Two and two."},
            {"type": "audio", "transcript": "It is four."},
        ]
        at = desk.types.index
        assert at("response.thinking.done") < at("response.audio.delta")
        assert desk.mouth.spoken == ["It is four."]
        assert desk.brain.requests[0].thinking
        await desk.ask("again")
        assert desk.brain.requests[1].history[1] == Message("assistant", "It is four.")

    run(script, model=THINKER)


def test_only_reasoning_models_think() -> None:
    async def script(desk: Desk) -> None:
        desk.brain.thinking = "Hm."
        await desk.ask()
        assert not desk.all("response.thinking.delta") and not desk.brain.requests[0].thinking

    run(script)


def test_thoughts_before_a_call() -> None:
    async def script(desk: Desk) -> None:
        use_tools(desk, TOOL)
        desk.brain.text, desk.brain.thinking, desk.brain.calls = "", "A tool fits.", (WEATHER,)
        message, call = (await desk.ask())["response"]["output"]
        assert message["content"] == [{"type": "thinking", "thinking": "A tool fits."}]
        assert call["type"] == "function_call"

    run(script, model=THINKER)


# Brains that stream ------------------------------------------------------------------------------------------------


class Streaming:
    """Gives its pieces one by one, each when it is allowed to."""

    def __init__(self, *pieces: Piece | Exception) -> None:
        self.pieces = pieces
        self.allowed = asyncio.Semaphore(100)
        self.ended = 0

    async def stream(self, request: BrainRequest) -> AsyncGenerator[Piece]:
        try:
            for piece in self.pieces:
                await self.allowed.acquire()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.ended += 1

    async def close(self) -> None: ...


def test_a_stream_is_spoken_as_it_comes() -> None:
    brain = Streaming(Sentence("One two."), Sentence("Three four."), WEATHER, Sentence("Five."))

    async def script(desk: Desk) -> None:
        brain.allowed = asyncio.Semaphore(1)
        desk.say("hi")
        desk.send("response.create")
        await desk.until("response.audio.delta")
        assert desk.mouth.spoken == ["One two."]
        for _ in range(4):
            brain.allowed.release()
        done = await desk.until("response.done")
        message, call = done["response"]["output"]
        assert message["content"][0]["transcript"] == "One two. Three four. Five."
        assert call["name"] == "get_weather" and brain.ended == 1

    run(script, brain=brain)


def test_late_thoughts_are_left_out() -> None:
    async def script(desk: Desk) -> None:
        done = await desk.ask()
        kinds = [part["type"] for part in done["response"]["output"][0]["content"]]
        assert kinds == ["thinking", "audio"]
        assert desk.all("response.thinking.done")[0]["thinking"] == "Well."

    run(script, brain=Streaming(Thought("Well."), Sentence("Yes."), Thought("No?")), model=THINKER)


@pytest.mark.parametrize("profile", [LIVE, DOCS])
def test_a_stream_is_closed_when_it_is_interrupted(profile: Profile) -> None:
    brain = Streaming(Sentence("One two."), Sentence("Three."))

    async def script(desk: Desk) -> None:
        brain.allowed = asyncio.Semaphore(1)
        desk.say("hi")
        desk.send("response.create")
        await desk.until("response.audio.delta")
        desk.send("response.cancel")
        done = await desk.until("response.done")
        assert done["response"]["status"] == profile.interrupted_status
        await desk.session.close()
        assert brain.ended == 1

    run(script, profile, brain=brain)


@pytest.mark.parametrize("before", [[], [Thought("Hm.")], [Sentence("One.")]])
def test_a_stream_that_fails(before: list[Piece]) -> None:
    async def script(desk: Desk) -> None:
        done = await desk.ask()
        assert done["response"]["status"] == "failed"
        assert desk.all("error")[0]["error"]["type"] == "server_error"

    run(script, brain=Streaming(*before, RuntimeError("broken")), model=THINKER)


def test_a_stream_of_nothing_fails() -> None:
    async def script(desk: Desk) -> None:
        done = await desk.ask()
        assert done["response"]["status_details"]["error"]["message"] == "The brain gave no answer."

    run(script, brain=Streaming())
