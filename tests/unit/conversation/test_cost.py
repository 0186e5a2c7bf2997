"""Tokens and what they cost: counted by the service, or estimated and called so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.conversation.cost import Ledger, cost_of
from stepnb.conversation.usage import Usage, text_tokens, usages
from tests.unit.conversation.test_conversation import Story

MODEL = "stepaudio-2.5-realtime"
SAMPLE = {
    "total_tokens": 512,
    "input_tokens": 380,
    "output_tokens": 132,
    "input_token_details": {"cached_tokens": 200, "text_tokens": 120, "audio_tokens": 260},
    "output_token_details": {"text_tokens": 22, "audio_tokens": 110},
}


def test_the_documented_form() -> None:
    usage = Usage.counted(SAMPLE)
    assert usage == Usage(380, 200, 132, 260, 110, responses=1)
    assert usage is not None and usage.total_tokens == 512
    assert repr(usage) == "Usage(380 in (200 of them cached), 132 out)"


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (None, None),
        ({}, None),
        ({"total_tokens": 512}, None),
        ({"input_tokens": 10}, None),
        ({"input_tokens": "10", "output_tokens": "5"}, Usage(10, 0, 5, responses=1)),
        ({"prompt_tokens": 10, "completion_tokens": 5}, Usage(10, 0, 5, responses=1)),
        ({"input_tokens": 10, "output_tokens": 5, "cached_tokens": 4}, Usage(10, 4, 5, responses=1)),
        (
            {"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 99}},
            Usage(10, 10, 5, responses=1),
        ),
        (
            {"input_tokens": 10, "output_tokens": 5, "input_token_details": "none"},
            Usage(10, 0, 5, responses=1),
        ),
        ({"input_tokens": -1, "output_tokens": True}, None),
    ],
)
def test_other_forms(usage: Any, counted: Usage | None) -> None:
    assert Usage.counted(usage) == counted


@given(
    st.dictionaries(
        st.sampled_from([*SAMPLE, "prompt_tokens", "cached_tokens"]),
        st.none()
        | st.integers(-5, 10**15)
        | st.text(max_size=3)
        | st.floats()
        | st.dictionaries(
            st.sampled_from(["cached_tokens", "audio_tokens"]), st.integers(-5, 10**9) | st.text(max_size=3)
        ),
    )
)
def test_whatever_comes_the_parts_are_parts(usage: dict[str, Any]) -> None:
    counted = Usage.counted(usage)
    if counted is not None:
        assert 0 <= counted.cached_tokens <= counted.input_tokens
        assert 0 <= counted.input_audio_tokens <= counted.input_tokens
        assert 0 <= counted.output_audio_tokens <= counted.output_tokens


def answered(story: Story, response: str, question: str, **info: Any) -> int:
    number = story.ask(question)
    story.begin(response, f"a{response}")
    story.say(f"a{response}", "Four score", ms=8_000)
    story.end(response, **info)
    return number


def test_what_the_service_counted_is_summed_over_the_responses_of_a_turn() -> None:
    story = Story()
    number = answered(story, "r1", "one", usage=SAMPLE)
    story.conversation.turns[number].responses.append("r2")  # as a follow-up after a tool
    answered(story, "r2", "two", usage=SAMPLE)
    ledger = Ledger(story.conversation, MODEL, "cn")
    turn = story.conversation.turns[number]
    assert ledger.usage([turn]) == Usage(760, 400, 264, 520, 220, responses=2)
    assert ledger.cost([turn]).estimated is False


def test_what_it_did_not_count_is_estimated() -> None:
    story = Story()
    answered(story, "r1", "x" * 40)
    answered(story, "r2", "四个汉字")
    story.ask("open")
    story.begin("r3", "ar3")
    first, second = usages(story.conversation, "y" * 80).values()
    assert first == Usage(20 + 10, 0, 3 + 100, 0, 100, responses=1, estimated=1)
    assert second == Usage(30 + 103 + 4, 30, 103, 100, 100, responses=1, estimated=1), (
        "a running response is left out"
    )
    assert "2 of 2 responses estimated" in repr(first + second)


def test_an_answer_that_failed_at_once_used_nothing() -> None:
    story = Story()
    story.ask("hello")
    story.begin("r1", "a1")
    story.end("r1", "failed")
    assert usages(story.conversation)["r1"] == Usage(responses=1, estimated=1)


def test_text_is_counted_by_script() -> None:
    assert [text_tokens(text) for text in ("", "a", "abcd", "abcde", "你好", "你好 abc")] == [
        0,
        1,
        1,
        2,
        2,
        3,
    ]


def test_an_hour_costs_about_what_the_vendor_says() -> None:
    """Two sessions of half an hour, half a minute each in turn: 3.8 CNY by the rule of thumb."""
    story = Story()
    said = "说" * 120
    for n in range(30):
        number = story.ask(said)
        story.conversation.turns[number].input_audio = []
        story.begin(f"r{n}", f"a{n}")
        story.say(f"a{n}", said, ms=30_000)
        story.end(f"r{n}")
    cost = 2 * (Ledger(story.conversation, MODEL, "cn").cost().cny or 0)
    assert 1.9 < cost < 5.7


# Prices ---------------------------------------------------------------------------------------------------------------

MILLION = Usage(input_tokens=1_000_000, cached_tokens=250_000, output_tokens=100_000, responses=1)


def test_cached_input_is_a_part_of_the_input() -> None:
    cost = cost_of(MILLION, MODEL, "cn")
    assert cost.currency == "CNY" and cost.amount == cost.cny == pytest.approx(
        0.75 * 10 + 0.25 * 2 + 0.1 * 70
    )
    assert cost.usd == pytest.approx(0.75 * 1.5 + 0.25 * 0.3 + 0.1 * 10), (
        "by the overseas list, not converted"
    )
    assert repr(cost) == "Cost(15.0000 CNY)" and cost.as_of and not cost.notes
    overseas = cost_of(MILLION, MODEL, "global")
    assert overseas.currency == "USD" and overseas.amount == cost.usd


@pytest.mark.parametrize(
    ("model", "cluster", "amount", "note"),
    [
        (MODEL, "local", 0.0, "local engine costs nothing"),
        (MODEL, "cn/step_plan", 0.0, "Step Plan"),
        ("stepaudio-3-realtime-preview", "cn", 0.0, "was free on 20"),
        ("stepaudio-3-realtime-preview", "global", 0.0, "was free on 20"),
        ("step-audio-2", "global", None, "No price of step-audio-2"),
        ("tomorrow", "cn", None, "No price of tomorrow"),
        (MODEL, "custom", None, "what this address asks is not known"),
    ],
)
def test_what_costs_nothing_or_nobody_knows(
    model: str, cluster: str, amount: float | None, note: str
) -> None:
    cost = cost_of(MILLION, model, cluster)
    assert cost.amount == amount and any(note in text for text in cost.notes)
    assert ("nothing" if amount == 0 else "unknown" if cluster != "custom" else "CNY or") in str(cost)


def test_an_estimate_says_so_and_so_does_what_is_left_out() -> None:
    cost = cost_of(MILLION + Usage(estimated=1), MODEL, "cn", web_search=True)
    assert cost.estimated and str(cost).startswith("about 15.0000")
    assert any("Estimated" in note for note in cost.notes)
    elsewhere = cost_of(MILLION + Usage(estimated=1), MODEL, "custom")
    assert str(elsewhere).startswith("about 15.0000 CNY or ") and str(elsewhere).endswith(" USD")
    assert any("Web searches (0.04 CNY each)" in note for note in cost.notes)
