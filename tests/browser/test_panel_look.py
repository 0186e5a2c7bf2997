"""How the panel looks, live and saved."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._lab import Notebook
from tests.browser._look import THEMES, check, load_axe
from tests.browser._panel import LONG, SESSION, Panel
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook


def looks(notebook: Notebook, panel: Panel) -> None:
    """Whole and accessible, light and dark, wide and narrow; `load_axe` comes before."""
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        check(notebook, panel.root, f"look-{theme}-wide")
    notebook.page.set_viewport_size({"width": 620, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        check(notebook, panel.root, f"look-{theme}-narrow")


def test_light_dark_wide_and_narrow(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    load_axe(notebook)
    notebook.run(0)
    panel = Panel(notebook).ready()
    check(notebook, panel.root, "look-empty")
    panel.talk()
    panel.answers("What is seven times six?", "42")
    panel.say(LONG)
    panel.wait_for(playing="true")
    panel.root.locator(".sn-log").hover()
    expect(panel.rows("step").nth(1)).to_contain_text("running around")
    panel.button("Stop").click()
    panel.wait_for(answering="false")
    panel.hears(mouth)
    looks(notebook, panel)


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
    expect(saved.page.get_by_text("Loading widget...").first).to_be_hidden()
    saved.screenshot("panel-saved")
