"""``/v1/audio/speech``: text to speech, with official and cloned voices."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from stepnb.local import synthesis
from stepnb.local.parts import Mouth
from stepnb.local.rest_wire import Answer, Desk, RestError, json_body
from stepnb.local.voices import Voices
from stepnb.protocol import catalog

RETIRED = {"step-tts-vivid": "step-tts-2"}
"""A name that still answers, and the model whose voices it gets here."""

_DELTA_BYTES = 6400


class SpeechRequest(synthesis.Wanted, kw_only=True):
    """The body of a speech request."""

    model: Literal["stepaudio-2.5-tts", "step-tts-2", "step-tts-mini", "step-tts-vivid"]
    input: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    voice: str
    stream_format: Literal["audio", "sse"] = "audio"
    return_url: bool = False


class SpeechEndpoint:
    """The endpoint of speech.

    Parameters
    ----------
    voices
        How voices sound.
    mouth
        What speaks.
    """

    def __init__(self, voices: Voices, mouth: Mouth) -> None:
        self._voices = voices
        self._mouth = mouth

    def routes(self, desk: Desk) -> list[Route]:
        """Return the routes; the Step Plan has it too."""
        return [
            desk.route("POST", "/v1/audio/speech", self.create),
            desk.route("POST", "/step_plan/v1/audio/speech", self.create),
        ]

    async def create(self, request: Request) -> Answer:
        """Speak a text."""
        wanted = await json_body(request, SpeechRequest)
        model = RETIRED.get(wanted.model, wanted.model)
        if wanted.return_url:
            raise RestError(400, "the local engine gives no addresses of audio: leave return_url out")
        official = {voice.id for voice in catalog.voices(model)}
        if wanted.voice not in official and not self._voices.is_clone(wanted.voice):
            raise RestError(400, f"voice {wanted.voice[:100]} is not valid")
        try:
            synthesis.check(wanted, model)
            text = synthesis.spoken_text(wanted.input, wanted, model)
            audio = await synthesis.speak(self._mouth, text, self._voices.settings(wanted.voice), wanted)
        except synthesis.Unspeakable as error:
            raise RestError(400, str(error)) from None
        if wanted.stream_format == "sse":
            return StreamingResponse(_events(audio), media_type="text/event-stream")
        return Response(audio, media_type=synthesis.MEDIA_TYPES[wanted.response_format])


def _events(audio: bytes) -> Iterator[str]:
    for start in range(0, len(audio), _DELTA_BYTES):
        yield _event("delta", base64.b64encode(audio[start : start + _DELTA_BYTES]).decode())
    yield _event("done", "")
    yield "data: [DONE]\n\n"


def _event(name: str, audio: str) -> str:
    return f"data: {json.dumps({'type': f'speech.audio.{name}', 'audio': audio})}\n\n"
