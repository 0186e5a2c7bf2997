"""Where the page gets no microphone: the panel says why, and each way around it is heard and answered."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import FileChooser, Route, expect

from tests.browser._lab import Lab, Notebook
from tests.browser._look import THEMES, check, load_axe
from tests.browser._panel import QUESTION, SESSION, Panel, evaluate
from tests.browser._signal import espeak
from tests.browser._sound import Recorder
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


def test_looks_of_the_ladder(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook, lab)
    load_axe(notebook)
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        check(notebook, panel.root, f"ladder-{theme}")
    notebook.page.set_viewport_size({"width": 620, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    check(notebook, panel.root, "ladder-narrow")
