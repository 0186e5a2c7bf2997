"""What of a text is spoken, and in which files it comes."""

from __future__ import annotations

import asyncio
import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stepnb.local.parts import VoiceSettings
from stepnb.local.synthesis import NEWEST, Unspeakable, VoiceLabel, Wanted, check, speak, spoken_text


class Mouth:
    """A hundred milliseconds of full scale for every sentence."""

    def __init__(self) -> None:
        self.spoken: list[tuple[str, int]] = []

    async def speak(self, text: str, voice: VoiceSettings) -> bytes:
        self.spoken.append((text, voice.rate))
        return np.full(2400, 32767, "<i2").tobytes()

    async def close(self) -> None: ...


def said(text: str, wanted: Wanted, mouth: Mouth | None = None) -> bytes:
    return asyncio.run(speak(mouth or Mouth(), text, VoiceSettings(rate=300), wanted))


def test_sentences_and_pace() -> None:
    mouth = Mouth()
    pcm = said("One. Two? 三。", Wanted(response_format="pcm", speed=2.0), mouth)
    assert mouth.spoken == [("One.", 450), ("Two?", 450), ("三。", 450)]
    assert len(pcm) == 3 * 4800 + 2 * 9600  # 200 ms between them
    assert pcm[4800:14400] == bytes(9600)


@pytest.mark.parametrize(("volume", "peak"), [(0.5, 16384), (1.0, 32767), (2.0, 32767)])
def test_volume_saturates(volume: float, peak: int) -> None:
    samples = np.frombuffer(said("One.", Wanted(response_format="pcm", volume=volume)), "<i2")
    assert (np.abs(samples - peak) <= 1).all()


@pytest.mark.parametrize("format", ["wav", "mp3", "flac", "opus"])
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 48000])
def test_every_format_at_every_rate(format: str, rate: int) -> None:
    data = said("One. Two.", Wanted(response_format=format, sample_rate=rate))  # type: ignore[arg-type]
    assert soundfile.info(io.BytesIO(data)).duration == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize("text", ["", "…", " \n", "?!"])
def test_nothing_to_pronounce(text: str) -> None:
    with pytest.raises(Unspeakable, match="nothing to pronounce"):
        said(text, Wanted())


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("## Title", "Title"),
        ("1. first\n2. second", "first\nsecond"),
        ("> quoted **bold** _italic_ `code`", "quoted bold italic code"),
        ("![image](x.png) and [link](http://x/y)", "image and link"),
        ("snake_case and 3 - 2", "snake_case and 3 - 2"),
    ],
)
def test_markdown(text: str, plain: str) -> None:
    assert spoken_text(text, Wanted(markdown_filter=True), "step-tts-2") == plain
    assert spoken_text(text, Wanted(), "step-tts-2") == text


@given(st.text(max_size=200), st.booleans(), st.sampled_from([NEWEST, "step-tts-2"]))
def test_any_text(text: str, markdown: bool, model: str) -> None:
    assert len(spoken_text(text, Wanted(markdown_filter=markdown), model)) <= len(text)


def test_labels() -> None:
    check(Wanted(voice_label=VoiceLabel(style="slow")), "step-tts-2")
    for label, model in ((VoiceLabel(style="slow"), NEWEST), (VoiceLabel(), "step-tts-2")):
        with pytest.raises(Unspeakable, match="voice_label"):
            check(Wanted(voice_label=label), model)
