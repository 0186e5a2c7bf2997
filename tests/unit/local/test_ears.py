from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from stepnb.errors import EngineError
from stepnb.local.ears import RECOGNIZER_RATE, SphinxEars, condition
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import SAMPLE_RATE, Heard, VoiceSettings

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
        question, loud = await said("how do you spell banana"), os.urandom(96_000)
        first = await ears.hear(question)
        await ears.hear(loud)
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


def test_conditioned_audio_has_a_pause_a_level_and_a_floor() -> None:
    tone = (300 * np.sin(np.arange(SAMPLE_RATE) / 20)).astype("<i2").tobytes()
    made = np.frombuffer(condition(tone), "<i2").astype(float)
    assert made.size == pytest.approx(1.5 * RECOGNIZER_RATE, abs=2)
    middle, edge = made[8000:16000], made[:3000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(2000, rel=0.05)
    assert 20 * np.log10(np.std(edge) / 2000) == pytest.approx(-28, abs=1)
    assert condition(tone) == condition(tone)
