"""Why an answer ended, from whatever the service says about it."""

from __future__ import annotations

from typing import Any, Literal

from ..protocol import events as ev

FinishReason = Literal["stop", "length", "content_filter", "tool_calls", "cancelled", "incomplete"]

# The guide has four names of its own; the details of a response have those of other realtime dialects.
_NAMES: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "max_response_output_tokens": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "interrupted": "cancelled",
    "turn_detected": "cancelled",
    "client_cancelled": "cancelled",
}

_IN_WORDS: dict[FinishReason, str] = {
    "length": "The answer reached the greatest length the model may give.",
    "content_filter": "The answer was stopped by content review.",
    "incomplete": "The answer ended early.",
}


def finish_reason(
    info: ev.ResponseInfo, *, discarded: bool, speaking: bool, calls: bool
) -> FinishReason | None:
    """Tell why a response ended.

    Parameters
    ----------
    info
        The response as the service describes it at its end.
    discarded
        Whether the client had interrupted it: the live service calls it incomplete then.
    speaking
        Whether the person speaks: the service may have interrupted it by itself.
    calls
        Whether it called functions.

    Returns
    -------
    str
        None for one that failed without a reason of this kind; the error says more.
    """
    if discarded:
        return "cancelled"
    named = _named(info)
    match info.status:
        case "failed":
            return named if named == "content_filter" else None
        case "cancelled" | "interrupted":
            return "cancelled"
        case "incomplete":
            return named if named not in (None, "stop") else "cancelled" if speaking else "incomplete"
        case _:
            # Completed, or no status at all: what it says of itself goes first.
            return named or ("tool_calls" if calls else "stop")


def in_words(reason: FinishReason | None, *, silent: bool = False) -> str | None:
    """Return what a person should know about the end of an answer, None for an ordinary one.

    Parameters
    ----------
    silent
        Whether words came, and no sound.
    """
    if reason in _IN_WORDS:
        return _IN_WORDS[reason]
    return (
        "The service sent the words of this answer without their sound."
        if silent and reason == "stop"
        else None
    )


def _named(info: ev.ResponseInfo) -> FinishReason | None:
    """Return the first reason anything in the response names."""
    details = info.status_details
    places: list[Any] = [details]
    if isinstance(details, dict):
        error = details.get("error")
        places = [details.get("finish_reason"), details.get("reason"), details.get("type"), error]
        places += [error.get("code"), error.get("type")] if isinstance(error, dict) else []
    places.append(info.extra.get("finish_reason"))
    for place in places:
        reason = _NAMES.get(place.strip().lower().replace("-", "_")) if isinstance(place, str) else None
        if reason is not None:
            return reason
    return None
