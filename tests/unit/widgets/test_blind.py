from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepnb.widgets.blind import BlindTest, Choice, wilson

PAIRS = [("one", ["x", "y", "z"]), ("two", ["x", "y", "z"]), ("three", ["x"])]


def test_every_pair_with_every_text_once_in_an_order_of_its_own() -> None:
    test = BlindTest(PAIRS, seed=1)
    assert len(test.trials) == 6
    assert {(t.text, frozenset((t.a, t.b))) for t in test.trials} == {
        (text, frozenset(pair)) for text in ("one", "two") for pair in ("xy", "xz", "yz")
    }
    assert test.trials == BlindTest(PAIRS, seed=1).trials
    orders = {tuple(BlindTest(PAIRS, seed).trials) for seed in range(20)}
    assert len(orders) > 15
    sides = [trial.a < trial.b for seed in range(20) for trial in BlindTest(PAIRS, seed).trials]
    assert 0.3 < sum(sides) / len(sides) < 0.7


def test_choices_are_for_the_trial_they_were_made_for() -> None:
    test = BlindTest(PAIRS)
    assert not test.judge(1, "a")
    assert test.judge(0, "a")
    assert not test.judge(0, "b")  # the second half of a double click
    test.undo()
    assert test.choices == []
    test.undo()
    for number in range(6):
        assert test.judge(number, "tie")
    assert test.current is None
    assert not test.judge(6, "a")


def test_a_voice_that_always_wins() -> None:
    test = BlindTest([(str(n), ["good", "bad"]) for n in range(10)])
    for number, trial in enumerate(test.trials):
        test.judge(number, "a" if trial.a == "good" else "b")
    first, last = test.scores()
    assert (first.voice, first.wins, first.losses, first.preference) == ("good", 10, 0, 1.0)
    assert first.low > 0.65
    assert last.high < 0.35
    assert first.high == 1.0
    assert last.low == 0.0


@given(st.lists(st.sampled_from(["a", "b", "tie"]), min_size=1, max_size=30))
def test_what_one_wins_another_loses(choices: list[Choice]) -> None:
    test = BlindTest([(str(n), ["x", "y"]) for n in range(len(choices))])
    for number, choice in enumerate(choices):
        test.judge(number, choice)
    x, y = sorted(test.scores(), key=lambda score: score.voice)
    assert (x.wins, x.ties, x.losses) == (y.losses, y.ties, y.wins)
    assert abs(x.preference + y.preference - 1) < 1e-9
    assert x.trials == len(choices)
    for score in (x, y):
        assert 0 <= score.low <= score.preference <= score.high <= 1


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(0.5, 10)  # Newcombe (1998) gives 0.2366 to 0.7634
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)
