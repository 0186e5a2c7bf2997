"""Scorers: figures of a turn. Any function of a Turn is one; these are the usual ones.

A scorer returns a number, True or False, a text, several of them by name, or None where there was nothing to be scored:
an interruption that came too late, an answer without words. None is "not exercised", and never counts as zero.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from ..audio.clip import Clip
from ..audio.pcm import PEAK
from ..audio.spectrum import pitch
from ..conversation import timing
from ..errors import ConfigError
from ..optional import library
from ..session.turn import Turn
from .judge import Judge as Judge
from .scoring import Context, Found, Over
from .text import characters, normal_words, speech_rate

# Below the gate of the standard nothing counts as sound.
_SILENT_LUFS = -70.0

_MEAN: Over = "mean"
_LAST: Over = "last"


def _library(name: str, scorer: str) -> Any:
    return library(name, f"The scorer {scorer}", "experiments")


@dataclasses.dataclass(frozen=True)
class Latency:
    """How long the answer took, ms: to the response, the first text, the first audio, the first sample heard."""

    name: str = "latency"
    over: Over = _MEAN
    parts: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(timing.Latency))

    def __call__(self, turn: Turn, context: Context) -> Found:
        return dataclasses.asdict(turn.latency)


@dataclasses.dataclass(frozen=True)
class Duration:
    """How long the answer is, s of audio."""

    name: str = "duration"
    over: Over = _MEAN
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        return turn.audio.duration or None


@dataclasses.dataclass(frozen=True)
class WordsPerMinute:
    """How fast it speaks, words a minute of audio; Chinese counts by characters."""

    name: str = "words_per_minute"
    over: Over = _MEAN
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        return speech_rate(turn.transcript, turn.audio.duration)


@dataclasses.dataclass(frozen=True)
class WER:
    """Word error rate, 0 for perfect, by jiwer; capitals and punctuation do not count, Chinese is cut into characters.

    Parameters
    ----------
    of
        "heard": what the service heard against ``Input(said=...)``, or against the text that was asked; "answer": the
        answer against ``Input(expect=...)``.
    """

    of: Literal["heard", "answer"] = "heard"
    name: str = "wer"
    over: Over = _LAST
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        pair = _pair(self.of, turn, context)
        if pair is None:
            return None
        expected, found = (normal_words(text) for text in pair)
        return float(_library("jiwer", "WER").wer(expected, found)) if expected else None


@dataclasses.dataclass(frozen=True)
class CER:
    """Character error rate, 0 for perfect, by jiwer: the usual one for Chinese. Parameters as for `WER`."""

    of: Literal["heard", "answer"] = "heard"
    name: str = "cer"
    over: Over = _LAST
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        pair = _pair(self.of, turn, context)
        if pair is None:
            return None
        expected, found = (characters(text) for text in pair)
        return float(_library("jiwer", "CER").cer(expected, found)) if expected else None


def _pair(of: str, turn: Turn, context: Context) -> tuple[str, str] | None:
    """Return (expected, found), None when nothing is expected."""
    if of == "answer":
        return None if context.input.expect is None else (context.input.expect, turn.transcript)
    if context.input.said is None or not isinstance(turn.user, Clip):
        return None
    return context.input.said, turn.user_transcript or ""


@dataclasses.dataclass(frozen=True)
class Contains:
    """Whether the answer contains a text; capitals do not count.

    Parameters
    ----------
    text
        None: ``Input(expect=...)``.
    """

    text: str | None = None
    name: str = "contains"
    over: Over = _LAST
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        text = context.input.expect if self.text is None else self.text
        return None if text is None else text.casefold() in turn.transcript.casefold()


@dataclasses.dataclass(frozen=True)
class Matches:
    """Whether a regular expression is found in the answer."""

    pattern: str
    name: str = "matches"
    over: Over = _LAST
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ConfigError(f"{self.pattern!r} is no regular expression: {error}.") from None

    def __call__(self, turn: Turn, context: Context) -> Found:
        return re.search(self.pattern, turn.transcript) is not None


@dataclasses.dataclass(frozen=True)
class FitsSchema:
    """Whether the answer is JSON that fits a schema, by jsonschema; a fence of Markdown around it does not matter."""

    schema: Mapping[str, Any]
    name: str = "fits_schema"
    over: Over = _LAST
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        text = re.sub(r"^```(?:json)?\s*|\s*```$", "", turn.transcript.strip())
        try:
            value = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return False
        validator = _library("jsonschema", "FitsSchema").Draft202012Validator(dict(self.schema))
        return bool(validator.is_valid(value))


@dataclasses.dataclass(frozen=True)
class Called:
    """Whether a tool was called, and with these arguments.

    Parameters
    ----------
    tool
        Its name; None: no tool may be called.
    arguments
        Arguments that must be among those of a call; texts are compared without capitals.
    """

    tool: str | None
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    name: str = "called"
    over: Over = _LAST
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        if self.tool is None:
            return not turn.tool_calls
        return any(
            call.name == self.tool and isinstance(call.arguments, dict) and self._fits(call.arguments)
            for call in turn.tool_calls
        )

    def _fits(self, arguments: Mapping[str, Any]) -> bool:
        return all(_plain(arguments.get(name)) == _plain(value) for name, value in self.arguments.items())


def _plain(value: Any) -> Any:
    return value.strip().casefold() if isinstance(value, str) else value


@dataclasses.dataclass(frozen=True)
class Interrupted:
    """How the model took being interrupted: how much was heard, and how much of the answer nobody heard, ms.

    Not exercised when the answer was over before anybody broke in.
    """

    name: str = "interrupted"
    over: Over = _MEAN
    parts: tuple[str, ...] = ("heard", "unheard")

    def __call__(self, turn: Turn, context: Context) -> Found:
        if turn.status != "interrupted":
            return None
        heard = turn.heard_ms or 0.0
        return {"heard": heard, "unheard": max(0.0, 1000 * turn.audio.duration - heard)}


@dataclasses.dataclass(frozen=True)
class Language:
    """Which language the answer is in, as "en" or "zh", by py3langid; with `expected`, whether it is that one.

    Parameters
    ----------
    expected
        None: the language itself is the figure.
    """

    expected: str | None = None
    name: str = "language"
    over: Over = _LAST
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        if not turn.transcript.strip():
            return None
        found = str(_library("py3langid", "Language").classify(turn.transcript)[0])
        return found if self.expected is None else found == self.expected


@dataclasses.dataclass(frozen=True)
class Loudness:
    """Integrated loudness of the answer by ITU-R BS.1770, LUFS, by pyloudnorm; nothing under 0.4 s has one."""

    name: str = "loudness"
    over: Over = _MEAN
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        clip = turn.audio
        if clip.duration < 0.4:
            return None
        meter = _library("pyloudnorm", "Loudness").Meter(clip.rate)
        found = float(meter.integrated_loudness(clip.samples.astype(np.float64) / PEAK))
        return found if found > _SILENT_LUFS else None


@dataclasses.dataclass(frozen=True)
class Pitch:
    """Median pitch of the answer's voice, Hz, by WORLD."""

    name: str = "pitch"
    over: Over = _MEAN
    parts: tuple[str, ...] = ()

    def __call__(self, turn: Turn, context: Context) -> Found:
        return pitch(turn.audio).median if turn.audio.duration else None
