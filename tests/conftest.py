"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis
import pytest

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("untimed")

FIGURES = pytest.StashKey[list[str]]()
TABLES = pytest.StashKey[dict[str, list[dict[str, str]]]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print one measured figure at the end of the test run: `figure("microphone to kernel: p50 4.6 ms")`."""
    return request.config.stash.setdefault(FIGURES, []).append


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Callable[[str, dict[str, str]], None]:
    """Add a row to a table that is printed at the end of the test run: `table("faults", {"fault": "cut", ...})`."""
    tables = request.config.stash.setdefault(TABLES, {})
    return lambda title, row: tables.setdefault(title, []).append(row)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if figures := config.stash.get(FIGURES, []):
        terminalreporter.section("measured")
        for line in figures:
            terminalreporter.line(line)
    for title, rows in config.stash.get(TABLES, {}).items():
        terminalreporter.section(title)
        widths = [max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]]
        for cells in (rows[0], *(row.values() for row in rows)):
            terminalreporter.line("  ".join(map(str.ljust, cells, widths)).rstrip())
