"""Microphone, loudspeaker, barge-in and looks in Firefox: partly the very tests that Chromium has to pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Playwright

from tests.browser._browsers import find_firefox
from tests.browser._lab import Lab
from tests.browser._look import load_axe
from tests.browser._panel import LONG, SESSION, Panel
from tests.browser._server import LabServer
from tests.browser._sound import Mouth, PulseServer, Recorder
from tests.browser.conftest import OpenNotebook, unavailable
from tests.browser.test_panel import (  # noqa: F401 - collected here once more
    interrupt,
    test_push_to_talk_mute_and_stop,
    test_speech_is_transcribed_answered_and_heard,
)
from tests.browser.test_panel_look import looks


@pytest.fixture(scope="module")
def lab(playwright: Playwright, lab_server: LabServer, pulse: PulseServer | None) -> Iterator[Lab]:
    """Firefox in front of JupyterLab, for all that is collected here."""
    firefox = find_firefox(playwright)
    if firefox is None:
        unavailable("no Firefox here: install firefox-esr")
    if pulse is None:
        unavailable("no sound here, without which Firefox runs no AudioContext")
    lab = Lab(lab_server, firefox, pulse.client_env)
    try:
        yield lab
    finally:
        lab.close()


def test_barge_in_and_looks(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder, figure: Callable[[str], None]
) -> None:
    notebook = open_notebook(SESSION)
    load_axe(notebook)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    # As Chromium's, the echo canceller mutes the microphone until it has heard some seconds of an answer.
    panel.answers(LONG, "all morning long.")
    silences = [interrupt(notebook, panel, mouth, ear) for _ in range(3)]
    figure(
        f"Firefox, barge-in: speech_started to silence at the ear: median {np.median(silences) * 1000:.0f} ms of "
        f"{[round(s * 1000) for s in silences]}"
    )
    looks(notebook, panel)
    assert np.median(silences) <= 0.150
