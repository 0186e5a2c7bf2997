"""`sn.doctor()` as a person meets it: every row OK or with what to do; microphone and loudspeaker really tried."""

from __future__ import annotations

import time

from playwright.sync_api import Locator, expect

from tests.browser._lab import Notebook
from tests.browser._look import THEMES, check, load_axe, take
from tests.browser._panel import QUESTION, evaluate, live_microphones, watch_microphones
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook

CELL = "import stepnb as sn\nd = sn.doctor()\nd"
KERNEL = ("python", "package", "kernel", "engine", "audio", "key", "global", "cn", "clock")
PAGE = ("page", "microphone", "output", "messages", "busy", "subshells")

# For the documentation: where this machine keeps things is nobody's business.
WITHOUT_FOLDERS = r"""root => {
    for (const text of root.querySelectorAll('[data-check="python"] .sn-finding, [data-check="package"] .sn-finding'))
        text.textContent = text.textContent.replace(/, .*[/]/, ', ~/voice/');
}"""


def row(root: Locator, name: str) -> Locator:
    return root.locator(f'[data-check="{name}"]')


def shown(notebook: Notebook) -> Locator:
    root = notebook.page.locator(".stepnb-doctor")
    expect(root.get_by_text("Looking…").first).to_be_hidden(timeout=60_000)
    expect(row(root, "subshells")).to_have_attribute("data-state", "ok", timeout=30_000)
    return root


def test_every_row_is_ok_or_says_what_to_do(open_notebook: OpenNotebook, ear: Recorder, mouth: Mouth) -> None:
    notebook = open_notebook(CELL)
    watch_microphones(notebook.page)
    notebook.run(0)
    root = shown(notebook)
    expect(root.locator("li")).to_have_count(len(KERNEL) + len(PAGE))
    for name in ("engine", "audio", "kernel", "page", "messages", "busy", "subshells"):
        expect(row(root, name)).to_have_attribute("data-state", "ok")
    expect(row(root, "busy")).to_contain_text("messages go around it: p50")
    expect(row(root, "microphone")).to_have_attribute("data-state", "open")
    assert live_microphones(notebook.page) == 0, "nothing is opened before a click"

    asked = time.monotonic()
    root.get_by_role("button", name="Play a tone").click()
    ear.wait_for_sound(after=asked)
    expect(row(root, "output")).to_have_attribute("data-state", "ok")
    expect(row(root, "output")).to_contain_text("Hz,")

    listen = root.get_by_role("button", name="Try the microphone")
    listen.click()
    expect(root.locator("meter")).to_be_visible()
    mouth.say(QUESTION)
    expect(row(root, "microphone")).to_have_attribute("data-state", "ok", timeout=30_000)
    expect(row(root, "microphone")).to_contain_text("heard you")
    expect(root.locator("meter")).to_be_hidden()
    assert live_microphones(notebook.page) == 0

    found = dict(evaluate(notebook, "[[r.check, r.state] for r in d.rows]"))
    assert set(found) == {*KERNEL, *PAGE}
    assert {name for name, state in found.items() if state == "ok"} >= {*PAGE, "engine", "audio"}
    assert "heard you" in evaluate(notebook, "str(d)")

    load_axe(notebook)
    for theme in THEMES:
        notebook.theme(theme)
        expect(root).to_have_attribute("data-theme", theme)
        root.evaluate("element => { element.style.width = ''; }")
        check(notebook, root, f"doctor-{theme}")
        root.evaluate("element => { element.style.width = '360px'; }")
        check(notebook, root, f"doctor-{theme}-narrow")
    root.evaluate("element => { element.style.width = ''; }")
    root.evaluate(WITHOUT_FOLDERS)
    take(notebook, "doctor", root)


def test_what_does_not_work_says_what_to_do_in_chinese_too(open_notebook: OpenNotebook) -> None:
    # Without the guard the kernel holds messages back while a cell runs, as older ones do.
    notebook = open_notebook(
        "import stepnb as sn\nsn.set_language('zh')\nd = sn.doctor()\ndel d.comm._reply_subshell_for\nd"
    )
    notebook.page.evaluate(
        """() => {
            const silence = async () => new MediaStreamAudioDestinationNode(new AudioContext()).stream;
            navigator.mediaDevices.getUserMedia = silence;
        }"""
    )
    notebook.run(0)
    root = notebook.page.locator(".stepnb-doctor")
    expect(row(root, "busy")).to_have_attribute("data-state", "note", timeout=60_000)
    expect(row(root, "busy")).to_contain_text("ipykernel>=7.4")
    listen = root.get_by_role("button", name="试麦克风")
    listen.click()
    expect(row(root, "microphone")).to_have_attribute("data-state", "note", timeout=30_000)
    expect(row(root, "microphone")).to_contain_text("没有听到声音")
    notebook.page.evaluate(
        """() => {
            const refuse = async () => { throw new DOMException('no', 'NotAllowedError'); };
            navigator.mediaDevices.getUserMedia = refuse;
        }"""
    )
    listen.click()
    expect(row(root, "microphone")).to_have_attribute("data-state", "fails")
    expect(row(root, "microphone")).to_contain_text("请在地址栏旁允许")
    load_axe(notebook)
    check(notebook, root, "doctor-zh")
