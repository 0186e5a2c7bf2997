"""The whole road in real JupyterLab: a person speaks into the page, is answered, and interrupts."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import expect

from tests.browser._lab import Lab, Notebook
from tests.browser._panel import (
    LONG,
    QUESTION,
    SESSION,
    Panel,
    evaluate,
    live_microphones,
    records,
    soon,
    times_of,
    watch_microphones,
)
from tests.browser._signal import Sound
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook

# A server that is not there, until the test starts it.
ABSENT = """
import socket, stepnb as sn
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
engine = sn.LocalEngine(port=port, api_key="test-key")
s = sn.Session(cluster=f"ws://127.0.0.1:{port}/v1/realtime", api_key="test-key")
s
"""


def last_answer(notebook: Notebook) -> Sound:
    """The last turn's audio as the session has it."""
    evaluate(notebook, "str(s.turns[-1].audio.save('answer.wav'))")
    samples, rate = sf.read(notebook.path.parent / "answer.wav", dtype="int16")
    return Sound(samples, rate)


def test_speech_is_transcribed_answered_and_heard(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder, figure: Callable[[str], None]
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    begun, ended = mouth.say(QUESTION).wait()
    expect(panel.rows("you")).to_contain_text("joke")
    panel.wait_for(playing="true", timeout=20)
    notebook.screenshot("panel-speaking")
    heard = ear.wait_for_sound(after=begun)
    assert heard > ended, "the answer comes after the question"
    panel.wait_for(playing="false", timeout=40)
    expect(panel.rows("step")).to_have_attribute("data-state", "done")
    # The page's last report follows once the last sample has reached the ear.
    soon(
        lambda: evaluate(notebook, "s.turns[-1].heard_ms >= 999 * s.turns[-1].audio.duration"),
        "all of it was heard",
    )
    turn = evaluate(
        notebook,
        "(lambda t: {'heard_ms': t.heard_ms, 'text': t.transcript, 'first_ms': t.latency.first_heard})(s.turns[-1])",
    )
    expect(panel.rows("step").locator(".sn-heard")).to_have_text(turn["text"])
    sent = last_answer(notebook)
    assert turn["heard_ms"] == pytest.approx(sent.duration * 1000, rel=0.01)
    # Where the machine has more work than cores the browser's output has gaps: count sound, not the time between.
    at_ear = ear.since(heard)
    assert at_ear.active_seconds() == pytest.approx(sent.active_seconds(), rel=0.1)
    figure(
        f"panel: answer of {sent.duration:.2f} s: playhead {turn['heard_ms'] / 1000:.2f} s, sound at the ear "
        f"{at_ear.active_seconds():.2f} s, sound sent {sent.active_seconds():.2f} s; "
        f"end of speech to its first sound at the ear {(heard - ended) * 1000:.0f} ms, "
        f"{(heard - times_of(notebook, 'first')[0]) * 1000:+.0f} ms from when the page says"
    )
    notebook.screenshot("panel-answered")


def interrupt(notebook: Notebook, panel: Panel, mouth: Mouth, ear: Recorder) -> float:
    """Interrupt a long answer by speaking; returns the time from `speech_started` to silence at the ear, s."""
    mark, sent = records(notebook), time.monotonic()
    cut = panel.rows("step").nth(panel.rows("step").count())
    panel.say(LONG)
    playing = ear.wait_for_sound(after=sent)
    speech = mouth.say(QUESTION)
    panel.wait_for(speech="true")
    started = times_of(notebook, "input_audio_buffer.speech_started", after=mark)[0]
    # Longer than the gaps of a loudspeaker on a busy machine, shorter than the time to the next answer.
    silent = ear.wait_for_silence(after=started, hold_ms=400)
    expect(cut).to_have_attribute("data-state", "interrupted")
    expect(cut.locator(".sn-mark")).to_contain_text("cut off at")
    expect(cut.locator(".sn-unheard")).not_to_be_empty()
    turn = evaluate(
        notebook,
        "[{'status': t.status, 'cut_ms': t.heard_ms} for t in s.turns if t.status == 'interrupted'][-1]",
    )
    assert turn["cut_ms"] / 1000 == pytest.approx(silent - playing, abs=1.0)
    truncated = evaluate(
        notebook,
        f"[r.event.audio_end_ms for r in list(s.events)[{mark}:] if r.kind == 'conversation.item.truncate']",
    )
    assert truncated == [int(turn["cut_ms"])]
    cancelled = times_of(notebook, "response.cancel", after=mark)
    done = [t for t in times_of(notebook, "response.done", after=mark) if t < started]
    assert len(cancelled) == (0 if done else 1), "cancelled only while a response was active"
    speech.wait()
    # What it heard is answered; that answer is stopped by hand.
    panel.wait_for(speech="false")
    panel.wait_for(answering="true")
    ear.wait_for_sound(after=silent + 0.2)
    panel.button("Stop").click()
    panel.wait_for(answering="false")
    return silent - started


def test_barge_in_silences_the_loudspeaker(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder, figure: Callable[[str], None]
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    # Chromium's echo canceller mutes the microphone while the loudspeaker plays, until some seconds of it have shown
    # that there is no echo here: the first answer is left alone.
    panel.answers(LONG, "all morning long.")
    silences = [interrupt(notebook, panel, mouth, ear) for _ in range(5)]
    figure(
        f"barge-in: speech_started to silence at the ear: median {np.median(silences) * 1000:.0f} ms of "
        f"{[round(s * 1000) for s in silences]}"
    )
    notebook.screenshot("panel-interrupted")
    assert np.median(silences) <= 0.150


def test_push_to_talk_mute_and_stop(open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder) -> None:
    notebook = open_notebook("import stepnb as sn\ns = sn.Session(vad=None)\ns")
    notebook.run(0)
    panel = Panel(notebook).ready()
    watch_microphones(notebook.page)

    panel.talk_button.hover()
    notebook.page.mouse.down()
    panel.wait_for(mic="live", owner=panel.view)
    expect(panel.talk_button).to_have_text("Release")
    mouth.say(QUESTION).wait()
    notebook.page.mouse.up()
    panel.wait_for(mic="off")
    expect(panel.rows("you").nth(0)).to_contain_text("joke")
    panel.wait_for(playing="true")

    sounding = ear.wait_for_sound(after=time.monotonic() - 1)
    panel.button("Stop").click()
    ear.wait_for_silence(after=sounding, hold_ms=500)
    panel.wait_for(answering="false")
    expect(panel.rows("step").nth(0)).to_have_attribute("data-state", "interrupted")

    panel.root.focus()
    notebook.page.keyboard.down("Space")
    panel.wait_for(mic="live", owner=panel.view)
    mouth.say(QUESTION).wait()
    notebook.page.keyboard.up("Space")
    panel.wait_for(mic="off")
    expect(panel.rows("you").nth(1)).to_contain_text("joke")
    panel.wait_for(playing="true")
    panel.root.press("Escape")
    panel.wait_for(answering="false")
    expect(panel.rows("step").nth(1)).to_have_attribute("data-state", "interrupted")
    assert live_microphones(notebook.page) == 0

    panel.talk()
    panel.button("Mute the microphone").click()
    panel.wait_for(mic="muted")
    begun, ended = mouth.say(QUESTION).wait()
    panel.button("Unmute the microphone").click()
    panel.wait_for(mic="live")
    loudest = evaluate(
        notebook,
        f"max(abs(int(x)) for r in s.events if r.kind == 'input_audio_buffer.append' and {begun}e9 < r.t < {ended}e9 "
        "for x in __import__('numpy').frombuffer(s.events.audio.read([r.audio]), 'int16'))",
    )
    assert loudest == 0
    panel.talk_button.click()
    panel.wait_for(mic="off")

    panel.answers("What is seven times six?", "42")


def test_denied_microphone_says_what_to_do(open_notebook: OpenNotebook, lab: Lab, mouth: Mouth) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    lab.allow_microphone(False)
    panel.talk_button.click()
    panel.wait_for(mic="denied", state="no_microphone")
    expect(panel.note("mic")).to_contain_text("Allow it beside the address bar")
    notebook.screenshot("panel-denied")
    panel.answers("What is seven times six?", "42")
    lab.allow_microphone(True)
    panel.talk()
    expect(panel.note("mic")).to_have_count(0)


def test_try_again_after_a_failure(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(ABSENT)
    notebook.run(0)
    panel = Panel(notebook)
    panel.wait_for(state="failed", timeout=30)
    expect(panel.note("status")).to_contain_text("127.0.0.1")
    notebook.screenshot("panel-failed")
    notebook.execute("engine.start()")
    panel.button("Try again").click()
    panel.ready()
    expect(panel.note("status")).to_have_count(0)
    panel.answers("What is seven times six?", "42")
    notebook.execute("engine.close()")
    panel.wait_for(state="reconnecting", timeout=30)
    # The same engine gives the same ids again: on a new connection they are other ones.
    notebook.execute("engine.start()")
    panel.wait_for(state="ready", timeout=30)
    expect(panel.note("notice")).to_contain_text("told as text")
    panel.answers("What is nine minus four?", "5")
