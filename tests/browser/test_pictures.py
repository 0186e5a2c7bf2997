"""The pictures of the documentation: every state as one meets it. `make pictures` keeps them in docs/images."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, ViewportSize, expect

from tests.browser._lab import Lab, Notebook
from tests.browser._look import take
from tests.browser._panel import LONG, QUESTION, SESSION, Panel
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook
from tests.browser.test_controls import Controls
from tests.browser.test_inspector import Inspector
from tests.browser.test_ladder import HERE, without_microphone
from tests.browser.test_panel_busy import HOLD, UNGUARD

TOOLS = '''
import stepnb as sn
@sn.tool(approve=True)
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"21 degrees and dry in {city}"
s = sn.Session(tools=[get_weather, sn.WebSearch()], instructions="You are a friendly guide. Be brief.")
s
'''
INSPECTED = '''
import stepnb as sn
@sn.tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"21 degrees and dry in {city}"
s = sn.Session("local", tools=[get_weather])
s.ask("What is the weather in Paris?").wait(30)
'''
CHINESE = """
sn.set_language("zh")
z = sn.Session(tools=[get_weather])
z
"""
VOICES = """
import stepnb as sn
lab = sn.VoiceLab("local")
lab.load(lab.voices.speak("The old bridge was closed last winter, and nobody knows when it opens again.", "ruyananshi"))
lab
"""
COMPARED = """
c = sn.compare_voices(
    ["linjiajiejie", "ruyananshi", "yuanqinansheng"],
    ["Please bring an umbrella and a warm coat today.", "The train leaves at noon."],
    cluster="local",
)
c
"""
REFUSED = """
engine = sn.LocalEngine(api_key="right").start()
r = sn.Session(cluster=engine.url, api_key="wrong")
r
"""
STATES = '''
import threading, stepnb as sn
engine = sn.LocalEngine(api_key="key").start()
dry = threading.Event()
@sn.tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    dry.wait(60)
    return "21 degrees and dry"
s = sn.Session(cluster=engine.url, api_key="key", tools=[get_weather])
s
'''
# The whole of the largest one is visible in it.
WINDOW: ViewportSize = {"width": 1280, "height": 1200}


def frame(notebook: Notebook, cell: int = 0) -> Locator:
    """The panel with its settings."""
    return notebook.cell(cell).locator(".stepnb-frame")


def test_the_panel_in_both_themes(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    notebook.page.set_viewport_size(WINDOW)
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
    expect(panel.rows("step").nth(2).locator(".sn-wave-all")).to_be_visible()
    turns = Controls(notebook).open("turns")
    for theme in ("dark", "light"):
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        # Not the round trip of a page that changes its theme.
        expect(panel.root.locator(".sn-kernel")).to_have_text(re.compile(r"^live · \d\d? ms$"))
        take(notebook, f"panel-{theme}", frame(notebook))
    speech = mouth.say("one two three four five six seven eight nine ten")
    expect(turns.locator(".sn-meter")).to_have_attribute("data-speech", "true")
    take(notebook, "turns", Controls(notebook).root)
    speech.stop()
    devices = panel.root.locator(".sn-devices")
    devices.locator("summary").click()
    take(notebook, "devices", devices)


def test_every_state(open_notebook: OpenNotebook, mouth: Mouth) -> None:
    notebook = open_notebook(STATES)
    notebook.page.set_viewport_size({"width": 900, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    notebook.run(0)
    panel = Panel(notebook).ready()
    take(notebook, "state-ready", panel.root)
    panel.talk()
    speech = mouth.say(QUESTION)
    panel.wait_for(speech="true", state="listening")
    take(notebook, "state-listening", panel.root)
    speech.wait()
    expect(panel.rows("step")).to_have_attribute("data-state", "done")
    panel.wait_for(40, answering="false")
    panel.say("What is the weather in Paris?")
    expect(panel.root.locator(".sn-calls").last).to_contain_text("is running")
    panel.wait_for(state="thinking", playing="false")
    take(notebook, "state-thinking", panel.root)
    notebook.execute("dry.set()")
    panel.wait_for(state="speaking", playing="true")
    take(notebook, "state-speaking", panel.root)
    panel.wait_for(40, answering="false")

    notebook.execute(UNGUARD)
    running = notebook.start(notebook.add(HOLD))
    panel.wait_for(health="blocked")
    take(notebook, "state-blocked", panel.root)
    running.wait()
    panel.wait_for(health="live")
    panel.talk_button.click()
    panel.wait_for(mic="off")
    notebook.execute("engine.close()")
    panel.wait_for(30, state="reconnecting")
    take(notebook, "state-reconnecting", panel.root)
    notebook.execute("s.close()")
    panel.wait_for(state="closed")
    take(notebook, "state-closed", panel.root)
    notebook.page.evaluate("() => lab.panel().sessionContext.shutdown()")
    panel.wait_for(state="gone")
    take(notebook, "state-gone", panel.root)


def test_tools_voices_and_languages(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(TOOLS, CHINESE, REFUSED)
    notebook.page.set_viewport_size(WINDOW)
    notebook.run(0)
    panel = Panel(notebook).ready()
    controls = Controls(notebook)
    for section in ("voice", "prompt", "tools"):
        controls.open(section)
        take(notebook, section, controls.root)
    controls.tab("tools").click()
    panel.say("What is the weather in Paris?")
    approve = panel.root.get_by_role("button", name="Approve: get_weather")
    expect(approve).to_be_visible()
    panel.button("More actions").click()
    take(notebook, "approve", frame(notebook))
    panel.button("More actions").click()
    approve.click()
    panel.wait_for(40, answering="false")
    panel.say(LONG)
    panel.wait_for(playing="true")
    expect(panel.rows("step").nth(1)).to_contain_text("running around")
    panel.button("Stop").click()
    panel.wait_for(answering="false")
    voice = controls.open("voice")
    voice.get_by_role("searchbox").fill("deep")
    voice.locator(".sn-voice:visible").first.get_by_role("radio").check()
    take(notebook, "voice-locked", controls.root)

    notebook.run(1)
    chinese = Panel(notebook, notebook.cell(1)).ready()
    chinese.root.locator(".sn-input").fill("七乘以六等于多少？")
    chinese.root.locator(".sn-input").press("Enter")
    expect(chinese.rows("step").locator(".sn-wave-all")).to_be_visible(timeout=30_000)
    chinese.wait_for(40, answering="false")
    Controls(notebook, 1).open("turns")
    take(notebook, "chinese", frame(notebook, 1))
    notebook.execute("sn.set_language(None)")
    notebook.run(2)
    refused = Panel(notebook, notebook.cell(2))
    refused.wait_for(state="failed", timeout=30)
    take(notebook, "refused", refused.root)

    notebook.page.set_viewport_size({"width": 480, "height": 1200})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    notebook.theme("dark")
    panel.wait_for(theme="dark")
    controls.tab("voice").click()
    take(notebook, "narrow", frame(notebook))


def test_without_a_microphone(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(HERE)
    notebook.page.set_viewport_size(WINDOW)
    notebook.run(0)
    panel = Panel(notebook).ready()
    lab.allow_microphone(False)
    try:
        panel.talk_button.click()
        panel.wait_for(mic="denied")
        take(notebook, "no-microphone", panel.root)
    finally:
        lab.allow_microphone(True)
    without_microphone(notebook, lab)
    panel.wait_for(30, state="no_microphone", welcome="true")
    take(notebook, "no-microphone-frame", panel.root)


def test_the_inspector(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(INSPECTED, "s.inspector()")
    notebook.page.set_viewport_size(WINDOW)
    notebook.theme("light")
    notebook.run(0, timeout=60)
    notebook.run(1)
    inspector = Inspector(notebook, 1)
    inspector.row("response.audio_transcript.delta").click()
    expect(inspector.detail.locator("pre")).to_contain_text("delta")
    take(notebook, "inspector", inspector.root)


def test_voices(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(VOICES, COMPARED)
    notebook.page.set_viewport_size({"width": 1280, "height": 1500})
    notebook.run(0, timeout=60)
    lab = notebook.cell(0).locator(".stepnb-lab")
    expect(lab.locator(".sn-checks tr")).to_have_count(7)
    lab.get_by_label("Who speaks, and has agreed").fill("Ada Example, my own voice")
    lab.get_by_label("The speaker has agreed").check()
    take(notebook, "voice-lab", lab)
    notebook.run(1, timeout=60)
    take(notebook, "voices-compared", notebook.cell(1).locator(".stepnb-compare"))
