"""``/v1/audio/voices``: cloning, previews of clones, and the lists of cloned and official voices."""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from stepnb.local import cloning, synthesis
from stepnb.local.documents import suffix_of
from stepnb.local.parts import Mouth, VoiceSettings
from stepnb.local.profile import Profile
from stepnb.local.rest_wire import Answer, Desk, RestError, json_body, page
from stepnb.local.store import Store, StoredFile, StoredVoice
from stepnb.protocol import catalog

CATALOGUE_MODEL = "step-tts-2"
"""The only model whose voices the service lists."""

_CLIPS = (".wav", ".mp3")


class CloneRequest(msgspec.Struct, kw_only=True):
    """The body of a cloning. The clone is made from the sound alone: `text` changes nothing in the local engine."""

    model: Literal["stepaudio-2.5-tts", "step-tts-2", "step-tts-mini"]
    file_id: str
    text: str | None = None
    sample_text: str | None = None


class PreviewRequest(synthesis.Wanted, kw_only=True):
    """The body of a preview."""

    model: Literal["stepaudio-2.5-tts", "step-tts-2", "step-tts-mini"]
    file_id: str
    sample_text: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    text: str | None = None


class VoiceEndpoints:
    """The endpoints of voices.

    Parameters
    ----------
    store
        Where clips are and clones go.
    mouth
        What previews are spoken with.
    profile
        The habits to show.
    """

    def __init__(self, store: Store, mouth: Mouth, profile: Profile) -> None:
        self._store = store
        self._mouth = mouth
        self._profile = profile

    def routes(self, desk: Desk) -> list[Route]:
        """Return the routes; cloning and previews are in the Step Plan too."""
        return [
            desk.route("GET", "/v1/audio/system_voices", self.official),
            desk.route("GET", "/v1/audio/voices", self.list),
            desk.route("POST", "/v1/audio/voices", self.create),
            desk.route("POST", "/step_plan/v1/audio/voices", self.create),
            desk.route("POST", "/v1/audio/voices/preview", self.preview),
            desk.route("POST", "/step_plan/v1/audio/voices/preview", self.preview),
        ]

    async def create(self, request: Request) -> Answer:
        """Clone a voice."""
        wanted = await json_body(request, CloneRequest)
        clip, settings = await asyncio.to_thread(self._clone, wanted.file_id)
        voice, duplicated = await asyncio.to_thread(
            self._store.add_voice, clip.digest, file_id=clip.id, model=wanted.model, settings=settings
        )
        answer: dict[str, object] = {"id": voice.id, "object": "audio.voice"}
        return answer | {"duplicated": True} if duplicated else answer

    async def preview(self, request: Request) -> Answer:
        """Let a clone be heard without making it."""
        wanted = await json_body(request, PreviewRequest)
        if self._profile.preview_is_wav and wanted.response_format == "mp3":
            wanted = msgspec.structs.replace(wanted, response_format="wav")
        try:
            synthesis.check(wanted, wanted.model)
            text = synthesis.spoken_text(wanted.sample_text, wanted, wanted.model)
            _, settings = await asyncio.to_thread(self._clone, wanted.file_id)
            audio = await synthesis.speak(self._mouth, text, settings, wanted)
        except synthesis.Unspeakable as error:
            raise RestError(400, str(error)) from None
        return {
            "sample_text": wanted.sample_text,
            "sample_audio": base64.b64encode(audio).decode(),
            "request_id": request.state.trace_id,
        }

    async def list(self, request: Request) -> Answer:
        """List the cloned voices."""
        return await page(request, self._store.voices, _described)

    async def official(self, request: Request) -> Answer:
        """List the official voices of the one model the service lists them for."""
        if request.query_params.get("model") != CATALOGUE_MODEL:
            raise RestError(400, f"model must be {CATALOGUE_MODEL}")
        voices = catalog.voices(CATALOGUE_MODEL)
        details = {
            voice.id: {
                "voice-name": voice.name_zh,
                "voice-description": voice.description_en,
                "recommended_scene": "",
            }
            for voice in voices
        }
        return {"voices": [voice.id for voice in voices], "voices-details": details}

    def _clone(self, file_id: str) -> tuple[StoredFile, VoiceSettings]:
        clip = self._store.file(file_id)
        if clip.purpose != "storage" or suffix_of(clip.filename) not in _CLIPS:
            raise RestError(400, "the clip must be a wav or mp3 file uploaded with the purpose storage")
        if clip.bytes > cloning.MAX_BYTES:
            raise RestError(400, "the clip is far too large for ten seconds of speech")
        try:
            return clip, cloning.clone(self._store.content(file_id))
        except cloning.Unclonable as error:
            raise RestError(400, str(error)) from None


def _described(voice: StoredVoice) -> dict[str, Any]:
    return {"id": voice.id, "file_id": voice.file_id, "created_at": voice.created_at}
