"""Items, responses and turns as the log tells them. Plain records; `Conversation` alone changes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import StepnbError
from .finish import FinishReason
from .record import AudioRef

TurnStatus = Literal["pending", "active", "completed", "interrupted", "failed"]
TurnKind = Literal["text", "clip", "speech", "greeting", "unasked"]
ToolStatus = Literal[
    "arriving", "ready", "awaiting approval", "running", "completed", "failed", "denied", "cancelled"
]

BYTES_PER_MS = 48


@dataclass(slots=True)
class ItemState:
    """A conversation item.

    Attributes
    ----------
    text, thinking
        What was written or said, and thought, so far.
    audio
        Where its audio lies in the store; ``audio_bytes`` is the sum of the lengths.
    marks
        (characters, bytes): the text after that many characters arrived when that much audio had come. They tie the
        playhead to the text.
    played_ms
        How much of it was really rendered, ms; None until a player reports.
    whole
        ("text" or "thinking", content index) of what is complete: a delta that comes late adds nothing.
    """

    id: str
    role: str | None = None
    type: str | None = None
    response: str | None = None
    status: str | None = None
    text: str = ""
    thinking: str = ""
    audio: list[AudioRef] = field(default_factory=list)
    audio_bytes: int = 0
    audio_done: bool = False
    marks: list[tuple[int, int]] = field(default_factory=list)
    played_ms: float | None = None
    whole: set[tuple[str, int]] = field(default_factory=set)

    @property
    def audio_ms(self) -> float:
        return self.audio_bytes / BYTES_PER_MS

    def words(self) -> list[tuple[int, float]]:
        """Return when each word has been spoken: (characters of ``text`` up to its end, ms of the item's audio)."""
        knots = [*self.marks, (len(self.text), self.audio_bytes)]
        found: list[tuple[int, float]] = []
        chars_before, bytes_before = 0, 0
        for chars, size in knots:
            for end in range(chars_before + 1, min(chars, len(self.text)) + 1):
                if _ends_word(self.text, end):
                    share = (end - chars_before) / (chars - chars_before)
                    found.append((end, (bytes_before + share * (size - bytes_before)) / BYTES_PER_MS))
            chars_before, bytes_before = chars, size
        return found

    def heard_chars(self) -> int | None:
        """How much of ``text`` had been spoken at the playhead, in whole words; characters, None when not known."""
        if self.played_ms is None:
            return None
        if self.played_ms >= self.audio_ms - 1:
            return len(self.text)
        return max((end for end, ms in self.words() if ms <= self.played_ms), default=0)


def _ends_word(text: str, end: int) -> bool:
    """Whether a word ends before character ``end``. Mandarin has no spaces, and every character counts."""
    if end == len(text):
        return True
    return not text[end - 1].isspace() and not (_latin(text[end - 1]) and _latin(text[end]))


def _latin(character: str) -> bool:
    return character.isalnum() and ord(character) < 0x2E80


@dataclass(slots=True)
class ToolCallState:
    """A call of a function by the model.

    Attributes
    ----------
    arriving
        The arguments as far as they came, for display; ``final_arguments`` are those that count.
    output
        What the model is told, None until there is something.
    sent
        Whether the output is on its way to the service.
    started, finished
        Monotonic times in ns.
    """

    call_id: str
    name: str = ""
    item: str | None = None
    arriving: str = ""
    final_arguments: str | None = None
    status: ToolStatus = "arriving"
    output: str | None = None
    error: str | None = None
    sent: bool = False
    started: int | None = None
    finished: int | None = None

    @property
    def arguments(self) -> str:
        return self.arriving if self.final_arguments is None else self.final_arguments

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "failed", "denied", "cancelled")

    @property
    def duration_ms(self) -> float | None:
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started) / 1e6


@dataclass(slots=True)
class ResponseState:
    """One response of the service.

    Attributes
    ----------
    finish_reason
        Why it ended; None while it runs, and where it failed.
    discarded
        Set once a barge-in made its audio unwanted.
    calls
        The functions it calls, by call id.
    """

    id: str
    turn: int | None
    status: str = "in_progress"
    status_details: dict[str, Any] | str | None = None
    finish_reason: FinishReason | None = None
    items: list[str] = field(default_factory=list)
    usage: dict[str, Any] | None = None
    discarded: bool = False
    calls: dict[str, ToolCallState] = field(default_factory=dict)


@dataclass(slots=True)
class TurnState:
    """One input and everything the service made of it.

    Attributes
    ----------
    stamps
        Monotonic times in ns, by the names of `Stamps`. Missing ones never happened.
    """

    id: int
    kind: TurnKind
    status: TurnStatus = "pending"
    text: str | None = None
    item: str | None = None
    input_audio: list[AudioRef] = field(default_factory=list)
    user_transcript: str | None = None
    transcript_final: bool = False
    responses: list[str] = field(default_factory=list)
    error: StepnbError | None = None
    cut_ms: float | None = None
    stamps: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "interrupted", "failed")

    @property
    def written(self) -> bool:
        """Whether its words are known before the service tells what it heard."""
        return self.kind in ("text", "greeting")

    def stamp(self, name: str, t: int) -> None:
        """Note when something first happened."""
        self.stamps.setdefault(name, t)
