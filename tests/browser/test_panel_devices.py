"""Microphone and loudspeaker: chosen, adjusted and remembered; no echo and no cough interrupts."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser._lab import Notebook
from tests.browser._look import check, load_axe
from tests.browser._panel import LONG, QUESTION, SESSION, Panel, evaluate, live_microphones, watch_microphones
from tests.browser._signal import tone
from tests.browser._sound import Mouth, PulseServer, Recorder
from tests.browser.conftest import OpenNotebook


def start(notebook: Notebook) -> Panel:
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.root.locator(".sn-devices > summary").click()
    return panel


def switch(panel: Panel, name: str, on: bool) -> None:
    """Switch something on or off, as a person does."""
    button = panel.root.get_by_role("switch", name=name)
    if button.is_checked() != on:
        button.click()
    expect(button).to_be_checked(checked=on)


def last_settings(notebook: Notebook) -> str:
    """What the browser granted of the last microphone it opened."""
    return str(
        notebook.page.evaluate(
            "() => { const s = window.microphones.at(-1).getSettings();"
            " return [s.echoCancellation, s.noiseSuppression, s.autoGainControl].join(' '); }"
        )
    )


def test_what_is_chosen_counts_at_once_and_is_remembered(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder
) -> None:
    notebook = open_notebook(SESSION)
    watch_microphones(notebook.page)
    panel = start(notebook)
    microphones = panel.root.get_by_role("combobox", name="Microphone")
    panel.talk()
    expect(panel.root.locator(".sn-devices small", has_text="granted")).to_have_count(3)
    assert last_settings(notebook) == "true true true"
    names = microphones.locator("option").all_text_contents()
    assert names[0] == "As the system has it" and len(names) >= 2, names
    switch(panel, "Echo cancellation", False)
    panel.wait_for(mic="live")
    expect(panel.root.locator(".sn-devices summary")).to_contain_text("no echo cancellation")
    assert last_settings(notebook).startswith("false") and live_microphones(notebook.page) == 1
    microphones.select_option(index=1)
    panel.wait_for(mic="live")
    assert live_microphones(notebook.page) == 1
    panel.hears(mouth)

    loud = level_of_an_answer(panel, ear)
    panel.root.get_by_label("Volume").fill("50")
    assert level_of_an_answer(panel, ear) == pytest.approx(loud / 2, rel=0.1)
    expect(panel.root.get_by_role("combobox", name="Loudspeaker")).to_be_enabled()

    notebook.reload()
    panel.ready()
    expect(panel.root.locator(".sn-devices summary")).to_contain_text("no echo cancellation · 50 %")
    panel.talk()
    assert last_settings(notebook).startswith("false")
    notebook.page.evaluate("() => localStorage.removeItem('stepnb.devices')")


def level_of_an_answer(panel: Panel, ear: Recorder) -> float:
    asked = time.monotonic()
    panel.answers("What is seven times six?", "42")
    samples = ear.between(asked, time.monotonic()).samples.astype(float)
    return float(abs(samples).max())


def test_keyboard_and_looks(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SESSION)
    load_axe(notebook)
    panel = start(notebook)
    echo = panel.root.get_by_role("switch", name="Echo cancellation")
    echo.focus()
    notebook.page.keyboard.press("Space")
    expect(echo).not_to_be_checked()
    panel.wait_for(mic="off")  # the space bar did not talk
    notebook.page.keyboard.press("Space")
    guard = panel.root.get_by_label("Speech that interrupts")
    guard.focus()
    for _ in range(4):
        notebook.page.keyboard.press("ArrowRight")
    expect(panel.root.locator(".sn-devices")).to_contain_text("200 ms")
    notebook.page.wait_for_function("() => true")
    notebook.execute("s.panel.min_speech_ms = min(s.panel.min_speech_ms + 100, 500)")
    expect(guard).to_have_value("300")
    for theme in ("dark", "light"):
        notebook.theme(theme)  # type: ignore[arg-type]
        panel.wait_for(theme=theme)
        check(notebook, panel.root, f"devices-{theme}")
    notebook.page.set_viewport_size({"width": 620, "height": 1000})
    notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    check(notebook, panel.root, "devices-narrow")


def test_it_says_that_it_hears_itself_and_the_gate_helps(
    open_notebook: OpenNotebook, pulse: PulseServer, mouth: Mouth
) -> None:
    notebook = open_notebook(SESSION)
    panel = start(notebook)
    switch(panel, "Echo cancellation", False)
    switch(panel, "Noise suppression", False)
    panel.talk()
    with pulse.echo():
        panel.say(LONG)
        expect(panel.note("echo")).to_contain_text("It hears itself", timeout=60_000)
        notebook.screenshot("panel-hears-itself")
        panel.button("Use the gate").click()
        expect(panel.root.get_by_role("switch", name="Gate for loudspeakers")).to_be_checked()
        expect(panel.note("echo")).to_have_count(0)
        panel.button("Stop").click()
        panel.wait_for(answering="false", timeout=30)
        panel.answers(LONG, "all morning long.")
        assert evaluate(notebook, "s.turns[-1].status") == "completed"
    panel.hears(mouth)
    notebook.page.evaluate("() => localStorage.removeItem('stepnb.devices')")


def test_a_cough_does_not_interrupt_and_no_word_is_lost(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder
) -> None:
    notebook = open_notebook(SESSION, "s.panel.min_speech_ms = 300")
    panel = start(notebook)
    # Without loudspeakers there is nothing to cancel, and the canceller would mute what is said at first.
    switch(panel, "Echo cancellation", False)
    switch(panel, "Noise suppression", False)
    notebook.run(1)
    panel.talk()
    asked = time.monotonic()
    panel.say(LONG)
    ear.wait_for_sound(after=asked)
    mouth.say(tone(300, 0.12)).wait()
    panel.wait_for(answering="false", timeout=60)
    assert evaluate(notebook, "[t.status for t in s.turns]") == ["completed"]
    asked = time.monotonic()
    panel.say(LONG)
    ear.wait_for_sound(after=asked)
    mouth.say(QUESTION).wait()
    expect(panel.rows("step").nth(1)).to_have_attribute("data-state", "interrupted")
    expect(panel.rows("you").nth(2)).to_contain_text("joke")
    notebook.page.evaluate("() => localStorage.removeItem('stepnb.devices')")
