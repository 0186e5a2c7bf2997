"""Voices as a notebook shows them: official ones with what is known of them, cloned ones with what was noted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..audio.clip import Clip
from ..protocol.catalog import Voice, as_of
from .library import Entry, Library
from .tables import table


class ClonedVoice:
    """A voice that was made of a clip; a `Session` takes it as its ``voice``.

    Attributes
    ----------
    id
        The service's id.
    name, notes, transcript, consent, model
        As noted in the library; empty or None where it does not know the voice.
    consented_at, created
        When the consent was stated and the voice made, UTC; None where it is not known.
    """

    def __init__(
        self, id: str, library: Library, entry: Entry | None, *, created: datetime | None = None
    ) -> None:
        self.id = id
        self._library = library
        self._entry = entry
        self.name = entry.name if entry else ""
        self.notes = entry.notes if entry else ""
        self.transcript = entry.transcript if entry else None
        self.consent = entry.consent if entry else None
        self.consented_at = entry.consented_at if entry else None
        self.model = entry.model if entry else None
        self.created = created or (entry.created_at if entry else None)

    @property
    def clip(self) -> Clip | None:
        """The clip it was made of, None where the library does not have it."""
        audio = self._library.audio(self._entry) if self._entry else None
        return None if audio is None else Clip.load(audio)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClonedVoice) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        made = f", {self.created:%Y-%m-%d}" if self.created else ""
        return f"ClonedVoice({name}{self.id!r}{made})"

    def _repr_html_(self) -> str:
        clip = self.clip
        player = clip._repr_html_() if clip is not None else ""
        return ClonedVoices([self])._repr_html_() + player


class ClonedVoices(list[ClonedVoice]):
    """Cloned voices, shown as a table."""

    def _repr_html_(self) -> str:
        rows = [
            (
                voice.name,
                voice.id,
                _minute(voice.created),
                voice.transcript,
                f"{voice.consent} ({_minute(voice.consented_at)})" if voice.consent else "not noted here",
                voice.notes,
            )
            for voice in self
        ]
        heads = ("name", "id", "created (UTC)", "clip says", "consent (UTC)", "notes")
        return table(heads, rows, empty="No cloned voices yet.")


class OfficialVoices(list[Voice]):
    """Official voices for a model, shown as a table.

    Parameters
    ----------
    voices
        The voices.
    model
        The model they are for.
    """

    def __init__(self, voices: Iterable[Voice], *, model: str) -> None:
        super().__init__(voices)
        self.model = model

    def known(self, voice: Voice) -> str:
        """Return what is known of a voice with the model: "accepted", "rejected" or "listed", and who says so."""
        evidence = voice.evidence.get(self.model, "")
        if self.model in voice.rejected_by:
            return f"rejected: {evidence}" if evidence else "rejected"
        return f"accepted: {evidence}" if evidence else "listed"

    def _repr_html_(self) -> str:
        rows = [
            (
                voice.id,
                f"{voice.name_en} {voice.name_zh}" if voice.name_zh != voice.name_en else voice.name_en,
                voice.gender,
                voice.language,
                voice.description_en,
                self.known(voice),
            )
            for voice in self
        ]
        heads = (
            "id",
            "name",
            "gender",
            "language",
            "description",
            f"{self.model}, as of {as_of()['voices']}",
        )
        return table(heads, rows, empty=f"No voices are known for {self.model} here.")


def _minute(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when else ""
