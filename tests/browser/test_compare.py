"""Voices side by side and blind, in JupyterLab."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from tests.browser._look import SPILLS, THEMES, check_accessible, load_axe
from tests.browser._panel import evaluate, soon
from tests.browser._sound import Recorder
from tests.browser.conftest import OpenNotebook

CELL = """import stepnb as sn
c = sn.compare_voices(
    ["linjiajiejie", "ruyananshi", "yuanqinansheng"],
    ["Please bring an umbrella and a warm coat today.", "The train leaves at noon."],
    cluster="local",
)
c"""


def test_side_by_side_and_blind(open_notebook: OpenNotebook, ear: Recorder) -> None:
    notebook = open_notebook(CELL)
    notebook.run(0, timeout=60)
    root = notebook.cell(0).locator(".stepnb-compare")
    cells = root.locator(".sn-grid tbody td")
    expect(cells).to_have_count(6)
    expect(cells.first).to_contain_text("Hz")

    # Another voice goes on where the first was.
    before = time.monotonic()
    root.get_by_role("button", name="Play linjiajiejie").first.click()
    ear.wait_for_sound(after=before)
    expect(cells.first).to_have_attribute("data-playing", "true")
    cursor = "cell => Number(cell.querySelector('rect').getAttribute('x'))"
    soon(lambda: cells.first.evaluate(cursor) > 20, "a third of it was played")
    root.get_by_role("button", name="Pause linjiajiejie").press("ArrowRight")
    expect(cells.nth(1)).to_have_attribute("data-playing", "true")
    at = cells.nth(1).evaluate(cursor)
    assert at > 15
    assert cells.nth(2).evaluate(cursor) > 15  # all cursors of the row are at the same place
    assert cells.nth(3).evaluate(cursor) < 0
    notebook.screenshot("compare-playing", root)
    expect(cells.nth(1)).not_to_have_attribute("data-playing", "true", timeout=15_000)

    # Blind, by the keyboard alone.
    root.get_by_role("tab", name="Blind").click()
    blind = root.locator(".sn-blind")
    expect(blind).to_contain_text("1 of 6")
    before = time.monotonic()
    blind.press("a")
    expect(blind.locator(".sn-side").first).to_have_attribute("aria-pressed", "true")
    ear.wait_for_sound(after=before)
    notebook.screenshot("compare-blind", root)
    blind.press("1")
    expect(blind).to_contain_text("2 of 6")
    blind.press("Backspace")
    expect(blind).to_contain_text("1 of 6")
    for number, key in enumerate(("1", "2", "0", "1", "1", "2"), 2):
        assert not any(voice in blind.inner_text() for voice in evaluate(notebook, "c.voices"))
        blind.press(key)
        if number <= 6:
            expect(blind).to_contain_text(f"{number} of 6")
    expect(blind.locator(".sn-result tbody tr")).to_have_count(3)
    assert evaluate(notebook, "c.results['choice'].tolist()") == ["a", "b", "tie", "a", "a", "b"]
    assert evaluate(notebook, "c.preferences['trials'].tolist()") == [4, 4, 4]

    load_axe(notebook)
    for tab in ("Side by side", "Blind"):
        root.get_by_role("tab", name=tab).click()
        for theme in THEMES:
            notebook.theme(theme)
            expect(root).to_have_attribute("data-theme", theme)
            notebook.screenshot(f"compare-{tab.split()[0].lower()}-{theme}", root)
            check_accessible(notebook, f"compare-{tab.split()[0].lower()}-{theme}")
    root.get_by_role("tab", name="Side by side").click()
    root.evaluate("root => { root.parentElement.style.width = '360px'; }")
    notebook.screenshot("compare-narrow", root)
    assert root.evaluate(SPILLS) == []
