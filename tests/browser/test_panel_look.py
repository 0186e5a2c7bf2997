"""How the panel looks, live and saved."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser._lab import Notebook
from tests.browser._panel import LONG, SESSION, Panel
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook

THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => {
    const { violations } = await axe.run('.stepnb', { resultTypes: ['violations'] });
    return violations.map(({ id, impact, help, nodes }) => [
        impact, id, help, ...nodes.map((n) => `${n.target} ${n.failureSummary}`),
    ]);
}"""
# The panel lies within the visible part of its output, borders included.
CUT_OFF = """panel => {
    const [inner, outer] = [panel, panel.closest('.jp-OutputArea-output')].map((e) => e.getBoundingClientRect());
    return [inner.left < outer.left, inner.right > outer.right, inner.top < outer.top, inner.bottom > outer.bottom,
        panel.closest('.jp-OutputArea-output').scrollWidth > panel.closest('.jp-OutputArea-output').clientWidth];
}"""
SPILLS = """panel => {
    const edge = panel.getBoundingClientRect();
    return [...panel.querySelectorAll('*')]
        .filter((e) => e.checkVisibility() && !e.closest('.sn-hidden, svg, .sn-what'))
        .filter((e) => e.getBoundingClientRect().right > edge.right + 0.5)
        .map((e) => e.className);
}"""


def check(notebook: Notebook, panel: Panel, name: str) -> None:
    """Take a picture of the panel, which must be whole, and accessible."""
    panel.root.scroll_into_view_if_needed()
    notebook.screenshot(name)
    assert panel.root.evaluate(CUT_OFF) == [False] * 5, name
    assert panel.root.evaluate(SPILLS) == [], name
    found = notebook.page.evaluate(VIOLATIONS)
    assert [v for v in found if v[0] in ("serious", "critical")] == [], name


def test_light_dark_wide_and_narrow(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run npm ci in js")
    notebook = open_notebook(SESSION)
    notebook.page.add_script_tag(path=AXE)
    notebook.run(0)
    panel = Panel(notebook).ready()
    check(notebook, panel, "look-empty")
    panel.talk()
    panel.answers("What is seven times six?", "42")
    panel.say(LONG)
    panel.wait_for(playing="true")
    panel.root.locator(".sn-log").hover()
    expect(panel.rows("step").nth(1)).to_contain_text("running around")
    panel.button("Stop").click()
    panel.wait_for(answering="false")
    panel.hears(mouth)
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        check(notebook, panel, f"look-{theme}-wide")
    notebook.page.set_viewport_size({"width": 620, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        check(notebook, panel, f"look-{theme}-narrow")


def test_saved_notebook_shows_the_transcript(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.answers("What is seven times six?", "42")
    static = notebook.page.locator(".stepnb-static")
    expect(static).to_have_count(1)
    expect(static).to_contain_text("42")
    expect(static).to_be_hidden()
    # A page that knows nothing of the widget: no kernel to ask and no state in the file.
    notebook.allow_error("Comm not found|model not found|Failed to load model|widget")
    notebook.execute("s.close()")
    notebook.page.evaluate("() => lab.panel().sessionContext.restartKernel()")
    notebook.wait_for_kernel("idle")
    notebook.save()
    saved = open_notebook(file=notebook.path)
    saved.allow_error("Comm not found|model not found|Failed to load model|widget")
    static = saved.page.locator(".stepnb-static")
    expect(static).to_be_visible()
    expect(static).to_contain_text("What is seven times six?")
    expect(static).to_contain_text("42")
    saved.screenshot("panel-saved")
