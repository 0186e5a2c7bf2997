"""Values of a dataclass's fields, checked against their types, or read from text as ``KEY=VALUE,KEY=VALUE``."""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Any

import msgspec

from stepnb.errors import ConfigError


def read(owner: type, what: str, text: str) -> dict[str, Any]:
    """Read what a text sets.

    Parameters
    ----------
    owner
        The dataclass.
    what
        What it is, for the errors: ``"the fault close"``.
    text
        ``KEY=VALUE`` pairs with commas between them; may be empty.

    Returns
    -------
    dict
        Values of the fields' types.

    Raises
    ------
    ConfigError
        There is no such field, or it cannot have this value.
    """
    values = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        key, _, value = (side.strip() for side in pair.partition("="))
        values[key] = checked(owner, what, key, value, strict=False)
    return values


def checked(owner: type, what: str, key: str, value: Any, *, strict: bool = True) -> Any:
    """Return the value of a field; if not strict, a text becomes what it stands for.

    Raises
    ------
    ConfigError
        There is no such field, or it cannot have this value.
    """
    kinds = _kinds(owner)
    if key not in kinds:
        raise ConfigError(f"There is no {key!r} in {what}.", fix=f"Write one of: {', '.join(kinds)}.")
    try:
        return msgspec.convert(value, kinds[key], strict=strict)
    except msgspec.ValidationError as problem:
        raise ConfigError(f"{key} of {what} cannot be {value!r}.", fix=f"{problem}.") from None


@functools.cache
def _kinds(owner: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(owner, include_extras=True)
    return {entry.name: hints[entry.name] for entry in dataclasses.fields(owner)}
