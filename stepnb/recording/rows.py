"""`Rows`: a log as a table that grows, folded and filtered, of which any part can be had at once."""

from __future__ import annotations

import bisect
from collections import defaultdict
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from msgspec import Struct

from ..conversation.record import Record
from .folding import Fold, Folding
from .records import Index
from .redaction import readable

# Characters of a row's line, and of the words of a run that are put together to be read.
_LINE = 200
_TOGETHER = 20_000
# So many deltas fill a line.
_PIECES = 40


class Filter(Struct, frozen=True):
    """What is shown.

    Attributes
    ----------
    side
        "in", "out", "local", or "" for all.
    type
        A part of the type, or the whole of it with ``*`` and ``?``.
    text
        A part of the words, upper and lower case alike; of a run all words count together.
    fold
        Whether runs of deltas are one row.
    """

    side: str = ""
    type: str = ""
    text: str = ""
    fold: bool = True

    @property
    def pattern(self) -> str:
        """The type as a pattern."""
        wanted = self.type.strip().lower()
        return wanted if set(wanted) & set("*?[") else f"*{wanted}*"


class Rows:
    """The rows of a log.

    Parameters
    ----------
    index
        Where the records are.
    anchor
        When the log began, monotonic ns.

    Attributes
    ----------
    taken
        Records that have been taken in.
    """

    def __init__(self, index: Index, anchor: int, filter: Filter) -> None:
        self.filter = filter
        self.taken = 0
        self._index = index
        self._anchor = anchor
        self._folding = Folding(index, whole=not filter.fold)
        self._shown: list[int] = []
        self._texts: defaultdict[int, str] = defaultdict(str)  # of rows that do not match yet
        self._matches: dict[tuple[str, str], bool] = {}

    def update(self) -> None:
        """Take in what has come."""
        self._index.settle()
        new, self.taken = range(self.taken, len(self._index)), len(self._index)
        wanted = self.filter.text.casefold()
        for n in new:
            before = len(self._folding.rows)
            place = self._folding.take(n)
            if not self._named(n):
                continue
            if not wanted:
                if place == before:
                    self._shown.append(place)
            elif not self._is_shown(place):
                self._texts[place] += "" if self._silent(n) else self._index.record(n).text.casefold()
                if wanted in self._texts[place]:
                    del self._texts[place]
                    bisect.insort(self._shown, place)

    def _named(self, n: int) -> bool:
        side, kind = name = self._index.name(n)
        if name not in self._matches:
            wanted = self.filter
            self._matches[name] = wanted.side in ("", side) and fnmatchcase(kind.lower(), wanted.pattern)
        return self._matches[name]

    def _is_shown(self, place: int) -> bool:
        at = bisect.bisect_left(self._shown, place)
        return at < len(self._shown) and self._shown[at] == place

    def _silent(self, n: int) -> bool:
        """Whether a record is sound and nothing else: there is no need to read it."""
        return self._index.audio_bytes(n) > 0 and self._index.name(n)[1].endswith(("audio.delta", ".append"))

    def __len__(self) -> int:
        return len(self._shown)

    def window(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return some rows, for a page."""
        return [self._row(self._folding.rows[place]) for place in self._shown[start : start + count]]

    def _row(self, row: Fold) -> dict[str, Any]:
        first, last = row.numbers[0], row.numbers[-1]
        side, kind = self._index.name(first)
        return {
            "n": first,
            "at": self._seconds(first),
            "last": self._seconds(last),
            "side": side,
            "type": kind[:_LINE],
            "count": len(row),
            "bytes": row.wire,
            "audio_ms": round(row.audio / 48, 1),
            "text": "" if self._silent(first) else self._line(row),
        }

    def _seconds(self, n: int) -> float:
        return round((self._index.time(n) - self._anchor) / 1e9, 4)

    def _line(self, row: Fold) -> str:
        text = ""
        for record in self._index.records(row.numbers[:_PIECES]):
            text += record.text
            if len(row) == 1 and not text:
                text = _facts(record)
            if len(text) > _LINE:
                return text[:_LINE] + "…"
        return text

    def detail(self, n: int) -> dict[str, Any] | None:
        """Return all of a record to read, and the words of the run it begins; None where there is no such row."""
        rows = self._folding.rows
        place = bisect.bisect_right(rows, n, key=lambda row: row.numbers[0]) - 1
        if place < 0 or rows[place].numbers[0] != n:
            return None
        row, record = rows[place], self._index.record(n)
        together = ""
        if len(row) > 1 and not self._silent(n):
            for part in self._index.records(row.numbers):
                together += part.text
                if len(together) > _TOGETHER:
                    break
        return {
            **self._row(row),
            "json": readable(record),
            "together": together[:_TOGETHER],
            "repairs": list(record.repairs),
        }


def _facts(record: Record) -> str:
    """Return what there is to say of a record without words: the body of a local one, else the ids in it."""
    if record.data is not None:
        return msgspec.json.encode(record.data, enc_hook=repr).decode("utf-8", "replace")
    event = record.event
    ids = [getattr(event, "item_id", None), getattr(getattr(event, "item", None), "id", None)]
    ids += [getattr(event, "response_id", None), getattr(getattr(event, "response", None), "id", None)]
    return " ".join(dict.fromkeys(word for word in ids if word))
