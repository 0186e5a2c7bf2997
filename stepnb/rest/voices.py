"""`Voices`: the official voices, and one's own: uploaded, previewed, cloned, listed, kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import msgspec
import pybase64

from ..audio.clip import Clip
from ..errors import AudioError, ConfigError, NeedsConsent
from ..protocol import catalog
from ..protocol.catalog import Cluster
from .both import both
from .client import Client
from .cloning import OwnVoice, Reference, clone, ensure_uploaded, reference
from .library import Entry, Library, practice_path
from .owned import ClonedVoice, ClonedVoices, OfficialVoices
from .price import needs_confirmation
from .progress import Progress
from .sound import decoded

CLONE_MODEL = "stepaudio-2.5-tts"
"""The model whose clones the realtime models speak with."""

MODELS = (CLONE_MODEL, "step-tts-2", "step-tts-mini")
MAX_PREVIEW, MAX_SPEECH = 50, 1000
"""Characters."""

Source = Clip | str | os.PathLike[str] | bytes


class _Preview(msgspec.Struct):
    sample_audio: str


class Voices:
    """The voices of an account: official ones, and those cloned from a clip.

    Every method waits for its result; ``await voices.preview.aio(...)`` is the same without blocking.

    Parameters
    ----------
    cluster, api_key
        As for a `Session`. Voices cloned in the local engine live as long as this object, or a session on it.
    library
        The SQLite file that remembers cloned voices, their clips, names, notes and consent, for all notebooks on this
        machine. None: ``STEPNB_LIBRARY``, else ``stepnb/voices.sqlite`` in the user's data folder; for the local engine
        a temporary file, because its voices end with the process.

    Examples
    --------
    >>> voices = sn.Voices()
    >>> clip = sn.Clip.load("me.wav")
    >>> clip.quality()
    >>> voices.preview(clip, "How does this sound?")
    >>> mine = voices.clone(clip, "The words of the clip.", consent="Li Wei, my own voice", accept_cost=True)
    >>> sn.Session(voice=mine)
    """

    def __init__(
        self,
        cluster: Cluster | str | None = None,
        *,
        api_key: str | None = None,
        library: str | os.PathLike[str] | None = None,
    ) -> None:
        self._client = Client(cluster, api_key)
        self.library = Library(practice_path() if library is None and self.cluster == "local" else library)

    @property
    def cluster(self) -> str:
        """Where it is: "global", "cn", "cn/step_plan", "local", or "custom" for a URL."""
        return self._client.endpoint.cluster

    # Official voices --------------------------------------------------------------------------------------------------

    def official(self, model: str | None = None) -> OfficialVoices:
        """Return the official voices for a model on this cluster, with what is known of their acceptance. No request.

        The lists are hints with a date: an unknown id is passed through to the service.

        Parameters
        ----------
        model
            None: the cluster's recommended realtime model.
        """
        cluster = self.cluster
        model = model or catalog.recommended_model(cluster)
        voices = [
            voice
            for voice in catalog.voices(cluster=None if cluster == "custom" else cluster)
            if model in voice.models or model in voice.rejected_by
        ]
        return OfficialVoices(voices, model=model)

    def equivalent(self, voice: str) -> str:
        """Return the voice of this cluster that is most like an official one of the other cluster.

        The pairs come from an integrator, not from the service. A voice this cluster has is returned as it is.

        Raises
        ------
        ConfigError
            There is none, or the id is not an official one.
        """
        found = catalog.equivalent(voice, self.cluster)
        if found is None:
            raise ConfigError(
                f"No voice of {self._client.endpoint.label} is known to be like {voice!r}.",
                fix="Choose one of voices.official().",
            )
        return found

    # Own voices -------------------------------------------------------------------------------------------------------

    @both
    async def list(self) -> ClonedVoices:
        """Return the account's cloned voices, newest first, with what the library knows of them.

        Voices that only the library knows (the service keeps its lists to itself for a while after a cloning) are last.

        Raises
        ------
        ConnectError
            The service could not be asked or refused.
        LibraryError
            The library cannot be read.
        """
        async with self._client.connect() as requests:
            listed = await requests.all_of(OwnVoice, "/audio/voices")
            known = await asyncio.to_thread(self.library.voices, requests.account)
        voices = []
        for voice in listed:
            entry = known.pop(str(voice.id), None)
            created = datetime.fromtimestamp(voice.created_at, UTC) if voice.created_at else None
            voices.append(ClonedVoice(str(voice.id), self.library, entry, created=created))
        voices += [ClonedVoice(id, self.library, entry) for id, entry in known.items()]
        return ClonedVoices(voices)

    @both
    def upload(self, clip: Source) -> Coroutine[Any, Any, str]:
        """Upload a reference clip unless that has been done; `preview` and `clone` do it by themselves.

        Parameters
        ----------
        clip
            A Clip, or a file's path or bytes; 5 to 10 s.

        Returns
        -------
        str
            The file's id.

        Raises
        ------
        AudioError
            It cannot be read, is silent, too short or too long.
        ConnectError, ConnectionLost
            The service could not be asked or refused.
        LibraryError
            The library cannot be used.
        """
        what = reference(clip)
        return self._upload(what, _progress(what))

    async def _upload(self, what: Reference, progress: Progress) -> str:
        async with self._client.connect() as requests:
            file_id, _ = await ensure_uploaded(requests, self.library, what, progress)
        progress.say("ready")
        return file_id

    @both
    def preview(
        self, clip: Source, text: str, *, transcript: str | None = None, model: str = CLONE_MODEL
    ) -> Coroutine[Any, Any, Clip]:
        """Hear how a clone would speak, without making one. Only the synthesis is charged.

        Parameters
        ----------
        clip
            A Clip, or a file's path or bytes; 5 to 10 s.
        text
            What to say, at most 50 characters.
        transcript
            What is said in the clip; the service listens by itself without it.
        model
            A speech model.

        Raises
        ------
        ConfigError
            Text or model the service would refuse.
        AudioError
            The clip cannot be used, or the service sent something that is not audio.
        ConnectError, ConnectionLost
            The service could not be asked or refused.
        LibraryError
            The library cannot be used.
        """
        body = {"model": _model(model), "sample_text": _text(text, MAX_PREVIEW), "response_format": "wav"}
        if transcript:
            body["text"] = transcript
        what = reference(clip)
        return self._preview(what, body, _progress(what))

    async def _preview(self, what: Reference, body: dict[str, str], progress: Progress) -> Clip:
        async with self._client.connect() as requests:
            file_id, _ = await ensure_uploaded(requests, self.library, what, progress)
            progress.say("speaking")
            answer = await requests.json(
                _Preview, "POST", "/audio/voices/preview", body=body | {"file_id": file_id}, repeatable=True
            )
        progress.say("ready")
        try:
            data = pybase64.b64decode(answer.sample_audio, validate=True)
        except ValueError as error:
            raise AudioError("The preview came as broken base64.", fix="Try again.") from error
        return await asyncio.to_thread(decoded, data)

    @both
    def clone(
        self,
        clip: Source,
        text: str | None = None,
        *,
        consent: str | None = None,
        accept_cost: bool = False,
        name: str = "",
        notes: str = "",
        model: str = CLONE_MODEL,
    ) -> Coroutine[Any, Any, ClonedVoice]:
        """Make a voice of a clip. The service charges for it at once.

        The same clip on the same account gives the voice that was made of it before, without another charge.

        Parameters
        ----------
        clip
            A Clip, or a file's path or bytes; 5 to 10 s of one speaker. See `Clip.quality`.
        text
            What is said in the clip; with it the clone is better.
        consent
            Who speaks and has agreed to this, and when: ``"Li Wei, my own voice, 25 November 2026"``. It is kept with
            the voice in the library, with the time.
        accept_cost
            True: you know what it costs.
        name, notes
            For the library.
        model
            A speech model; realtime models speak with clones of the default one.

        Raises
        ------
        NeedsConsent
            There is no statement of consent.
        NeedsConfirmation
            ``accept_cost`` is not True; the message names the price.
        AudioError
            The clip cannot be used.
        ConnectError, ConnectionLost, LibraryError
            It did not come about; the same line again never pays twice.
        """
        model = _model(model)
        if not isinstance(consent, str) or not consent.strip():
            raise NeedsConsent(
                "A voice is cloned only with the consent of its speaker.",
                fix='Write who speaks and agreed, and when: consent="Li Wei, my own voice, 25 November 2026".',
            )
        what = reference(clip)
        if accept_cost is not True:
            raise needs_confirmation(self.cluster)
        transcript = text.strip() or None if text else None
        wanted = Entry(
            "", what.digest, model, None, name, notes, transcript, consent.strip(), datetime.now(UTC)
        )
        return self._clone(what, wanted, _progress(what))

    async def _clone(self, what: Reference, wanted: Entry, progress: Progress) -> ClonedVoice:
        async with self._client.connect() as requests:
            made = await clone(requests, self.library, what, wanted, progress)
        progress.say("ready")
        assert made.id is not None
        return ClonedVoice(made.id, self.library, made)

    @both
    async def describe(
        self, voice: ClonedVoice | str, *, name: str | None = None, notes: str | None = None
    ) -> None:
        """Change the name or the notes of a voice in the library; what is left out stays.

        Raises
        ------
        ConfigError
            The library does not know the voice.
        """
        id = voice.id if isinstance(voice, ClonedVoice) else voice
        async with self._client.connect() as requests:
            account = requests.account
        if not await asyncio.to_thread(self.library.describe, account, id, name, notes):
            raise ConfigError(
                f"The library does not know the voice {id!r}.",
                fix="Clone it here first, or see voices.list().",
            )

    # Speaking ---------------------------------------------------------------------------------------------------------

    @both
    def speak(
        self,
        text: str,
        voice: ClonedVoice | catalog.Voice | str,
        *,
        model: str = CLONE_MODEL,
        speed: float = 1.0,
    ) -> Coroutine[Any, Any, Clip]:
        """Let a voice read a text, without a session.

        Parameters
        ----------
        text
            At most 1000 characters. With the default model what is in parentheses is direction, and not spoken.
        voice
            A cloned voice, an official one, or an id.
        model
            A speech model.
        speed
            0.5 to 2.

        Raises
        ------
        ConfigError
            Text, model or speed the service would refuse.
        ConnectError, ConnectionLost
            The service could not be asked or refused.
        """
        if not 0.5 <= speed <= 2:
            raise ConfigError(f"The speed is {speed!r}.", fix="Write a number from 0.5 to 2.")
        body = {
            "model": _model(model),
            "input": _text(text, MAX_SPEECH),
            "voice": voice if isinstance(voice, str) else voice.id,
            "response_format": "wav",
            "speed": speed,
        }
        return self._speak(body)

    async def _speak(self, body: dict[str, Any]) -> Clip:
        async with self._client.connect() as requests:
            data = await requests.content("/audio/speech", body)
        return await asyncio.to_thread(decoded, data)

    def close(self) -> None:
        """Give up the share in the local engine, if this has one; it may be used again."""
        self._client.close()

    def __repr__(self) -> str:
        return f"Voices({self._client.endpoint.label}, library {str(self.library.path)!r})"


def _progress(what: Reference) -> Progress:
    return Progress(f"Clip of {what.clip.duration:.1f} s", len(what.data))


def _model(model: str) -> str:
    if model not in MODELS:
        fix = f"Use {', '.join(MODELS)}: realtime models speak with voices that a speech model has cloned."
        raise ConfigError(f"{model!r} is not a speech model.", fix=fix)
    return model


def _text(text: str, most: int) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ConfigError("There is nothing to say.", fix="Write a text.")
    if len(text) > most:
        raise ConfigError(
            f"The text has {len(text)} characters.", fix=f"At most {most} can be spoken at a time."
        )
    return text
