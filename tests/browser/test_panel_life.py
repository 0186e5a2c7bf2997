"""What may happen to a page, a kernel and a device while somebody talks: each has an end that was meant."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser._browsers import find_chromium
from tests.browser._lab import Lab
from tests.browser._panel import (
    SESSION,
    Panel,
    evaluate,
    live_microphones,
    records,
    soon,
    times_of,
)
from tests.browser._server import LabServer
from tests.browser._sound import Mouth, PulseServer
from tests.browser.conftest import OpenNotebook, unavailable
from tests.browser.test_panel_views import start, works

HIDE = """() => {
    Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_hidden_tab_goes_on_listening(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    notebook.page.evaluate(HIDE)
    panel.hears(mouth)
    assert evaluate(notebook, "s.panel._bridge.owner") == panel.view


def test_after_a_sleep_the_microphone_is_closed(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    notebook.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600_000; }")
    panel.wait_for(mic="off")
    expect(panel.note("owner")).to_contain_text("The computer was asleep")
    assert live_microphones(notebook.page) == 0
    works(panel, mouth)


def test_a_page_that_stood_still_gets_its_microphone_back(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    """As in a short sleep: the kernel hears nothing for so long that it takes the page for gone."""
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    notebook.page.evaluate("() => { const end = performance.now() + 7000; while (performance.now() < end); }")
    soon(lambda: evaluate(notebook, "s.panel._bridge.owner") == panel.view, "the microphone is claimed again")
    panel.hears(mouth)


def test_lost_comm_connection_comes_back(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    """The page's WebSocket breaks and JupyterLab makes another one; the session never notices."""
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    mark = records(notebook)
    notebook.page.evaluate("() => lab.kernel().reconnect()")
    notebook.wait_for_kernel("idle")
    panel.wait_for(health="live", mic="live", dropped="0")
    soon(lambda: len(times_of(notebook, "input_audio_buffer.append", after=mark)) > 50, "audio flows again")
    panel.hears(mouth)
    panel.answers("What is seven times six?", "42")


def test_kernel_shut_down(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    notebook.page.evaluate("() => lab.panel().sessionContext.shutdown()")
    panel.wait_for(state="gone", mic="off")
    expect(panel.note("kernel")).to_contain_text("Run the cell again")
    expect(panel.talk_button).to_be_disabled()
    assert live_microphones(notebook.page) == 0


@pytest.fixture
def house(
    playwright: Playwright, lab_server: LabServer, pulse: PulseServer | None
) -> Iterator[tuple[Lab, PulseServer, Mouth]]:
    """A sound server and a browser of one's own: Chromium plays no sounds any more once a device was taken away."""
    chromium = find_chromium(playwright)
    if pulse is None or chromium is None:
        unavailable("no sound or no Chromium here")
    with contextlib.ExitStack() as ending:
        own = PulseServer()
        ending.callback(own.close)
        lab = Lab(lab_server, chromium, own.client_env)
        ending.callback(lab.close)
        mouth = Mouth(own)
        ending.callback(mouth.close)
        yield lab, own, mouth


def test_microphone_unplugged(house: tuple[Lab, PulseServer, Mouth]) -> None:
    lab, pulse, mouth = house
    notebook = lab.open([SESSION])
    panel = start(notebook)
    panel.talk()
    with pulse.unplugged():
        # Here is no udev that would tell Chromium: it finds out when somebody asks for the devices.
        notebook.page.evaluate("() => navigator.mediaDevices.enumerateDevices()")
        panel.wait_for(mic="ended")
        expect(panel.note("mic")).to_contain_text("It was unplugged or switched off")
        notebook.screenshot("panel-unplugged")
        soon(lambda: evaluate(notebook, "s.panel._bridge.owner") is None, "nobody has the microphone")
    works(panel, mouth)
    notebook.close()
    assert not notebook.errors


def test_two_sessions_have_one_microphone_and_speak_in_turn(
    open_notebook: OpenNotebook, mouth: Mouth
) -> None:
    notebook = open_notebook(SESSION, "other = sn.Session()\nother")
    first = start(notebook)
    notebook.run(1)
    second = Panel(notebook, notebook.cell(1)).ready()
    first.talk()
    second.talk()
    first.wait_for(mic="off")
    assert live_microphones(notebook.page) == 1
    second.hears(mouth)
    assert evaluate(notebook, "len(s.turns)") == 0
    first.say("What is seven times six?")
    second.say("What is nine minus four?")
    for panel in (first, second):
        panel.wait_for(answering="true")
    for panel in (first, second):
        panel.wait_for(40, answering="false")
        expect(panel.rows("step").last).to_have_attribute("data-state", "done")


def test_closed_session_leaves_its_transcript(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.answers("What is seven times six?", "42")
    panel.talk()
    notebook.execute("s.close()")
    panel.wait_for(state="closed", mic="off")
    assert live_microphones(notebook.page) == 0
    expect(panel.rows("step")).to_contain_text("42")
    expect(panel.talk_button).to_be_disabled()
