"""`Usage`: the tokens of answers, as the service counted them, or estimated where it did not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .reducer import Conversation
from .state import BYTES_PER_MS, ResponseState, TurnState

# How the service counts is not published. With these, an hour of conversation in two sessions comes to about what the
# vendor's rule of thumb says, 3.8 CNY.
AUDIO_MS_PER_TOKEN = 80
CHARS_PER_TOKEN = 4


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more responses.

    The service counts the whole conversation so far as the input of each response; most of it is cached and cheaper.
    Where it counted nothing, the tokens are estimated: text at one token per Chinese character and one per four others,
    audio at 12.5 tokens a second; all that was said before as cached input, what is new since the last response as
    input that is not.

    Attributes
    ----------
    input_tokens, output_tokens
        In all.
    cached_tokens
        Those of the input that were cached: a part of ``input_tokens``.
    input_audio_tokens, output_audio_tokens
        Those that stand for audio: a part of ``input_tokens`` and ``output_tokens``, 0 where the service does not say.
    responses
        How many responses these are.
    estimated
        How many of them are estimates.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    responses: int = 0
    estimated: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        names = [field.name for field in fields(self)]
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def __repr__(self) -> str:
        cached = f" ({self.cached_tokens} of them cached)" if self.cached_tokens else ""
        guess = f", {self.estimated} of {self.responses} responses estimated" if self.estimated else ""
        return f"Usage({self.input_tokens} in{cached}, {self.output_tokens} out{guess})"

    @classmethod
    def counted(cls, usage: Mapping[str, Any] | None) -> Usage | None:
        """Read the ``usage`` of a response; None where it does not say what came in and what went out."""
        if usage is None:
            return None
        sent, came = (
            _first(usage, "input_tokens", "prompt_tokens"),
            _first(usage, "output_tokens", "completion_tokens"),
        )
        if sent is None or came is None:
            return None
        into = _details(usage, "input_token_details", "input_tokens_details", "prompt_tokens_details")
        out = _details(usage, "output_token_details", "output_tokens_details", "completion_tokens_details")
        cached = _first(into, "cached_tokens")
        cached = _first(usage, "cached_tokens") if cached is None else cached
        return cls(
            input_tokens=sent,
            cached_tokens=min(cached or 0, sent),
            output_tokens=came,
            input_audio_tokens=min(_first(into, "audio_tokens") or 0, sent),
            output_audio_tokens=min(_first(out, "audio_tokens") or 0, came),
            responses=1,
        )


def usages(conversation: Conversation, preface: str = "") -> dict[str, Usage]:
    """Return the usage of every response that has ended, by its id.

    Parameters
    ----------
    preface
        What the model is told before anything is said: instructions and tools. It matters for estimates only.
    """
    found: dict[str, Usage] = {}
    before, new = Usage(), Usage(input_tokens=text_tokens(preface))
    for turn in list(conversation.turns.values()):
        new += _asked(turn)
        for number in list(turn.responses):
            response = conversation.responses[number]
            answer = _answered(conversation, response)
            if response.status != "in_progress":
                counted = Usage.counted(response.usage)
                found[number] = counted or _estimate(before, new, answer, response)
            before += new
            results = sum(text_tokens(call.output or "") for call in list(response.calls.values()))
            new = Usage(
                input_tokens=answer.output_tokens + results, input_audio_tokens=answer.output_audio_tokens
            )
    return found


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text."""
    chinese = sum("\u3400" <= char <= "\u9fff" for char in text)
    return chinese + -(-(len(text) - chinese) // CHARS_PER_TOKEN)


def total(found: Iterable[Usage]) -> Usage:
    """Return the sum."""
    return sum(found, Usage())


def tools_text(tools: Iterable[Mapping[str, Any]]) -> str:
    """Return tools as the text the model reads."""
    return "".join(json.dumps(tool, ensure_ascii=False) for tool in tools)


def _asked(turn: TurnState) -> Usage:
    audio = sum(ref.length for ref in turn.input_audio) // BYTES_PER_MS // AUDIO_MS_PER_TOKEN
    return Usage(input_tokens=text_tokens(turn.text or "") + audio, input_audio_tokens=audio)


def _answered(conversation: Conversation, response: ResponseState) -> Usage:
    items = [conversation.items[item] for item in list(response.items)]
    audio = sum(item.audio_bytes for item in items) // BYTES_PER_MS // AUDIO_MS_PER_TOKEN
    text = sum(text_tokens(item.text) + text_tokens(item.thinking) for item in items)
    text += sum(text_tokens(call.name + call.arguments) for call in list(response.calls.values()))
    return Usage(output_tokens=text + audio, output_audio_tokens=audio)


def _estimate(before: Usage, new: Usage, answer: Usage, response: ResponseState) -> Usage:
    one = Usage(responses=1, estimated=1)
    if response.status == "failed" and not answer.output_tokens:
        return one
    return before + new + answer + Usage(cached_tokens=before.input_tokens) + one


def _first(usage: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these numbers that is there; some servers write numbers as text."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
            return int(value)
    return None


def _details(usage: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((usage[name] for name in names if isinstance(usage.get(name), dict)), {})
