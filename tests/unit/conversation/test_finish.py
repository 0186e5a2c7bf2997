"""Why an answer ended, in every form in which a service says it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.conversation.finish import finish_reason, in_words
from stepnb.protocol import codec
from stepnb.protocol import events as ev


def ended(
    status: str | None,
    details: Any = None,
    *,
    discarded: bool = False,
    speaking: bool = False,
    calls: bool = False,
    **more: Any,
) -> str | None:
    """The reason of a response that came as a frame."""
    import msgspec

    body = {"id": "r1", "status": status, "status_details": details} | more
    event = codec.decode(msgspec.json.encode({"type": "response.done", "response": body}).decode()).event
    assert isinstance(event, ev.ResponseDone)
    return finish_reason(event.response, discarded=discarded, speaking=speaking, calls=calls)


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("completed", None, "stop"),
        (None, None, "stop"),
        ("completed", {}, "stop"),
        ("completed", {"type": "completed"}, "stop"),
        ("completed", {"finish_reason": "stop"}, "stop"),
        ("completed", {"finish_reason": "length"}, "length"),
        ("completed", {"reason": "tool_calls"}, "tool_calls"),
        ("completed", "content_filter", "content_filter"),
        ("cancelled", None, "cancelled"),
        ("cancelled", {"type": "cancelled", "reason": "turn_detected"}, "cancelled"),
        ("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}, "length"),
        ("incomplete", {"type": "incomplete", "reason": "content_filter"}, "content_filter"),
        ("incomplete", {"reason": "Content-Filter"}, "content_filter"),
        ("incomplete", {"reason": "client_cancelled"}, "cancelled"),
        ("incomplete", {"reason": "turn_detected"}, "cancelled"),
        ("incomplete", None, "incomplete"),
        ("incomplete", {"reason": "something new"}, "incomplete"),
        ("incomplete", {"reason": 7, "type": None}, "incomplete"),
        ("failed", {"error": {"message": "engine error"}}, None),
        ("failed", {"error": "engine error"}, None),
        ("failed", {"error": {"code": "content_filter"}}, "content_filter"),
    ],
)
def test_status_and_details_in_every_form(status: str | None, details: Any, reason: str | None) -> None:
    assert ended(status, details) == reason


def test_what_the_client_did_explains_what_the_service_leaves_out() -> None:
    assert ended("incomplete", discarded=True) == ended("completed", discarded=True) == "cancelled"
    assert ended("incomplete", speaking=True) == "cancelled"
    assert ended("completed", calls=True) == "tool_calls"
    assert ended("completed", finish_reason="length") == "length", "beside the details"


def test_only_an_unusual_end_is_put_into_words() -> None:
    assert in_words(None) is in_words("stop") is in_words("tool_calls") is in_words("cancelled") is None
    assert (
        "without their sound" in str(in_words("stop", silent=True))
        and in_words("tool_calls", silent=True) is None
    )
    for reason in ("length", "content_filter", "incomplete"):
        words = in_words(reason)  # type: ignore[arg-type]
        assert words is not None and words.endswith(".")


@given(
    st.none() | st.text(max_size=12),
    st.recursive(
        st.none() | st.text(max_size=12) | st.integers(),
        lambda inner: st.dictionaries(st.sampled_from(["reason", "type", "error", "code"]), inner),
    ),
)
def test_anything_is_understood(status: str | None, details: Any) -> None:
    assert ended(status, details) in (
        "stop",
        "length",
        "content_filter",
        "tool_calls",
        "cancelled",
        "incomplete",
        None,
    )
