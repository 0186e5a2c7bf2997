"""The folder a log is written to while it grows.

::

    header.json     format version, wall-clock anchor, model, place
    config.json     what the session was set to
    versions.json   what it ran on
    events.jsonl    one record a line; a frame stands in it without its audio
    input.pcm       the audio that was sent, PCM16LE, mono, 24 kHz
    output.pcm      the audio that came

Everything is flushed once a second, so that a killed process loses no more than that.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path

from ..conversation.record import Lane
from ..errors import RecordingError
from .about import About
from .store import MOST_IN_MEMORY, Blob

EVENTS = "events.jsonl"


def pcm_name(lane: Lane) -> str:
    """Return the name of a lane's file."""
    return f"{lane}.pcm"


class Spool:
    """Writes lines and audio into a folder.

    Parameters
    ----------
    events, lanes
        What is to be written.
    about
        What header.json, config.json and versions.json say.
    folder
        Where, made at once; None for a private temporary folder that is made with the first flush and deleted with the
        spool.

    Attributes
    ----------
    failure
        Why nothing is written any more, None while all is well.

    Raises
    ------
    RecordingError
        The folder holds something already, or cannot be made.
    """

    def __init__(
        self, events: Blob, lanes: Mapping[Lane, Blob], about: About, folder: Path | None = None
    ) -> None:
        self.folder = folder
        self.failure: RecordingError | None = None
        self._closed = False
        self._blobs = {EVENTS: events} | {pcm_name(lane): blob for lane, blob in lanes.items()}
        self._about = about
        self._files: list[int] = []
        self._writing = threading.Lock()
        self._private = folder is None
        # Not at exit: what is still open then is flushed by the sessions, and closed by the system.
        weakref.finalize(self, _close_all, self._files).atexit = False
        if folder is not None:
            try:
                _make(folder)
                self._open(folder)
            except OSError as error:
                raise RecordingError(
                    f"Nothing can be recorded in {str(folder)!r}: {_reason(error)}.",
                    fix="Choose another folder.",
                ) from None

    def flush(self) -> None:
        """Write what has come since the last flush. Any thread may call it."""
        with self._writing:
            gone = self.folder is not None and not self._files  # the private folder, at exit
            if self.failure is not None or self._closed or gone:
                return
            try:
                self._write()
            except OSError as error:
                self.failure = RecordingError(
                    f"Recording stopped: {_reason(error)}. The session goes on, and up to "
                    f"{MOST_IN_MEMORY >> 20} MB of what follows stay in memory.",
                    fix="s.save(...) to another disk keeps what there is.",
                )

    def _write(self) -> None:
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="stepnb-"))  # 0700
            weakref.finalize(self, _remove, self.folder, self._files)
            self._open(self.folder)
        # Lines point into the audio. They are counted first and written last, so that no line on disk points at audio
        # that is not there.
        counts = {name: blob.pieces for name, blob in self._blobs.items()}
        for name in reversed(self._blobs):
            self._blobs[name].write_out(counts[name])
        if any(os.fstat(file).st_nlink == 0 for file in self._files):
            raise FileNotFoundError(errno.ENOENT, f"the folder {str(self.folder)!r} was removed")

    def _open(self, folder: Path) -> None:
        for name, content in self._about.files().items():
            (folder / name).write_bytes(content)
        for name, blob in self._blobs.items():
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
            file = os.open(folder / name, flags, 0o600)
            self._files.append(file)
            blob.attach(file)

    def close(self) -> None:
        """Write the rest, and remove the folder if it is a private one; what was written stays readable here."""
        if not self._private:
            self.flush()
        with self._writing:
            self._closed = True
        # Open files outlive their names, except on Windows, where the folder goes with the spool.
        if self._private and self.folder is not None and os.name == "posix":
            shutil.rmtree(self.folder, ignore_errors=True)


def _make(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise RecordingError(
            f"The folder {str(folder)!r} is not empty, and a recording overwrites nothing.",
            fix="Give a new name; sn.Recording.load opens an old recording.",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _close_all(files: list[int]) -> None:
    while files:
        os.close(files.pop())


def _remove(folder: Path, files: list[int]) -> None:
    _close_all(files)
    shutil.rmtree(folder, ignore_errors=True)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
