"""Texts spoken by several voices, and what is measured of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..audio.clip import Clip
from ..audio.spectrum import pitch
from ..errors import ConfigError, MissingLibrary, StepnbError
from ..protocol.catalog import Voice
from ..rest.owned import ClonedVoice
from ..rest.voices import Voices
from ..session.session import Session

AnyVoice = ClonedVoice | Voice | str

# New accounts may make ten requests a minute and have five at a time; what is refused waits and is made again.
_AT_A_TIME = 3
_TURN_TIMEOUT_S = 60.0
# The lowest of voices; a tracker that may not go there finds an overtone instead.
_LOWEST_HZ = 50.0
_READ_ALOUD = (
    "You read texts aloud. Say exactly the text the user gives you, word for word, and nothing else."
)
# A word, or a Chinese character, of which a word has one or two.
_WORD = re.compile(r"[一-鿿]|[^\W一-鿿]+(?:['’-]\w+)*")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One text by one voice.

    Attributes
    ----------
    voice, text
        The voice's label, and what it was to say.
    clip
        How it sounds, None when that failed.
    error
        Why it failed, with what to do; None when it did not.
    duration
        s, pauses at both ends left out; None without a clip.
    pitch
        Median, Hz; None where no voice was found or pyworld is not installed.
    rate
        Words a minute, a Chinese character counting as a word; None without a clip.
    """

    voice: str
    text: str
    clip: Clip | None = None
    error: str | None = None
    duration: float | None = None
    pitch: float | None = None
    rate: float | None = None

    @property
    def figures(self) -> str:
        """Duration, pitch and rate for people."""
        parts = []
        if self.duration is not None:
            parts.append(f"{self.duration:.1f} s")
        if self.pitch is not None:
            parts.append(f"{self.pitch:.0f} Hz")
        if self.rate is not None:
            parts.append(f"{self.rate:.0f} / min")
        return " · ".join(parts)


def measured(voice: str, text: str, clip: Clip) -> Spoken:
    """Measure a clip in which a text is spoken."""
    speech = clip.trim_silence()
    try:
        median = pitch(speech, floor=_LOWEST_HZ).median
    except MissingLibrary:
        median = None
    rate = len(_WORD.findall(text)) / speech.duration * 60 if speech.duration else None
    return Spoken(voice, text, clip, None, speech.duration, median, rate)


def labelled(voices: Sequence[AnyVoice] | Mapping[str, AnyVoice]) -> dict[str, str]:
    """Return the ids of voices by their labels.

    Raises
    ------
    ConfigError
        There are fewer than two, or two with one label.
    """
    pairs = (
        list(voices.items()) if isinstance(voices, Mapping) else [(_label(voice), voice) for voice in voices]
    )
    found = {label: voice if isinstance(voice, str) else voice.id for label, voice in pairs}
    if len(found) < len(pairs):
        raise ConfigError(
            "Two of the voices have the same name.", fix="Name them yourself: {'old': voice, 'new': other}."
        )
    if len(found) < 2:
        raise ConfigError("There is nothing to compare.", fix="Give at least two voices.")
    return found


def _label(voice: AnyVoice) -> str:
    if isinstance(voice, ClonedVoice):
        return voice.name or voice.id
    return voice if isinstance(voice, str) else voice.id


def checked_texts(texts: str | Sequence[str]) -> list[str]:
    """Return what is to be said.

    Raises
    ------
    ConfigError
        There is none, one is empty, or one comes twice.
    """
    found = [texts] if isinstance(texts, str) else list(texts)
    if not found or not all(isinstance(text, str) and text.strip() for text in found):
        raise ConfigError("There is nothing to say.", fix="Give one or more texts.")
    if len(set(found)) < len(found):
        raise ConfigError("One of the texts is there twice.", fix="Leave one out.")
    return found


def by_speech(voices: Voices, ids: Mapping[str, str], texts: Sequence[str]) -> list[Spoken]:
    """Let the voices read the texts over REST."""

    def speak(pair: tuple[str, str]) -> Spoken:
        label, text = pair
        try:
            return measured(label, text, voices.speak(text, ids[label]))
        except StepnbError as error:
            return Spoken(label, text, error=str(error))

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(speak, [(label, text) for label in ids for text in texts]))


def by_sessions(
    cluster: str | None, api_key: str | None, model: str | None, ids: Mapping[str, str], texts: Sequence[str]
) -> list[Spoken]:
    """Let the voices say the texts in a session each."""

    def converse(label: str) -> list[Spoken]:
        found: list[Spoken] = []
        with Session(
            cluster, api_key=api_key, model=model, voice=ids[label], instructions=_READ_ALOUD, vad=None
        ) as session:
            for text in texts:
                try:
                    turn = session.ask(f"Repeat after me: {text}").wait(timeout=_TURN_TIMEOUT_S)
                    found.append(measured(label, text, turn.audio))
                except StepnbError as error:
                    found.append(Spoken(label, text, error=str(error)))
        return found

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return [spoken for row in pool.map(converse, ids) for spoken in row]
