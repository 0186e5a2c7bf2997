"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["tests.key_scan"]

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print one measured figure at the end of the test run: `figure("microphone to kernel: p50 4.6 ms")`."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if figures := config.stash.get(FIGURES, []):
        terminalreporter.section("measured")
        for line in figures:
            terminalreporter.line(line)
