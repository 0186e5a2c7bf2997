"""Faults in what is sent: each makes something else of a session's frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

from stepnb.errors import ConfigError
from stepnb.local.faults.spec import Fault, Occasion, Ordinal, Seconds
from stepnb.local.outbox import CLOSE_CODES, Entry, Hangup, Pause
from stepnb.protocol.events import ALIASES, SERVER_EVENTS

CUT_OFF = 1006
"""The close code that stands for a connection without a goodbye."""

AUDIO = "response.audio.delta"
ANSWER = "response."
TRANSCRIPT = "conversation.item.input_audio_transcription."


class Passing(NamedTuple):
    """A frame on its way out that meets a fault.

    Attributes
    ----------
    frame
        Its text, perhaps changed by another fault.
    event
        What it says, as the session meant it.
    nth
        Its place among the frames of its type since the fault struck, from 1.
    random
        Chance that follows from the engine's seed.
    """

    frame: str
    event: dict[str, Any]
    nth: int
    random: Random


@dataclass(frozen=True, slots=True)
class Later:
    """A frame that comes later; those behind it do not wait."""

    seconds: float
    frame: str


Sent = Sequence[Entry | Later]


@dataclass(frozen=True, kw_only=True, repr=False)
class FrameFault(Fault):
    """A fault that changes what is sent."""

    def scope(self) -> str:
        """Return on what it strikes: its `occasion`, or frames of one type."""
        return self.occasion

    def apply(self, passing: Passing) -> Sent:
        """Return what is sent in place of a frame; of a response's fault, the frame itself if it is not meant."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, repr=False)
class AtFrame(FrameFault):
    """A fault at one frame of an answer, or at an event beside the answers.

    Attributes
    ----------
    at
        The frame's type. Where it is none of an answer's, every frame of this type is an occasion.
    nth
        Its place among the answer's frames of this type, from 1.
    """

    occasion: ClassVar[Occasion] = "response"

    at: str = AUDIO
    nth: Ordinal = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if ALIASES.get(self.at, self.at) not in SERVER_EVENTS:
            raise ConfigError(
                f"The service sends no event {self.at!r}.", fix="Write a type such as response.audio.delta."
            )

    def scope(self) -> str:
        """Return on what it strikes."""
        return self.occasion if self.at.startswith(ANSWER) else self.at

    def apply(self, passing: Passing) -> Sent:
        """Return what is sent in place of a frame."""
        meant = passing.event["type"] == self.at and (passing.nth == self.nth or self.scope() == self.at)
        return self.instead(passing) if meant else [passing.frame]

    def instead(self, passing: Passing) -> Sent:
        """Return what is sent in place of the one that is meant."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, repr=False)
class Close(AtFrame):
    """The connection ends in the middle of an answer.

    Attributes
    ----------
    code
        Of the close frame; 1006 cuts the connection off without one.
    reason
        Of the close frame, at most 123 bytes.
    """

    code: int = 1011
    reason: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.code not in CLOSE_CODES | {CUT_OFF} or len(self.reason.encode()) > 123:
            raise ConfigError(
                f"A close frame cannot have the code {self.code} and the reason {self.reason[:140]!r}.",
                fix="Write 1000 to 1003, 1007 to 1014 or 3000 to 4999, or 1006 for none, and a short reason.",
            )

    def instead(self, passing: Passing) -> Sent:
        """Return the end."""
        return [Hangup(self.code, self.reason)]


@dataclass(frozen=True, kw_only=True, repr=False)
class Stall(AtFrame):
    """Nothing is sent for a while in the middle of an answer, then everything that has gathered.

    Attributes
    ----------
    seconds
        How long.
    """

    seconds: Seconds = 5.0

    def instead(self, passing: Passing) -> Sent:
        """Return a pause and the frame."""
        return [Pause(self.seconds), passing.frame]


@dataclass(frozen=True, kw_only=True, repr=False)
class Jitter(FrameFault):
    """An audio delta comes late, and everything behind it waits.

    Attributes
    ----------
    seconds
        The longest delay; each is between 0 and it.
    """

    occasion: ClassVar[Occasion] = "audio delta"

    seconds: Seconds = 0.2

    def apply(self, passing: Passing) -> Sent:
        """Return a pause and the frame."""
        return [Pause(passing.random.uniform(0, self.seconds)), passing.frame]


@dataclass(frozen=True, kw_only=True, repr=False)
class TranscriptOnly(FrameFault):
    """An answer comes without its audio: the transcript is there, every ``response.audio.delta`` is missing."""

    occasion: ClassVar[Occasion] = "response"

    def apply(self, passing: Passing) -> Sent:
        """Drop the audio."""
        return [] if passing.event["type"] == AUDIO else [passing.frame]


@dataclass(frozen=True, kw_only=True, repr=False)
class MissingTranscript(FrameFault):
    """What the user said is not transcribed for the client; the answer comes all the same."""

    occasion: ClassVar[Occasion] = "transcript"

    def apply(self, passing: Passing) -> Sent:
        """Drop the transcript."""
        return []


@dataclass(frozen=True, kw_only=True, repr=False)
class LateTranscript(FrameFault):
    """The transcript of what the user said comes late, perhaps after the answer.

    Attributes
    ----------
    seconds
        How late.
    """

    occasion: ClassVar[Occasion] = "transcript"

    seconds: Seconds = 3.0

    def apply(self, passing: Passing) -> Sent:
        """Hold it back."""
        return [Later(self.seconds, passing.frame)]


@dataclass(frozen=True, kw_only=True, repr=False)
class FailedTranscript(FrameFault):
    """In place of a transcript comes ``input_audio_transcription.failed``; the answer comes all the same."""

    occasion: ClassVar[Occasion] = "transcript"

    def apply(self, passing: Passing) -> Sent:
        """Turn its end into a failure."""
        if not passing.event["type"].endswith(".completed"):
            return []
        event = {key: value for key, value in passing.event.items() if key != "transcript"}
        error = {"type": "server_error", "code": "transcription_failed", "message": "the ears failed"}
        return [_text(event | {"type": f"{TRANSCRIPT}failed", "error": error})]


@dataclass(frozen=True, kw_only=True, repr=False)
class DuplicateTerminal(AtFrame):
    """The event that ends an answer comes twice."""

    at: str = "response.done"
    nth: Ordinal = 1

    def instead(self, passing: Passing) -> Sent:
        """Return the frame twice."""
        return [passing.frame, passing.frame]


@dataclass(frozen=True, kw_only=True, repr=False)
class UnknownType(AtFrame):
    """An event of a type that no documentation of this API has comes in the middle of an answer.

    Attributes
    ----------
    type
        The event's.
    """

    nth: Ordinal = 1
    type: str = "response.raw_text.delta"

    def instead(self, passing: Passing) -> Sent:
        """Return the event and the frame."""
        event = {"type": self.type, "event_id": f"odd_{passing.random.getrandbits(48):012x}", "delta": "?"}
        return [_text(event), passing.frame]


@dataclass(frozen=True, kw_only=True, repr=False)
class OddTypes(FrameFault):
    """The fields of a frame have odd types: whole numbers come as text, empty lists and objects as null."""

    occasion: ClassVar[Occasion] = "frame"

    def apply(self, passing: Passing) -> Sent:
        """Return the frame with other types."""
        return [_text(_odd(msgspec.json.decode(passing.frame)))]


@dataclass(frozen=True, kw_only=True, repr=False)
class OversizedFrame(AtFrame):
    """A frame is larger than many WebSocket libraries allow by default (1 MiB); what is too much is white space.

    Attributes
    ----------
    bytes
        Its size.
    """

    bytes: Annotated[int, Meta(ge=1, le=64 * 1024 * 1024)] = 2 * 1024 * 1024

    def instead(self, passing: Passing) -> Sent:
        """Return the frame with the space before its last brace."""
        frame = passing.frame
        return [frame[:-1] + " " * (self.bytes - len(frame.encode())) + frame[-1]]


@dataclass(frozen=True, kw_only=True, repr=False)
class TruncatedBase64(AtFrame):
    """The text of an audio delta ends in the middle of a base64 group, so that it cannot be decoded."""

    def instead(self, passing: Passing) -> Sent:
        """Return the frame without the end of its text."""
        event = msgspec.json.decode(passing.frame)
        event["delta"] = event["delta"].rstrip("=")[:-3]
        return [_text(event)]


def _text(event: dict[str, Any]) -> str:
    return msgspec.json.encode(event).decode()


def _odd(value: Any) -> Any:
    match value:
        case {} | [] if not value:
            return None
        case dict():
            return {key: _odd(inner) for key, inner in value.items()}
        case list():
            return [_odd(inner) for inner in value]
        case int() if not isinstance(value, bool):
            return str(value)
    return value
