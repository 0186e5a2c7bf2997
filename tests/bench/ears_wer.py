"""Word error rate of the local engine's ears: ``python -m tests.bench.ears_wer``.

Sentences spoken by espeak-ng and heard through the real ears:

bare
    30 sentences of the phrase book that are not in the language model's training text, as the mouth speaks them. Nobody
    chose them: `stepnb.local.phrasebook.is_held_out` keeps out one sentence in sixteen by its SHA-256, and of these the
    first of every topic in the order of their hashes are taken, topic by topic, until there are 30. Every weight and
    recogniser setting was tuned on other sentences (another sixteenth, removed from training while tuning).
VAD
    The same through a microphone of varying level in a room (white noise at -60 dB of full scale), cut by the engine's
    input buffer in 20 ms frames: half a second of room before the speech and after it. What the VAD misses counts as
    misheard.
microphone
    28 recordings of what the ears got through Chromium's echo cancellation, noise suppression and gain control
    (tests/data/ears_microphone, recorded by tests/browser/record_ears.py), of other held-out sentences: 12 in
    en-us+f3, 4 in every other voice.
unseen wordings
    28 sentences in wordings the phrase book does not have (tests/data/ears_unseen.txt), bare: what it is like for
    someone who does not know the book. Some of their words are not in the book at all.

This is clean synthetic speech. A person with an accent, in a room, does worse.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import soundfile as sf

from stepnb.local import phrasebook
from stepnb.local.ears import SphinxEars
from stepnb.local.inbuffer import InputBuffer, UtteranceEnded
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import SAMPLE_RATE, VoiceSettings
from stepnb.protocol.config import ServerVAD

GOAL = 0.15  # for held-out sentences in voice en-us+f3, bare and through the VAD
VOICES = {
    "en-us": VoiceSettings(),
    "en-us+f3": VoiceSettings(variant="f3"),
    "en-us+m3": VoiceSettings(variant="m3"),
    "en-us+f2": VoiceSettings(variant="f2"),
    "en-gb": VoiceSettings(english="en"),
}
DATA = Path(__file__).parents[1] / "data"
UNSEEN = DATA / "ears_unseen.txt"
MICROPHONE = DATA / "ears_microphone"

ROOM_DB = -60.0
GAINS_DB = (0.0, -4.0, 4.0, -2.0, 6.0)
VAD = ServerVAD(prefix_padding_ms=500, silence_duration_ms=500, energy_awakeness_threshold=2500)
_CHUNK = 2 * SAMPLE_RATE // 50  # bytes of 20 ms

Utterance = tuple[str, list[bytes]]
"""What was said, and the pieces of PCM16LE mono 24 kHz in which the ears get it."""


@dataclass(frozen=True)
class Result:
    """Word error rate, and how long recognition took, s for every second of audio."""

    error: float
    real_time: float
    heard: list[str]


def unseen_sentences() -> list[str]:
    """Read tests/data/ears_unseen.txt."""
    return _lines(UNSEEN)


def to_speak(sentence: str) -> str:
    """Write a sentence as the mouth should read it: single letters by their names."""
    return re.sub(r"\b([a-z])\.", lambda letter: letter[1].upper(), sentence)


async def bare(sentences: list[str], voice: VoiceSettings) -> list[Utterance]:
    """Speak sentences."""
    mouth = EspeakMouth()
    spoken = await asyncio.gather(*(mouth.speak(to_speak(sentence), voice) for sentence in sentences))
    return [(phrasebook.display(said), [pcm]) for said, pcm in zip(sentences, spoken, strict=True)]


def through_vad(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Let a microphone in a room hear them, and the engine's VAD cut them; the same every time."""
    return [
        (said, _cut(pcm, GAINS_DB[number % len(GAINS_DB)], seed=number))
        for number, (said, (pcm,)) in enumerate(utterances)
    ]


def microphone(voice: str) -> list[Utterance]:
    """Read the recordings of a voice."""
    return [
        (said, [sf.read(MICROPHONE / file, dtype="int16")[0].tobytes()])
        for file, speaker, said in recordings()
        if speaker == voice
    ]


def recordings() -> list[tuple[str, str, str]]:
    """List the recordings: file, voice, sentence."""
    return [tuple(line.split("\t")) for line in _lines(MICROPHONE / "sentences.tsv")]  # type: ignore[misc]


async def measure(utterances: Sequence[Utterance], ears: SphinxEars) -> Result:
    """Let the ears hear them."""
    began = time.perf_counter()
    heard = [" ".join([(await ears.hear(piece)).text for piece in pieces]) for _, pieces in utterances]
    elapsed = time.perf_counter() - began
    seconds = sum(len(piece) for _, pieces in utterances for piece in pieces) / 2 / SAMPLE_RATE
    return Result(jiwer.wer([said for said, _ in utterances], heard), elapsed / seconds, heard)


def _cut(pcm: bytes, gain_db: float, seed: int) -> list[bytes]:
    silence = np.zeros(SAMPLE_RATE)
    speech = np.frombuffer(pcm, "<i2") * 10 ** (gain_db / 20)
    sound = np.concatenate([silence, speech, silence])
    sound += np.random.default_rng(seed).normal(0.0, 32768 * 10 ** (ROOM_DB / 20), sound.size)
    captured = np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()
    buffer = InputBuffer()
    buffer.set_vad(VAD)
    events = (
        event
        for start in range(0, len(captured), _CHUNK)
        for event in buffer.append(captured[start : start + _CHUNK])
    )
    return [event.pcm for event in events if isinstance(event, UtteranceEnded)]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


async def main() -> None:
    """Print the table."""
    held_out = phrasebook.load().held_out(30)
    ears = SphinxEars()
    await ears.start()
    try:
        print(f"{'condition':<18}{'voice':<12}{'WER':>7}  real-time factor")
        for voice, settings in VOICES.items():
            spoken = await bare(held_out, settings)
            conditions = {
                "bare": spoken,
                "VAD": through_vad(spoken),
                "microphone": microphone(voice),
                "unseen wordings": await bare(unseen_sentences(), settings),
            }
            for name, utterances in conditions.items():
                result = await measure(utterances, ears)
                goal = f"   goal {GOAL}" if voice == "en-us+f3" and name in ("bare", "VAD") else ""
                print(f"{name:<18}{voice:<12}{result.error:>7.3f}{result.real_time:>18.3f}{goal}", flush=True)
    finally:
        await ears.close()


if __name__ == "__main__":
    asyncio.run(main())
