"""The event log and its audio store.

Every fact is appended once: frames in both directions, and local records (what the page, the connection and the session
did). Audio payloads are cut out of the frames into an `AudioStore` on disk, so that a long conversation costs little
memory; `EventLog.frame` puts a frame together again, byte for byte.

Only the I/O thread appends. Any thread may read: records are immutable and the list only grows.
"""

from __future__ import annotations

import html
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, overload

import pybase64
from msgspec import Struct

from ..protocol.codec import AnyEvent, decode

Side = Literal["in", "out", "local"]


class AudioRef(Struct, frozen=True):
    """A stretch of PCM16LE, mono, 24 kHz in an `AudioStore`; offset and length in bytes."""

    offset: int
    length: int


class AudioStore:
    """Append-only PCM in an unnamed temporary file, which the system removes with the last reference."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=1 << 18)  # noqa: SIM115 - closed with the store
        weakref.finalize(self, self._file.close)
        self._size = 0
        self._lock = threading.Lock()

    def append(self, pcm: bytes) -> AudioRef:
        ref = AudioRef(self._size, len(pcm))
        with self._lock:
            self._file.write(pcm)
        self._size += len(pcm)
        return ref

    def read(self, refs: list[AudioRef]) -> bytes:
        """Return the stretches one after the other, as bytes."""
        with self._lock:
            self._file.flush()
            descriptor = self._file.fileno()
        # Positioned reads leave the writer's position alone. Windows has none, so there the lock is kept.
        if hasattr(os, "pread"):
            return b"".join(os.pread(descriptor, ref.length, ref.offset) for ref in refs)
        with self._lock:
            chunks = []
            for ref in refs:
                self._file.seek(ref.offset)
                chunks.append(self._file.read(ref.length))
            self._file.seek(0, os.SEEK_END)
            return b"".join(chunks)

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._size


class Record(Struct, frozen=True):
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
        Where in ``skeleton`` the base64 text of ``audio`` belongs.
    audio
        The audio that was cut out.
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


class EventLog:
    """What happened, in order.

    Attributes
    ----------
    started
        Wall-clock time of ``anchor``.
    anchor
        Monotonic time at which the log began, ns: ``(record.t - log.anchor) / 1e9`` is seconds into it.
    """

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self.anchor = time.monotonic_ns()
        self.audio = AudioStore()
        self._records: list[Record] = []

    def append_frame(
        self,
        side: Literal["in", "out"],
        kind: str,
        frame: str,
        t: int,
        *,
        payload: str | None = None,
        pcm: bytes | None = None,
        repairs: tuple[str, ...] = (),
    ) -> Record:
        """Append a frame.

        Parameters
        ----------
        payload, pcm
            The base64 text inside the frame and the audio it stands for. It is cut out only where the audio gives the
            same text again; anything else stays in the frame as it is.
        """
        cut, audio, skeleton = 0, None, frame
        if pcm:
            audio = self.audio.append(pcm)
            assert payload is not None
            # A short needle: searching for the whole payload would preprocess all of it.
            cut = frame.find(payload[:40])
            end = cut + len(payload)
            # The last four characters decide whether the text is the canonical one.
            tail = pybase64.b64encode_as_string(pcm[-(len(pcm) % 3 or 3) :])
            if cut >= 0 and frame[cut:end] == payload and payload.endswith(tail):
                skeleton = frame[:cut] + frame[end:]
            else:
                cut = -1
        record = Record(len(self._records), t, side, kind, skeleton, cut, audio, None, repairs)
        self._records.append(record)
        return record

    def append_local(self, kind: str, data: dict[str, Any], t: int | None = None) -> Record:
        """Append a local record."""
        when = time.monotonic_ns() if t is None else t
        record = Record(len(self._records), when, "local", kind, data=data)
        self._records.append(record)
        return record

    def frame(self, record: Record) -> str:
        """Return the text of a frame as it was on the wire."""
        if record.skeleton is None:
            raise ValueError(f"Record {record.n} is a local one and was never on the wire.")
        if record.audio is None or record.cut < 0:
            return record.skeleton
        payload = pybase64.b64encode_as_string(self.audio.read([record.audio]))
        return record.skeleton[: record.cut] + payload + record.skeleton[record.cut :]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        for n in range(len(self._records)):
            yield self._records[n]

    @overload
    def __getitem__(self, n: int) -> Record: ...
    @overload
    def __getitem__(self, n: slice) -> list[Record]: ...
    def __getitem__(self, n: int | slice) -> Record | list[Record]:
        return self._records[n]

    def __repr__(self) -> str:
        if not self._records:
            return "EventLog(empty)"
        seconds = (self._records[-1].t - self.anchor) / 1e9
        return f"EventLog({len(self._records)} records, {seconds:.1f} s)"

    def _repr_html_(self) -> str:
        shown = 200
        folded = self.folded()
        rows = "".join(
            f"<tr><td style='text-align:right'>{(first.t - self.anchor) / 1e9:.3f}</td><td>{_ARROW[first.side]}</td>"
            f"<td style='text-align:left'>{html.escape(first.kind)}{f' × {count}' if count > 1 else ''}</td>"
            f"<td style='text-align:right'>{f'{size / 48:.0f} ms' if size else ''}</td></tr>"
            for first, count, size in folded[-shown:]
        )
        left_out = f"<caption>the last {shown} of {len(folded)} rows</caption>" if len(folded) > shown else ""
        head = "<tr><th>s</th><th></th><th style='text-align:left'>event</th><th>audio</th></tr>"
        return f"<table>{left_out}<thead>{head}</thead><tbody>{rows}</tbody></table>"

    def folded(self) -> list[tuple[Record, int, int]]:
        """Return (first record, count, bytes of audio) with runs of the same frame type from the same side folded.

        Audio and transcript deltas alternate, so a run ends only with an event that is no delta or append.
        """
        rows: list[tuple[Record, int, int]] = []
        open_rows: dict[tuple[Side, str], int] = {}
        for record in self:
            size = record.audio.length if record.audio else 0
            key = (record.side, record.kind)
            if not (record.kind.endswith((".delta", ".append")) or key in _QUIET):
                open_rows.clear()
            elif key in open_rows:
                first, count, total = rows[open_rows[key]]
                rows[open_rows[key]] = (first, count + 1, total + size)
                continue
            else:
                open_rows[key] = len(rows)
            rows.append((record, 1, size))
        return rows


_ARROW = {"in": "←", "out": "→", "local": "·"}
_QUIET = {("local", "playhead")}
