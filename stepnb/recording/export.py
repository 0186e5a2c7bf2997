"""A conversation as a file for others: Markdown, JSON, or stereo sound."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import soundfile

from ..errors import ConfigError, RecordingError
from .tracks import mixed, tracks

if TYPE_CHECKING:
    from ..session.turn import Turn, TurnSource

_RATE = 24_000
_BLOCK_S = 10.0


def export(source: TurnSource, path: str | os.PathLike[str]) -> Path:
    """Write a conversation to a file; its ending says how: ``.md``, ``.json`` or ``.wav``.

    An existing file is replaced, and only once the new one is complete.

    Raises
    ------
    ConfigError
        Another ending.
    RecordingError
        The file cannot be written, or there is no sound for a ``.wav``.
    """
    target = Path(path).expanduser()
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise ConfigError(
            f"{target.name!r} does not say what to write.",
            fix="End it with .md (Markdown), .json, or .wav (stereo: the answers left, you right).",
        )
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(descriptor)
        try:
            write(source, Path(name))
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RecordingError(f"{str(target)!r} cannot be written: {reason or error}.") from None
    return target


def markdown(source: TurnSource) -> str:
    """Return a conversation as Markdown. What was said is text there too: none of it becomes markup."""
    about = source.events.about.header
    facts = " · ".join(fact for fact in (about.model, about.where) if fact)
    parts = [f"# Conversation of {about.started:%Y-%m-%d %H:%M} UTC", _plain(facts)]
    for turn in source.turns:
        parts += _turn_markdown(turn)
    return "\n\n".join(part for part in parts if part) + "\n"


def _turn_markdown(turn: Turn) -> list[str]:
    parts = []
    asked = _asked(turn)
    if _kind(turn) not in ("unasked", "greeting"):
        parts.append(f"**You:** {_plain(asked) if asked else '*(no words were recognised)*'}")
    if turn.thinking:
        parts.append("\n".join(f"> {_plain(line)}" for line in turn.thinking.strip().splitlines()))
    for call in turn.tool_calls:
        came = call.status if call.output is None else call.output
        parts.append(f"- {_code(f'{call.name}({_arguments(call.arguments)})')} → {_code(came)}")
    answer = _plain(turn.transcript)
    if turn.status == "interrupted" and turn.heard is not None:
        answer = f"{_plain(turn.heard)} *(cut off; not heard:* {_plain(turn.unheard or '')}*)*"
    elif turn.status != "completed":
        answer = f"{answer} *({_plain(str(turn.error) if turn.error else turn.status)})*".strip()
    if answer:
        parts.append(f"**Step:** {answer}")
    return parts


def _kind(turn: Turn) -> str | None:
    return turn._state.kind if turn._state else None


def _asked(turn: Turn) -> str | None:
    """Return what was typed, or what the service heard; without reading the sound."""
    typed = turn._state.text if turn._state else None
    return typed if typed is not None else turn.user_transcript


def _arguments(arguments: dict[str, Any] | str) -> str:
    if isinstance(arguments, str):
        return arguments
    return ", ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in arguments.items())


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{' '.join(text.split())}{space}{fence}"


def as_data(source: TurnSource) -> dict[str, Any]:
    """Return a conversation as plain data: what was said, called and measured, turn by turn."""
    about = source.events.about.header
    return {
        "format": "stepnb conversation",
        "version": 1,
        "started": about.started.isoformat(),
        "model": about.model,
        "where": about.where,
        "turns": [_turn_data(turn) for turn in source.turns],
    }


def _turn_data(turn: Turn) -> dict[str, Any]:
    cost = turn.cost
    return {
        "id": turn.id,
        "kind": _kind(turn),
        "status": turn.status,
        "user": _asked(turn),
        "answer": turn.transcript,
        "heard": turn.heard,
        "unheard": turn.unheard,
        "thinking": turn.thinking,
        "tool_calls": [
            {
                "name": call.name,
                "arguments": call.arguments,
                "status": call.status,
                "output": call.output,
                "ms": call.duration_ms,
            }
            for call in turn.tool_calls
        ],
        "finish_reason": turn.finish_reason,
        "latency_ms": msgspec.to_builtins(turn.latency),
        "usage": msgspec.to_builtins(turn.usage),
        "cost": None if cost is None else {"amount": cost.amount, "currency": cost.currency},
        "error": None if turn.error is None else str(turn.error),
    }


def _write_markdown(source: TurnSource, path: Path) -> None:
    path.write_text(markdown(source), encoding="utf-8", newline="\n")


def _write_json(source: TurnSource, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(as_data(source)), indent=2) + b"\n")


def _write_wav(source: TurnSource, path: Path) -> None:
    log = source.events
    lanes = tracks(list(log), source.conversation, log.anchor)
    sound = [stretch for stretches in lanes.values() for stretch in stretches]
    if not sound:
        raise RecordingError(
            "There is no sound to write.", fix='Speak first; keep_audio="none" keeps nothing.'
        )
    begin, end = min(stretch.start for stretch in sound), max(stretch.end for stretch in sound)
    with soundfile.SoundFile(path, "w", _RATE, 2, subtype="PCM_16", format="WAV") as file:
        while begin < end:
            samples = round(min(_BLOCK_S, end - begin) * _RATE)
            if not samples:
                break
            sides = [mixed(lanes[lane], log.audio, begin, samples) for lane in ("output", "input")]
            file.write(np.stack(sides, axis=1))
            begin += samples / _RATE


_WRITERS: dict[str, Callable[[TurnSource, Path], None]] = {
    ".md": _write_markdown,
    ".json": _write_json,
    ".wav": _write_wav,
}
