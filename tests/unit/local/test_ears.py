from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from stepnb.errors import EngineError
from stepnb.local import phrasebook
from stepnb.local.ears import RECOGNIZER_RATE, SphinxEars, condition, has_voice
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import SAMPLE_RATE, Heard, VoiceSettings
from tests.bench import ears_wer

VOICE = VoiceSettings(variant="f2")


def with_ears(use: Callable[[SphinxEars], Awaitable[None]], model: str = "phrasebook") -> None:
    async def run() -> None:
        ears = SphinxEars(model)  # type: ignore[arg-type]
        try:
            await use(ears)
        finally:
            await ears.close()

    asyncio.run(run())


async def said(text: str) -> bytes:
    return await EspeakMouth().speak(text, VOICE)


def test_it_hears_what_was_said() -> None:
    async def use(ears: SphinxEars) -> None:
        for text in ("what time is it", "tell me a joke", "what is seven plus three", "my name is daniel"):
            heard = await ears.hear(await said(text))
            assert heard.text == text
            assert 0 <= heard.confidence <= 1

    with_ears(use)


def test_the_same_audio_is_heard_as_the_same_text_whatever_came_before() -> None:
    async def use(ears: SphinxEars) -> None:
        question = await said("how do you spell banana")
        samples = np.frombuffer(question, "<i2")
        noise = np.random.default_rng(1).normal(0, 3000, samples.size)
        first = await ears.hear(question)
        await ears.hear(np.clip(samples + noise, -32768, 32767).astype("<i2").tobytes())
        await ears.hear(await said("goodbye"))
        assert await ears.hear(question) == first

    with_ears(use)


def test_utterances_wait_for_their_turn() -> None:
    async def use(ears: SphinxEars) -> None:
        texts = ["what time is it", "tell me a joke", "thank you very much"]
        spoken = [await said(text) for text in texts]
        heard = await asyncio.gather(*map(ears.hear, spoken))
        assert [one.text for one in heard] == texts

    with_ears(use)


def test_the_general_model_is_another_one() -> None:
    async def use(ears: SphinxEars) -> None:
        heard = await ears.hear(await said("the parliament voted against the amendment"))
        assert heard.text
        assert "parliament" in heard.text or len(heard.text.split()) > 2

    with_ears(use, "general")


def test_a_click_is_nothing() -> None:
    async def use(ears: SphinxEars) -> None:
        assert await ears.hear(b"") == Heard("", 0.0)
        assert await ears.hear(b"\1\2" * 1000) == Heard("", 0.0)

    with_ears(use)


def pcm(samples: np.ndarray) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def noises() -> dict[str, bytes]:
    chance = np.random.default_rng(3)
    white = chance.normal(0, 5000, SAMPLE_RATE)
    key = np.concatenate([chance.normal(0, 12_000, 120), np.zeros(3000)])
    return {
        "a fan": pcm(white),
        "a far fan": pcm(np.convolve(white, np.ones(8) / 8, "same")),
        "typing": pcm(np.tile(key, 8)),
        "a door": pcm(white[:12_000] * np.exp(-np.arange(12_000) / 1500)),
        "a cough": pcm(white[:9_000] * np.exp(-(((np.arange(9_000) - 2500) / 1800) ** 2))),
    }


@pytest.mark.parametrize("name", noises())
def test_noise_is_not_taken_for_words(name: str) -> None:
    async def use(ears: SphinxEars) -> None:
        assert await ears.hear(noises()[name]) == Heard("", 0.0)

    with_ears(use)


@pytest.mark.parametrize("voice", ears_wer.VOICES)
def test_the_shortest_words_have_a_voice(voice: str) -> None:
    words = ["stop", "six", "yes", "thanks", "faster please", "what time is it"]
    for word, (sound,) in asyncio.run(ears_wer.bare(words, ears_wer.VOICES[voice])):
        assert has_voice(sound), word
        quiet = np.frombuffer(sound, "<i2") / 20
        room = np.random.default_rng(4).normal(0, 10, quiet.size)
        assert has_voice(pcm(quiet + room)), word


def test_all_recordings_of_the_microphone_have_a_voice() -> None:
    for voice in ears_wer.VOICES:
        for said, (sound,) in ears_wer.microphone(voice):
            assert has_voice(sound), said


def test_silence_is_survived() -> None:
    async def use(ears: SphinxEars) -> None:
        assert isinstance((await ears.hear(bytes(2 * SAMPLE_RATE))).text, str)

    with_ears(use)


@pytest.mark.parametrize(
    ("pcm", "reason"), [(b"\0" * 7, "no 16-bit samples"), (bytes(61 * 48_000), "at most 60 s")]
)
def test_bad_audio_is_refused(pcm: bytes, reason: str) -> None:
    async def use(ears: SphinxEars) -> None:
        with pytest.raises(EngineError, match=reason):
            await ears.hear(pcm)

    with_ears(use)


def test_closed_ears_hear_nothing() -> None:
    async def use(ears: SphinxEars) -> None:
        await ears.close()
        with pytest.raises(EngineError, match="closed"):
            await ears.hear(bytes(SAMPLE_RATE))

    with_ears(use)


def test_a_crashed_recogniser_is_replaced() -> None:
    async def use(ears: SphinxEars) -> None:
        await ears.start()
        assert ears._child is not None
        os.kill(ears._child.pid, signal.SIGKILL)
        assert (await ears.hear(await said("what time is it"))).text == "what time is it"

    with_ears(use)


def test_a_cancelled_utterance_does_not_confuse_the_next() -> None:
    async def use(ears: SphinxEars) -> None:
        await ears.start()
        long = asyncio.create_task(ears.hear(await said("what is seven plus three " * 8)))
        await asyncio.sleep(0.05)  # in the middle of it
        long.cancel()
        with pytest.raises(asyncio.CancelledError):
            await long
        assert (await ears.hear(await said("tell me a joke"))).text == "tell me a joke"

    with_ears(use)


def tone(seconds: float, rms: float) -> bytes:
    samples = np.sin(np.arange(int(seconds * SAMPLE_RATE)) / 20) * rms * 2**0.5
    return samples.astype("<i2").tobytes()


def test_conditioned_audio_has_a_pause_a_level_and_a_floor() -> None:
    made = np.frombuffer(condition(tone(1, 200)), "<i2").astype(float)
    assert made.size == pytest.approx(2 * RECOGNIZER_RATE, abs=2)
    middle, edge = made[12_000:20_000], made[:7000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(2000, rel=0.05)
    assert 20 * np.log10(np.std(edge) / 2000) == pytest.approx(-28, abs=1)
    assert condition(tone(1, 200)) == condition(tone(1, 200))


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.5), (2.0, 0.1), (0.0, 3.0)])
def test_silence_around_the_speech_changes_neither_its_level_nor_its_length(
    before: float, after: float
) -> None:
    silence = [bytes(2 * int(seconds * SAMPLE_RATE)) for seconds in (before, after)]
    made = np.frombuffer(condition(silence[0] + tone(1, 200) + silence[1]), "<i2").astype(float)
    assert made.size / RECOGNIZER_RATE == pytest.approx(2, abs=0.05)
    assert np.sqrt(np.mean(made[12_000:20_000] ** 2)) == pytest.approx(2000, rel=0.05)


@pytest.mark.parametrize("pcm", [bytes(SAMPLE_RATE), b"\0\0" * 24 + tone(0.1, 5)])
def test_audio_without_speech_is_conditioned_too(pcm: bytes) -> None:
    assert condition(pcm)


def test_word_error_rate_of_unseen_sentences(figure: Callable[[str], None]) -> None:
    async def use(ears: SphinxEars) -> None:
        spoken = await ears_wer.bare(phrasebook.load().held_out(30), ears_wer.VOICES["en-us+f3"])
        conditions = {"bare": spoken, "through the VAD": ears_wer.through_vad(spoken)}
        for name, utterances in conditions.items():
            result = await ears_wer.measure(utterances, ears)
            figure(f"word error rate, held-out sentences in en-us+f3, {name}: {result.error:.3f}")
            assert result.error <= ears_wer.GOAL, result.heard

    with_ears(use)
