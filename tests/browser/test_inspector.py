"""The inspector in JupyterLab: live events, filters, reading, sending by hand, saving, and ten thousand rows."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Locator, WebSocket, expect

from tests.browser._lab import Notebook
from tests.browser._look import THEMES, check, load_axe
from tests.browser._panel import evaluate
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
UNTRUSTED = f"""
import stepnb as sn
from stepnb.recording.log import EventLog
from stepnb.recording.recording import Recording
log, bad = EventLog(), {MARKUP!r}
log.append_frame("in", bad, '{{"type":"' + bad + '","text":"' + bad + '"}}', log.anchor, repairs=(bad,))
log.append_frame("in", "malformed", bad, log.anchor)
log.append_local("notice", {{"text": bad}})
i = Recording(log, bad, []).inspector()
i
"""
KEY = "sk-secret-test-1234567890abcdef"
# The key reaches the kernel by a file: a cell that names it would carry it through the page itself.
KEYED = """
import pathlib, stepnb as sn
key = pathlib.Path("key.txt").read_text()
engine = sn.LocalEngine(api_key=key).start()
s = sn.Session(cluster=engine.url, api_key=key).connect()
i = s.inspector()
i
"""
SAID = json.dumps(
    {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
    }
)


class Inspector:
    """One view of the inspector."""

    def __init__(self, notebook: Notebook, cell: int = 0) -> None:
        self.notebook = notebook
        self.root = notebook.cell(cell).locator(".stepnb-inspector")
        self.grid = self.root.get_by_role("grid")
        self.rows = self.grid.locator(".sn-rows .sn-event")
        self.detail = self.root.locator(".sn-detail")
        expect(self.root).to_have_attribute("data-ready", "true")

    def row(self, kind: str, text: str | None = None) -> Locator:
        """The first row of a type, and with a text, that is on the page."""
        kinds = self.root.page.locator(".sn-type", has_text=re.compile(f"^{re.escape(kind)}$"))
        return self.rows.filter(has=kinds, has_text=text).first

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
    expect(sound.locator(".sn-size")).to_have_text(re.compile(r"^× \d+ · [\d.]+ kB$"))
    expect(sound.locator(".sn-rate")).to_have_text(re.compile(r"^[\d.]+/s$"))
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


def test_an_event_is_sent_by_hand_and_answered(open_notebook: OpenNotebook) -> None:
    inspector = shown(open_notebook, LIVE)
    inspector.button("Send an event").click()
    text = inspector.root.get_by_role("textbox", name="Event, as JSON")
    expect(text).to_be_focused()
    expect(text).to_have_value(re.compile('"type": "conversation.item.create"'))
    said = inspector.root.locator(".sn-compose .sn-line")
    text.fill('{"type": ')
    inspector.button("Send").click()
    expect(said).to_contain_text("This is not JSON")
    text.fill(SAID)
    inspector.button("Send").click()
    expect(said).to_have_text(re.compile(r"^Sent as hand\d+\.$"))
    inspector.root.get_by_role("combobox", name="Template").select_option("response.create")
    text.press("Control+Enter")
    expect(inspector.row("response.done")).to_be_visible()
    inspector.filter("Type, * and ?", "by_hand")
    expect(inspector.rows).to_have_count(2)
    inspector.filter("Type, * and ?", "")
    text.fill('{"type": "no.such.event"}')
    inspector.button("Send").click()
    refused = inspector.row("error")
    expect(refused).to_be_visible()
    inspector.notebook.screenshot("inspector-send", inspector.root)
    refused.click()
    expect(inspector.detail.locator("pre")).to_contain_text('"event_id": "hand')
    assert evaluate(inspector.notebook, "s.turns[0].transcript") != ""


def test_it_is_paused_saved_and_shows_another_recording(open_notebook: OpenNotebook) -> None:
    inspector = shown(open_notebook, LIVE, ASKED)
    expect(inspector.row("session.updated")).to_be_visible()
    inspector.button("Pause").click()
    before = inspector.total()
    inspector.notebook.run(1)
    foot = inspector.root.locator(".sn-foot")
    expect(foot).to_contain_text(re.compile(r"· \d+ new"))
    assert inspector.total() == before
    expect(inspector.row("response.done")).to_have_count(0)
    inspector.button("Resume").click()
    expect(inspector.row("response.done")).to_be_visible()
    inspector.button("Recording").click()
    name = inspector.root.get_by_role("textbox", name="Name of the new file")
    expect(name).to_have_value(re.compile(r"^session-\d{8}-\d{6}\.stepnb$"))
    name.fill("first.stepnb")
    name.press("Enter")
    said = inspector.root.locator(".sn-files .sn-line")
    expect(said).to_contain_text("Saved as first.stepnb")
    assert (inspector.notebook.path.parent / "first.stepnb").exists()
    evaluate(inspector.notebook, "s.ask('Hello').wait(30) and s.notices and None")
    other = inspector.root.get_by_role("combobox", name="Recording beside the notebook")
    other.fill("none.stepnb")
    inspector.button("Show").click()
    expect(said).to_contain_text("There is no recording")
    other.fill("first.stepnb")
    inspector.button("Show").click()
    expect(foot.locator(".sn-name")).to_have_text("first.stepnb")
    expect(inspector.row("response.done")).to_be_visible()
    expect(inspector.button("Pause")).to_be_hidden()
    expect(inspector.button("Send an event")).to_be_hidden()
    saved = inspector.total()
    inspector.button("Back").click()
    expect(foot.locator(".sn-name")).not_to_have_text("first.stepnb")
    # Its end is shown, as of every list that is new on the page.
    expect(inspector.row("response.done", "How can I help")).to_be_visible()
    assert inspector.total() > saved


def test_the_list_follows_its_end_whatever_comes_between_two_pictures(open_notebook: OpenNotebook) -> None:
    """A browser tells of a scroll with the next picture: rows may have come since, which are not drawn yet."""
    inspector = shown(open_notebook, LIVE, ASKED)
    expect(inspector.row("session.updated")).to_be_visible()
    inspector.root.evaluate(
        """(root) => {
          const scrolled = () => root.querySelector(".sn-grid").dispatchEvent(new Event("scroll"));
          new MutationObserver(scrolled).observe(root, { attributes: true, attributeFilter: ["data-total"] });
        }"""
    )
    inspector.notebook.run(1)
    expect(inspector.row("response.done")).to_be_visible()
    inspector.grid.press("Home")
    expect(inspector.row("session.created")).to_be_visible()
    evaluate(inspector.notebook, "s.ask('Hello').wait(30) and None")
    expect(inspector.row("session.created")).to_be_visible()


def test_it_is_used_by_keys_alone(open_notebook: OpenNotebook) -> None:
    inspector = shown(open_notebook, MANY)
    expect(inspector.rows.last.locator(".sn-text")).to_have_text("word 9999")
    inspector.grid.focus()
    inspector.grid.press("Home")
    expect(inspector.detail).to_have_attribute("data-n", "0")
    for key, n in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", 9999), ("ArrowUp", 9998)):
        inspector.grid.press(key)
        expect(inspector.detail).to_have_attribute("data-n", str(n))
    chosen = inspector.root.page.locator(f"[id='{inspector.grid.get_attribute('aria-activedescendant')}']")
    expect(chosen).to_have_attribute("aria-rowindex", "10000")
    expect(chosen).to_have_attribute("aria-selected", "true")
    inspector.grid.press("PageUp")
    expect(inspector.detail).not_to_have_attribute("data-n", "9998")
    inspector.grid.press("Enter")
    expect(inspector.detail.locator("pre")).to_be_focused()
    inspector.detail.locator("pre").press("Escape")
    expect(inspector.grid).to_be_focused()
    inspector.grid.press("/")
    expect(inspector.root.get_by_role("searchbox", name="Search the text")).to_be_focused()


def test_untrusted_text_stays_text(open_notebook: OpenNotebook) -> None:
    inspector = shown(open_notebook, UNTRUSTED)
    expect(inspector.rows).to_have_count(3)
    for n in range(3):
        inspector.rows.nth(n).click()
        expect(inspector.detail).to_have_attribute("data-n", str(n))
        expect(inspector.detail.locator("pre")).to_contain_text("<img src=x")
    expect(inspector.root.locator(".sn-name")).to_have_text(MARKUP)
    assert inspector.root.locator("img").count() == 0
    assert inspector.notebook.page.evaluate("() => window.hacked ?? null") is None


def test_the_key_is_in_no_message_and_no_state(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(KEYED)
    (notebook.path.parent / "key.txt").write_text(KEY, encoding="utf-8")
    seen: list[str] = []

    def keep(payload: str | bytes) -> None:
        seen.append(payload if isinstance(payload, str) else payload.decode("utf-8", "replace"))

    def follow(socket: WebSocket) -> None:
        socket.on("framereceived", keep)
        socket.on("framesent", keep)

    notebook.page.on("websocket", follow)
    notebook.reload()
    notebook.run(0)
    inspector = Inspector(notebook)
    for n in range(inspector.rows.count()):
        inspector.rows.nth(n).click()
        expect(inspector.detail.locator("pre")).not_to_be_empty()
    evaluate(notebook, 's.send_event(\'{"type": "no.such.event"}\')')
    expect(inspector.row("error")).to_be_visible()
    notebook.save()
    assert any('"k": "look"' in frame or '"k":"look"' in frame for frame in seen), "its messages were seen"
    places = {
        "messages": "\n".join(seen),
        "widget state": json.dumps(evaluate(notebook, "str(i.get_state())")),
        "saved notebook": notebook.path.read_text(encoding="utf-8"),
        "page": notebook.page.content(),
    }
    assert {place for place, text in places.items() if KEY in text} == set()


def test_light_dark_wide_and_narrow(open_notebook: OpenNotebook) -> None:
    inspector = shown(open_notebook, LIVE, ASKED, "sn.set_language('zh'); s.inspector()")
    notebook = inspector.notebook
    load_axe(notebook)
    notebook.run(1)
    expect(inspector.row("response.done")).to_be_visible()
    inspector.row("response.audio_transcript.delta").click()
    inspector.button("Recording").click()
    inspector.button("Send an event").click()
    expect(inspector.root.locator(".sn-files")).to_be_hidden()
    expect(inspector.detail.locator("pre")).to_be_visible()
    for theme in THEMES:
        notebook.theme(theme)
        expect(inspector.root).to_have_attribute("data-theme", theme)
        check(notebook, inspector.root, f"inspector-{theme}-wide")
    notebook.page.set_viewport_size({"width": 470, "height": 1100})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    for theme in THEMES:
        notebook.theme(theme)
        expect(inspector.root).to_have_attribute("data-theme", theme)
        expect(inspector.row("response.done")).to_be_visible()
        check(notebook, inspector.root, f"inspector-{theme}-narrow")
    notebook.page.set_viewport_size({"width": 1500, "height": 1000})
    notebook.run(2)
    chinese = Inspector(notebook, 2)
    chinese.row("response.done").click()
    expect(chinese.root.get_by_role("searchbox", name="搜索文本")).to_be_visible()
    check(notebook, chinese.root, "inspector-zh-wider")
