"""Records and their lines: one fact of a log, in memory and as a line of JSON."""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from ..conversation.record import AudioRef, Lane, Record, Side
from .store import Blob

# Records are read from the log in stretches of this many bytes.
_STRETCH = 1 << 18


# What a record takes in memory beside its frame, bytes.
_ABOUT = 400

# msgspec takes no `Raw | None`.
_NO_FRAME = Raw()


class Line(Struct, omit_defaults=True):
    """A record as it is written: the frame stands in it as it is, so that other programs can read into it."""

    t: Annotated[int, Meta(ge=-(1 << 62), lt=1 << 62)]
    side: Side
    kind: str
    frame: Raw = _NO_FRAME
    cut: int = 0
    audio: tuple[Lane, Annotated[int, Meta(ge=-1)], Annotated[int, Meta(ge=0, lt=1 << 26)]] | None = None
    repairs: tuple[str, ...] = ()
    data: dict[str, Any] | None = None


_encode = msgspec.json.Encoder(enc_hook=repr).encode
_decode_line = msgspec.json.Decoder(Line).decode


def line_of(record: Record) -> bytes:
    """Return a record as a line of JSON, with its line feed."""
    frame, audio = record.skeleton, record.audio
    raw = _NO_FRAME
    if frame is not None:
        # What is not JSON, or spans lines, is written as a string. Nothing else here begins with a quote.
        verbatim = record.kind != "malformed" and frame[:1] == "{" and frame[-1:] == "}" and "\n" not in frame
        raw = Raw(frame.encode() if verbatim else _encode(frame))
    place = (audio.lane, audio.offset, audio.length) if audio else None
    return (
        _encode(Line(record.t, record.side, record.kind, raw, record.cut, place, record.repairs, record.data))
        + b"\n"
    )


def record_of(n: int, line: bytes) -> Record:
    """Return the record of a line.

    Raises
    ------
    msgspec.DecodeError
        The line is not one of a record.
    """
    read = _decode_line(line)
    skeleton = None
    if text := bytes(read.frame):
        skeleton = msgspec.json.decode(text, type=str) if text[:1] == b'"' else text.decode()
    if (read.side == "local") != (skeleton is None):
        raise msgspec.ValidationError("A frame or the lack of one does not fit the side.")
    audio = AudioRef(read.audio[1], read.audio[2], read.audio[0]) if read.audio else None
    return Record(n, read.t, read.side, read.kind, skeleton, read.cut, audio, read.data, read.repairs)


class Index:
    """Where each record stands in the lines, and what is asked of many records at once.

    A record costs 36 bytes of memory here; the rest of it is read when it is wanted. What is new is kept as it is until
    `settle` makes lines of it, once a second or when somebody wants to read, and not on the thread that appends.

    Only one thread appends. Any thread may settle and read: ``ends`` grows last, and its length is that of what can be
    read.

    Attributes
    ----------
    count
        Records, the new ones included: the number of the next one.
    """

    def __init__(self, lines: Blob) -> None:
        self.lines = lines
        self.count = 0
        self._new: deque[Record] = deque()
        self._new_bytes = 0
        self._settling = threading.Lock()
        self._ends = array("q")
        self._starts = array("q")
        self._times = array("q")
        self._kinds = array("I")
        self._audio = array("I")
        self._wire = array("I")
        self._names: list[tuple[Side, str]] = []
        self._numbers: dict[tuple[Side, str], int] = {}

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def waiting(self) -> int:
        """Bytes that are in memory only, about."""
        return self.lines.waiting + self._new_bytes

    def append(self, record: Record) -> None:
        """Take in a new record."""
        self._new.append(record)
        self._new_bytes += _ABOUT + len(record.skeleton or "")
        self.count += 1

    def settle(self) -> None:
        """Make lines of what is new."""
        with self._settling:
            if not self._new:
                return
            self._new_bytes = 0  # what comes meanwhile may be left out of the estimate once
            records = [self._new.popleft() for _ in range(len(self._new))]
            lines = [line_of(record) for record in records]
            start = self.lines.append(b"".join(lines))
            for record, line in zip(records, lines, strict=True):
                self._place(record, start, len(line))
                start += len(line)

    def add(self, record: Record, start: int, length: int) -> None:
        """Take in a record whose line stands at start already."""
        self.count += 1
        self._place(record, start, length)

    def _place(self, record: Record, start: int, length: int) -> None:
        name = (record.side, record.kind)
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        self._starts.append(start)
        self._times.append(record.t)
        self._kinds.append(number)
        self._audio.append(record.audio.length if record.audio else 0)
        self._wire.append(_on_the_wire(record))
        self._ends.append(start + length)

    @property
    def end(self) -> int:
        """Where the last record ends."""
        return self._ends[-1] if self._ends else 0

    def time(self, n: int) -> int:
        return self._times[n]

    def name(self, n: int) -> tuple[Side, str]:
        """Return side and kind of a record."""
        return self._names[self._kinds[n]]

    def audio_bytes(self, n: int) -> int:
        return self._audio[n]

    def wire_bytes(self, n: int) -> int:
        """Return the length of a frame as it was sent or came; 0 of a local record."""
        return self._wire[n]

    def columns(self) -> tuple[array[int], array[int], array[int]]:
        """Return copies of every record's time in ns, number of its name in `names`, and bytes of audio."""
        n = len(self)
        return self._times[:n], self._kinds[:n], self._audio[:n]

    def record(self, n: int) -> Record:
        start = self._starts[n]
        return record_of(n, self.lines.read(start, self._ends[n] - start))

    def records(self, numbers: Iterable[int]) -> Iterator[Record]:
        """Yield records; neighbours are read together."""
        stretch, begin = b"", 0
        for n in numbers:
            start, end = self._starts[n], self._ends[n]
            if start < begin or end > begin + len(stretch):
                begin = start
                stretch = self.lines.read(start, max(_STRETCH, end - start))
            yield record_of(n, stretch[start - begin : end - begin])

    def named(self, numbers: Sequence[int], names: set[tuple[Side, str]]) -> list[int]:
        """Return those of the numbers whose side and kind is among the names."""
        wanted = {self._numbers[name] for name in names}
        kinds = self._kinds
        return [n for n in numbers if kinds[n] in wanted]

    @property
    def names(self) -> list[tuple[Side, str]]:
        """Every side and kind there is."""
        return list(self._names)


def _on_the_wire(record: Record) -> int:
    if record.skeleton is None:
        return 0
    # As base64, four characters for three bytes; a negative cut says that it is in the skeleton.
    audio = (record.audio.length + 2) // 3 * 4 if record.audio is not None and record.cut >= 0 else 0
    return min(len(record.skeleton.encode("utf-8", "surrogatepass")) + audio, 0xFFFF_FFFF)
