"""Speech as the REST endpoints ask for it: what of a text is spoken, how fast and loud, and in which file format."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import re
from typing import Annotated, Literal

import msgspec
import numpy as np
import soundfile
import soxr

from stepnb.audio import pcm as pcm16
from stepnb.local.output import PAUSE_MS
from stepnb.local.parts import SAMPLE_RATE, Mouth, VoiceSettings, split_sentences

TTS_MODELS = ("stepaudio-2.5-tts", "step-tts-2", "step-tts-mini")
NEWEST = "stepaudio-2.5-tts"
"""The model with `instruction` and directions in parentheses, and without `voice_label`."""

MEDIA_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "opus": "audio/ogg",
    "pcm": "audio/pcm",
}
"""By `response_format`."""

MOUTH_TIMEOUT_S = 30.0  # of one sentence

_CONTAINERS = {
    "wav": ("WAV", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "flac": ("FLAC", "PCM_16"),
    "opus": ("OGG", "OPUS"),
}
_BLOCK = 16_384  # samples written at once: libsndfile's OGG encoders keep a block on the stack
_DIRECTION = re.compile(r"\([^()]*\)|（[^（）]*）")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"^\s{0,3}(?:#{1,6}|>|[-*+]|\d+\.)\s+|[*`~]+|(?<!\w)_+|_+(?!\w)", re.MULTILINE)


class VoiceLabel(msgspec.Struct):
    """A manner of speaking; the local engine checks it and does not act it."""

    language: str | None = None
    emotion: str | None = None
    style: str | None = None


class Wanted(msgspec.Struct, kw_only=True):
    """What speech and preview have in common. `sample_rate` is in Hz."""

    response_format: Literal["wav", "mp3", "flac", "opus", "pcm"] = "mp3"
    speed: Annotated[float, msgspec.Meta(ge=0.5, le=2.0)] = 1.0
    volume: Annotated[float, msgspec.Meta(ge=0.1, le=2.0)] = 1.0
    voice_label: VoiceLabel | None = None
    instruction: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    sample_rate: Literal[8000, 16000, 22050, 24000, 48000] = 24000
    pronunciation_map: dict[str, list[str]] | None = None
    markdown_filter: bool = False


class Unspeakable(Exception):
    """A request that cannot be spoken; the message is a sentence for the client."""


def check(wanted: Wanted, model: str) -> None:
    """Refuse what the model does not take.

    Raises
    ------
    Unspeakable
        A label for the newest model, an instruction for another, or more than one label.
    """
    if wanted.voice_label is not None:
        if model == NEWEST:
            raise Unspeakable(f"voice_label cannot be used with {NEWEST}")
        if sum(value is not None for value in msgspec.structs.astuple(wanted.voice_label)) != 1:
            raise Unspeakable("voice_label must have exactly one of language, emotion and style")
    if wanted.instruction is not None and model != NEWEST:
        raise Unspeakable(f"instruction can be used with {NEWEST} only")


def spoken_text(text: str, wanted: Wanted, model: str) -> str:
    """Return what of a text is spoken.

    Raises
    ------
    Unspeakable
        An entry of the pronunciation map is no ``word/replacement``.
    """
    if model == NEWEST:
        text = _DIRECTION.sub(" ", text)
    if wanted.markdown_filter:
        text = _MARKS.sub("", _LINK.sub(r"\1", text))
    for entry in (wanted.pronunciation_map or {}).get("tone", []):
        word, slash, replacement = entry.partition("/")
        if not (word and slash):
            raise Unspeakable(f'a pronunciation must be "word/replacement", not {entry[:100]!r}')
        text = text.replace(word, replacement)
    return text.strip()


async def speak(mouth: Mouth, text: str, voice: VoiceSettings, wanted: Wanted) -> bytes:
    """Speak a text sentence by sentence, as a session does, and encode it.

    Raises
    ------
    Unspeakable
        There is nothing to pronounce.
    EngineError
        The mouth failed.
    TimeoutError
        The mouth took more than 30 s for a sentence.
    """
    if not any(char.isalnum() for char in text):
        raise Unspeakable("there is nothing to pronounce in the text")
    paced = dataclasses.replace(voice, rate=min(max(round(voice.rate * wanted.speed), 80), 450))
    spoken = []
    for sentence in split_sentences(text):
        async with asyncio.timeout(MOUTH_TIMEOUT_S):
            spoken.append(await mouth.speak(sentence, paced))
    return await asyncio.to_thread(_encoded, bytes(PAUSE_MS * pcm16.BYTES_PER_MS).join(spoken), wanted)


def _encoded(pcm: bytes, wanted: Wanted) -> bytes:
    samples = pcm16.to_samples(pcm).astype(np.float32) * np.float32(wanted.volume / pcm16.PEAK)
    rate: int = wanted.sample_rate
    if wanted.response_format == "opus" and rate == 22050:
        rate = SAMPLE_RATE  # Opus does not have the other
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, SAMPLE_RATE, rate)
    rounded = pcm16.from_float(samples)
    if wanted.response_format == "pcm":
        return pcm16.to_bytes(rounded)
    container, subtype = _CONTAINERS[wanted.response_format]
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, 1, subtype, format=container) as file:
        for start in range(0, rounded.size, _BLOCK):
            file.write(rounded[start : start + _BLOCK])
    return buffer.getvalue()
