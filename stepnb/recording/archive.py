"""A recording as one file: a zip of what a spool holds, with the audio as FLAC."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import soundfile

from ..audio.pcm import RATE
from ..conversation.record import Lane
from ..errors import RecordingError
from .log import Log
from .spool import EVENTS, pcm_name
from .store import LANES, Blob

_CHUNK = 1 << 20
# What a file may unpack to: some ten hours of both sides. Beyond it, somebody means harm or made a mistake.
MOST_EVENTS = 1 << 30
MOST_AUDIO = 2 << 30
MOST_ABOUT = 1 << 20


def pack(log: Log, target: Path) -> Path:
    """Write a log into one file, which appears only when it is complete.

    Raises
    ------
    RecordingError
        It cannot be written.
    """
    # Lines point into the audio, so the end of the lines is taken before that of the audio.
    size = log.end_of_lines
    audio = {lane: blob.size for lane, blob in log.audio.lanes.items()}
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with zipfile.ZipFile(draft, "x", zipfile.ZIP_DEFLATED) as archive:
            for name, content in log.about.files().items():
                archive.writestr(name, content)
            with archive.open(EVENTS, "w", force_zip64=True) as lines:
                for start in range(0, size, _CHUNK):
                    lines.write(log.lines.read(start, min(_CHUNK, size - start)))
            for lane, blob in log.audio.lanes.items():
                _pack_audio(archive, lane, blob, audio[lane])
        draft.replace(target)
    except OSError as error:
        raise RecordingError(
            f"{str(target)!r} cannot be written: {error.strerror or error}.", fix="Choose another place."
        ) from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return target


def _pack_audio(archive: zipfile.ZipFile, lane: Lane, blob: Blob, size: int) -> None:
    if not size:
        return  # FLAC has no form for nothing
    # libsndfile goes back to the head of the file at the end, which a zip entry cannot.
    with tempfile.TemporaryFile() as draft:
        with soundfile.SoundFile(draft, "w", RATE, 1, "PCM_16", format="FLAC") as flac:
            for start in range(0, size, _CHUNK):
                flac.write(np.frombuffer(blob.read(start, min(_CHUNK, size - start)), "<i2"))
        draft.seek(0)
        # FLAC does not get any smaller.
        entry = zipfile.ZipInfo(f"{lane}.flac")
        with archive.open(entry, "w", force_zip64=True) as packed:
            shutil.copyfileobj(draft, packed, _CHUNK)


def unpack(source: Path, folder: Path) -> None:
    """Unpack a file into an empty folder, as a spool.

    Raises
    ------
    RecordingError
        It is no such file, damaged, or too large.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            for name in ("header.json", "config.json", "versions.json"):
                if name in entries:
                    _extract(archive, entries[name], folder / name, MOST_ABOUT)
            if EVENTS in entries:
                _extract(archive, entries[EVENTS], folder / EVENTS, MOST_EVENTS)
            for lane in LANES:
                if f"{lane}.flac" in entries:
                    flac = folder / f"{lane}.flac"
                    _extract(archive, entries[flac.name], flac, MOST_AUDIO)
                    _decode(flac, folder / pcm_name(lane))
                    flac.unlink()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise RecordingError(f"{str(source)!r} is no recording, or damaged: {error}.") from None


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> None:
    # zipfile reads no more than is declared.
    _check_size(entry.file_size, most, target.name)
    with archive.open(entry) as packed, target.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked, _CHUNK)


def _decode(flac: Path, target: Path) -> None:
    try:
        with soundfile.SoundFile(flac) as audio, target.open("xb") as pcm:
            if audio.channels != 1 or audio.samplerate != RATE:
                raise RecordingError(f"{flac.name} is not mono at {RATE} Hz.")
            _check_size(2 * audio.frames, MOST_AUDIO, flac.name)
            for block in audio.blocks(_CHUNK, dtype="int16"):
                pcm.write(block.astype("<i2", copy=False).tobytes())
    except soundfile.LibsndfileError as error:
        raise RecordingError(f"{flac.name} in the recording is damaged: {error}") from None


def _check_size(size: int, most: int, name: str) -> None:
    if size > most:
        raise RecordingError(
            f"{name} in the recording would take {size >> 20} MB; {most >> 20} MB is the most that is opened."
        )
