"""Events somebody writes by hand: what is wrong with one is said before it is sent."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ..errors import ConfigError

LONGEST = 1_000_000
"""Characters of an event."""

# Ids the session gives its own events, by which it knows the answers to them again.
_OURS = re.compile(r"t\d+\.|history\d+\.|[ea]\d+$|.*\.update$")


def checked(event: Any) -> dict[str, Any]:
    """Return an event as a JSON object of its own.

    Parameters
    ----------
    event
        A dict, or its JSON text.

    Raises
    ------
    ConfigError
        It is no JSON object with a type, is too long, or takes an id of the session's own.
    """
    try:
        text = event if isinstance(event, str) else msgspec.json.encode(event).decode()
        body = msgspec.json.decode(text)
    except RecursionError:
        raise ConfigError("The event is nested too deeply.", fix="Make it simpler.") from None
    except (msgspec.MsgspecError, UnicodeError, TypeError, ValueError) as error:
        raise ConfigError(f"This is not JSON: {_sentence(error)}", fix="Correct it there.") from None
    if len(text) > LONGEST:
        raise ConfigError(
            f"The event has {len(text)} characters.", fix=f"At most {LONGEST} are sent at once."
        )
    if not isinstance(body, dict):
        raise ConfigError(
            "An event is a JSON object.", fix='Write { "type": "response.create" }, for example.'
        )
    if not isinstance(body.get("type"), str) or not body["type"]:
        raise ConfigError("The event has no type.", fix='Add one: "type": "response.create", for example.')
    given = body.get("event_id")
    if given is not None and not (isinstance(given, str) and 0 < len(given) <= 200):
        raise ConfigError("event_id is not a short text.", fix="Leave it out: one is made.")
    if given is None:
        body.pop("event_id", None)
    elif _OURS.match(given):
        raise ConfigError(
            f"{given!r} is an id the session gives its own events.", fix="Choose another event_id."
        )
    return body


def _sentence(error: Exception) -> str:
    text = str(error).removeprefix("JSON is malformed: ")
    return f"{text}." if not text.endswith(".") else text
