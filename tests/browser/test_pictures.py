"""The pictures of the documentation: a conversation as one has it. `make pictures` keeps them in docs/images."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser._panel import SESSION, Panel
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook


def test_the_panel_in_both_themes(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.answers("What is seven times six?", "42")
    panel.say("What can you do?")
    panel.wait_for(playing="true")
    expect(panel.rows("step").nth(1)).to_contain_text("jokes")
    panel.button("Stop").click()
    expect(panel.rows("step").nth(1)).to_contain_text("cut off")
    panel.talk()
    panel.hears(mouth)
    for theme in ("dark", "light"):
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        notebook.screenshot(f"docs-panel-{theme}", panel.root)
