"""Variants: the combinations of settings an experiment compares."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ..errors import ConfigError
from ..protocol.config import ServerVAD
from ..session.session import Session

Combine = Literal["product", "zip"]

# What a variant may set: everything a Session takes but what an experiment itself decides.
_OURS = {"self", "record", "keep_audio", "api_key", "budget"}
SETTINGS = tuple(name for name in inspect.signature(Session.__init__).parameters if name not in _OURS)
# What is done to the sound of an input before it is sent.
CONDITIONS = ("noise", "rate")

_LONGEST_NAME = 24


@dataclasses.dataclass(frozen=True)
class Variant:
    """One combination.

    Attributes
    ----------
    name
        Unique in its experiment and readable: "voice=linjiajiejie, prompt 2".
    settings
        What the Session is made with, with the `fixed` ones.
    conditions
        What is done to the input: ``noise`` (signal-to-noise ratio, dB) and ``rate`` (Hz).
    factors
        Name of the level of each varied setting: what tables and plots group by.
    """

    name: str
    settings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    factors: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Variant({self.name})"


def variants_of(
    grid: Mapping[str, Sequence[Any] | Mapping[str, Any]] | Sequence[Mapping[str, Any]],
    fixed: Mapping[str, Any],
    combine: Combine,
) -> list[Variant]:
    """Return the variants of a grid.

    Parameters
    ----------
    grid
        Values by setting, such as ``{"voice": ["a", "b"], "instructions": {"short": "...", "kind": "..."}}`` (a mapping
        gives its values names), or a list of mappings, each of them a variant; a key "name" names it.
    fixed
        Settings all variants share.
    combine
        "product": every combination; "zip": first with first, second with second.

    Raises
    ------
    ConfigError
        An unknown setting, an empty list, lists of different lengths with "zip", two variants of one name.
    """
    _check_names(fixed, "fixed")
    if isinstance(grid, Mapping):
        _check_names(grid, "grid")
        levels = {setting: _levels(setting, values) for setting, values in grid.items()}
        rows = [dict(zip(levels, row, strict=True)) for row in _combined(levels, combine)]
    else:
        rows = _listed(grid)
    variants = [_variant(row, fixed) for row in rows]
    names = [variant.name for variant in variants]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"Two variants are called {twice!r}.", fix="Give their values different names.")
    return variants


_Level = tuple[str, Any]


def _combined(levels: Mapping[str, Sequence[_Level]], combine: Combine) -> Iterable[tuple[_Level, ...]]:
    if combine == "product":
        return itertools.product(*levels.values())
    if combine != "zip":
        raise ConfigError(f"combine is {combine!r}.", fix='Write combine="product" or combine="zip".')
    lengths = {setting: len(values) for setting, values in levels.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{setting} has {count}" for setting, count in lengths.items())
        raise ConfigError(f"Values cannot be zipped: {told}.", fix="Give every setting as many values.")
    return zip(*levels.values(), strict=True)


def _levels(setting: str, values: Any) -> list[_Level]:
    if isinstance(values, Mapping):
        levels = [(str(name), value) for name, value in values.items()]
    elif isinstance(values, str) or not isinstance(values, Iterable):
        raise ConfigError(
            f"The values of {setting} are {values!r}.", fix=f"Write a list: {setting!r}: [...]."
        )
    else:
        levels = _named(setting, list(values))
    if not levels:
        raise ConfigError(f"There are no values for {setting}.", fix="Give at least one, or leave it out.")
    return levels


def _named(setting: str, values: list[Any]) -> list[_Level]:
    names = [_in_words(setting, value) for value in values]
    if len(set(names)) < len(names) or any(name == "" for name in names):
        names = [f"{setting} {number}" for number in range(1, len(values) + 1)]
    return list(zip(names, values, strict=True))


def _in_words(setting: str, value: Any) -> str:
    """Return a name that can be read without the setting beside it: "noise 5", "no noise"."""
    name = level_name(value)
    if value is None:
        return f"no {setting}"
    return f"{setting} {name}" if name and not name[0].isalpha() else name


def level_name(value: Any) -> str:
    """Return a short name for a value; empty where nothing short tells what it is."""
    match value:
        case str() if len(value) <= _LONGEST_NAME and "\n" not in value:
            return value
        case bool() | int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case ServerVAD():
            return f"{value.prefix_padding_ms}-{value.silence_duration_ms}-{value.energy_awakeness_threshold}"
        case list() | tuple():
            names = [level_name(inner) for inner in value]
            joined = "+".join(names)
            return joined if all(names) and len(joined) <= _LONGEST_NAME else ""
    name = getattr(value, "name", None) or getattr(value, "__name__", None)
    return str(name) if name else ""


def _listed(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, _Level]]:
    if not rows:
        raise ConfigError("The list of variants is empty.", fix="Give at least one mapping of settings.")
    listed = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise ConfigError(
                f"Variant {number} is a {type(row).__name__}.",
                fix='Write {"voice": "...", "instructions": "..."}.',
            )
        _check_names({key: None for key in row if key != "name"}, "grid")
        name = str(row.get("name") or f"variant {number}")
        listed.append({"variant": (name, None)} | {key: (name, row[key]) for key in row if key != "name"})
    return listed


def _variant(row: Mapping[str, _Level], fixed: Mapping[str, Any]) -> Variant:
    values = dict(fixed) | {setting: value for setting, (_, value) in row.items() if setting != "variant"}
    if "variant" in row:
        factors = {"variant": row["variant"][0]}
        name = factors["variant"]
    else:
        factors = {setting: level for setting, (level, _) in row.items()}
        name = ", ".join(factors.values())
    return Variant(
        name or "as it is",
        {key: value for key, value in values.items() if key not in CONDITIONS},
        {key: value for key, value in values.items() if key in CONDITIONS and value is not None},
        factors,
    )


def _check_names(names: Mapping[str, Any], where: str) -> None:
    for name in names:
        if name not in SETTINGS and name not in CONDITIONS:
            known = ", ".join((*SETTINGS, *CONDITIONS))
            raise ConfigError(
                f"{where} has {name!r}, which a Session does not take.", fix=f"There are: {known}."
            )
