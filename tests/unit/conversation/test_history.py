"""What a new connection is told of a conversation."""

from __future__ import annotations

from typing import Any

import pytest

from stepnb.conversation.history import history_items, message_items, not_told
from stepnb.conversation.state import ItemState, TurnState
from stepnb.errors import ConfigError
from stepnb.protocol import events as ev

MS = 48


def turn(number: int, text: str | None, *answers: ItemState, **fields: Any) -> TurnState:
    state = TurnState(number, fields.pop("kind", "text"), text=text, status=fields.pop("status", "completed"))
    if answers:
        state.responses.append(f"r{number}")
    for item in answers:
        item.response = f"r{number}"
    for name, value in fields.items():
        setattr(state, name, value)
    return state


def told(items: list[ev.Item]) -> list[tuple[str | None, str | None, str | None]]:
    return [(item.role, part.type, part.text) for item in items for part in item.content or []]


def by_id(*items: ItemState) -> dict[str, ItemState]:
    return {item.id: item for item in items}


def test_text_turns_are_told_in_order() -> None:
    answer, filler, result = (
        ItemState("a", text=" Hi! "),
        ItemState("b", text="Let me see."),
        ItemState("c", text="Sunny."),
    )
    turns = [turn(1, "Hello", answer), turn(2, "And the weather?", filler, result)]
    assert told(history_items(turns, by_id(answer, filler, result))) == [
        ("user", "input_text", "Hello"),
        ("assistant", "text", "Hi!"),
        ("user", "input_text", "And the weather?"),
        ("assistant", "text", "Let me see. Sunny."),
    ]


def test_speech_is_told_as_it_was_understood() -> None:
    answer = ItemState("a", text="Four.", audio_bytes=500 * MS)
    spoken = turn(1, None, answer, kind="speech", user_transcript="two plus two")
    assert told(history_items([spoken], by_id(answer)))[0] == ("user", "input_text", "two plus two")
    assert not_told([spoken], by_id(answer)) == ["the sound of 2 messages (the words are told)"]


@pytest.mark.parametrize(
    ("text", "played_ms", "heard"),
    [
        ("One two three four five", 1000, "One two three four five"),
        ("One two three four five", 480, "One two"),  # inside "three"
        ("One two three four five", 0, None),
        ("一二三四五六七八九十", 500, "一二三四五"),
        ("One", 500, None),
    ],
)
def test_of_an_interrupted_answer_the_heard_part_is_told(
    text: str, played_ms: float, heard: str | None
) -> None:
    answer = ItemState("a", text=text, audio_bytes=1000 * MS, played_ms=played_ms)
    texts = [
        part[2]
        for part in told(history_items([turn(1, "Count", answer, status="interrupted")], {"a": answer}))
    ]
    assert texts == (["Count"] if heard is None else ["Count", heard])


def test_without_a_player_all_that_came_counts_as_heard() -> None:
    answer = ItemState("a", text="One two thr", audio_bytes=1000 * MS)
    interrupted = turn(1, "Count", answer, status="interrupted")
    assert told(history_items([interrupted], {"a": answer}))[1][2] == "One two thr"


def test_what_got_no_answer_is_not_told() -> None:
    turns = [turn(1, "lost", status="failed"), turn(2, "open", status="pending")]
    assert history_items(turns, {}) == [] == not_told(turns, {})


def test_superseded_speech_is_told() -> None:
    first = turn(1, None, kind="speech", status="interrupted", user_transcript="I want")
    assert told(history_items([first], {})) == [("user", "input_text", "I want")]


def test_what_cannot_be_told_is_counted() -> None:
    call, answer = ItemState("a", type="function_call"), ItemState("b", text="Done.")
    turns = [turn(1, None, call, answer, kind="clip")]
    assert told(history_items(turns, by_id(call, answer))) == [("assistant", "text", "Done.")]
    assert not_told(turns, by_id(call, answer)) == ["1 spoken message without a transcript", "1 tool call"]


@pytest.mark.parametrize("message", ["user", ("system", "x"), ("user", " "), ("user", 3), ("user",), None])
def test_other_messages_are_refused_with_a_sentence(message: Any) -> None:
    with pytest.raises(ConfigError, match="is not a message"):
        message_items([message])
