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
from tests.engine.watch import WATCH

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def watched() -> Iterator[None]:
    """Watch every session of every engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stepnb.local.server.Session", WATCH.session())
        yield


@pytest.fixture(autouse=True)
def in_order() -> Iterator[None]:
    """Fail a test whose engine broke the order rules, whoever the client was."""
    yield
    violations, WATCH.violations = WATCH.violations, []
    assert not violations, "\n".join(violations)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if WATCH.counts:
        terminalreporter.section("events between the engine and all its clients, by profile")
        for line in WATCH.table():
            terminalreporter.line(line)


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
