"""Fingerprints: the same plan and the same code give the same keys, in every process and on every day.

Settings, clips and functions are brought into a canonical form and hashed. A function counts by its code and by the
values it closes over, not by where it lies.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import math
from collections.abc import Mapping
from types import CodeType
from typing import Any

import msgspec

from ..audio.clip import Clip
from ..errors import ConfigError

_DIGEST_BYTES = 16


def fingerprint(*parts: Any) -> str:
    """Return 32 hexadecimal digits that stand for the parts, in order.

    Parameters
    ----------
    parts
        Text, numbers, None, lists, mappings, dataclasses, Clips, functions, and objects with ``to_wire()``.

    Raises
    ------
    ConfigError
        A part is of another kind, so that two of them could not be told apart.
    """
    canonical = msgspec.json.encode([_canonical(part) for part in parts], order="sorted")
    return hashlib.blake2b(canonical, digest_size=_DIGEST_BYTES).hexdigest()


def _canonical(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Clip):
        return {"clip": hashlib.blake2b(value.pcm, digest_size=_DIGEST_BYTES).hexdigest(), "rate": value.rate}
    if isinstance(value, bytes):
        return {"bytes": hashlib.blake2b(value, digest_size=_DIGEST_BYTES).hexdigest()}
    if isinstance(value, Mapping):
        return {"mapping": sorted(([str(key), _canonical(inner)] for key, inner in value.items()), key=str)}
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value]
    if isinstance(value, functools.partial):
        return {"partial": [_canonical(part) for part in (value.func, value.args, value.keywords)]}
    if inspect.ismethod(value):
        return {"method": [_canonical(value.__func__), _canonical(value.__self__)]}
    if inspect.isfunction(value):
        return {"function": _of_function(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.compare
        }
        return {type(value).__name__: _canonical(fields)}
    if hasattr(value, "to_wire"):
        function = getattr(value, "function", None)
        return {type(value).__name__: [_canonical(value.to_wire()), _canonical(function)]}
    raise ConfigError(
        f"A {type(value).__name__} cannot be part of an experiment: nobody could tell two of them apart.",
        fix="Use text, numbers, Clips, functions, sn.ServerVAD or tools.",
    )


def _of_function(function: Any) -> list[Any]:
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [
        _of_code(function.__code__),
        [_canonical_or_name(value) for value in (function.__defaults__ or ())],
        [_canonical_or_name(value) for value in cells],
    ]


def _of_code(code: CodeType) -> list[Any]:
    # Neither line numbers nor the file's name: moving a cell changes nothing.
    constants = [_of_code(const) if isinstance(const, CodeType) else repr(const) for const in code.co_consts]
    return [code.co_code.hex(), constants, list(code.co_names), list(code.co_varnames)]


def _canonical_or_name(value: Any) -> Any:
    try:
        return _canonical(value)
    except ConfigError:
        return type(value).__qualname__  # a client, a model: its state is the author's business
