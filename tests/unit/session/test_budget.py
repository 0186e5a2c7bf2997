"""What a budget may be, and when it is used up."""

from __future__ import annotations

from typing import Any

import pytest

from stepnb.conversation.cost import Ledger
from stepnb.conversation.reducer import Conversation
from stepnb.errors import ConfigError
from stepnb.session.budget import Budget, Limit, limit_of
from tests.unit.conversation.test_conversation import Story

MODEL = "stepaudio-2.5-realtime"


@pytest.mark.parametrize(
    ("budget", "cluster", "limit"),
    [
        (None, "cn", None),
        (2.5, "cn", Limit(2.5, "CNY")),
        (1, "global", Limit(1.0, "USD")),
        ("2 CNY", "cn", Limit(2.0, "CNY")),
        (" 0.5usd ", "global", Limit(0.5, "USD")),
        ("2 CNY", "custom", Limit(2.0, "CNY")),
        (2, "local", Limit(2.0, "CNY")),
        (2, "cn/step_plan", Limit(2.0, "CNY")),
    ],
)
def test_a_budget(budget: Any, cluster: str, limit: Limit | None) -> None:
    assert limit_of(budget, MODEL, cluster) == limit


@pytest.mark.parametrize(
    ("budget", "model", "cluster", "said"),
    [
        (0, MODEL, "cn", "budget is 0"),
        (-1, MODEL, "cn", "budget is -1"),
        (True, MODEL, "cn", "budget is True"),
        (float("nan"), MODEL, "cn", "budget is nan"),
        (float("inf"), MODEL, "cn", "budget is inf"),
        ("much", MODEL, "cn", "budget is 'much'"),
        ("0 CNY", MODEL, "cn", "budget is '0 CNY'"),
        ("2 EUR", MODEL, "cn", "budget is '2 EUR'"),
        ("2 USD", MODEL, "cn", "bills in CNY"),
        (2, MODEL, "custom", "needs a currency"),
        (2, "tomorrow", "cn", "No price of tomorrow"),
        ("2 USD", "step-audio-2", "custom", "No price of step-audio-2 in USD"),
    ],
)
def test_a_budget_that_could_not_be_kept(budget: Any, model: str, cluster: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        limit_of(budget, model, cluster)
    assert caught.value.fix


def test_it_is_used_up_once_and_can_be_raised() -> None:
    story, told = Story(), list[str]()
    for n in range(2):
        story.ask()
        story.begin(f"r{n}", f"a{n}")
        story.end(f"r{n}", usage={"input_tokens": 0, "output_tokens": 10_000})
    budget = Budget(
        Limit(2.0, "CNY"),
        lambda: Ledger(story.conversation, MODEL, "cn"),
        lambda text, fix: told.append(text),
    )
    assert not budget.count() and budget.exhausted is None and not told
    budget.set(Limit(1.4, "CNY"))
    assert str(budget.exhausted).startswith(
        "The budget of 1.4 CNY is used up: the session has cost 1.4000 CNY."
    )
    assert not budget.count() and len(told) == 1
    budget.set(None)
    assert budget.exhausted is None


def test_nothing_is_spent_where_nothing_costs() -> None:
    for cluster in ("local", "cn/step_plan"):
        budget = Budget(Limit(1e-9, "CNY"), lambda at=cluster: Ledger(Conversation(), MODEL, at), print)
        assert not budget.count()
