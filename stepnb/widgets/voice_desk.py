"""`VoiceDesk`: what the settings know of voices: the official ones, one's own, and how each of them sounds."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pybase64

from ..protocol import catalog

if TYPE_CHECKING:
    from ..rest.voices import Voices
    from ..session.core import SessionCore

VoiceEntry = dict[str, Any]

# What a sample says: short, because the service bills it.
SAMPLES = {"zh": "你好，这就是我的声音。", "en": "Hello, this is what I sound like."}
# Samples kept, so that nobody pays twice for hearing one again; each is some seconds.
KEPT = 12
# A voice may be described by whoever made it, at any length.
_LONGEST_NOTE = 200


class VoiceDesk:
    """Voices for one session.

    Parameters
    ----------
    core
        Where and with which key it talks; the voices are that account's.
    """

    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self._samples: OrderedDict[str, str] = OrderedDict()
        self._account: Voices | None = None

    def official(self) -> list[VoiceEntry]:
        """Return what is known of the official voices for the session's model and cluster."""
        model, cluster = self._core.model, self._core.endpoint.cluster
        found = [
            voice
            for voice in catalog.voices(cluster=None if cluster == "custom" else cluster)
            if model not in voice.rejected_by
        ]
        return [
            {
                "id": voice.id,
                "name": {"en": voice.name_en, "zh": voice.name_zh},
                "language": voice.language,
                "gender": voice.gender,
                "description": voice.description_en,
                "own": False,
            }
            for voice in [voice for voice in found if model in voice.models] or found
        ]

    async def own(self) -> list[VoiceEntry]:
        """Return the account's own voices.

        Raises
        ------
        StepnbError
            They cannot be listed.
        """
        return [
            {
                "id": voice.id,
                "name": {"en": voice.name, "zh": voice.name},
                "language": "",
                "gender": "",
                "description": voice.notes[:_LONGEST_NOTE],
                "own": True,
            }
            for voice in await self._voices().list.aio()
        ]

    async def sample(self, voice: str) -> str:
        """Return a sample of a voice, a WAV file as base64.

        Raises
        ------
        StepnbError
            The service does not speak with it.
        """
        wav = self._samples.get(voice)
        if wav is None:
            language = next((entry["language"] for entry in self.official() if entry["id"] == voice), "zh")
            clip = await self._voices().speak.aio(SAMPLES.get(language, SAMPLES["zh"]), voice)
            wav = pybase64.b64encode_as_string(clip.encoded("WAV"))
        self._samples[voice] = wav
        self._samples.move_to_end(voice)
        if len(self._samples) > KEPT:
            self._samples.popitem(last=False)
        return wav

    def _voices(self) -> Voices:
        from ..rest.voices import Voices

        if self._account is None:
            endpoint = self._core.endpoint
            key = endpoint.key.reveal() if endpoint.key is not None else None
            where = endpoint.url if endpoint.cluster == "custom" else endpoint.cluster
            self._account = Voices(where, api_key=key)
        return self._account
