"""Cloning: what is measured of a clip, and that the clone made of it measures alike."""

from __future__ import annotations

import asyncio
import functools
import io
import tracemalloc

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stepnb.local.cloning import Traits, Unclonable, clone, measure, read_clip, settings_of
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import SAMPLE_RATE, VoiceSettings

TEXT = (
    "The old bridge over the river was closed last winter, and nobody knows when it will open again. "
    "We walked along the water."
)
SYLLABLES = 30
# Speakers that cloning itself never uses.
LOW_SLOW = VoiceSettings(english="en", variant="m5", pitch=15, pitch_range=30, rate=140)
HIGH_FAST = VoiceSettings(english="en", variant="f5", pitch=75, pitch_range=80, rate=190)


@functools.cache
def spoken(voice: VoiceSettings, text: str = TEXT) -> NDArray[np.float64]:
    pcm = asyncio.run(EspeakMouth().speak(text, voice))
    return np.frombuffer(pcm, "<i2") / 32768


def encoded(samples: NDArray[np.float64], rate: int = SAMPLE_RATE, format: str = "WAV", **how: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=format, **how)
    return buffer.getvalue()


def tone(seconds: float, rate: int = SAMPLE_RATE) -> NDArray[np.float64]:
    return 0.3 * np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * 150 / rate)


@pytest.mark.parametrize("hz", [80, 120, 160, 220, 300])
def test_the_pitch_of_a_known_sound(hz: int) -> None:
    phase = np.arange(2 * SAMPLE_RATE) * hz / SAMPLE_RATE % 1
    traits = measure(0.3 * (2 * phase - 1))  # a saw-tooth has all harmonics, like a voice
    assert traits.pitch == pytest.approx(hz, rel=0.01)
    assert traits.pitch_range < 0.2


def test_the_level_of_a_known_sound() -> None:
    assert measure(tone(2)).level == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.3)


@pytest.mark.parametrize("rate", [130, 175, 220])
def test_counts_syllables(rate: int) -> None:
    samples = spoken(VoiceSettings(variant="m5", rate=rate))
    pauses = 0.4  # between and around the sentences
    true = SYLLABLES / (samples.size / SAMPLE_RATE - pauses)
    assert measure(samples).rate == pytest.approx(true, rel=0.15)


def test_brightness_falls_when_the_treble_is_cut() -> None:
    bright = spoken(HIGH_FAST)
    dull = soxr.resample(soxr.resample(bright, SAMPLE_RATE, 2500), 2500, SAMPLE_RATE)
    assert measure(dull).brightness < measure(bright).brightness - 3
    assert settings_of(measure(dull)).variant != settings_of(measure(bright)).variant


def test_opposite_voices_give_opposite_clones() -> None:
    clones = {}
    for name, voice in (("low", LOW_SLOW), ("high", HIGH_FAST)):
        reference = spoken(voice)
        settings = clone(encoded(reference))
        was, now = measure(reference), measure(spoken(settings))
        clones[name] = now
        assert now.pitch == pytest.approx(was.pitch, rel=0.15)
        assert now.rate == pytest.approx(was.rate, rel=0.25)
        assert now.level == pytest.approx(was.level, abs=3)
    assert clones["low"].pitch < 0.6 * clones["high"].pitch
    assert clones["low"].rate < 0.85 * clones["high"].rate


def test_a_quiet_voice_gives_a_quieter_clone() -> None:
    loud, quiet = (clone(encoded(gain * spoken(LOW_SLOW))) for gain in (1.0, 0.6))
    assert quiet.volume < 0.8 * loud.volume
    assert quiet.pitch == loud.pitch and quiet.variant == loud.variant


def test_a_lively_voice_gives_a_livelier_clone() -> None:
    flat, lively = (
        settings_of(measure(spoken(VoiceSettings(variant="m5", pitch_range=value)))) for value in (5, 90)
    )
    assert flat.pitch_range + 20 < lively.pitch_range


@given(
    st.builds(
        Traits,
        pitch=st.floats(40, 700),
        pitch_range=st.floats(0, 40),
        rate=st.floats(0, 40),
        brightness=st.floats(-120, 60),
        level=st.floats(-120, 0),
    ),
    st.floats(1.1, 2),
)
def test_every_measure_gives_settings_and_keeps_its_direction(traits: Traits, factor: float) -> None:
    settings = settings_of(traits)  # VoiceSettings checks its own ranges
    faster = settings_of(
        Traits(traits.pitch, traits.pitch_range, traits.rate * factor, traits.brightness, -20)
    )
    assert faster.rate >= settings.rate


@pytest.mark.parametrize(
    ("format", "subtype", "rate"),
    [
        ("WAV", "PCM_16", 8000),
        ("WAV", "FLOAT", 48000),
        ("WAV", "PCM_24", 44100),
        ("MP3", "MPEG_LAYER_III", 24000),
    ],
)
def test_formats(format: str, subtype: str, rate: int) -> None:
    samples = soxr.resample(spoken(LOW_SLOW), SAMPLE_RATE, rate)
    read = read_clip(encoded(samples, rate, format, subtype=subtype))
    assert read.size == pytest.approx(spoken(LOW_SLOW).size, rel=0.02)
    assert measure(read).pitch == pytest.approx(measure(spoken(LOW_SLOW)).pitch, rel=0.03)


def test_stereo_is_mixed_down() -> None:
    mono = spoken(LOW_SLOW)
    read = read_clip(encoded(np.stack([mono, mono], axis=1)))
    assert read == pytest.approx(mono, abs=1e-4)


@pytest.mark.parametrize("seconds", [0.0, 4.99, 10.2, 60])
def test_wrong_length(seconds: float) -> None:
    with pytest.raises(Unclonable, match="between 5 and 10 seconds"):
        read_clip(encoded(tone(seconds)))


@pytest.mark.parametrize("seconds", [5, 10])
def test_right_length(seconds: float) -> None:
    assert read_clip(encoded(tone(seconds))).size == seconds * SAMPLE_RATE


@pytest.mark.parametrize("data", [b"", b"RIFF\0\0\0\0WAVE", b"ID3 is not enough", bytes(5000)])
def test_not_audio(data: bytes) -> None:
    with pytest.raises(Unclonable, match=r"not audio|between 5 and 10"):
        read_clip(data)


@pytest.mark.parametrize("channels", [9])
def test_too_many_channels(channels: int) -> None:
    with pytest.raises(Unclonable, match="9 channels"):
        read_clip(encoded(np.zeros((1000, channels))))


@pytest.mark.parametrize("kind", ["silence", "noise", "hiss"])
def test_nobody_speaks(kind: str) -> None:
    chance = np.random.default_rng(1).normal(0, 1, 6 * SAMPLE_RATE)
    samples = {"silence": 0 * chance, "noise": 0.1 * chance, "hiss": 1e-6 * chance}[kind]
    with pytest.raises(Unclonable, match="no speech"):
        measure(samples)


def test_floats_that_are_no_numbers() -> None:
    broken = tone(6)
    broken[1000:2000] = np.nan
    broken[5000] = np.inf
    assert np.isfinite(read_clip(encoded(broken, subtype="DOUBLE"))).all()


def test_a_small_file_that_decodes_to_hours_is_read_for_ten_seconds_only() -> None:
    buffer = io.BytesIO()
    block = np.zeros(60 * 8000, np.int16)
    with soundfile.SoundFile(buffer, "w", 8000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(6 * 60):
            file.write(block)
    bomb = buffer.getvalue()
    hours = 6 * 3600 * 8000 * 4  # bytes of float32, if it were decoded as a whole
    assert len(bomb) < hours / 100
    tracemalloc.start()
    try:
        with pytest.raises(Unclonable, match="between 5 and 10"):
            clone(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
