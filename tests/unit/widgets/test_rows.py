"""The transcript's rows: what was heard, and when the rest of it will have been."""

from __future__ import annotations

from stepnb.conversation.reducer import Conversation
from stepnb.conversation.state import BYTES_PER_MS, ItemState, ResponseState, TurnState
from stepnb.widgets.rows import Row, rows_of


def said(text: str, ms: int, played: float | None = None, **values: object) -> ItemState:
    return ItemState(
        str(values.pop("id", "a1")), "assistant", text=text, audio_bytes=ms * BYTES_PER_MS, played_ms=played
    )


def row(*items: ItemState, status: str = "active") -> Row:
    conversation = Conversation()
    turn = TurnState(1, "text", text="?", status=status, responses=["r1"])  # type: ignore[arg-type]
    conversation.turns[1] = turn
    conversation.responses["r1"] = ResponseState("r1", 1, items=[item.id for item in items])
    conversation.items.update({item.id: item for item in items})
    return rows_of(conversation, turn)[-1]


def test_each_word_has_the_time_at_which_it_has_been_spoken() -> None:
    answer = row(said("one two", 700))
    assert answer["heard"] is None
    assert answer["spoken"] == [{"item": "a1", "words": [[3, 300], [7, 700]]}]


def test_a_word_is_heard_once_its_end_has_been_played() -> None:
    answer = row(said("one two three", 1300, played=710.0))
    assert answer["heard"] == 7
    assert answer["spoken"] == [{"item": "a1", "words": [[13, 1300]]}]


def test_every_character_of_mandarin_is_a_word() -> None:
    assert row(said("你好吗", 300))["spoken"][0]["words"] == [[1, 100], [2, 200], [3, 300]]


def test_characters_are_counted_in_the_row_over_all_items() -> None:
    answer = row(said("  one.", 600, played=600.0), said("two ", 400, id="a2"))
    assert answer["text"] == "one. two"
    assert answer["heard"] == 4
    assert answer["spoken"] == [{"item": "a2", "words": [[8, 300], [8, 400]]}]


def test_text_without_sound_and_what_was_cut_off_are_not_spoken() -> None:
    assert row(said("one two", 0))["spoken"] == []
    assert row(said("one two", 700, played=310.0), status="interrupted")["spoken"] == []
