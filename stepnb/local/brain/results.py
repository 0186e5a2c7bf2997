"""What came back from a tool, in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from stepnb.local.brain.context import Context
from stepnb.local.brain.words import name_words
from stepnb.local.numbers import show
from stepnb.local.parts import Message, ToolCall

MAX_SPOKEN = 600
"""Characters of one result that are read out."""

_MAX_ITEMS = 5
_UNITS = {
    "c": "degrees Celsius",
    "celsius": "degrees Celsius",
    "f": "degrees Fahrenheit",
    "fahrenheit": "degrees Fahrenheit",
    "percent": "percent",
    "pct": "percent",
    "km": "kilometers",
    "kmh": "kilometers an hour",
    "ms": "milliseconds",
    "usd": "US dollars",
    "eur": "euros",
    "minutes": "minutes",
    "seconds": "seconds",
    "hours": "hours",
}
_FAILED = ("error", "exception", "failure")
_FINE = ("ok", "success", "done", "true", "status")


def outputs(history: Sequence[Message]) -> list[tuple[ToolCall | None, str]]:
    """Return the outputs at the end of a conversation, each with the call it answers if that is known."""
    calls = {call.call_id: call for message in history for call in message.calls}
    found = []
    for message in reversed(history):
        if message.role == "user" or (message.role == "assistant" and message.text):
            break
        if message.role == "tool":
            found.append((calls.get(message.call_id), message.text))
    return found[::-1]


def tell(found: Sequence[tuple[ToolCall | None, str]], context: Context) -> str:
    """Put the outputs of tools into sentences."""
    return context.pick(" ", "").join(_tell_one(call, output, context) for call, output in found)


def _tell_one(call: ToolCall | None, output: str, context: Context) -> str:
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        value = output
    if isinstance(value, str):
        value = value.strip()
    title = " ".join(name_words(call.name)) if call is not None else context.pick("the tool", "工具")
    if isinstance(value, Mapping):
        failure = next((value[key] for key in _FAILED if value.get(key)), None)
        if failure is not None:
            reason = _spoken(failure)
            return context.pick(
                f"That did not work: {_stopped(reason, '.')}", f"没有成功：{_stopped(reason, '。')}"
            )
        value = {
            key: one
            for key, one in value.items()
            if not (key in _FINE and one in (True, "ok", "success", "done"))
        }
    nothing = context.pick(f"{_capital(title)} found nothing.", "没有找到结果。")
    if value in (None, "", True, {}, []) or (isinstance(value, str) and value.lower() in _FINE):
        if value == [] or (value == {} and output.strip() == "{}"):
            return nothing
        return context.pick(f"Done: {title}{_with(call)}.", "好了，已完成。")
    said = _spoken(_without_known(value, call))
    if not said.strip():
        return nothing
    said = said if len(said) <= MAX_SPOKEN else said[: said.rfind(" ", 0, MAX_SPOKEN)] + "…"
    if isinstance(value, str):
        return _stopped(said, context.pick(".", "。"))
    about = _subject(call)
    lead = f"{_capital(about)}: " if about else context.pick("This is what I found: ", "结果是：")
    return _stopped(lead + said, context.pick(".", "。"))


def _without_known(value: Any, call: ToolCall | None) -> Any:
    """Leave out what only repeats an argument: the city that was asked for."""
    if not isinstance(value, Mapping) or call is None:
        return value
    asked = _arguments(call)
    fresh = {key: one for key, one in value.items() if asked.get(key) != one}
    return fresh or value


def _subject(call: ToolCall | None) -> str:
    """Return what the call was about: its first short argument."""
    values = list(_arguments(call).values()) if call is not None else []
    return next((one.replace("_", " ") for one in values if isinstance(one, str) and len(one) <= 40), "")


def _with(call: ToolCall | None) -> str:
    shown = (
        [f"{' '.join(name_words(key))} {_spoken(value)}" for key, value in _arguments(call).items()]
        if call
        else []
    )
    return ", " + ", ".join(shown) if shown else ""


def _arguments(call: ToolCall) -> dict[str, Any]:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _spoken(value: Any, depth: int = 0) -> str:
    """Say a JSON value as words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return show(value) if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return " ".join(value.split())
    if depth >= 3:
        return "more"
    if isinstance(value, Mapping):
        return ", ".join(_pair(str(key), one, depth) for key, one in list(value.items())[: 2 * _MAX_ITEMS])
    rest = len(value) - _MAX_ITEMS
    said = "; ".join(_spoken(one, depth + 1) for one in value[:_MAX_ITEMS])
    return f"{said}; and {rest} more" if rest > 0 else said


def _pair(key: str, value: Any, depth: int) -> str:
    words = name_words(key)
    unit = _UNITS.get(words[-1]) if len(words) > 1 and isinstance(value, int | float) else None
    if unit is not None and not isinstance(value, bool):
        words, tail = words[:-1], f" {unit}"
    else:
        tail = ""
    names = ["temperature" if word == "temp" else word for word in words]
    return f"{' '.join(names)} {_spoken(value, depth + 1)}{tail}".strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _stopped(text: str, stop: str) -> str:
    return text if text[-1:] in ".!?。！？…" else text + stop
