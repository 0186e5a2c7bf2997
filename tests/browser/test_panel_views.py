"""Whatever happens to its views, there is one live microphone, and the session works."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser._lab import Lab, Notebook
from tests.browser._panel import (
    SESSION,
    Panel,
    evaluate,
    live_microphones,
    soon,
    watch_microphones,
)
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook

OUTPUT_VIEW = """async () => {
    const notebook = lab.panel();
    notebook.content.activeCellIndex = 0;
    await jupyterapp.commands.execute('notebook:create-output-view');
    jupyterapp.shell.activateById(notebook.id);
}"""


def works(panel: Panel, mouth: Mouth, *pages: Page) -> None:
    """Talk in this view: the only live microphone of all pages is its own, it is heard, and text is answered."""
    panel.talk()
    assert sum(live_microphones(page) for page in pages or (panel.notebook.page,)) == 1
    expect(panel.root.page.locator('.stepnb[data-mic="live"]')).to_have_count(1)
    assert evaluate(panel.notebook, "s.panel._bridge.owner") == panel.view
    panel.hears(mouth)
    panel.answers("What is seven times six?", "42")


def start(notebook: Notebook) -> Panel:
    watch_microphones(notebook.page)
    notebook.run(0)
    return Panel(notebook).ready()


def test_cell_run_again(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    before = panel.view
    notebook.execute("before = s")
    notebook.run(0)
    expect(panel.root).not_to_have_attribute("data-view", before)
    panel.ready()
    assert live_microphones(notebook.page) == 0
    assert evaluate(notebook, "before.status.state") == "closed"
    works(panel, mouth)


def test_second_view(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION, "s.panel")
    panel = start(notebook)
    panel.talk()
    notebook.run(1)
    second = Panel(notebook, notebook.cell(1))
    second.wait_for(welcome="true")
    panel.wait_for(mic="live")
    works(second, mouth)
    panel.wait_for(mic="off")
    expect(panel.note("owner")).to_contain_text("Another panel has the microphone")
    expect(panel.rows("you")).to_have_count(second.rows("you").count())

    notebook.page.evaluate(OUTPUT_VIEW)
    third = Panel(notebook, notebook.page.locator(".jp-LinkedOutputView"))
    third.wait_for(welcome="true")
    works(third, mouth)
    second.wait_for(mic="off")


def test_page_reloaded(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.answers("What is seven times six?", "42")
    panel.talk()
    before = panel.view
    notebook.reload()
    panel.ready()
    assert panel.view != before
    expect(panel.rows("step").nth(0)).to_contain_text("42")
    soon(lambda: evaluate(notebook, "s.panel._bridge.owner") is None, "the old view's microphone is given up")
    assert live_microphones(notebook.page) == 0
    works(panel, mouth)


def test_second_page(open_notebook: OpenNotebook, lab: Lab, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    other = lab.open_again(notebook)
    watch_microphones(other.page)
    second = Panel(other)
    second.wait_for(30, welcome="true")
    works(second, mouth, notebook.page, other.page)
    panel.wait_for(mic="off")
    other.page.close()
    works(panel, mouth)


def test_kernel_restart_stops_the_microphone(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    panel.talk()
    notebook.restart_kernel()
    panel.wait_for(state="gone", mic="off")
    expect(panel.note("kernel")).to_contain_text("Run the cell again")
    assert live_microphones(notebook.page) == 0
    notebook.screenshot("panel-kernel-gone")
    notebook.run(0)
    panel.ready()
    works(panel, mouth)
