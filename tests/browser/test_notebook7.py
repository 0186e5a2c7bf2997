"""The panel in Notebook 7: found by its own page, talked to, answered aloud."""

from __future__ import annotations

import contextlib

from playwright.sync_api import expect

from tests.browser._lab import OUTPUT, Lab
from tests.browser._panel import QUESTION, SESSION
from tests.browser._sound import Mouth, Recorder


def test_the_panel_talks_in_notebook_7(lab: Lab, mouth: Mouth, ear: Recorder) -> None:
    # Closed whatever happens: its microphone would hear the tests that follow.
    with contextlib.closing(lab.open_in_notebook_7([SESSION])) as page:
        page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        panel = page.locator(".stepnb")
        expect(panel).to_be_visible(timeout=30_000)
        expect(panel).to_have_attribute("data-welcome", "true")
        expect(page.locator(".stepnb-controls")).to_be_visible()
        panel.get_by_role("button", name="Talk", exact=True).click()
        expect(panel).to_have_attribute("data-mic", "live")
        begun, ended = mouth.say(QUESTION).wait()
        expect(panel.locator('[data-who="you"]').first).to_contain_text("joke", timeout=20_000)
        assert ear.wait_for_sound(after=begun) > ended
        expect(panel.locator('[data-who="step"]').first).to_have_attribute(
            "data-state", "done", timeout=30_000
        )
        OUTPUT.mkdir(exist_ok=True)
        page.screenshot(path=OUTPUT / "notebook-7.png")
        panel.get_by_placeholder("Type a message").fill("What is seven times six?")
        page.keyboard.press("Enter")
        expect(panel.locator('[data-who="step"]').nth(1)).to_contain_text("42", timeout=20_000)
        # The panel shows what goes wrong in it; Notebook 7 has page errors of its own.
        expect(panel.locator('.sn-note[data-level="error"]')).to_have_count(0)
