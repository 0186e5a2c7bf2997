"""The local engine's parts and audio files, really used: a sentence is said and heard, a tone written and read."""

from __future__ import annotations

import asyncio
import io
import time

import numpy as np
import soundfile

from ..audio.clip import Clip
from ..errors import EngineError, StepnbError
from .row import Row

SENTENCE = "What time is it?"
FORMATS = ("WAV", "FLAC", "OGG", "MP3")
_RATE = 24_000
_TONE_HZ = 440
_TONE_S = 0.5
_INSTALL = 'Install its parts: pip install "stepnb[local]".'


def engine() -> Row:
    """Let the engine's mouth say a sentence to its ears."""
    from ..local.choices import check_installed

    begun = time.monotonic()
    try:
        check_installed()
        heard = asyncio.run(_said_and_heard())
    except EngineError as error:
        return Row("engine", "fails", error.message, error.fix or _INSTALL)
    took = time.monotonic() - begun
    if _words(heard) != _words(SENTENCE):
        return Row(
            "engine",
            "note",
            f"It said {SENTENCE!r} and understood {heard!r}.",
            "Please report it, with the versions above; typing works.",
        )
    return Row("engine", "ok", f"said and understood {SENTENCE!r} in {took:.1f} s")


async def _said_and_heard() -> str:
    from ..local.ears import SphinxEars
    from ..local.mouth import EspeakMouth
    from ..local.parts import VoiceSettings

    mouth, ears = EspeakMouth(processes=1), SphinxEars()
    try:
        spoken = await mouth.speak(SENTENCE, VoiceSettings(variant="f3"))
        return (await ears.hear(spoken)).text
    finally:
        await mouth.close()
        await ears.close()


def _words(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalpha() or c == " ").split()


def audio() -> Row:
    """Write a tone in every format and read it back, with the library alone: there is no ffmpeg to be found."""
    time_s = np.arange(int(_TONE_S * _RATE)) / _RATE
    tone = Clip(np.round(8000 * np.sin(2 * np.pi * _TONE_HZ * time_s)).astype(np.int16), _RATE)
    broken = []
    for name in FORMATS:
        file = io.BytesIO()
        try:
            soundfile.write(file, tone.samples, tone.rate, format=name)
            if not _same(tone, Clip.load(file.getvalue())):
                broken.append(f"{name} (it sounds different)")
        except (StepnbError, soundfile.SoundFileError, ValueError) as error:
            broken.append(f"{name} ({error})")
    if broken:
        fix = "Update the audio library: pip install --upgrade soundfile."
        return Row("audio", "fails", f"Not written and read: {', '.join(broken)}", fix)
    return Row("audio", "ok", f"{', '.join(FORMATS)} written and read, without ffmpeg")


def _same(tone: Clip, read: Clip) -> bool:
    spectrum = np.abs(np.fft.rfft(read.samples))
    pitch = np.argmax(spectrum) * read.rate / len(read.samples)
    return bool(
        abs(read.duration - tone.duration) < 0.1
        and abs(pitch - _TONE_HZ) < 5
        and 0.7 < np.std(read.samples) / np.std(tone.samples) < 1.4
    )
