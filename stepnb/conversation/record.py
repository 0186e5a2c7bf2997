"""`Record`: one fact of the log, and `AudioRef`: where its audio lies. What the conversation is derived from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ..protocol.codec import AnyEvent, decode

Side = Literal["in", "out", "local"]
Lane = Literal["input", "output"]
NOT_KEPT = -1


class AudioRef(Struct, frozen=True, gc=False):
    """A stretch of PCM16LE, mono, 24 kHz in an `AudioStore`.

    Attributes
    ----------
    offset, length
        Bytes; the offset is negative when the audio was not kept.
    lane
        "input" is what was sent to the service, "output" what came from it.
    """

    offset: int
    length: int
    lane: Lane

    @property
    def kept(self) -> bool:
        return self.offset >= 0

    def part(self, first: int, last: int) -> AudioRef:
        """Return the stretch between two places in this one, bytes."""
        return AudioRef(self.offset + first if self.kept else NOT_KEPT, last - first, self.lane)

    def followed_by(self, other: AudioRef) -> bool:
        """Whether the other begins where this one ends, so that they are one stretch."""
        if self.lane != other.lane or self.kept != other.kept:
            return False
        return not self.kept or self.offset + self.length == other.offset


def joined(refs: Sequence[AudioRef]) -> list[AudioRef]:
    """Return the same audio in as few stretches as possible."""
    stretches: list[AudioRef] = []
    for ref in refs:
        if stretches and stretches[-1].followed_by(ref):
            last = stretches[-1]
            stretches[-1] = AudioRef(last.offset, last.length + ref.length, ref.lane)
        else:
            stretches.append(ref)
    return stretches


class Record(Struct, frozen=True, gc=False):
    """One fact.

    Attributes
    ----------
    n
        Its place in the log.
    t
        Monotonic time, ns.
    side
        "in" (from the service), "out" (to it) or "local".
    kind
        The wire type of a frame, or the kind of a local record.
    skeleton
        The frame without its audio, None for local records.
    cut
        Where in ``skeleton`` the base64 text of ``audio`` belongs; negative when the text is still in it.
    audio
        The audio of the frame.
    data
        The body of a local record.
    repairs
        What had to be repaired to understand the frame.
    """

    n: int
    t: int
    side: Side
    kind: str
    skeleton: str | None = None
    cut: int = 0
    audio: AudioRef | None = None
    data: dict[str, Any] | None = None
    repairs: tuple[str, ...] = ()

    @property
    def event(self) -> AnyEvent | None:
        """The event of a frame, with an empty string where its audio was; None for local records."""
        return None if self.skeleton is None else decode(self.skeleton).event

    @property
    def text(self) -> str:
        """What the record says to people: the words in it, without names, ids and numbers."""
        body = self.data
        if self.skeleton is not None:
            try:
                body = msgspec.json.decode(self.skeleton)
            except msgspec.DecodeError:
                return self.skeleton
        return " ".join(word for word in _words(body) if word)


_WORDS = {
    "text",
    "transcript",
    "delta",
    "thinking",
    "arguments",
    "output",
    "message",
    "reason",
    "fix",
    "instructions",
}


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                if key in _WORDS:
                    yield inner
            else:
                yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
