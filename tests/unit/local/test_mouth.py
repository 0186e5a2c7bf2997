from __future__ import annotations

import asyncio
import itertools
import os
import signal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stepnb.errors import EngineError
from stepnb.local.child import Child
from stepnb.local.espeak import split_scripts
from stepnb.local.mouth import MAX_TEXT, EspeakMouth
from stepnb.local.parts import SAMPLE_RATE, VoiceSettings
from stepnb.local.voices import voice_settings
from stepnb.protocol import catalog

SENTENCE = "The weather is nice today, and the sky is blue."


def speak(text: str, voice: VoiceSettings | None = None) -> NDArray[np.int16]:
    pcm = asyncio.run(EspeakMouth().speak(text, voice or VoiceSettings()))
    return np.frombuffer(pcm, "<i2")


def pitch(samples: NDArray[np.int16]) -> float:
    """Median fundamental frequency, Hz, by autocorrelation of the loud frames."""
    size, found = 1200, []
    loud = np.abs(samples.astype(float)).mean()
    for start in range(0, samples.size - size, size):
        frame = samples[start : start + size].astype(float)
        if np.abs(frame).mean() > loud:
            correlation = np.correlate(frame, frame, "full")[size - 1 :]
            low, high = SAMPLE_RATE // 400, SAMPLE_RATE // 60
            found.append(SAMPLE_RATE / (low + int(correlation[low:high].argmax())))
    return float(np.median(found))


@pytest.mark.parametrize(
    "voice", [VoiceSettings(), VoiceSettings(variant="f3"), VoiceSettings(variant="m3")], ids=str
)
@pytest.mark.parametrize("text", [SENTENCE, "现在是 3 点, hello!"])
def test_the_same_text_sounds_the_same(text: str, voice: VoiceSettings) -> None:
    first, second = speak(text, voice), speak(text, voice)
    assert first.size > SAMPLE_RATE // 2
    assert np.array_equal(first, second)


def test_seeds_do_not_come_from_the_clock() -> None:
    # Breathy variants are noisy by chance; the library's own seed is the second of the day.
    breathy = VoiceSettings(variant="f2")
    first = speak("Hello.", breathy)

    async def a_second_later() -> bytes:
        await asyncio.sleep(1.1)  # the clock is what is tested
        return await EspeakMouth().speak("Hello.", breathy)

    assert first.tobytes() == asyncio.run(a_second_later())


def test_duration_and_level_are_those_of_speech() -> None:
    samples = speak(SENTENCE)
    assert 2 < samples.size / SAMPLE_RATE < 5
    assert 500 < np.sqrt(np.mean(samples.astype(float) ** 2)) < 10_000


def test_nothing_to_say_is_no_audio() -> None:
    assert speak("").size == 0


def test_mandarin_is_spoken_in_mandarin() -> None:
    mandarin = speak("你好世界")
    read_as_english = speak("你好世界", VoiceSettings(mandarin="en-us"))
    assert mandarin.size > SAMPLE_RATE // 2
    assert not np.array_equal(mandarin, read_as_english)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("hello", [("en", "hello")]),
        ("你好", [("zh", "你好")]),
        ("现在是 3 点。", [("zh", "现在是 3 点。")]),
        ("用 Python 3 写", [("zh", "用 "), ("en", "Python 3 "), ("zh", "写")]),
        ("3 点", [("zh", "3 点")]),
        ("42", [("en", "42")]),
        ("", []),
    ],
)
def test_scripts(text: str, runs: list[tuple[str, str]]) -> None:
    assert split_scripts(text) == runs


@given(st.text(max_size=60))
def test_scripts_lose_nothing(text: str) -> None:
    runs = split_scripts(text)
    assert "".join(run for _, run in runs) == text
    assert all(a[0] != b[0] for a, b in itertools.pairwise(runs))


def test_every_catalogue_voice_is_its_own() -> None:
    voices = {voice.id: voice_settings(voice.id) for voice in catalog.voices()}
    assert len(voices) == 39
    for (a, one), (b, other) in itertools.combinations(voices.items(), 2):
        apart = (
            one.variant != other.variant
            or abs(one.pitch - other.pitch) >= 5
            or abs(one.rate - other.rate) >= 10
            or abs(one.pitch_range - other.pitch_range) >= 12
        )
        assert apart, f"{a} and {b} sound alike"


def test_descriptions_are_heard() -> None:
    deep = speak(SENTENCE, voice_settings("magnetic-voiced-male"))
    lively = speak(SENTENCE, voice_settings("lively-girl"))
    assert pitch(lively) > 1.6 * pitch(deep)
    assert lively.size < 0.8 * deep.size


def test_unknown_voices_have_a_voice() -> None:
    one, other = voice_settings("voice-tone-Ab12"), voice_settings("voice-tone-Cd34")
    assert one == voice_settings("voice-tone-Ab12")
    assert one != other
    assert speak("Hello.", one).size


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="pitch must be between 0 and 99, not 120"):
        VoiceSettings(pitch=120)


def test_long_texts_are_refused() -> None:
    with pytest.raises(EngineError, match="at most 2000 characters"):
        speak("a" * (MAX_TEXT + 1))


def test_a_closed_mouth_is_silent() -> None:
    async def run() -> None:
        mouth = EspeakMouth()
        await mouth.close()
        await mouth.speak("hello", VoiceSettings())

    with pytest.raises(EngineError, match="closed"):
        asyncio.run(run())


@pytest.mark.parametrize("crashes", [1, 2])
def test_a_crash_is_repaired_once(crashes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Child] = []
    really_start = Child.start

    async def start(*arguments: str, timeout_s: float) -> Child:
        child = await really_start(*arguments, timeout_s=timeout_s)
        started.append(child)
        if len(started) <= crashes:
            os.kill(child.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(Child, "start", start)
    if crashes == 1:
        assert speak("hello").size
    else:
        with pytest.raises(EngineError, match="could not speak"):
            speak("hello")
    assert len(started) == 2


def test_sentences_are_spoken_side_by_side() -> None:
    async def run() -> list[bytes]:
        mouth = EspeakMouth(processes=2)
        return await asyncio.gather(*(mouth.speak(f"Number {n}.", VoiceSettings()) for n in range(5)))

    spoken = asyncio.run(run())
    assert all(spoken)
    assert len(set(spoken)) == 5
