"""Records as JSON to read, with what the audio was in its place and nothing of it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ..conversation.record import Record

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{256,}={0,2}")
_LONGEST = 4000
"""Characters of one text; a longer one is cut."""
_MOST = 100_000
"""Characters of the whole."""


def readable(record: Record) -> str:
    """Return a record as indented JSON without its audio; a frame that is no JSON as it is. Bounded."""
    body: Any = record.data
    if record.skeleton is not None:
        try:
            body = msgspec.json.decode(record.skeleton)
        except (msgspec.DecodeError, RecursionError):
            return _cut(_BASE64.sub(_told, record.skeleton), _MOST)
    body = _without_audio(body)
    if isinstance(body, dict) and record.audio is not None:
        key = "audio" if "audio" in body else "delta"
        if isinstance(body.get(key), str):
            body[key] = f"({record.audio.length / 48:.0f} ms of audio, {record.audio.length} bytes)"
    text = msgspec.json.format(msgspec.json.encode(body, enc_hook=repr), indent=2)
    return _cut(text.decode("utf-8", "replace"), _MOST)


def _without_audio(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: f"({len(inner)} characters of audio)"
            if key == "audio" and isinstance(inner, str) and inner
            else _without_audio(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_audio(inner) for inner in value]
    if isinstance(value, str):
        return _cut(_BASE64.sub(_told, value), _LONGEST)
    return value


def _told(found: re.Match[str]) -> str:
    return f"({len(found[0])} characters of base64)"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"
