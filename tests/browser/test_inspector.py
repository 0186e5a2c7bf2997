"""The inspector in JupyterLab: live events, filters, reading, sending by hand, saving, and ten thousand rows."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser._lab import Notebook
from tests.browser.conftest import OpenNotebook

LIVE = "import stepnb as sn\ns = sn.Session('local').connect()\ni = s.inspector()\ni"
ASKED = "s.ask('Repeat after me: the quick brown fox').wait(30)"
MANY = """
import stepnb as sn
from stepnb.recording.log import EventLog
from stepnb.recording.recording import Recording
log = EventLog()
for n in range(10_000):
    log.append_frame("in", f"kind.{n % 7}", '{"type":"kind.%d","text":"word %d"}' % (n % 7, n), log.anchor + n * 10**6)
i = Recording(log, "many.stepnb", []).inspector()
i
"""
MARKUP = "<img src=x onerror=window.hacked=1>"


class Inspector:
    """One view of the inspector."""

    def __init__(self, notebook: Notebook, cell: int = 0) -> None:
        self.notebook = notebook
        self.root = notebook.cell(cell).locator(".stepnb-inspector")
        self.grid = self.root.get_by_role("grid")
        self.rows = self.grid.locator(".sn-rows .sn-event")
        self.detail = self.root.locator(".sn-detail")
        expect(self.root).to_have_attribute("data-ready", "true")

    def row(self, kind: str) -> Locator:
        """The first row of a type that is on the page."""
        kinds = self.root.page.locator(".sn-type", has_text=re.compile(f"^{re.escape(kind)}$"))
        return self.rows.filter(has=kinds).first

    def filter(self, name: str, value: str) -> None:
        self.root.get_by_role("searchbox", name=name).fill(value)

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def total(self) -> int:
        return int(self.root.get_attribute("data-total") or 0)


def shown(open_notebook: OpenNotebook, *cells: str) -> Inspector:
    notebook = open_notebook(*cells)
    notebook.run(0)
    return Inspector(notebook)


def test_events_come_live_and_are_filtered_and_read(open_notebook: OpenNotebook) -> None:
    inspector = shown(open_notebook, LIVE, ASKED)
    expect(inspector.row("session.created")).to_be_visible()
    inspector.notebook.run(1)
    expect(inspector.row("response.done")).to_be_visible()
    inspector.filter("Type, * and ?", "audio.delta")
    sound = inspector.row("response.audio.delta")
    expect(sound.locator(".sn-size")).to_have_text(re.compile(r"^× \d+ · [\d.]+ kB( · [\d.]+/s)?$"))
    expect(inspector.rows).to_have_count(1)
    sound.click()
    expect(inspector.detail.locator("pre")).to_contain_text(
        re.compile(r'"delta": "\(\d+ ms of audio, \d+ bytes\)"')
    )
    inspector.filter("Type, * and ?", "")
    inspector.filter("Search the text", "QUICK brown")
    words = inspector.row("response.audio_transcript.delta")
    words.click()
    expect(inspector.detail.locator("dd")).to_contain_text("The quick brown fox")
    inspector.filter("Search the text", "")
    inspector.root.get_by_role("combobox", name="Which side").select_option("out")
    expect(inspector.row("response.create")).to_be_visible()
    expect(inspector.rows.locator("[data-side]:not([data-side=out])")).to_have_count(0)
    inspector.notebook.screenshot("inspector", inspector.root)


def test_ten_thousand_rows_are_few_on_the_page(open_notebook: OpenNotebook) -> None:
    inspector = shown(open_notebook, MANY)
    expect(inspector.grid).to_have_attribute("aria-rowcount", "10001")
    expect(inspector.rows.last.locator(".sn-text")).to_have_text("word 9999")
    inspector.grid.evaluate("grid => { grid.scrollTop = 120000; }")
    expect(inspector.rows.first.locator(".sn-text")).to_have_text("word 5000")
    assert inspector.rows.count() < 20
    inspector.grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight; }")
    expect(inspector.rows.last.locator(".sn-text")).to_have_text("word 9999")
    inspector.grid.press("Home")
    expect(inspector.rows.first.locator(".sn-text")).to_have_text("word 0")
    inspector.filter("Search the text", "word 77")
    expect(inspector.root.locator(".sn-foot")).to_contain_text("111 rows of 10,000 events")
