"""The engine's parts and the audio files: what is said when they do not work. That they do, test_command.py sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import soundfile

from stepnb.audio.clip import Clip
from stepnb.checkup import sound
from stepnb.local import choices
from stepnb.local.ears import SphinxEars
from stepnb.local.parts import Heard


def test_a_missing_part_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "_LIBRARIES", ("no_such_library",))
    row = sound.engine()
    assert row.state == "fails" and "no_such_library" in row.text
    assert 'pip install "stepnb[local]"' in row.fix


def test_ears_that_hear_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hear(self: SphinxEars, pcm: bytes) -> Heard:
        assert len(pcm) > 24_000, "half a second of speech was said"
        return Heard("what dime is it", 1.0)

    monkeypatch.setattr(SphinxEars, "hear", hear)
    row = sound.engine()
    assert row.state == "note" and "'what dime is it'" in row.text


def test_formats_that_cannot_be_written_or_sound_different(monkeypatch: pytest.MonkeyPatch) -> None:
    write = soundfile.write

    def broken(file: Any, samples: Any, rate: int, format: str) -> None:
        if format == "MP3":
            raise ValueError("Unknown format: 'MP3'")
        write(file, samples // 2 if format == "OGG" else samples, rate, format=format)

    monkeypatch.setattr(soundfile, "write", broken)
    row = sound.audio()
    assert row.state == "fails" and "pip install --upgrade soundfile" in row.fix
    assert row.text == "Not written and read: OGG (it sounds different), MP3 (Unknown format: 'MP3')"


def test_a_tone_is_known_by_its_pitch_and_length() -> None:
    tone = Clip(np.tile(np.array([0, 900, 0, -900], np.int16), 3000), 24_000)
    assert not sound._same(tone, tone), "6000 Hz are not 440"
