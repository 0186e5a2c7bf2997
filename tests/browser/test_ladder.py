"""Where the page gets no microphone: the panel says why, and each way around it is heard and answered."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import FileChooser, Locator, Page, Route, expect

from tests.browser._lab import Lab, Notebook
from tests.browser._look import THEMES, check, load_axe
from tests.browser._panel import LONG, QUESTION, SESSION, Panel, evaluate, soon
from tests.browser._signal import espeak
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook


def without_microphone(notebook: Notebook, lab: Lab) -> None:
    """Load the page anew as one whose microphone is forbidden from outside, as in a frame without `allow`."""

    def forbid(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "permissions-policy": "microphone=()"})

    # What a test hands in has no address, and Chromium lets it reach this machine only when it is allowed to.
    notebook.page.context.grant_permissions(["local-network-access"], origin=lab.url.rstrip("/"))
    notebook.page.route("**/lab/tree/**", forbid)
    notebook.reload()


def start(notebook: Notebook, lab: Lab) -> Panel:
    without_microphone(notebook, lab)
    # Playwright tells the browser that it takes its dialogs, and does not wait until the browser knows.
    notebook.page.on("filechooser", lambda _: None)
    notebook.run(0)
    panel = Panel(notebook)
    panel.wait_for(30, state="no_microphone", welcome="true")
    return panel


def choose(panel: Panel, path: Path) -> None:
    """Press the button for a file, by keyboard, and choose it in the browser's dialog."""
    button = panel.note("mic").get_by_role("button", name="Speak a file")
    button.focus()
    with panel.notebook.page.expect_file_chooser() as chosen:
        panel.notebook.page.keyboard.press("Enter")
    chooser: FileChooser = chosen.value
    chooser.set_files(path)


def test_a_page_without_a_microphone_says_so_and_a_file_is_spoken(
    open_notebook: OpenNotebook, lab: Lab, ear: Recorder, tmp_path: Path
) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook, lab)
    expect(panel.note("mic")).to_contain_text("The frame around this panel passes no microphone on.")
    panel.answers("What is seven times six?", "42")
    question = espeak(QUESTION)
    question.save(tmp_path / "question.wav")
    choose(panel, tmp_path / "question.wav")
    expect(panel.note("notice")).to_contain_text("question.wav is being spoken")
    expect(panel.rows("you").nth(1).locator(".sn-heard")).to_contain_text("joke", timeout=30_000)
    begun = evaluate(notebook, "next(r.t for r in s.events if r.kind == 'input_audio_buffer.append') / 1e9")
    panel.wait_for(40, playing="true")
    answered = ear.wait_for_sound(after=begun)
    assert answered > begun + question.duration, "the answer comes when all of the file was spoken"
    panel.wait_for(40, answering="false")

    (tmp_path / "notes.txt").write_text("no audio")
    choose(panel, tmp_path / "notes.txt")
    expect(panel.note("notice").last).to_contain_text("'notes.txt' is not audio that can be read here.")
    (tmp_path / "long.wav").write_bytes(bytes(7_000_001))
    choose(panel, tmp_path / "long.wav")
    expect(panel.note("file")).to_contain_text("s.append(sn.Clip.load(path))")


# The tests may run in a container, and the browser with them.
HERE = f"import os\nos.environ['STEPNB_LOCAL'] = '1'\n{SESSION}"


HEARD = "len(s.turns) == 4 and (s.turns[3].heard_ms or 0) >= 990 * (s.turns[3].audio.duration or 1)"


class Tab:
    """The companion tab, opened from a panel by its button, with its microphone allowed."""

    def __init__(self, panel: Panel) -> None:
        page = panel.notebook.page
        with page.context.expect_page() as opened:
            panel.note("mic").get_by_role("button", name="Open a companion tab").click()
        self.page: Page = opened.value
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.root: Locator = self.page.locator(".stepnb")
        expect(self.root).to_have_attribute("data-welcome", "true")
        page.context.grant_permissions(["microphone"], origin=self.page.url.rstrip("/"))

    def wait_for(self, **attributes: str) -> None:
        for name, value in attributes.items():
            expect(self.root).to_have_attribute(f"data-{name}", value, timeout=40_000)

    def rows(self, who: str) -> Locator:
        return self.root.locator(f'.sn-row[data-who="{who}"]')


def test_a_companion_tab_hears_and_speaks(
    open_notebook: OpenNotebook, lab: Lab, mouth: Mouth, ear: Recorder
) -> None:
    notebook = open_notebook(HERE)
    panel = start(notebook, lab)
    tab = Tab(panel)
    assert tab.page.url.startswith("http://127.0.0.1:") and "#" not in tab.page.url
    panel.wait_for(place="companion", state="ready")
    expect(panel.note("mic")).to_contain_text("The microphone is in the companion tab.")
    # Without loudspeakers there is nothing to cancel, and the canceller would mute what is said at first.
    tab.root.locator(".sn-devices > summary").click()
    for switch in ("Echo cancellation", "Noise suppression"):
        tab.root.get_by_role("switch", name=switch).uncheck()
    tab.root.get_by_role("button", name="Talk", exact=True).click()
    tab.wait_for(mic="live")
    panel.wait_for(state="listening")
    begun, ended = mouth.say(QUESTION).wait()
    expect(tab.rows("you")).to_contain_text("joke", timeout=30_000)
    expect(panel.rows("you")).to_contain_text("joke")
    tab.wait_for(playing="true")
    assert panel.root.get_attribute("data-playing") == "false", "one place plays"
    assert ear.wait_for_sound(after=begun) > ended
    tab.page.screenshot(path="test-output/companion-tab.png")
    notebook.screenshot("companion-notebook")
    tab.wait_for(answering="false")
    assert evaluate(notebook, "s.turns[-1].heard_ms >= 990 * s.turns[-1].audio.duration")

    # A busy cell does not hold it up: it does not go through Jupyter.
    cell = notebook.add("import time; time.sleep(15); print('slept')")
    busy = notebook.start(cell)
    mouth.say(QUESTION).wait()
    expect(tab.rows("you").nth(1)).to_contain_text("joke", timeout=12_000)
    assert notebook.text(cell) == "", "the cell runs still"
    assert busy.wait() == "slept"
    tab.wait_for(answering="false")

    # Speech interrupts what the tab plays; the notebook's Stop does as well.
    panel.say(LONG)
    tab.wait_for(playing="true")
    mouth.say(QUESTION).wait()
    expect(panel.rows("step").nth(2)).to_have_attribute("data-state", "interrupted", timeout=30_000)
    # The joke has to be over: while it plays, Stop would stop it, and the next answer would begin.
    soon(lambda: evaluate(notebook, HEARD), "the joke was heard", timeout=40)
    panel.say(LONG)
    tab.wait_for(playing="true")
    panel.button("Stop").click()
    tab.wait_for(playing="false")
    silent = time.monotonic()
    assert ear.between(silent + 0.3, silent + 1).active_seconds() == 0

    # It may be loaded anew; a second tab, and the link once more, are refused.
    tab.page.reload()
    tab.wait_for(welcome="true")
    panel.wait_for(place="companion")
    expect(tab.rows("you").first).to_contain_text("joke")
    address = tab.page.url
    other = tab.page.context.new_page()
    other.goto(address)
    expect(other.get_by_role("alert")).to_contain_text("This link does not work any more.")
    other.close()
    assert tab.errors == []

    panel.button("Close the tab").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("This tab is no longer connected.")
    panel.wait_for(place="", state="no_microphone")
    expect(panel.note("mic").get_by_role("button")).to_have_count(4)  # the ways, and to dismiss it
    tab.page.close()


def test_the_kernels_own_device_by_the_panels_button(
    open_notebook: OpenNotebook, lab: Lab, device_environment: dict[str, str], mouth: Mouth, ear: Recorder
) -> None:
    server = device_environment["PULSE_SERVER"]
    notebook = open_notebook(f"import os\nos.environ['PULSE_SERVER'] = {server!r}\n{HERE}")
    panel = start(notebook, lab)
    panel.note("mic").get_by_role("button", name="Use the kernel's microphone").click()
    panel.wait_for(place="device", state="listening")
    expect(panel.note("mic")).to_contain_text("The kernel's machine listens and speaks.")
    begun, ended = mouth.say(QUESTION).wait()
    expect(panel.rows("you")).to_contain_text("joke", timeout=30_000)
    assert ear.wait_for_sound(after=begun, timeout=30) > ended
    soon(
        lambda: evaluate(notebook, "(s.turns[0].heard_ms or 0) >= 990 * (s.turns[0].audio.duration or 1)"),
        "the answer was heard",
        timeout=40,
    )
    panel.note("mic").get_by_role("button", name="Stop it").click()
    panel.wait_for(place="", state="no_microphone")


def test_the_companion_ends_with_its_kernel(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(HERE)
    panel = start(notebook, lab)
    tab = Tab(panel)
    tab.root.get_by_role("button", name="Talk", exact=True).click()
    tab.wait_for(mic="live")
    notebook.restart_kernel()
    expect(tab.page.get_by_role("alert")).to_contain_text("This tab is no longer connected.")
    assert tab.page.locator(".stepnb").count() == 0
    tab.page.close()


def test_looks_of_the_ladder(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(HERE)
    panel = start(notebook, lab)
    load_axe(notebook)
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        check(notebook, panel.root, f"ladder-{theme}")
    notebook.page.set_viewport_size({"width": 620, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    check(notebook, panel.root, "ladder-narrow")
