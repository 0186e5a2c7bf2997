"""The input buffer: utterances do not depend on how the audio is cut, and memory is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.local.inbuffer import MAX_BUFFER, InputBuffer, UtteranceBegan, UtteranceEnded
from stepnb.local.refusals import Refused
from stepnb.protocol.config import ServerVAD

VAD = ServerVAD(prefix_padding_ms=100, silence_duration_ms=200, energy_awakeness_threshold=1000)


def tone(ms: int) -> bytes:
    return bytes((8000 * np.sin(np.arange(24 * ms) * 0.05)).astype("<i2"))


def silence(ms: int) -> bytes:
    return bytes(48 * ms)


AUDIO = silence(700) + tone(400) + silence(150) + tone(300) + silence(900) + tone(500) + silence(400)


def test_utterances() -> None:
    buffer = InputBuffer()
    buffer.set_vad(VAD)
    # The pause of 150 ms does not end the first one.
    assert buffer.append(AUDIO) == [
        UtteranceBegan(600),
        UtteranceEnded(1760, AUDIO[48 * 600 : 48 * 1760]),
        UtteranceBegan(2340),
        UtteranceEnded(3160, AUDIO[48 * 2340 : 48 * 3160]),
    ]


@settings(deadline=None)
@given(st.lists(st.integers(1, 60_000), max_size=40))
def test_cuts_do_not_matter(sizes: list[int]) -> None:
    whole, pieces = InputBuffer(), InputBuffer()
    whole.set_vad(VAD)
    pieces.set_vad(VAD)
    found, rest = [], AUDIO
    for size in sizes:
        found += pieces.append(rest[: 2 * size])
        rest = rest[2 * size :]
    found += pieces.append(rest)
    assert found == whole.append(AUDIO)


def test_the_clock_counts_all_audio_of_the_session() -> None:
    buffer = InputBuffer()
    buffer.append(silence(1000))
    buffer.set_vad(VAD)
    assert buffer.append(silence(500) + tone(200))[0] == UtteranceBegan(1400)
    buffer.clear()
    assert not buffer.append(silence(1000))
    # Nothing from before `clear` becomes padding.
    assert buffer.append(tone(200)) == [UtteranceBegan(2600)]


def test_silence_is_not_kept() -> None:
    buffer = InputBuffer()
    buffer.set_vad(VAD)
    for _ in range(200):
        buffer.append(silence(1000))
    assert len(buffer) <= 48 * (VAD.prefix_padding_ms + 200)


def test_endless_noise_is_bounded() -> None:
    buffer = InputBuffer()
    buffer.set_vad(VAD)
    minute = tone(60_000)
    for _ in range(14):
        buffer.append(minute)
    assert len(buffer) == MAX_BUFFER
    *_, ended = buffer.append(silence(300))
    assert isinstance(ended, UtteranceEnded) and len(ended.pcm) <= MAX_BUFFER + 48 * 300
    assert ended.at_ms == 14 * 60_000 + 200


def test_parameters_change_in_speech() -> None:
    buffer = InputBuffer()
    buffer.set_vad(VAD)
    assert buffer.append(tone(300)) == [UtteranceBegan(0)]
    buffer.set_vad(ServerVAD(prefix_padding_ms=100, silence_duration_ms=600, energy_awakeness_threshold=1000))
    assert not buffer.append(silence(500))
    assert isinstance(buffer.append(silence(100))[0], UtteranceEnded)


@pytest.mark.parametrize("audio", [silence(3000), tone(999), tone(40) + silence(2000)])
def test_no_speech(audio: bytes) -> None:
    buffer = InputBuffer()
    buffer.append(audio)
    with pytest.raises(Refused, match="no speech found"):
        buffer.commit()
    assert len(buffer) == 0
