"""Tools by rule: asking back, several calls, results in words, and whatever else is said to it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.local.brain import RuleBrain, tools, when
from stepnb.local.brain.schema import read_tools
from stepnb.local.brain.words import Said
from stepnb.local.library import Passage
from stepnb.local.parts import BrainReply, BrainRequest, Message
from tests.unit.local.test_tools_table import TABLE, specifications

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)  # a Saturday
TOOLS = specifications(TABLE)
WORDS = sorted({word for case in TABLE["calls"] for word in case["say"].split()})


class Talk:
    """A conversation with the brain, whose tools answer with `outputs`."""

    def __init__(self, tools: Sequence[Mapping[str, Any]] = TOOLS, **request: Any) -> None:
        self.history: list[Message] = []
        self.tools = tuple(tools)
        self.request = request
        self.brain = RuleBrain(request.pop("library", None))

    def say(self, text: str) -> BrainReply:
        self.history.append(Message("user", text))
        return self._reply()

    def put_out(self, *outputs: str) -> BrainReply:
        """Give the outputs of the last calls."""
        calls = [call for message in self.history for call in message.calls][-len(outputs) :]
        for call, output in zip(calls, outputs, strict=True):
            self.history.append(Message("tool", output, call_id=call.call_id))
        return self._reply()

    def _reply(self) -> BrainReply:
        request = BrainRequest(history=tuple(self.history), now=NOW, tools=self.tools, **self.request)
        reply = self.brain.reply(request)
        assert self.brain.reply(request) == reply, "the same request gives the same reply"
        if reply.text:
            self.history.append(Message("assistant", reply.text))
        for call in reply.calls:
            named = dataclasses.replace(call, call_id=f"call_{len(self.history)}")
            self.history.append(Message("assistant", "", calls=(named,)))
        return reply


def called(reply: BrainReply) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, json.loads(call.arguments)) for call in reply.calls]


def function(name: str, description: str = "", **properties: Any) -> dict[str, Any]:
    required = [key for key, value in properties.items() if not value.pop("optional", False)]
    parameters = {"type": "object", "properties": properties, "required": required}
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


# Asking back -------------------------------------------------------------------------------------------------------


def test_asks_back_and_goes_on_with_the_answer() -> None:
    talk = Talk()
    asked = talk.say("What's the weather?")
    assert asked.text == "Which city?" and not asked.calls
    assert called(talk.say("in Paris please")) == [("get_weather", {"city": "Paris"})]
    told = talk.put_out('{"city": "Paris", "temp_c": 21, "condition": "sunny"}')
    assert told.text == "Paris: temperature 21 degrees Celsius, condition sunny."
    assert talk.say("thank you").text == "You are welcome."


def test_asks_for_one_thing_after_the_other() -> None:
    talk = Talk()
    assert talk.say("book a table").text == "What is the party size?"
    # A time has a number too, but it is no number of people.
    assert talk.say("tomorrow at seven pm").text == "What is the party size?"
    assert called(talk.say("four")) == [
        ("book_table", {"party_size": 4, "date": "2026-03-15", "time": "19:00"})
    ]


def test_asks_with_the_choices_and_in_chinese() -> None:
    talk = Talk()
    assert talk.say("turn on the light").text == "Which room: kitchen, living room, bedroom or bathroom?"
    assert called(talk.say("the living room")) == [("control_light", {"room": "living_room", "state": "on"})]
    talk = Talk()
    assert talk.say("今天天气怎么样").text == "请问城市是哪里？"
    assert called(talk.say("上海")) == [("get_weather", {"city": "上海"})]


def test_a_question_may_be_left_or_overtaken() -> None:
    talk = Talk()
    talk.say("set a timer")
    assert talk.say("never mind").text == "All right, I leave it."
    assert not talk.say("ten").calls
    talk.say("set a timer")
    assert called(talk.say("what is the weather in Oslo")) == [("get_weather", {"city": "Oslo"})]


def test_asks_even_with_an_opening_line() -> None:
    talk = Talk(instructions='Start every answer with "Ahoy".')
    assert talk.say("set a timer").text == "Ahoy! How many minutes?"
    assert called(talk.say("ten minutes")) == [("set_timer", {"minutes": 10})]


# Calls -------------------------------------------------------------------------------------------------------------


def test_several_calls_in_a_turn() -> None:
    talk = Talk()
    assert called(talk.say("turn off the bathroom light and set a timer for five minutes")) == [
        ("control_light", {"room": "bathroom", "state": "off"}),
        ("set_timer", {"minutes": 5}),
    ]
    told = talk.put_out('{"ok": true}', '"The timer runs."')
    assert told.text == "Done: control light, room bathroom, state off. The timer runs."
    assert called(talk.say("what is the weather in Paris and in London")) == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "London"}),
    ]


def test_a_filler_comes_before_a_call() -> None:
    reply = Talk().say("what is the weather in Paris")
    assert reply.text and reply.calls
    assert reply.text in ("One moment, please.", "Let me check.", "Let me see.")


def test_no_tools_no_calls() -> None:
    assert "cannot look that up" in Talk(tools=[]).say("what is the weather in Paris").text


def test_thinking_only_when_asked_for() -> None:
    assert Talk().say("what is the weather in Paris").thinking == ""
    thinking = Talk(thinking=True).say("what is the weather in Paris").thinking
    assert 'The user said: "what is the weather in Paris".' in thinking and "get_weather" in thinking
    talk = Talk(thinking=True)
    talk.say("what is the weather in Paris")
    assert talk.put_out("Sunny.").thinking == "The tool has answered, so I say what came back."


@pytest.mark.parametrize(
    ("tool", "say", "arguments"),
    [
        (
            function("addGuests", "Invite guests.", names={"type": "array", "items": {"type": "string"}}),
            "Add the guests Ben, Carla and Dora",
            {"names": ["Ben", "Carla", "Dora"]},
        ),
        (
            function(
                "order_pizza",
                toppings={"type": "array", "items": {"type": "string", "enum": ["ham", "olives"]}},
            ),
            "order a pizza with olives and ham",
            {"toppings": ["olives", "ham"]},
        ),
        (
            function("set_alarm", "Set an alarm.", at={"type": "string", "format": "date-time"}),
            "wake me with an alarm tomorrow at 6:30",
            {"at": "2026-03-15T06:30:00"},
        ),
        (
            function("send_email", to={"type": "string", "format": "email"}, body={"type": "string"}),
            "Send an email to ann@example.org saying we are late",
            {"to": "ann@example.org", "body": "we are late"},
        ),
        (
            function(
                "set_volume",
                "Set the volume in percent.",
                level={"type": "integer", "minimum": 0, "maximum": 10},
            ),
            "set the volume to seven",
            {"level": 7},
        ),
        (
            function("start_backup", "Start a backup.", encrypted={"type": "boolean", "optional": True}),
            "start a backup that is not encrypted",
            {"encrypted": False},
        ),
        (
            function("sleep", "Sleep.", duration_seconds={"type": "integer"}),
            "sleep for two minutes and ten seconds",
            {"duration_seconds": 130},
        ),
    ],
)
def test_kinds_of_arguments(tool: dict[str, Any], say: str, arguments: dict[str, Any]) -> None:
    assert called(Talk(tools=[tool]).say(say)) == [(tool["function"]["name"], arguments)]


def test_a_number_out_of_range_is_asked_for_again() -> None:
    tool = function("set_volume", "Set the volume.", level={"type": "integer", "maximum": 10})
    talk = Talk(tools=[tool])
    assert talk.say("set the volume to 70").text == "What is the level?"
    assert called(talk.say("8")) == [("set_volume", {"level": 8})]


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        3,
        [],
        {},
        {"properties": 3},
        {"properties": {"x": None}},
        {"properties": {"x": {"type": 5}}, "required": 1},
        {"properties": {"x": {"type": ["string", "null"], "enum": [None, 1, {}]}}, "required": ["x"]},
        {"properties": {"x": {"type": "object"}}, "required": ["x"]},
    ],
)
def test_odd_schemas(parameters: Any) -> None:
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": parameters}}
    assert Talk(tools=[tool]).say("what is the weather in Paris").text


@settings(deadline=None)
@given(st.text(max_size=120) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_whatever_is_said(text: str) -> None:
    """It never fails, and what it calls fits the schema."""
    for one in tools.match_all(read_tools(TOOLS), text, NOW):
        given_ = json.loads(one.call().arguments)
        required = {parameter.name for parameter in one.tool.required}
        assert one.missing or required <= given_.keys()
        for parameter in one.tool.parameters:
            if parameter.choices and parameter.name in given_:
                assert given_[parameter.name] in parameter.choices


# Results -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("Sunny, 20 degrees.", "Sunny, 20 degrees."),
        ('"Sunny"', "Sunny."),
        ('{"error": "no such city"}', "That did not work: no such city."),
        ('{"ok": true}', "Done: get weather, city Oslo."),
        ("null", "Done: get weather, city Oslo."),
        ("[]", "Get weather found nothing."),
        ('[" "]', "Get weather found nothing."),
        (
            '{"city": "Oslo", "temp_c": -3.5, "wind": {"speed_kmh": 12}}',
            "Oslo: temperature -3.5 degrees Celsius, wind speed 12 kilometers an hour.",
        ),
        ('["a", "b"]', "Oslo: a; b."),
        ("[1,2,3,4,5,6,7]", "Oslo: 1; 2; 3; 4; 5; and 2 more."),
        ("{", "{."),
    ],
)
def test_results_in_words(output: str, said: str) -> None:
    talk = Talk()
    talk.say("what is the weather in Oslo")
    assert talk.put_out(output).text == said


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_result_is_answered(value: Any) -> None:
    talk = Talk()
    talk.say("what is the weather in Oslo")
    assert talk.put_out(json.dumps(value)).text.strip()


def test_a_long_result_is_cut() -> None:
    talk = Talk()
    talk.say("what is the weather in Oslo")
    assert len(talk.put_out("word " * 1000).text) < 700


# Dates and times ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on friday", "2026-03-20"),
        ("saturday", "2026-03-21"),
        ("the day after tomorrow", "2026-03-16"),
        ("in three days", "2026-03-17"),
        ("on the twenty second of march", "2026-03-22"),
        ("March 3rd", "2027-03-03"),
        ("2026-12-24", "2026-12-24"),
        ("后天", "2026-03-16"),
        ("下周一", "2026-03-16"),
        ("四月一日", "2026-04-01"),
        ("february 30", None),
        ("no day at all", None),
    ],
)
def test_dates(text: str, day: str | None) -> None:
    found = when.find_date(Said(text), NOW)
    assert (found[0].isoformat() if found else None) == day


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("at 7 pm", "19:00"),
        ("at 12 am", "00:00"),
        ("half past six in the evening", "18:30"),
        ("quarter to nine", "08:45"),
        ("20:15", "20:15"),
        ("at noon", "12:00"),
        ("tonight at eight", "20:00"),
        ("at eight thirty", "08:30"),
        ("晚上七点半", "19:30"),
        ("25:70", None),
        ("at home", None),
    ],
)
def test_times(text: str, time: str | None) -> None:
    found = when.find_time(Said(text))
    assert (found[0] if found else None) == time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("half an hour", 1800),
        ("an hour and a half", 5400),
        ("two hours and ten minutes", 7800),
        ("90 seconds", 90),
        ("a minute", 60),
        ("半小时", 1800),
        ("五分钟", 300),
        ("一个半小时", 5400),
        ("five apples", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    found = when.find_duration(Said(text))
    assert (found[0] if found else None) == seconds


# Retrieval and search ----------------------------------------------------------------------------------------------


class Shelf:
    """A library with one store."""

    def passages(self, vector_store_id: str) -> list[Passage] | None:
        if vector_store_id != "vs_1":
            return None
        return [
            Passage("The office opens at nine. It closes at half past five.", "handbook.md"),
            Passage("Holidays are requested with form 12. The team lead signs it.", "handbook.md"),
            Passage("报销需要在三十天内提交发票。", "制度.txt"),
        ]


def retrieval(store: str, template: str | None = None) -> dict[str, Any]:
    options = {"vector_store_id": store} | ({"prompt_template": template} if template else {})
    return {"type": "retrieval", "function": {"description": "The handbook", "options": options}}


def test_retrieval_answers_from_the_best_passage() -> None:
    template = "Use {{knowledge}} for {{query}}!"
    talk = Talk(tools=[retrieval("vs_none"), retrieval("vs_1", template)], library=Shelf(), thinking=True)
    reply = talk.say("How are holidays requested?")
    assert reply.text == (
        "According to handbook.md: Holidays are requested with form 12. The team lead signs it."
    )
    assert (
        "Use Holidays are requested with form 12. The team lead signs it. for How are holidays requested?!"
        in (reply.thinking)
    )
    assert talk.say("报销要几天内提交发票？").text == "根据制度.txt：报销需要在三十天内提交发票。"
    assert talk.say("hello").text == "Hello! How can I help you?"


def test_retrieval_without_documents() -> None:
    assert "handbook" not in Talk(tools=[retrieval("vs_1")]).say("How are holidays requested?").text


def test_search_says_that_it_is_no_web() -> None:
    talk = Talk(tools=[{"type": "web_search"}])
    found = talk.say("who discovered penicillin").text
    assert found.startswith("From my small offline collection, not the web: Alexander Fleming")
    assert talk.say("who discovered flurbium").text == (
        "I searched my small offline collection and found nothing. I cannot reach the web."
    )
    assert talk.say("what is two plus two").text == Talk(tools=[]).say("what is two plus two").text
