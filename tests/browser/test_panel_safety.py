"""What must not happen: a script from a transcript, a key that leaves the kernel."""

from __future__ import annotations

import json

from playwright.sync_api import WebSocket, expect

from tests.browser._lab import Lab
from tests.browser._panel import Panel, evaluate
from tests.browser.conftest import OpenNotebook

KEY = "sk-secret-test-1234567890abcdef"
# The key reaches the kernel by a file: a cell that names it would carry it through the page itself.
KEYED = """
import pathlib, stepnb as sn
key = pathlib.Path("key.txt").read_text()
engine = sn.LocalEngine(api_key=key).start()
s = sn.Session(cluster=engine.url, api_key=key)
s
"""
REFUSED = """
wrong = sn.Session(cluster=engine.url, api_key=key + "-refused")
wrong
"""
MARKUP = "<img src=x onerror=\"window.hacked='text'\">"
SAVED = """
from IPython.display import HTML
from stepnb.widgets.static_html import session_html
HTML(session_html(s))
"""
UNTRUSTED = """
import stepnb as sn
engine = sn.LocalEngine().start()
voice = "<img src=x onerror=window.hacked='voice'>"
s = sn.Session(cluster=engine.url, api_key=engine.key, voice=voice, instructions=voice)
s
"""


def test_untrusted_text_stays_text(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(UNTRUSTED)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.answers(f"Repeat after me: {MARKUP}", "")
    expect(panel.rows("you").locator(".sn-heard")).to_have_text(f"Repeat after me: {MARKUP}")
    assert "<img" in evaluate(notebook, "s.turns[-1].transcript"), "the engine said it back"
    expect(panel.rows("step").locator(".sn-heard")).to_contain_text("<img src=x onerror=")
    notebook.execute(
        f"s._core.loop.call_soon_threadsafe(s._core.notice, 'warning', {MARKUP!r}, {MARKUP!r}); None"
    )
    expect(panel.note("notice").last).to_contain_text("<img src=x")
    # A turn's own output and the saved transcript are HTML, made in the kernel.
    notebook.execute("s.turns[-1]")
    notebook.execute(
        "from IPython.display import HTML; from stepnb.widgets.static_html import session_html; HTML(session_html(s))"
    )
    expect(notebook.page.locator(".jp-OutputArea").last).to_contain_text("<img src=x")
    assert notebook.page.locator('img[src="x"], .stepnb img').count() == 0
    assert notebook.page.evaluate("() => window.hacked ?? null") is None


def test_the_key_never_leaves_the_kernel(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(
        KEYED, REFUSED, "s.events, s.turns, s.status, wrong.notices, wrong.status, s.panel"
    )
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
    panel = Panel(notebook).ready()
    panel.talk()
    panel.answers("What is seven times six?", "42")
    notebook.run(1)
    refused = Panel(notebook, notebook.cell(1))
    refused.wait_for(state="failed", timeout=30)
    notebook.screenshot("panel-refused")
    refused.button("Try again").click()
    refused.wait_for(state="failed", timeout=30)
    notebook.run(2)
    notebook.execute("s")
    notebook.save()

    assert any('"k":"mic"' in frame.replace(" ", "") for frame in seen), "the messages of the panel were seen"
    assert any("42" in frame for frame in seen)
    places = {
        "messages": "\n".join(seen),
        "widget state": json.dumps(
            evaluate(notebook, "[str(p.get_state()) for p in (s.panel, wrong.panel)]")
        ),
        "saved notebook": notebook.path.read_text(encoding="utf-8"),
        "page": notebook.page.content(),
        "reprs": evaluate(
            notebook, "repr([s, wrong, s.config, s.notices, wrong.notices, s.panel, engine, vars(s)])"
        ),
        "server log": lab.server_log(),
    }
    assert {place for place, text in places.items() if KEY in text} == set()
