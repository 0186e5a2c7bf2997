"""Cloning a voice so that nothing is paid for twice, whatever fails in between.

Three notes make that sure: the library says what is wanted and what was bought, the uploaded file carries the hash of
the clip in its name, and the service lists which voice was made of which file. Each step looks at them before it acts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from ..audio.clip import Clip
from ..audio.quality import MAX_SECONDS, MIN_SECONDS
from ..errors import AudioError, ConnectionLost, LibraryError, ServiceUnavailable, Unreachable, WrongPath
from .client import Requests
from .files import StoredFile, files_named, upload
from .library import Entry, Library
from .progress import Progress

_SAFE = " Nothing was paid for twice: run the same line again, it looks at the service first."


class OwnVoice(msgspec.Struct, frozen=True):
    """A cloned voice as the service lists it; `created_at` is in Unix s."""

    id: str | int
    file_id: str | int = ""
    created_at: int = 0


class _Made(msgspec.Struct):
    id: str | int
    duplicated: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A clip as it is uploaded.

    Attributes
    ----------
    clip
        5 to 10 s of speech.
    data
        It as a WAV file.
    digest
        SHA-256 of rate and samples, so that the file format does not matter.
    """

    clip: Clip
    data: bytes
    digest: str

    @property
    def name(self) -> str:
        """The name of the uploaded file; the hash in it is how it is found again."""
        return f"stepnb-{self.digest[:24]}.wav"


def reference(source: Clip | str | os.PathLike[str] | bytes) -> Reference:
    """Check a clip, or load it first.

    Raises
    ------
    AudioError
        It cannot be read, is silent, or not 5 to 10 s long.
    """
    clip = source if isinstance(source, Clip) else Clip.load(source)
    if not MIN_SECONDS <= clip.duration <= MAX_SECONDS:
        fix = "Cut it: clip[0:9]." if clip.duration > MAX_SECONDS else "Record a longer one."
        raise AudioError(
            f"The clip is {clip.duration:.1f} s long; cloning takes {MIN_SECONDS:g} to {MAX_SECONDS:g} s.",
            fix=fix,
        )
    if not clip.samples.any():
        raise AudioError("The clip is digital silence.", fix="Check the microphone and record again.")
    digest = hashlib.sha256(f"{clip.rate} Hz ".encode() + clip.pcm).hexdigest()
    return Reference(clip, clip.encoded("WAV"), digest)


async def ensure_uploaded(
    requests: Requests, library: Library, what: Reference, progress: Progress
) -> tuple[str, bool]:
    """Return the id of the uploaded clip, and whether it has been uploaded just now."""
    account = requests.account
    known = await asyncio.to_thread(library.file_of, account, what.digest)
    if known is not None and await _exists(requests, known):
        return known, False
    found = [file for file in await files_named(requests, what.name) if file.bytes == len(what.data)]
    if found:
        file_id, fresh = str(found[0].id), False
    else:
        file_id, fresh = await upload(requests, what.name, what.data, "storage", progress), True
    audio = await asyncio.to_thread(what.clip.encoded, "FLAC")
    await asyncio.to_thread(library.uploaded, account, what.digest, file_id, audio)
    return file_id, fresh


async def _exists(requests: Requests, file_id: str) -> bool:
    try:
        await requests.json(StoredFile, "GET", f"/files/{quote(file_id, safe='')}")
    except WrongPath:
        return False
    return True


async def clone(
    requests: Requests, library: Library, what: Reference, wanted: Entry, progress: Progress
) -> Entry:
    """Clone a voice, or return the one that was made of this clip before.

    Parameters
    ----------
    wanted
        What is to be noted with it; its account is set here.

    Raises
    ------
    StepnbError
        It did not come about; the message says whether to try again.
    """
    turn = await asyncio.to_thread(library.take_turn)
    try:
        audio = await asyncio.to_thread(what.clip.encoded, "FLAC")
        mine = dataclasses.replace(wanted, account=requests.account)
        entry = await asyncio.to_thread(library.begin, mine, audio)
        if entry.id is not None:
            return entry
        try:
            made = await _make(requests, library, what, entry, progress)
        except (ConnectionLost, ServiceUnavailable, Unreachable) as error:
            error.fix = (error.fix or "") + _SAFE
            raise
        try:
            return await asyncio.to_thread(library.finish, entry, made)
        except LibraryError as error:
            error.fix = f"The voice was made and is {made!r}: note that down.{_SAFE} {error.fix}"
            raise
    finally:
        turn.close()


async def _make(
    requests: Requests, library: Library, what: Reference, entry: Entry, progress: Progress
) -> str:
    """Return the id of the voice, of which the library knows nothing yet."""
    file_id, fresh = await ensure_uploaded(requests, library, what, progress)
    others = await asyncio.to_thread(library.voices, requests.account)

    async def bought() -> _Made | None:
        listed = await requests.all_of(OwnVoice, "/audio/voices")
        # A voice that was made of the same clip for another model is another voice.
        of_this = [v for v in listed if str(v.file_id) == file_id and str(v.id) not in others]
        return _Made(of_this[0].id) if of_this else None

    made = None if fresh else await bought()
    if made is None:
        progress.say("cloning")
        body = {"model": entry.model, "file_id": file_id} | (
            {"text": entry.transcript} if entry.transcript else {}
        )
        made = await requests.json(_Made, "POST", "/audio/voices", body=body, recover=bought)
    return str(made.id)
