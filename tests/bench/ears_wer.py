"""Word error rate of the local engine's ears: ``python -m tests.bench.ears_wer``.

Three sets of sentences, spoken by espeak-ng and heard through the real ears:

held out
    30 sentences of the phrase book that are not in the language model's training text. Nobody chose them:
    `stepnb.local.phrasebook.is_held_out` keeps out one sentence in sixteen by its SHA-256, and of these the first of
    every topic in the order of their hashes are taken, topic by topic, until there are 30. Every weight and recogniser
    setting was tuned on other sentences (another sixteenth, removed from training while tuning).
unseen wordings
    28 sentences in wordings the phrase book does not have (tests/data/ears_unseen.txt): what it is like for someone who
    does not know the book. Some of their words are not in the book at all.

This is clean synthetic speech, spoken by the engine's own mouth. A person with an accent, in a room, does worse.
"""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import jiwer

from stepnb.local import phrasebook
from stepnb.local.ears import SphinxEars
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import VoiceSettings

GOAL = 0.15  # for held-out sentences in voice en-us+f3
VOICES = {
    "en-us": VoiceSettings(),
    "en-us+f3": VoiceSettings(variant="f3"),
    "en-us+m3": VoiceSettings(variant="m3"),
    "en-us+f2": VoiceSettings(variant="f2"),
    "en-gb": VoiceSettings(english="en"),
}
UNSEEN = Path(__file__).parents[1] / "data" / "ears_unseen.txt"


def unseen_sentences() -> list[str]:
    """Read tests/data/ears_unseen.txt."""
    lines = UNSEEN.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def to_speak(sentence: str) -> str:
    """Write a sentence as the mouth should read it: single letters by their names."""
    return re.sub(r"\b([a-z])\.", lambda letter: letter[1].upper(), sentence)


async def measure(
    sentences: list[str], voice: VoiceSettings, ears: SphinxEars
) -> tuple[float, float, list[str]]:
    """Measure word error rate, seconds of recognition per second of speech, and what was heard."""
    mouth = EspeakMouth()
    spoken = [await mouth.speak(to_speak(sentence), voice) for sentence in sentences]
    began = time.perf_counter()
    heard = [(await ears.hear(pcm)).text for pcm in spoken]
    elapsed = time.perf_counter() - began
    said = [phrasebook.display(sentence) for sentence in sentences]
    return jiwer.wer(said, heard), elapsed / (sum(map(len, spoken)) / 48_000), heard


async def main() -> None:
    """Print the table."""
    sets = {"held out": phrasebook.load().held_out(30), "unseen wordings": unseen_sentences()}
    ears = SphinxEars()
    await ears.start()
    try:
        print(f"{'sentences':<18}{'voice':<12}{'WER':>7}{'  real-time factor'}")
        for name, sentences in sets.items():
            for voice, settings in VOICES.items():
                error, factor, _ = await measure(sentences, settings, ears)
                goal = f"   goal {GOAL}" if (name, voice) == ("held out", "en-us+f3") else ""
                print(f"{name:<18}{voice:<12}{error:>7.3f}{factor:>18.3f}{goal}")
    finally:
        await ears.close()


if __name__ == "__main__":
    asyncio.run(main())
