"""What the page may send is checked before anything looks at it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.widgets import messages as m

ENVELOPE = {"v": 1, "seq": 0, "t": 12.5, "view": "v1"}
GOOD: dict[str, dict[str, Any]] = {
    "hello": {"visible": True, "lang": "zh"},
    "bye": {},
    "mic": {"n": 0, "frames": 2, "pcm": "AAAA", "rms": [1, 2.5]},
    "mic_state": {"state": "live", "detail": "", "rate": 48_000},
    "talk": {"on": True, "how": "hold"},
    "stop": {},
    "say": {"text": "<b>hi</b>"},
    "hear": {"row": "1-step"},
    "file": {"name": "q.wav", "data": "AAAA"},
    "export": {"format": "wav"},
    "approve": {"call": "c1", "allow": True},
    "connect": {},
    "companion": {"on": True},
    "device": {"on": False},
    "ping": {"rtt": None, "offset": None},
    "first": {"item": "a1", "at": 100.0},
    "played": {"items": {"a1": 20.0}, "buffered_ms": 0, "underruns": 0, "playing": True},
    "flushed": {"id": 3, "item": None, "heard_ms": 0, "unplayed_ms": 0, "at": 0},
    "error": {"message": "boom", "stack": "at x"},
}


def test_every_kind_of_the_contract_is_known() -> None:
    assert set(GOOD) == m.KINDS


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_a_good_message_is_taken(kind: str) -> None:
    message = m.parse(ENVELOPE | {"k": kind} | GOOD[kind])
    assert message.view == "v1" and message.seq == 0


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("mic", {"frames": 0}),
        ("mic", {"frames": 251}),
        ("mic", {"n": -1}),
        ("mic", {"pcm": "A" * 400_000}),
        ("mic", {"rms": ["loud"]}),
        ("mic_state", {"state": "hacked"}),
        ("file", {"name": "x" * 1001}),
        ("file", {"data": "A" * 9_500_001}),
        ("talk", {"on": "yes"}),
        ("say", {"text": ""}),
        ("approve", {"allow": "yes"}),
        ("approve", {"call": ""}),
        ("say", {"text": "x" * 20_001}),
        ("first", {"item": "x" * 201}),
        ("first", {"at": float("nan")}),
        ("played", {"items": {str(n): 0.0 for n in range(101)}}),
        ("ping", {"rtt": "fast"}),
        ("hello", {"v": 2}),
        ("hello", {"view": ""}),
        ("hello", {"seq": -1}),
        ("hello", {"t": None}),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(kind: str, bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Expected|Invalid|NaN|finite"):
        m.parse(ENVELOPE | {"k": kind} | GOOD[kind] | bad)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_anything_at_all_is_taken_or_refused(content: Any) -> None:
    with contextlib.suppress(ValueError):
        m.parse(content)


FIELDS = st.sampled_from(["v", "k", "seq", "t", "view", "n", "pcm", "items", "at", "id", "on"])


@given(st.sampled_from(sorted(GOOD)), st.dictionaries(FIELDS, JSON))
def test_a_damaged_message_is_taken_or_refused(kind: str, damage: dict[str, Any]) -> None:
    with contextlib.suppress(ValueError):
        m.parse(ENVELOPE | {"k": kind} | GOOD[kind] | damage)
