"""Rows of the transcript: heard again, copied, exported, and the calls in them decided."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import soundfile
from playwright.sync_api import expect

from tests.browser._look import THEMES, check, load_axe
from tests.browser._panel import Panel, evaluate, soon
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook

MARKUP = "<img src=x onerror=\"window.hacked='tool'\">"
SESSION = f'''
mark = {MARKUP!r}
import stepnb as sn
@sn.tool(approve=True)
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"21 degrees and dry in {{city}} {{mark}}"
s = sn.Session(tools=[get_weather])
s
'''
THINKING = """
import stepnb as sn
t = sn.Session(model="step-audio-r1.1")
t
"""


def test_a_call_waits_for_its_button_and_shows_what_came_of_it(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION)
    load_axe(notebook)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.say("What is the weather in Paris?")
    approve = panel.root.get_by_role("button", name="Approve: get_weather")
    expect(approve).to_be_visible()
    check(notebook, panel.root, "transcript-approve")
    approve.click()
    call = panel.root.locator(".sn-call").first
    expect(call).to_have_attribute("data-status", "completed")
    expect(call).to_contain_text('get_weather(city="Paris")')
    expect(call).to_contain_text("21 degrees and dry in Paris <img")
    panel.wait_for(40, answering="false")
    call.locator("summary").click()
    expect(call.locator("pre").last).to_contain_text("21 degrees")

    panel.say("What is the weather in Lyon?")
    panel.root.get_by_role("button", name="Deny: get_weather").click()
    expect(panel.root.locator(".sn-call").nth(1)).to_have_attribute("data-status", "denied")
    panel.wait_for(40, answering="false")
    assert evaluate(notebook, "[c.status for t in s.turns for c in t.tool_calls]") == ["completed", "denied"]
    expect(call.locator("details")).to_have_attribute("open", "", timeout=1000)
    for theme in THEMES:
        notebook.theme(theme)
        panel.wait_for(theme=theme)
        check(notebook, panel.root, f"transcript-calls-{theme}")
    notebook.page.set_viewport_size({"width": 480, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    check(notebook, panel.root, "transcript-calls-narrow")
    assert notebook.page.locator('img[src="x"]').count() == 0
    assert notebook.page.evaluate("() => window.hacked ?? null") is None


def pasted(panel: Panel) -> str:
    """What is in the clipboard."""
    panel.message.fill("")
    panel.message.press("ControlOrMeta+V")
    text = panel.message.input_value()
    panel.message.fill("")
    return text


def test_rows_are_heard_again_copied_and_exported(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder
) -> None:
    notebook = open_notebook("import stepnb as sn\ns = sn.Session()\ns")
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    panel.hears(mouth)
    panel.talk_button.click()
    panel.wait_for(mic="off")
    panel.answers("What is seven times six?", "42")
    for row in (panel.rows("you").nth(0), panel.rows("step").nth(0), panel.rows("step").nth(1)):
        expect(row.locator(".sn-wave-all")).to_be_visible()
        clicked = time.monotonic()
        row.locator(".sn-play").click()
        expect(row.locator(".sn-play")).to_have_attribute("data-playing", "playing")
        ear.wait_for_sound(after=clicked)
        expect(row.locator(".sn-play")).to_have_attribute("data-playing", "off", timeout=20_000)
    expect(panel.rows("you").nth(1).locator(".sn-play")).to_have_count(0)

    # From its middle: a click on the waveform is a position in the sound.
    answer = panel.rows("step").nth(1)
    seek = answer.get_by_role("slider")
    whole = float(seek.get_attribute("max") or 0)
    assert whole == evaluate(notebook, "s.turns[1].audio.duration")
    seek.click()
    expect(answer.locator(".sn-play")).to_have_attribute("data-playing", "playing")
    assert float(seek.input_value()) >= whole / 2 - 0.2
    # The live answer goes first.
    panel.say("Hello")
    panel.wait_for(playing="true")
    expect(answer.locator(".sn-play")).not_to_have_attribute("data-playing", "playing")
    panel.wait_for(40, answering="false")

    answer.hover()
    with notebook.page.expect_download() as downloading:
        answer.get_by_role("button", name="Save this sound as WAV").click()
    saved, rate = soundfile.read(downloading.value.path(), dtype="int16")
    assert (len(saved), rate) == (round(whole * 24_000), 24_000)
    answer.get_by_role("button", name="Copy this text").click()
    expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    assert "42" in pasted(panel)
    panel.button("More actions").click()
    panel.button("Copy the conversation").click()
    expect(panel.root.locator(".sn-said")).to_have_text("Copied")
    assert re.search(r"You: What is seven times six\?\s*Step: .*42", pasted(panel))
    folder = notebook.path.parent
    for name, ending in (("Markdown", "md"), ("JSON", "json"), ("WAV", "wav")):
        panel.button(f"Export as {name}").click()
        expect(panel.note("notice Saved").last).to_contain_text(f".{ending}")
        soon(
            lambda ending=ending: len(list(folder.glob(f"conversation-*.{ending}"))) == 1, f"the {name} file"
        )  # type: ignore[misc]
    assert "seven times six" in next(folder.glob("conversation-*.md")).read_text(encoding="utf-8")
    assert len(json.loads(next(folder.glob("conversation-*.json")).read_bytes())["turns"]) == 3
    sound, _ = soundfile.read(next(folder.glob("conversation-*.wav")), dtype="int16")
    assert (np.abs(sound.astype(int)).max(axis=0) > 3000).all(), "both sides are there"

    # What was said stays to be heard after the session, and after its kernel what the page has.
    notebook.execute("s.close()")
    last = panel.rows("step").nth(2).locator(".sn-play")
    last.click()
    expect(last).to_have_attribute("data-playing", "playing")
    notebook.reload()
    panel.wait_for(30, welcome="true")
    answer.locator(".sn-play").click()
    expect(answer.locator(".sn-play")).to_have_attribute("data-playing", "playing")
    notebook.allow_error("Comm not found|widget|model")
    notebook.page.evaluate("() => lab.panel().sessionContext.restartKernel()")
    panel.wait_for(state="gone")
    last.click()
    expect(last).to_have_attribute("data-playing", "off")


def test_thoughts_fold_and_figures_are_shown(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(THINKING)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.answers("What is seven times six?", "42")
    row = panel.rows("step").first
    expect(row.locator(".sn-latency")).to_have_text(re.compile(r"^\d+\.\d\d s$"))
    expect(row.locator(".sn-tokens")).to_contain_text("tokens · free")
    expect(panel.root.locator(".sn-totals")).to_have_text("turn 1 · free")
    thought = row.locator(".sn-thinking > div")
    expect(thought).to_be_hidden()
    row.get_by_text("Thought").click()
    expect(thought).to_be_visible()
    assert evaluate(notebook, "t.turns[0].thinking").strip() == thought.inner_text().strip()
