"""From a function to what the model is told, and from what the model says to arguments and back to text."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import enum
import functools
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.conversation.state import ToolCallState
from stepnb.errors import ConfigError
from stepnb.protocol.catalog import Capabilities
from stepnb.protocol.config import Retrieval, WebSearch
from stepnb.session import tools as module
from stepnb.session.tools import LONGEST_OUTPUT, Tool, approve_of, text_for_model, tool, tool_list

MODEL = "stepaudio-2.5-realtime"


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclass
class Place:
    """Somewhere on earth."""

    title: str
    lat: float
    lon: float = 0.0


@dataclass
class Family:
    children: list[Family]


@tool
def get_weather(
    city: str,
    days: int = 1,
    unit: Literal["C", "F"] = "C",
    at: Place | None = None,
    *,
    tags: list[str] = ["a"],  # noqa: B006 - a mutable default must reach the function as it is
) -> dict[str, Any]:
    """Look up the weather.

    Only for cities.

    Parameters
    ----------
    city : str
        The city's name.
    days
        How many days.
    """
    return {"city": city, "days": days, "unit": unit, "at": at, "tags": tags}


def test_what_the_model_is_told() -> None:
    assert get_weather.to_wire() == {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Look up the weather.\n\nOnly for cities.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "The city's name."},
                    "days": {"type": "integer", "description": "How many days.", "default": 1},
                    "unit": {"enum": ["C", "F"], "default": "C"},
                    "at": {
                        "anyOf": [
                            {
                                "type": "object",
                                "description": "Somewhere on earth.",
                                "properties": {
                                    "title": {"type": "string"},
                                    "lat": {"type": "number"},
                                    "lon": {"type": "number", "default": 0.0},
                                },
                                "required": ["title", "lat"],
                            },
                            {"type": "null"},
                        ],
                        "default": None,
                    },
                    "tags": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
                },
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }


def test_google_docstrings_describe_parameters_too() -> None:
    @tool
    def look(where: str) -> str:
        """Look somewhere.

        Args:
            where: The place,
                in words.
        """
        return where

    assert look.description == "Look somewhere."
    assert look.parameters["properties"]["where"]["description"] == "The place,\nin words."


def test_a_type_may_say_more_than_its_docstring() -> None:
    @tool
    def wait(seconds: Annotated[int, msgspec.Meta(ge=1, le=9, description="s")], unit: Unit) -> None:
        """Wait.

        Args:
            seconds: Not this.
        """

    assert wait.parameters["properties"] == {
        "seconds": {"type": "integer", "minimum": 1, "maximum": 9, "description": "s"},
        "unit": {"enum": ["c", "f"]},
    }
    assert wait.decode('{"seconds":3,"unit":"c"}') == {"seconds": 3, "unit": Unit.CELSIUS}
    with pytest.raises(msgspec.ValidationError, match="seconds"):
        wait.decode('{"seconds":0,"unit":"c"}')


def test_no_docstring_no_description() -> None:
    @tool
    def bare() -> None: ...

    assert "description" not in bare.to_wire()["function"]
    assert bare.decode("") == bare.decode(" {} ") == {}


def test_options() -> None:
    @tool(name="wetter", description="Das Wetter.", timeout=5, approve=True)
    def get_weather_in_german(stadt: str) -> str:
        """Look up the weather."""
        return stadt

    assert (get_weather_in_german.name, get_weather_in_german.description) == ("wetter", "Das Wetter.")
    assert get_weather_in_german.timeout == 5 and get_weather_in_german.approve is True
    assert get_weather_in_german("Bonn") == "Bonn"


def test_a_method_is_a_tool_without_its_self() -> None:
    class Shop:
        def price(self, item: str) -> float:
            """Look up a price."""
            return float(len(item))

    made = tool(Shop().price)
    assert list(made.parameters["properties"]) == ["item"]
    assert made(**made.decode('{"item":"tea"}')) == 3.0


def test_arguments_are_converted_and_defaults_stay_the_functions_own() -> None:
    arguments = get_weather.decode('{"city":"Oslo","days":"3","at":{"title":"x","lat":"59.9"}}')
    assert arguments == {"city": "Oslo", "days": 3, "at": Place("x", 59.9)}
    assert get_weather(**arguments)["tags"] is get_weather.function.__kwdefaults__["tags"]


@given(st.text(max_size=40))
def test_whatever_the_model_writes_is_arguments_or_one_kind_of_error(text: str) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        assert set(get_weather.decode(text)) <= {"city", "days", "unit", "at", "tags"}


def no_hint(city) -> None: ...  # type: ignore[no-untyped-def]


def spread(*cities: str) -> None: ...


def spread_names(**cities: str) -> None: ...


def by_place(city: str, /) -> None: ...


def odd_type(frame: np.ndarray) -> None: ...


def two_places(place: Place | Family) -> None: ...


def huge(n: Annotated[int, msgspec.Meta(le=2**70)]) -> None: ...


def family(tree: Family) -> None: ...


def unknown(city: Nowhere) -> None: ...  # type: ignore[name-defined] # noqa: F821


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (no_hint, "city of the tool no_hint has no type hint"),
        (spread, r"\*cities"),
        (spread_names, r"\*\*cities"),
        (by_place, "by name"),
        (odd_type, "ndarray"),
        (two_places, "unions"),
        (huge, "int64"),
        (family, "contains itself"),
        (unknown, "Nowhere"),
        (lambda: None, "<lambda>"),
        (functools.partial(spread_names), "made of a function"),
        (42, "made of a function"),
        (int, "made of a function"),
    ],
)
def test_what_cannot_be_a_tool_says_why(function: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        tool(function)
    assert caught.value.fix


@pytest.mark.parametrize("timeout", [0, -1, 601, True, "5", float("nan")])
def test_a_wrong_timeout(timeout: Any) -> None:
    with pytest.raises(ConfigError, match="timeout"):
        tool(timeout=timeout)(get_weather.function)


# Lists of tools


def plain(x: int) -> int:
    return x


async def slow(x: int) -> int:
    await asyncio.sleep(0)
    return x


def test_a_list_of_tools() -> None:
    specs = tool_list([get_weather, plain, slow, WebSearch(), Retrieval("1"), Retrieval("2")], MODEL)
    names = [spec.name if isinstance(spec, Tool) else type(spec).__name__ for spec in specs]
    assert names == ["get_weather", "plain", "slow", "WebSearch", "Retrieval", "Retrieval"]
    assert tool_list(None, MODEL) == tool_list((), MODEL) == ()
    assert tool_list([plain], MODEL) == tool_list([plain], MODEL), "unchanged tools are not sent again"


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        (plain, "not a list"),
        ("plain", "not a list"),
        ([plain, tool(name="plain")(slow)], "Two tools are called plain"),
        (["get_weather"], "no tool"),
        ([WebSearch], "the class WebSearch is no tool"),
        ([WebSearch(), WebSearch(top_k=2)], "two WebSearch"),
    ],
)
def test_a_wrong_list_of_tools(tools: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        tool_list(tools, MODEL)
    assert caught.value.fix


@pytest.mark.parametrize("approve", [False, "yes", 1])
def test_an_approval_that_nobody_could_give(approve: Any) -> None:
    with pytest.raises(ConfigError, match="approve is") as caught:
        approve_of(approve)
    assert caught.value.fix


def test_a_model_that_cannot_call_functions_is_told_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match=r"step-audio-r1\.5 cannot call functions"):
        tool_list([plain], "step-audio-r1.5")
    assert tool_list([], "step-audio-r1.5") == ()
    assert tool_list([WebSearch()], "step-audio-r1.5"), "not documented: it may try"
    assert tool_list([plain, WebSearch()], "a-model-of-tomorrow")


def test_a_model_without_server_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Capabilities(
        id="m", summary="", status="", clusters=(), function_tools=True, server_tools=False, cloned_voices=None,
        thinking=None, audio_output=None,
    )  # fmt: skip
    monkeypatch.setattr(module.catalog, "capabilities", lambda model: known)
    assert tool_list([plain], "m")
    with pytest.raises(ConfigError, match="cannot use WebSearch or Retrieval"):
        tool_list([Retrieval("1")], "m")


# Results as text


class Odd:
    def __str__(self) -> str:
        return "an odd thing"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        (3.5, "3.5"),
        ({"a": [1, True]}, '{"a":[1,true]}'),
        (Place("x", 1.0), '{"title":"x","lat":1.0,"lon":0.0}'),
        (Unit.CELSIUS, '"c"'),
        (datetime.date(2026, 3, 14), '"2026-03-14"'),
        ({"n": np.float32(0.5), "a": np.arange(3)}, '{"n":0.5,"a":[0,1,2]}'),
        (Odd(), "an odd thing"),
        ("气温", "气温"),
    ],
)
def test_results_as_text(value: object, text: str) -> None:
    assert text_for_model(value) == text


def test_a_table_as_text_has_all_its_rows_and_columns() -> None:
    large = pd.DataFrame({f"column_{n}": range(70) for n in range(12)})
    assert json.loads(text_for_model(large)) == [{f"column_{n}": row for n in range(12)} for row in range(70)]
    day = pd.DataFrame({"day": pd.to_datetime(["2026-03-14"]), "rain": [None], "city": ["Lyon"]})
    (row,) = json.loads(text_for_model({"table": day.set_index("city")}))["table"]
    assert (row["city"], row["rain"]) == ("Lyon", None) and row["day"].startswith("2026-03-14T00:00")
    assert text_for_model(day.set_index("city").rain) == '{"Lyon":null}'
    assert text_for_model(pd.DataFrame({"城市": ["里昂"]})) == '[{"城市":"里昂"}]'


def test_a_long_result_is_cut_with_a_note() -> None:
    text = text_for_model("x" * (LONGEST_OUTPUT + 1))
    assert text.startswith("x" * LONGEST_OUTPUT + "\n") and "of 20001 characters" in text
    assert text_for_model("x" * LONGEST_OUTPUT) == "x" * LONGEST_OUTPUT


def test_a_result_that_contains_itself_is_text_all_the_same() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert text_for_model(loop) == "[[...]]"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(json_values)
def test_json_results_can_be_read_again(value: object) -> None:
    assert json.loads(text_for_model(value)) == value


def test_arguments_that_are_no_json_are_shown_as_they_are() -> None:
    from stepnb.session.dispatch import view_of

    assert view_of(ToolCallState("c", arriving='{"ci'), None).arguments == '{"ci'
    assert view_of(ToolCallState("c", final_arguments='{"city":1}'), None).arguments == {"city": 1}
    assert view_of(ToolCallState("c"), None).arguments == {}
