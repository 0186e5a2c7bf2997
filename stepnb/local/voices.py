"""Which settings a voice has in the local engine: those of a clone from the store, else made from the catalogue.

Gender and the words of the catalogue's description decide pitch, pace and liveliness; a hash of the id spreads voices
that are described alike. An id the catalogue does not know gets settings from its hash alone.
"""

from __future__ import annotations

import functools
import hashlib
import re

from stepnb.local.parts import VoiceSettings
from stepnb.local.store import VOICE_PREFIX, Store
from stepnb.protocol import catalog

# espeak-ng's speaker variants, without those that whisper, croak or sound like machines.
_VARIANTS = {
    "female": ("f1", "f2", "f3", "f4", "f5", "linda"),
    "male": ("m1", "m2", "m3", "m4", "m5", "m7", "m8"),
}
_ACCENTS = ("en-us", "en", "en-gb-x-rp")

# Words of name and description, and what they do to pitch, range (0 to 99), rate (words a minute) and volume.
_TRAITS: tuple[tuple[str, tuple[int, int, int, int]], ...] = (
    (r"\bdeep|magnetic\b", (-20, 0, -15, 5)),
    (r"\bmature|refined|gentleman|older|dependable\b", (-9, -5, -10, 0)),
    (r"\byouth|young|girl|student|innocent\b", (10, 8, 8, 0)),
    (r"\bcute|childlike|sweet\b", (14, 12, 0, -5)),
    (r"\benerg\w+|lively|upbeat|passionate|vibrant|spirited\b", (4, 22, 25, 8)),
    (r"\bcalm|steady|slow|unhurried|quiet|even\b", (-4, -18, -20, 0)),
    (r"\bgentle|soft|soft-spoken|caring|reassuring\b", (0, -6, -8, -12)),
    (r"\bprofessional|newsreader|broadcast\w*\b", (-3, -12, 8, 6)),
    (r"\bconfident|straightforward|clear|persuasive\b", (0, 6, 12, 8)),
)
# Any would do; with this one no two voices of the catalogue sound alike, which a test checks.
_SALT = "31:"
_BASE = {"female": (50, 50, 172, 100), "male": (48, 46, 168, 100)}


class Voices:
    """All voices of an engine. May be asked from any thread.

    Parameters
    ----------
    store
        Where cloned voices are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clones: dict[str, VoiceSettings] = {}  # a clone never changes

    def is_clone(self, voice: str) -> bool:
        """Whether the voice was cloned here, by this engine or another one with the same store."""
        if voice not in self._clones and voice.startswith(VOICE_PREFIX):
            found = self._store.voice(voice)
            if found is not None:
                self._clones[voice] = found.settings
        return voice in self._clones

    def settings(self, voice: str) -> VoiceSettings:
        """Return how a voice sounds."""
        return self._clones[voice] if self.is_clone(voice) else voice_settings(voice)


@functools.cache
def voice_settings(voice: str) -> VoiceSettings:
    """Look up or make up the settings of a voice.

    Parameters
    ----------
    voice
        A catalogue id, or any other id: it gets settings too, always the same.

    Returns
    -------
    VoiceSettings
        Different for every catalogue voice.
    """
    chance = hashlib.sha256((_SALT + voice).encode("utf-8", "surrogatepass")).digest()
    known = next((entry for entry in catalog.voices() if entry.id == voice), None)
    if known is None:
        gender, words = ("female", "male")[chance[0] % 2], ""
    else:
        gender, words = known.gender, f"{known.name_en} {known.description_en}".lower()
    totals = list(_BASE[gender])
    for pattern, changes in _TRAITS:
        if re.search(pattern, words):
            totals = [total + change for total, change in zip(totals, changes, strict=True)]
    spread = 7 if known else 25
    pitch, pitch_range, rate, volume = totals
    return VoiceSettings(
        english=_ACCENTS[chance[1] % len(_ACCENTS)],
        variant=_VARIANTS[gender][chance[2] % len(_VARIANTS[gender])],
        pitch=_within(pitch + chance[3] % (2 * spread + 1) - spread, 5, 95),
        pitch_range=_within(pitch_range, 10, 95),
        rate=_within(rate + chance[4] % (2 * spread + 1) - spread, 120, 240),
        volume=_within(volume, 70, 130),
    )


def _within(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))
