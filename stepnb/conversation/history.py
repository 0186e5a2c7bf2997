"""A conversation as text messages: what a new connection, or another session, can be told of it.

The service resumes nothing, and it takes from a client only messages with text or audio. So the past is told as text:
what was written, what speech was understood as, and of an interrupted answer the part that was heard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ..errors import ConfigError
from ..protocol import events as ev
from .state import ItemState, TurnState

Message = tuple[str, str]
"""(role, text); the role is "user" or "assistant"."""

_PART_TYPES = {"user": "input_text", "assistant": "text"}


def history_items(turns: Iterable[TurnState], items: Mapping[str, ItemState]) -> list[ev.Item]:
    """Return what was said as items a client may create, in order.

    A turn that never got as far as an answer is left out: it is open and will be asked again, or has failed.

    Parameters
    ----------
    turns, items
        Those of a `Conversation`.
    """
    answers = _answers(items)
    messages: list[Message] = []
    for turn in turns:
        if _counts(turn):
            messages += [("user", _asked(turn)), ("assistant", _answered(turn, answers))]
    return message_items([message for message in messages if message[1]])


def message_items(messages: Iterable[Message]) -> list[ev.Item]:
    """Return messages as items a client may create.

    Raises
    ------
    ConfigError
        A message is not a pair of role and text, or has another role, or no text.
    """
    return [_item(message) for message in messages]


def not_told(turns: Iterable[TurnState], items: Mapping[str, ItemState]) -> list[str]:
    """Return what `history_items` cannot tell, as short phrases: sound, speech nobody understood, tool calls."""
    answers = _answers(items)
    sounds = silent = calls = 0
    for turn in turns:
        if not _counts(turn):
            continue
        answer = [item for response in turn.responses for item in answers[response]]
        sounds += turn.kind in ("clip", "speech") and bool(_asked(turn))
        sounds += any(item.audio_bytes for item in answer)
        silent += turn.kind in ("clip", "speech") and not _asked(turn)
        calls += sum(item.type == "function_call" for item in answer)
    counted = (
        (sounds, "the sound of {} (the words are told)", "message"),
        (silent, "{} without a transcript", "spoken message"),
        (calls, "{}", "tool call"),
    )
    return [phrase.format(f"{n} {noun}{'s' * (n != 1)}") for n, phrase, noun in counted if n]


def _counts(turn: TurnState) -> bool:
    # Superseded speech has no answer of its own, but the service knows what was said.
    return bool(turn.responses) or turn.status == "interrupted"


def _asked(turn: TurnState) -> str:
    return ((turn.text if turn.text is not None else turn.user_transcript) or "").strip()


def _answers(items: Mapping[str, ItemState]) -> defaultdict[str | None, list[ItemState]]:
    """Return the items of each response, in order."""
    answers: defaultdict[str | None, list[ItemState]] = defaultdict(list)
    for item in items.values():
        answers[item.response].append(item)
    return answers


def _answered(turn: TurnState, answers: Mapping[str | None, list[ItemState]]) -> str:
    items = [item for response in turn.responses for item in answers[response]]
    texts = [_heard(item, turn) for item in items if item.type != "function_call"]
    return " ".join(text for text in texts if text)


def _heard(item: ItemState, turn: TurnState) -> str:
    heard = item.heard_chars() if turn.status == "interrupted" else None
    return item.text[:heard].strip()


def _item(message: Sequence[str]) -> ev.Item:
    fits = isinstance(message, Sequence) and not isinstance(message, str) and len(message) == 2
    role, text = message if fits else (None, None)
    if role not in _PART_TYPES or not isinstance(text, str) or not text.strip():
        raise ConfigError(
            f"{message!r} is not a message.",
            fix='Write history=[("user", "Hello"), ("assistant", "Hi!")]; other roles the service refuses.',
        )
    return ev.Item(type="message", role=role, content=[ev.Part(type=_PART_TYPES[role], text=text.strip())])
