"""What tools look like on the wire, and what is refused before it gets there."""

from __future__ import annotations

from typing import Any

import pytest

from stepnb.errors import ConfigError
from stepnb.protocol.config import FunctionTool, Retrieval, WebSearch


def test_a_function_is_nested() -> None:
    schema = {"type": "object", "properties": {}}
    assert FunctionTool("get-time_2", "Tell the time.", schema).to_wire() == {
        "type": "function",
        "function": {"name": "get-time_2", "description": "Tell the time.", "parameters": schema},
    }


@pytest.mark.parametrize("name", ["", "get time", "zeit!", "天气", "x" * 65, "a.b", "name\n", None])
def test_a_name_the_service_would_refuse(name: Any) -> None:
    with pytest.raises(ConfigError, match="at most 64"):
        FunctionTool(name, "", {})


def test_a_web_search() -> None:
    options = {"top_k": 5, "timeout_seconds": 3}
    assert WebSearch().to_wire() == {"type": "web_search", "function": {"options": options}}
    told = WebSearch(top_k=3, description="For news.").to_wire()["function"]
    assert told == {"options": options | {"top_k": 3}, "description": "For news."}


@pytest.mark.parametrize(
    "wrong",
    [{"top_k": 0}, {"top_k": 51}, {"top_k": True}, {"top_k": 2.5}, {"timeout_seconds": 0}, {"timeout_seconds": 61},
     {"timeout_seconds": float("nan")}, {"timeout_seconds": "3"}, {"description": " "}],
)  # fmt: skip
def test_a_wrong_web_search(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        WebSearch(**wrong)


def test_a_retrieval() -> None:
    template = "Answer {{query}} from {{knowledge}}."
    assert Retrieval("42").to_wire() == {
        "type": "retrieval",
        "function": {"options": {"vector_store_id": "42"}},
    }
    assert Retrieval("42", "The manual.", template).to_wire()["function"] == {
        "description": "The manual.",
        "options": {"vector_store_id": "42", "prompt_template": template},
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"vector_store_id": 42}, "vector_store_id"),
        ({"vector_store_id": " "}, "vector_store_id"),
        ({"description": ""}, "description"),
        ({"prompt_template": 1}, "prompt_template"),
        ({"prompt_template": "Answer {{query}}."}, "knowledge"),
        ({"prompt_template": "{{knowledge}} {{question}}"}, r"\{\{question\}\}"),
    ],
)
def test_a_wrong_retrieval(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Retrieval(**{"vector_store_id": "42"} | wrong)
