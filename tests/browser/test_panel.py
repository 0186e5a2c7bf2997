"""The whole road in real JupyterLab: a person speaks into the page and hears an answer."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser._lab import Notebook
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook

SESSION = "import stepnb as sn\ns = sn.Session()\ns"


def panel_of(notebook: Notebook) -> Locator:
    panel = notebook.page.locator(".stepnb")
    expect(panel).to_have_attribute("data-state", "ready", timeout=30_000)
    return panel


def answers(panel: Locator) -> Locator:
    return panel.locator('.sn-row[data-who="step"]')


def test_speech_is_transcribed_answered_and_heard(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = panel_of(notebook)
    notebook.screenshot("first-ready")
    panel.get_by_role("button", name="Talk").click()
    expect(panel).to_have_attribute("data-mic", "live", timeout=10_000)
    _begun, ended = mouth.say("what is seven times six").wait()
    expect(answers(panel)).to_contain_text("42", timeout=20_000)
    notebook.screenshot("first-answer")
    heard = ear.wait_for_sound(after=ended)
    print("heard", heard - ended)
    print(
        notebook.execute(
            "t = s.turns[-1]; print(t, t.user_transcript, t.latency, t.user, t.audio, t.heard_ms)"
        )
    )
    expect(panel).to_have_attribute("data-playing", "false", timeout=20_000)
    print(
        notebook.execute(
            "t = s.turns[-1]; print(t, t.user_transcript, t.latency, t.user, t.audio, t.heard_ms, s.panel._bridge.counts, s.panel._bridge.views)"
        )
    )
    notebook.screenshot("first-end")
