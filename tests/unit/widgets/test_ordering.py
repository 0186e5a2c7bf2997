"""A view's messages are carried out in the order in which they were sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepnb.widgets.ordering import MOST, InOrder


def test_what_comes_too_early_waits() -> None:
    order = InOrder[str]()
    assert order.push(0, "a") == ["a"]
    assert order.push(2, "c") == [] and order.waiting
    assert order.push(1, "b") == ["b", "c"]
    assert not order.waiting and order.gaps == 0


def test_what_never_comes_is_given_up_and_counted() -> None:
    order = InOrder[str]()
    assert order.push(2, "c") == [] and order.push(5, "f") == []
    assert order.give_up() == ["c", "f"]
    assert order.gaps == 4
    assert order.push(6, "g") == ["g"]
    assert order.push(1, "late") == ["late"]


def test_a_number_that_was_refused_holds_nothing_up() -> None:
    order = InOrder[str]()
    assert order.push(1, "b") == []
    assert order.push(0, None) == ["b"]
    assert order.push(2, None) == [] and not order.waiting


def test_it_holds_back_a_bounded_number() -> None:
    order = InOrder[int]()
    got: list[int] = []
    for seq in range(1, MOST + 2):
        got += order.push(seq, seq)
    assert got == list(range(1, MOST + 2))
    assert order.gaps == 1


@given(st.permutations(range(30)), st.integers(0, 5))
def test_any_order_comes_out_sorted_and_whole(sent: list[int], first: int) -> None:
    order = InOrder[int](first)
    got = [message for seq in sent for message in order.push(seq + first, seq)]
    assert got == list(range(30))
    assert order.gaps == 0
