"""Folding: runs of deltas, of which there are hundreds an answer, as one row each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from ..conversation.record import Side
from .records import Index

_QUIET = {("local", "playhead")}


class Fold:
    """One record, or a run of records of one side and type.

    Attributes
    ----------
    numbers
        The records.
    audio
        Bytes of audio in them.
    wire
        Bytes they took on the wire.
    """

    __slots__ = ("audio", "numbers", "wire")

    def __init__(self, n: int) -> None:
        self.numbers = array("Q", (n,))
        self.audio = 0
        self.wire = 0

    def __len__(self) -> int:
        return len(self.numbers)


class Folding:
    """Puts records into rows, one after the other.

    Audio and transcript deltas alternate, so a run ends only with an event that is no delta or append.

    Parameters
    ----------
    index
        Where the records are.
    whole
        No folding: every record is a row.
    """

    def __init__(self, index: Index, *, whole: bool = False) -> None:
        self.rows: list[Fold] = []
        self._index = index
        self._whole = whole
        self._open: dict[tuple[Side, str], int] = {}

    def take(self, n: int) -> int:
        """Take in a record; return the place of its row."""
        name = self._index.name(n)
        if self._whole or not (name[1].endswith((".delta", ".append")) or name in _QUIET):
            self._open.clear()
            place = len(self.rows)
        else:
            place = self._open.setdefault(name, len(self.rows))
        if place == len(self.rows):
            self.rows.append(Fold(n))
        else:
            self.rows[place].numbers.append(n)
        row = self.rows[place]
        row.audio += self._index.audio_bytes(n)
        row.wire += self._index.wire_bytes(n)
        return place


def folded(index: Index, numbers: Iterable[int]) -> list[Fold]:
    """Return the rows of these records."""
    folding = Folding(index)
    for n in numbers:
        folding.take(n)
    return folding.rows
