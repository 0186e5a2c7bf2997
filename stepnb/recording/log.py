"""The event log.

Every fact is appended once: frames in both directions, and local records (what the page, the connection and the session
did). Audio payloads are cut out of the frames into an `AudioStore`; `EventLog.frame` puts a frame together again, byte
for byte. The log lives in its spool, a folder on disk, and costs little memory however long a conversation becomes.

Only the I/O thread appends. Any thread may read: records are immutable and the log only grows.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pybase64
from numpy.typing import NDArray

from ..conversation.record import Record, Side
from ..errors import RecordingError
from ..protocol.codec import Cut
from .about import About, Header, Settings, versions
from .query import Events
from .records import Index
from .rows import Filter, Rows
from .spool import Spool
from .store import LANES, MOST_IN_MEMORY, AudioStore, Blob, KeepAudio

_LANE = {"out": LANES[0], "in": LANES[1]}


class Log(Events):
    """A log to read.

    Attributes
    ----------
    started
        Wall-clock time of ``anchor``.
    anchor
        Monotonic time at which the log began, ns: ``(record.t - log.anchor) / 1e9`` is seconds into it.
    audio
        The audio that was cut out of the frames.
    about
        What is known of the session beside its events.
    """

    def __init__(self, index: Index, audio: AudioStore, about: About) -> None:
        super().__init__(index, about.header.started, about.header.anchor_ns)
        self.audio = audio
        self.about = about

    @property
    def lines(self) -> Blob:
        """The records as lines of JSON."""
        self._index.settle()
        return self._index.lines

    @property
    def end_of_lines(self) -> int:
        """Where the last record ends in `lines`."""
        self._index.settle()
        return self._index.end

    def table(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32], list[tuple[Side, str]]]:
        """Return what is known of all records without reading them.

        Returns
        -------
        seconds : (n,) float64
            From the beginning of the log.
        kinds : (n,) uint32
            Place of (side, type) in `names`.
        audio : (n,) uint32
            Bytes of audio, kept or not.
        names : list of (side, type)
        """
        self._index.settle()
        times, kinds, audio = self._index.columns()
        seconds = (np.frombuffer(times, np.int64) - self.anchor) / 1e9
        return seconds, np.frombuffer(kinds, np.uint32), np.frombuffer(audio, np.uint32), self._index.names

    def rows(self, filter: Filter) -> Rows:
        """Return the log as a table of rows for a page."""
        return Rows(self._index, self.anchor, filter)

    def frame(self, record: Record) -> str:
        """Return the text of a frame as it was on the wire.

        Raises
        ------
        ValueError
            It is a local record.
        RecordingError
            Its audio was not kept.
        """
        if record.skeleton is None:
            raise ValueError(f"Record {record.n} is a local one and was never on the wire.")
        if record.audio is None or record.cut < 0:
            return record.skeleton
        if not record.audio.kept:
            raise RecordingError(
                f"The audio of record {record.n} was not kept.", fix='Record with keep_audio="all".'
            )
        payload = pybase64.b64encode_as_string(self.audio.read([record.audio]))
        return record.skeleton[: record.cut] + payload + record.skeleton[record.cut :]


class EventLog(Log):
    """What happens, in order, in memory until the next `flush` and in its spool from then on.

    Parameters
    ----------
    folder
        Where it is written to; None for a private temporary folder.
    keep_audio
        "all", "output" (the service's), "input" (the person's) or "none".
    model, cluster, where
        What the session talks to.
    settings
        What it is set to.

    Attributes
    ----------
    lost
        Records that were not kept: writing had failed and there was no more room in memory.

    Raises
    ------
    RecordingError
        The folder holds something already, or cannot be made.
    ConfigError
        Another `keep_audio`.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        keep_audio: KeepAudio = "all",
        model: str = "",
        cluster: str = "",
        where: str = "",
        settings: Settings | None = None,
    ) -> None:
        header = Header(
            started=datetime.now(UTC),
            anchor_ns=time.monotonic_ns(),
            keep_audio=keep_audio,
            model=model,
            cluster=cluster,
            where=where,
        )
        about = About(header=header, config=settings or Settings(), versions=versions())
        super().__init__(Index(Blob()), AudioStore(keep_audio), about)
        self.lost = 0
        self._grown: deque[Callable[[], None]] = deque()
        self.spool = Spool(self._index.lines, self.audio.lanes, about, folder)

    def append_frame(
        self,
        side: Literal["in", "out"],
        kind: str,
        frame: str,
        t: int,
        audio: Cut | None = None,
        repairs: tuple[str, ...] = (),
    ) -> Record:
        """Append a frame, with its audio where it has some."""
        cut, ref = 0, None
        if audio is not None and audio.pcm:
            lane = _LANE[side]
            blob = self.audio.lanes[lane]
            if blob.size - blob.written >= MOST_IN_MEMORY and not self._made_room(blob):
                self.audio.stop(lane)
            frame, cut, ref = audio.skeleton, audio.at, self.audio.append(audio.pcm, lane)
        return self._append(Record(self._index.count, t, side, kind, frame, cut, ref, None, repairs))

    def append_local(self, kind: str, data: dict[str, Any], t: int | None = None) -> Record:
        """Append a local record."""
        when = time.monotonic_ns() if t is None else t
        # A copy: whoever said it may go on changing its lists.
        data = _writable(msgspec.to_builtins(data, enc_hook=repr))
        return self._append(Record(self._index.count, when, "local", kind, data=data))

    def _append(self, record: Record) -> Record:
        if self._index.waiting < MOST_IN_MEMORY or self._made_room(self._index):
            self._index.append(record)
        else:
            self.lost += 1
        while self._grown:
            self._grown.popleft()()
        return record

    @property
    def appended(self) -> int:
        """Records so far, those included that cannot be read yet."""
        return self._index.count

    def when_grown(self, call: Callable[[], None]) -> None:
        """Call once, on the thread that appends, when the next record comes: it must return at once."""
        self._grown.append(call)

    def _made_room(self, of: Blob | Index) -> bool:
        """Keep what waits for the disk bounded, without waiting for the next second."""
        self.flush()
        return of.waiting < MOST_IN_MEMORY

    def flush(self) -> None:
        """Write what has come since the last flush; why it cannot be written is in ``spool.failure``."""
        self._index.write_down()
        self.spool.flush()
        self._index.waiting = self._index.lines.waiting  # what came meanwhile may be left out once

    def close(self) -> None:
        """Write the rest; everything stays readable."""
        self._index.write_down()
        self.spool.close()


def _writable(value: Any) -> Any:
    """Return plain data with a question mark for each half of a surrogate pair, which no file takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(inner) for inner in value]
    return value
