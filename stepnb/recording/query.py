"""`Events`: records to filter, fold, tabulate and look at."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal, overload

from ..conversation.record import Record
from ..errors import ConfigError
from ..optional import library
from .folding import Fold, folded
from .records import Index

_ARROW = {"in": "←", "out": "→", "local": "·"}
_SIDES = ("in", "out", "local")
_SHOWN = 200
_COLUMNS = ("n", "seconds", "time", "side", "type", "item", "response", "text", "audio_ms", "frame")


class Events(Sequence[Record]):
    """Records of a log, in order.

    Parameters
    ----------
    index
        Where the records are.
    started, anchor
        When the log began: wall-clock time, and the same moment in monotonic ns.
    numbers
        Which records, None for all of the log as it grows.
    """

    def __init__(
        self, index: Index, started: datetime, anchor: int, numbers: Sequence[int] | None = None
    ) -> None:
        self.started = started
        self.anchor = anchor
        self._index = index
        self._chosen = numbers

    @property
    def _numbers(self) -> Sequence[int]:
        if self._chosen is not None:
            return self._chosen
        self._index.settle()
        return range(len(self._index))

    def filter(
        self,
        *,
        side: Literal["in", "out", "local"] | None = None,
        type: str | None = None,
        text: str | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> Events:
        """Choose records; every condition that is given must hold.

        Parameters
        ----------
        side
            "in" (from the service), "out" (to it) or "local" (what the page, the session and the connection did).
        type
            A wire name or the kind of a local record; ``*`` and ``?`` stand for any characters: "response.*.delta".
        text
            Words in what was said or written, upper and lower case alike.
        since, until
            Seconds from the beginning of the log; `until` itself is left out.

        Raises
        ------
        ConfigError
            Another side.
        """
        if side is not None and side not in _SIDES:
            raise ConfigError(f"side is {side!r}.", fix="Write side='in', 'out' or 'local'.")
        numbers = self._numbers
        if side is not None or type is not None:
            names = {
                name
                for name in self._index.names
                if side in (None, name[0]) and (type is None or fnmatchcase(name[1], type))
            }
            numbers = self._index.named(numbers, names)
        if since is not None or until is not None:
            first = self.anchor + (since or 0) * 1e9 if since is not None else float("-inf")
            last = self.anchor + until * 1e9 if until is not None else float("inf")
            numbers = [n for n in numbers if first <= self._index.time(n) < last]
        if text is not None:
            wanted = text.casefold()
            numbers = [r.n for r in self._index.records(numbers) if wanted in r.text.casefold()]
        return Events(self._index, self.started, self.anchor, list(numbers))

    def folded(self) -> list[tuple[Record, int, int]]:
        """Return (first record, count, bytes of audio) with runs of the same frame type from the same side folded.

        Audio and transcript deltas alternate, so a run ends only with an event that is no delta or append.
        """
        rows = self._folds()
        firsts = self._index.records(row.numbers[0] for row in rows)
        return [(first, len(row), row.audio) for first, row in zip(firsts, rows, strict=True)]

    def _folds(self) -> list[Fold]:
        return folded(self._index, self._numbers)

    def df(self) -> Any:
        """Return the records as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            One row a record: n, seconds (from the beginning), time (UTC), side, type, item, response, text, audio_ms,
            frame (its JSON without the audio; of local records the body).

        Raises
        ------
        MissingLibrary
            pandas is not installed.
        """
        pandas = library("pandas", "A table of events", "data")
        return pandas.DataFrame([self._row(record) for record in self], columns=list(_COLUMNS))

    def _row(self, record: Record) -> tuple[Any, ...]:
        seconds = (record.t - self.anchor) / 1e9
        event = record.event
        response = getattr(event, "response_id", None) or getattr(
            getattr(event, "response", None), "id", None
        )
        item = getattr(event, "item_id", None) or getattr(getattr(event, "item", None), "id", None)
        return (
            record.n,
            seconds,
            self.started + timedelta(seconds=seconds),
            record.side,
            record.kind,
            item or (record.data or {}).get("item"),
            response,
            record.text,
            record.audio.length / 48 if record.audio else None,
            record.skeleton if record.skeleton is not None else record.data,
        )

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Record]:
        return self._index.records(self._numbers)

    @overload
    def __getitem__(self, n: int) -> Record: ...
    @overload
    def __getitem__(self, n: slice) -> Events: ...
    def __getitem__(self, n: int | slice) -> Record | Events:
        if isinstance(n, slice):
            return Events(self._index, self.started, self.anchor, self._numbers[n])
        return self._index.record(self._numbers[n])

    def __repr__(self) -> str:
        name = type(self).__name__
        numbers = self._numbers
        if not numbers:
            return f"{name}(empty)"
        seconds = (self._index.time(numbers[-1]) - self.anchor) / 1e9
        return f"{name}({len(numbers)} records, {seconds:.1f} s)"

    def _repr_html_(self) -> str:
        folds = self._folds()
        rows = []
        for row in folds[-_SHOWN:]:
            n, count, size = row.numbers[0], len(row), row.audio
            side, kind = self._index.name(n)
            rows.append(
                f"<tr><td style='text-align:right'>{(self._index.time(n) - self.anchor) / 1e9:.3f}</td>"
                f"<td>{_ARROW[side]}</td>"
                f"<td style='text-align:left'>{html.escape(kind)}{f' × {count}' if count > 1 else ''}</td>"
                f"<td style='text-align:right'>{f'{size / 48:.0f} ms' if size else ''}</td></tr>"
            )
        left_out = f"<caption>the last {_SHOWN} of {len(folds)} rows</caption>" if len(folds) > _SHOWN else ""
        head = "<tr><th>s</th><th></th><th style='text-align:left'>event</th><th>audio</th></tr>"
        return f"<table>{left_out}<thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
