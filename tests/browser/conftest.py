"""One sound server, one browser and one JupyterLab for all browser tests; a page of its own for each notebook.

They live as long as this package's tests: while Playwright's event loop runs, `asyncio.run` does not work.
"""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NoReturn, Protocol

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser._browsers import find_chromium
from tests.browser._lab import OUTPUT, Lab, Notebook
from tests.browser._server import LabServer
from tests.browser._sound import Mouth, PulseServer, Recorder, missing_programs

FAILED = pytest.StashKey[bool]()


class OpenNotebook(Protocol):
    """Opens a notebook of these code cells, or a copy of a notebook file."""

    def __call__(self, *cells: str, file: Path | None = None) -> Notebook: ...


def unavailable(reason: str) -> NoReturn:
    """Skip the test, with its reason; fail where everything can be installed, so that CI never skips."""
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="package")
def pulse() -> Iterator[PulseServer | None]:
    """The sound server; None where it cannot be had."""
    if missing_programs():
        yield None
        return
    server = PulseServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="package")
def recorder(pulse: PulseServer | None) -> Iterator[Recorder]:
    if pulse is None:
        unavailable(f"no sound here: install {', '.join(missing_programs())}")
    recorder = Recorder(pulse, "ear")
    try:
        yield recorder
    finally:
        recorder.close()


@pytest.fixture(scope="package")
def speaker(pulse: PulseServer | None, recorder: Recorder) -> Iterator[Mouth]:
    assert pulse is not None
    mouth = Mouth(pulse)
    try:
        yield mouth
    finally:
        mouth.close()


@pytest.fixture(scope="package")
def device_environment(pulse: PulseServer | None) -> dict[str, str]:
    """Of a program that speaks and hears by PortAudio, on the private sound server."""
    if pulse is None or not ctypes.util.find_library("portaudio"):
        unavailable("no sound here: install libportaudio2, libasound2-plugins and pulseaudio")
    if importlib.util.find_spec("sounddevice") is None:
        unavailable("sounddevice is not installed")
    return pulse.client_env


@pytest.fixture
def ear(recorder: Recorder, request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """The browser's loudspeaker, recorded all the time; a failed test leaves what was heard in `test-output/`."""
    start = time.monotonic()
    yield recorder
    if request.node.stash.get(FAILED, False):
        OUTPUT.mkdir(exist_ok=True)
        recorder.since(max(start, time.monotonic() - 60)).save(OUTPUT / f"{_name(request)}.wav")


@pytest.fixture
def mouth(speaker: Mouth) -> Iterator[Mouth]:
    """The browser's microphone: say something into it; hushed at the end of the test."""
    yield speaker
    speaker.hush()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def lab_server() -> Iterator[LabServer]:
    server = LabServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="package")
def lab(playwright: Playwright, lab_server: LabServer, pulse: PulseServer | None) -> Iterator[Lab]:
    """The browser in front of JupyterLab; without a sound server it has no sound devices."""
    chromium = find_chromium(playwright)
    if chromium is None:
        unavailable("no Chromium here: run `make browser`")
    lab = Lab(lab_server, chromium, pulse.client_env if pulse else dict(os.environ))
    try:
        yield lab
    finally:
        lab.close()


@pytest.fixture
def open_notebook(lab: Lab, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Open notebooks, each in a page of its own. At the end their pages must have had no errors but the allowed."""
    opened: list[Notebook] = []

    def open_one(*cells: str, file: Path | None = None) -> Notebook:
        opened.append(lab.open_file(file) if file else lab.open(cells))
        return opened[-1]

    yield open_one
    for number, notebook in enumerate(opened):
        if request.node.stash.get(FAILED, False):
            notebook.screenshot(f"{_name(request)}-{number}")
        notebook.close()
    errors = [error for notebook in opened for error in notebook.errors]
    assert not errors, "errors in the page:\n" + "\n".join(errors)


def _name(request: pytest.FixtureRequest) -> str:
    return "".join(c if c.isalnum() else "-" for c in request.node.name)
