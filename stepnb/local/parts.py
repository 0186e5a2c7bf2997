"""The three exchangeable parts of the local engine: ears, mouth and brain.

The engine knows only these protocols. ``ears.SphinxEars``, ``mouth.EspeakMouth`` and ``brain.RuleBrain`` are the parts
that come with stepnb; any object with the same methods can take their place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Language = Literal["en", "zh"]
Role = Literal["user", "assistant", "tool"]

SAMPLE_RATE = 24_000
"""Hz of all audio that goes into ears and comes out of mouths: PCM16LE, mono."""

# A sentence ends at its closing punctuation (with any closing quotes), but "3.5" and "U.S. time" are no ends: a Latin
# mark counts only before white space and a new beginning. Chinese marks need no space.
_SENTENCE_END = re.compile(
    r"""(?<=[.!?…]["'”’)])\s+(?=\S)|(?<=[.!?…])\s+(?=\S)|(?<=[。！？；])(?![”’」）])\s*(?=\S)|\n+"""
)


def split_sentences(text: str) -> tuple[str, ...]:
    """Cut a text into the sentences a mouth speaks one by one.

    Parameters
    ----------
    text
        English, Chinese or mixed text.

    Returns
    -------
    tuple of str
        The sentences without surrounding white space; none of them is empty.
    """
    return tuple(part.strip() for part in _SENTENCE_END.split(text) if part and part.strip())


@dataclass(frozen=True, slots=True)
class Heard:
    """What the ears made of one utterance.

    Attributes
    ----------
    text
        Lower-case words without punctuation; empty when nothing was recognised.
    confidence
        0 to 1. How far the recogniser preferred this text to its own alternatives, not the chance of being right.
    """

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How the mouth is to sound.

    Attributes
    ----------
    english, mandarin
        The speech engine's voice for English and for Chinese text.
    variant
        The speaker: a voice variant such as ``"f3"`` or ``"m1"``; empty for the voice's own.
    pitch
        0 to 99; 50 is the variant's own pitch.
    pitch_range
        0 (monotone) to 99 (lively); 50 is usual.
    rate
        Words a minute, 80 to 450.
    volume
        0 to 200; 100 is usual.
    """

    english: str = "en-us"
    mandarin: str = "cmn"
    variant: str = ""
    pitch: int = 50
    pitch_range: int = 50
    rate: int = 175
    volume: int = 100

    def __post_init__(self) -> None:
        for name, low, high in (
            ("pitch", 0, 99),
            ("pitch_range", 0, 99),
            ("rate", 80, 450),
            ("volume", 0, 200),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be between {low} and {high}, not {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier contribution to the conversation, as text (speech by its transcript)."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainRequest:
    """Everything an answer may depend on; the brain has no other source, neither clock nor chance.

    Attributes
    ----------
    history
        The conversation, oldest first. The last user message is what is to be answered.
    instructions
        The session's (or the response's) instructions; may be empty.
    now
        The moment of the question, local time.
    seed
        Decides between equally good answers.
    model
        The model the session asked for.
    modalities
        What the answer will be: ``("text", "audio")`` or ``("text",)``.
    tools
        Tool specifications as the client sent them. ``RuleBrain`` calls no tools yet.
    """

    history: tuple[Message, ...]
    now: datetime
    instructions: str = ""
    seed: int = 0
    model: str = ""
    modalities: tuple[str, ...] = ("text", "audio")
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainReply:
    """The answer.

    Attributes
    ----------
    text
        What is said; never empty.
    language
        The language of most of it.
    """

    text: str
    language: Language

    @property
    def sentences(self) -> tuple[str, ...]:
        """The text, cut into what the mouth speaks one by one."""
        return split_sentences(self.text)


class Ears(Protocol):
    """Speech in, text out."""

    async def hear(self, pcm: bytes) -> Heard:
        """Recognise one utterance: PCM16LE mono 24 kHz."""
        ...

    async def close(self) -> None:
        """Let go of everything; nothing may be heard afterwards."""
        ...


class Mouth(Protocol):
    """Text in, speech out."""

    async def speak(self, text: str, voice: VoiceSettings) -> bytes:
        """Speak one sentence: PCM16LE mono 24 kHz, empty when there is nothing to pronounce."""
        ...

    async def close(self) -> None:
        """Let go of everything; nothing may be spoken afterwards."""
        ...


class Brain(Protocol):
    """A conversation in, an answer out. Pure: the same request gives the same reply."""

    def reply(self, request: BrainRequest) -> BrainReply:
        """Answer the last user message of ``request.history``."""
        ...
