"""The exchangeable parts of the local engine: ears, mouth, brain and voice activity detection.

The engine knows only these protocols. ``ears.SphinxEars``, ``mouth.EspeakMouth``, ``brain.RuleBrain`` and
``audio.vad.EnergyVAD`` are the parts that come with stepnb; any object with the same methods can take their place.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from stepnb.audio.vad import SpeechEvent

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


def separated(before: str, sentence: str) -> str:
    """Return a sentence with the space that parts it from the one before: Chinese ones follow each other without."""
    return (
        sentence
        if not before or "\u3000" <= before[-1] <= "\u9fff" or "\uff00" <= before[-1] <= "\uffef"
        else f" {sentence}"
    )


def join_sentences(sentences: Sequence[str]) -> str:
    """Put sentences together again."""
    return "".join(map(separated, ("", *sentences), sentences))


@dataclass(frozen=True, slots=True)
class Heard:
    """What the ears made of one utterance.

    Attributes
    ----------
    text
        As the ears write it, perhaps in lower case and without punctuation; empty when nothing was recognised.
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
class ToolCall:
    """A function the client is asked to call.

    Attributes
    ----------
    name
        The function's name, one of the session's tools.
    arguments
        A JSON object as text.
    call_id
        What its output refers to. Empty in a brain's reply: the engine gives it.
    """

    name: str
    arguments: str
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One earlier contribution to the conversation.

    Attributes
    ----------
    role
        ``tool`` is the output of a call.
    text
        Speech by its transcript; the output of a call as the client gave it.
    calls
        The calls the assistant made here.
    call_id
        The call whose output this is.
    """

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainRequest:
    """Everything an answer may depend on; the brain has no other source, neither clock nor chance.

    Attributes
    ----------
    history
        The conversation, oldest first. What is to be answered is the last user message, or the outputs of tools after
        it.
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
        Specifications of the tools that may be used now, as the client sent them.
    tool_choice
        ``"auto"`` or ``"required"``; the latter is a wish, which the service does not enforce either.
    thinking
        Whether the model thinks before it answers, in words the client may show but never speaks.
    """

    history: tuple[Message, ...]
    now: datetime
    instructions: str = ""
    seed: int = 0
    model: str = ""
    modalities: tuple[str, ...] = ("text", "audio")
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str = "auto"
    thinking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainReply:
    """The answer.

    Attributes
    ----------
    text
        What is said, before the calls if there are any; empty only beside calls.
    language
        The language of most of it.
    calls
        The tools to call; the answer to their outputs is a reply of its own.
    thinking
        The thoughts behind the answer; empty for none.
    """

    text: str
    language: Language
    calls: tuple[ToolCall, ...] = ()
    thinking: str = ""

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
        """Answer the end of ``request.history``. Called on a worker thread."""
        ...


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the thoughts behind an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer, to be spoken or written."""

    text: str


Piece = Thought | Sentence | ToolCall
"""What an answer comes in. Thoughts that come after the first sentence are not shown."""


@runtime_checkable
class StreamingBrain(Protocol):
    """A brain whose answer is spoken while the rest of it is still being made."""

    def stream(self, request: BrainRequest) -> AsyncGenerator[Piece]:
        """Answer the end of ``request.history``, piece by piece; closed early when the answer is interrupted."""
        ...

    async def close(self) -> None:
        """Let go of everything; nothing may be asked afterwards."""
        ...


class VAD(Protocol):
    """Voice activity detection on a clock of samples; `stepnb.audio.vad.EnergyVAD` says what each member means."""

    def update(
        self,
        *,
        prefix_padding_ms: int | None = None,
        silence_duration_ms: int | None = None,
        energy_awakeness_threshold: int | None = None,
    ) -> None:
        """Change parameters from the next frame on."""
        ...

    def feed(self, pcm: bytes) -> list[SpeechEvent]:
        """Take PCM16LE mono 24 kHz in and tell what it started and stopped."""
        ...

    def clear(self) -> None:
        """Forget the utterance in progress; the clock runs on."""
        ...
