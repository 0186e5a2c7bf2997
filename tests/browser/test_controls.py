"""The settings under the panel, moved by hand and by code, in a real notebook."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser._lab import Notebook
from tests.browser._look import THEMES, check, load_axe
from tests.browser._panel import QUESTION, Panel, evaluate, soon, times_of
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook

SESSION = '''
import time
import stepnb as sn
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"21 degrees and dry in {city}"
s = sn.Session(tools=[get_weather], instructions="You are a friendly guide.")
s
'''
BUSY = "begun = time.monotonic(); time.sleep(3); print(begun, time.monotonic())"
SECTIONS = ("voice", "prompt", "turns", "tools")
MARKUP = "<img src=x onerror=\"window.hacked='controls'\">"
# Voices and tools are made by people, and their names and descriptions are theirs.
UNTRUSTED = f"""
import stepnb as sn
mark = {MARKUP!r}
@sn.tool(description=mark)
def harmless(x: int) -> int:
    return x
s = sn.Session(tools=[harmless], instructions=mark)
c = s.controls()
c.voices = [dict(c.voices[0], id=mark, name=dict(en=mark, zh=mark), description=mark, own=True), *c.voices]
s
"""


class Controls:
    """The settings of one cell's session."""

    def __init__(self, notebook: Notebook, cell: int = 0) -> None:
        self.notebook = notebook
        self.root = notebook.cell(cell).locator(".stepnb-controls")

    def tab(self, section: str) -> Locator:
        return self.root.locator(f'[data-section="{section}"]')

    def open(self, section: str) -> Locator:
        """Open a section; returns it."""
        if self.tab(section).get_attribute("aria-expanded") == "false":
            self.tab(section).click()
        pane = self.root.locator(f"#{self.tab(section).get_attribute('aria-controls')}")
        expect(pane).to_be_visible()
        return pane


def updates(notebook: Notebook) -> int:
    return len(times_of(notebook, "session.update"))


def test_hand_and_code_move_the_same_settings(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    controls = Controls(notebook)
    expect(controls.tab("turns")).to_contain_text("VAD 500 · 500 · 2500")
    turns = controls.open("turns")
    silence = turns.get_by_role("slider", name="Silence ends a turn")
    before = updates(notebook)
    silence.focus()
    for _ in range(6):
        silence.press("ArrowRight")
    soon(
        lambda: evaluate(notebook, "s.config.vad.silence_duration_ms") == 800,
        "the slider reached the session",
    )
    expect(controls.tab("turns")).to_contain_text("VAD 500 · 800 · 2500")
    assert updates(notebook) == before + 1, "one update for all steps"

    notebook.execute("s.update(vad=sn.ServerVAD(energy_awakeness_threshold=1200), instructions='Be brief.')")
    expect(turns.get_by_role("slider", name="Energy threshold")).to_have_value("1200")
    expect(panel.root.locator(".sn-threshold")).to_contain_text("1200")
    expect(controls.tab("prompt")).to_contain_text("Be brief.")
    assert updates(notebook) == before + 2

    prompt = controls.open("prompt").get_by_role("textbox", name="Instructions")
    prompt.press_sequentially(" Always.", delay=20)
    soon(
        lambda: evaluate(notebook, "s.config.instructions") == "Be brief. Always.",
        "the prompt is applied live",
    )
    assert updates(notebook) == before + 3

    tools = controls.open("tools")
    tools.get_by_role("switch", name="Let the model use get_weather").click()
    expect(controls.tab("tools")).to_contain_text("none")
    tools.get_by_role("spinbutton", name="Results").fill("7")
    tools.get_by_role("switch", name="Web search").click()
    soon(
        lambda: evaluate(notebook, "[getattr(t, 'top_k', 0) for t in s.config.tools]") == [7],
        "the web search is on",
    )
    tools.get_by_role("switch", name="Retrieval").click()
    expect(tools.locator(".sn-refused:visible")).to_contain_text("vector_store_id")
    expect(tools.get_by_role("switch", name="Retrieval")).not_to_be_checked()

    # While a cell is busy, too, as far as the kernel lets messages past it.
    assert evaluate(notebook, "s.controls().survives_busy_cells")
    running = notebook.start(notebook.add(BUSY))
    controls.open("turns").get_by_role("switch").click()
    expect(controls.tab("turns")).to_contain_text("push to talk")
    begun, ended = (float(t) for t in running.wait().split())
    assert begun < times_of(notebook, "session.update")[-1] < ended


def test_the_voice_is_searched_refused_locked_and_changed_by_a_new_session(
    open_notebook: OpenNotebook,
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    controls = Controls(notebook)
    voice = controls.open("voice")
    find = voice.get_by_role("searchbox", name="Find a voice")
    find.fill("male energy")
    expect(voice.locator(".sn-voice:visible")).to_have_count(1)
    voice.locator(".sn-voice:visible").get_by_role("radio").check()
    soon(lambda: evaluate(notebook, "s.config.voice") == "yuanqinansheng", "the voice is set")
    find.fill("nobody")
    voice.get_by_role("button", name="Try “nobody” as an id").click()
    expect(voice.locator(".sn-refused:visible")).to_contain_text("nobody is not valid")
    assert evaluate(notebook, "s.config.voice") == "yuanqinansheng"

    panel.answers("What is seven times six?", "42")
    expect(voice.locator(".sn-offer")).to_contain_text("The voice is fixed")
    find.fill("linjiajiejie")
    voice.locator(".sn-voice:visible").get_by_role("radio").check()
    notebook.screenshot("controls-voice-offer")
    voice.get_by_role("button", name="New session with Girl Next Door").click()
    soon(
        lambda: evaluate(notebook, "[s.config.voice, s.status.state]") == ["linjiajiejie", "ready"],
        "a new session",
    )
    expect(voice.locator(".sn-offer")).to_be_hidden()
    panel.answers("What did I ask you before?", "seven times six")
    expect(panel.rows("you")).to_have_count(2)

    sample = voice.locator('.sn-voice[data-voice="linjiajiejie"] .sn-sample')
    sample.click()
    expect(sample).to_have_attribute("data-state", "playing", timeout=20_000)
    expect(sample).not_to_have_attribute("data-state", "playing", timeout=20_000)


def test_speech_crosses_the_threshold_on_the_live_level(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    meter = Controls(notebook).open("turns").locator(".sn-meter")
    panel.talk()
    expect(meter).to_have_attribute("data-speech", "false")
    speech = mouth.say("one two three four five six seven eight nine ten")
    expect(meter).to_have_attribute("data-speech", "true")
    speech.stop()
    expect(meter).to_have_attribute("data-speech", "false")


def test_turn_detection_is_switched_off_under_an_open_microphone(
    open_notebook: OpenNotebook, mouth: Mouth
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    panel.hears(mouth)
    controls = Controls(notebook)
    controls.open("turns").get_by_role("switch").click()
    expect(controls.tab("turns")).to_contain_text("push to talk")
    mouth.say(QUESTION).wait()
    panel.button("End").click()
    panel.wait_for(mic="off", speech="false")
    expect(panel.rows("you").nth(1)).to_contain_text("joke")
    expect(panel.rows("step").nth(1)).to_have_attribute("data-state", "done")
    assert len(times_of(notebook, "input_audio_buffer.commit")) == 1


def test_every_section_in_both_themes_and_languages_wide_and_narrow(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION)
    load_axe(notebook)
    notebook.run(0)
    panel = Panel(notebook).ready()
    controls = Controls(notebook)
    # By keyboard alone: open, and fold away again.
    controls.tab("voice").focus()
    notebook.page.keyboard.press("Enter")
    expect(controls.tab("voice")).to_have_attribute("aria-expanded", "true")
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Escape")
    expect(controls.tab("voice")).to_have_attribute("aria-expanded", "false")
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        for section in SECTIONS:
            controls.open(section)
            check(notebook, controls.root, f"controls-{section}-{theme}")
    notebook.page.set_viewport_size({"width": 520, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    for section in SECTIONS:
        controls.open(section)
        check(notebook, controls.root, f"controls-{section}-narrow")
    notebook.execute("sn.set_language('zh')")
    chinese = notebook.add("z = sn.Session(tools=[get_weather]); z")
    notebook.run(chinese)
    panel = Panel(notebook, notebook.cell(chinese)).ready()
    controls = Controls(notebook, chinese)
    expect(controls.tab("turns")).to_contain_text("轮次")
    for section in SECTIONS:
        controls.open(section)
        check(notebook, controls.root, f"controls-{section}-zh")


def test_names_of_voices_and_tools_stay_text(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(UNTRUSTED)
    notebook.run(0)
    Panel(notebook).ready()
    controls = Controls(notebook)
    for section in SECTIONS:
        pane = controls.open(section)
        if section == "prompt":
            expect(pane.get_by_role("textbox")).to_have_value(MARKUP)
        elif section != "turns":
            expect(pane).to_contain_text("<img src=x onerror=")
    controls.open("voice").get_by_role("searchbox").fill(MARKUP + "?")
    expect(controls.open("voice")).to_contain_text(f"Try “{MARKUP}?” as an id")
    assert notebook.page.locator('img[src="x"]').count() == 0
    assert notebook.page.evaluate("() => window.hacked ?? null") is None


def test_the_parts_stand_alone_and_end_with_their_kernel(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION.replace("\ns\n", "\ns.panel\n"), "s.controls('turns')")
    load_axe(notebook)
    notebook.run(0)
    panel = Panel(notebook).ready()
    strip = panel.root.locator(".sn-strip")
    for value in ("Girl|linjiajiejie", "friendly guide", "VAD 500", "1 on"):
        expect(strip).to_contain_text(re.compile(value))
    check(notebook, panel.root, "panel-alone")
    notebook.run(1)
    controls = Controls(notebook, 1)
    expect(controls.root.locator(".sn-fold")).to_be_hidden()
    slider = controls.root.get_by_role("slider", name="Energy threshold")
    slider.fill("1500")
    expect(strip).to_contain_text("VAD 500 · 500 · 1500")
    check(notebook, controls.root, "controls-alone")
    notebook.allow_error("Comm not found|widget|model")
    notebook.page.evaluate("() => lab.panel().sessionContext.restartKernel()")
    expect(controls.root).to_have_attribute("data-gone", "true")
    expect(slider).to_be_disabled()
