"""One fast engine for all tests that do not need their own, with the real ears, mouth and brain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from stepnb.local.engine import LocalEngine
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import VoiceSettings
from tests.engine.client import Client

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(seed=7, speed=None, now=lambda: NOON) as engine:
        yield engine


@pytest.fixture
def client(engine: LocalEngine) -> Iterator[Client]:
    with Client(engine) as client:
        yield client


@pytest.fixture(scope="session")
def speech() -> Callable[[str], bytes]:
    """Speak a sentence: PCM16LE mono 24 kHz."""
    spoken: dict[str, bytes] = {}

    async def speak(text: str) -> bytes:
        mouth = EspeakMouth()
        try:
            return await mouth.speak(text, VoiceSettings(variant="f3"))
        finally:
            await mouth.close()

    def cached(text: str) -> bytes:
        if text not in spoken:
            spoken[text] = asyncio.run(speak(text))
        return spoken[text]

    return cached
