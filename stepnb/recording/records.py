"""Records and their lines: one fact of a log, in memory and as a line of JSON."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from ..conversation.record import AudioRef, Lane, Record, Side
from ..protocol.codec import AUDIO_FIELD
from .store import Blob

# Records are read from the log in stretches of this many bytes.
_STRETCH = 1 << 18


# Lines that are joined into one piece: few enough that they are still in the processor's cache when it is written.
_TOGETHER = 256
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
    frame, audio, kind = record.skeleton, record.audio, record.kind
    raw = _NO_FRAME
    if frame is not None:
        # What is not JSON, or spans lines, is written as a string. Nothing else here begins with a quote.
        verbatim = kind != "malformed" and frame[:1] == "{" and frame[-1:] == "}" and "\n" not in frame
        if verbatim and audio is not None and kind in AUDIO_FIELD and not record.repairs:
            # Nearly all of the traffic: the same line as below, in half the time.
            sound = f'["{audio.lane}",{audio.offset},{audio.length}]'
            return (
                f'{{"t":{record.t},"side":"{record.side}","kind":"{kind}",'
                f'"frame":{frame},"cut":{record.cut},"audio":{sound}}}\n'
            ).encode()
        raw = Raw(frame.encode() if verbatim else _encode(frame))
    place = (audio.lane, audio.offset, audio.length) if audio else None
    return (
        _encode(Line(record.t, record.side, kind, raw, record.cut, place, record.repairs, record.data))
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
    `write_down` makes lines of it, once a second and not on the thread that appends. Lines are looked at by `settle`,
    when somebody wants to read: most sessions are not read while they run.

    Only one thread appends. Any thread may settle and read: ``ends`` grows last, and its length is that of what can be
    read.

    Attributes
    ----------
    lines
        The records as lines of JSON.
    count
        Records, the new ones included: the number of the next one.
    waiting
        Bytes that are in memory only, about.
    """

    def __init__(self, lines: Blob) -> None:
        self.lines = lines
        self.count = 0
        self.waiting = 0
        self._new: list[Record] = []
        self._settling = threading.RLock()
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

    def append(self, record: Record) -> None:
        """Take in a new record."""
        self._new.append(record)
        self.waiting += _ABOUT + len(record.skeleton or "")
        self.count += 1

    def write_down(self) -> None:
        """Make lines of what is new."""
        with self._settling:
            count = len(self._new)
            for first in range(0, count, _TOGETHER):
                records = self._new[first : min(first + _TOGETHER, count)]
                self.lines.append(b"".join([line_of(record) for record in records]))
            del self._new[:count]

    def settle(self) -> None:
        """Look at the lines that are new."""
        with self._settling:
            count = self.count
            self.write_down()
            while len(self) < count:
                start = self.end
                for line in self._lines_from(start):
                    self._place(_decode_line(line), start, len(line) + 1)
                    start += len(line) + 1

    def _lines_from(self, start: int) -> list[bytes]:
        """Return some of the lines from a place on, of which there is one at least."""
        length = _STRETCH
        while True:
            *lines, _ = self.lines.read(start, length).split(b"\n")
            if lines:
                return lines
            length *= 2

    def add(self, line: bytes, start: int) -> Record:
        """Take in a line that stands at start already, with its line feed; return its record.

        Raises
        ------
        msgspec.DecodeError, UnicodeDecodeError
            The line is not one of a record.
        """
        record = record_of(self.count, line)
        self._place(_decode_line(line), start, len(line))
        self.count += 1
        return record

    def _place(self, line: Line, start: int, length: int) -> None:
        name = (line.side, line.kind)
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
        self._starts.append(start)
        self._times.append(line.t)
        self._kinds.append(number)
        self._audio.append(line.audio[2] if line.audio else 0)
        self._wire.append(_on_the_wire(line))
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


def _on_the_wire(line: Line) -> int:
    frame = bytes(line.frame)
    if frame[:1] == b'"':
        frame = msgspec.json.decode(frame, type=str).encode()
    # As base64, four characters for three bytes; a negative cut says that it is in the skeleton.
    audio = (line.audio[2] + 2) // 3 * 4 if line.audio and line.cut >= 0 else 0
    return min(len(frame) + audio, 0xFFFF_FFFF)
