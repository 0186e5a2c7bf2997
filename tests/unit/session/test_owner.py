"""One owner of the sound at a time, whatever the order of coming and going."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepnb.session.owner import AudioOwner


def test_it_is_taken_given_back_and_taken_over() -> None:
    owner, told = AudioOwner(), []
    owner.changed.append(lambda: told.append((owner.name, owner.place)))
    owner.take("view")
    owner.take("view")
    owner.take("device-1", "device")
    assert not owner.release("view")
    assert owner.release("device-1")
    assert told == [("view", "page"), ("device-1", "device"), (None, None)]


def test_a_tab_has_it_whenever_nobody_else_does() -> None:
    owner = AudioOwner()
    owner.take("view")
    owner.move_in("tab", "companion")
    assert (owner.name, owner.place) == ("tab", "companion")
    owner.take("view")
    assert owner.name == "view"
    owner.release("view")
    assert (owner.name, owner.place) == ("tab", "companion")
    owner.take("view")
    owner.take("tab")
    assert owner.place == "companion"
    owner.move_out("tab")
    assert owner.name is None and owner.resident is None


@given(
    st.lists(st.tuples(st.sampled_from(["take", "release", "move_in", "move_out"]), st.sampled_from("abc")))
)
def test_name_and_place_belong_together_and_nobody_is_left_behind(steps: list[tuple[str, str]]) -> None:
    owner = AudioOwner()
    for step, name in steps:
        getattr(owner, step)(*([name, "companion"] if step == "move_in" else [name]))
        assert (owner.name is None) == (owner.place is None)
        assert step != "move_out" or owner.name != name
        assert owner.resident is None or owner.name is not None
