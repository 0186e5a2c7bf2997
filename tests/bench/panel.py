"""The panel in real JupyterLab: at rest, with jitter, after a long conversation, and with Chromium's echo canceller.

pytest tests/bench/panel.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession

from tests.browser._panel import LONG, QUESTION, SESSION, Panel, evaluate, records, times_of
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook

COUNT_FRAMES = """() => {
    window.frames_asked = [];
    const ask = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => {
        window.frames_asked.push(new Error().stack);
        return ask(draw);
    };
}"""
# Speech in real time, 40 ms at a time, each piece up to `jitter` s late and in order, straight into the panel's bridge.
JITTER = """
import asyncio, random
from stepnb.conversation.reducer import Change
async def speak(seconds, jitter, seed=1):
    late, loop, bridge = random.Random(seed), asyncio.get_running_loop(), s.panel._bridge
    for answer in range(round(seconds / 10)):
        start = loop.time()
        for piece in range(250):
            due = start + piece * 0.04 + late.uniform(0, jitter)
            await asyncio.sleep(max(0.0, due - loop.time()))
            bridge.on_change(Change("audio", None, f"jitter {answer}"), bytes(1920))
        bridge.on_change(Change("audio_end", None, f"jitter {answer}"), None)
        await asyncio.sleep(0.5)
spoken = asyncio.run_coroutine_threadsafe(speak(600, 0.1), s._core.loop)
"""
# A conversation of at least ten minutes, as fast as the engine can speak; the panel is shown, and silent.
TALK = """
said = 0.0
while said < 600:
    turn = s.ask({long!r})
    turn.wait(timeout=60)
    said += turn.audio.duration
print(len(s.turns), round(said))
"""


def worked(session: CDPSession) -> float:
    """How long the page's main thread has worked so far, s."""
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


@pytest.mark.timeout(200)
def test_page_at_rest(open_notebook: OpenNotebook, figure: Callable[[str], None]) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.answers("What is seven times six?", "42")
    notebook.page.wait_for_timeout(2000)
    notebook.page.evaluate(COUNT_FRAMES)
    session = notebook.page.context.new_cdp_session(notebook.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = worked(session)
    notebook.page.wait_for_timeout(10_000)
    share = (worked(session) - before) * 10
    asked = notebook.page.evaluate("() => window.frames_asked")
    # anywidget loads a widget's code from a Blob; whatever else there is belongs to JupyterLab.
    ours = [stack for stack in asked if "blob:" in stack]
    figure(
        f"page at rest, 10 s: {len(ours)} animation frames of the panel, {len(asked) - len(ours)} of JupyterLab; "
        f"main thread {share:.2f} %"
    )
    assert ours == []


@pytest.mark.timeout(800)
def test_ten_minutes_with_jitter(open_notebook: OpenNotebook, figure: Callable[[str], None]) -> None:
    notebook = open_notebook(SESSION, JITTER)
    notebook.run(0)
    panel = Panel(notebook).ready()
    notebook.run(1)
    runs = []
    for _ in range(10):
        notebook.page.wait_for_timeout(63_000)  # six answers of ten seconds with half a second between them
        runs.append(int(panel.root.get_attribute("data-underruns") or 0))
    evaluate(notebook, "spoken.result(60)")
    figure(f"underruns in ten minutes of speech with 100 ms of jitter, after each minute: {runs}")


@pytest.mark.timeout(500)
def test_growth_after_ten_minutes(open_notebook: OpenNotebook, figure: Callable[[str], None]) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    Panel(notebook).ready()
    notebook.save()
    before = notebook.path.stat().st_size
    turns, seconds = notebook.execute(TALK.format(long=LONG), timeout=400).split()
    notebook.page.wait_for_timeout(1000)
    notebook.save()
    grown = notebook.path.stat().st_size - before
    state = evaluate(
        notebook,
        "sum(len(repr(value)) for name, value in s.panel.get_state().items() if name not in ('_esm', '_css'))",
    )
    text = notebook.path.read_text()
    figure(
        f"after {turns} turns and {seconds} s of speech: the saved notebook has grown by {grown / 1000:.0f} kB, "
        f"the panel's state without its code is {state / 1000:.1f} kB"
    )
    assert grown < 200_000 and state < 20_000
    assert "pcm" not in text and "base64" not in text


@pytest.mark.timeout(300)
@pytest.mark.parametrize("canceller", [True, False], ids=["with", "without"])
def test_interrupting_the_very_first_answer(
    canceller: bool,
    open_notebook: OpenNotebook,
    mouth: Mouth,
    ear: Recorder,
    figure: Callable[[str], None],
) -> None:
    notebook = open_notebook(SESSION)
    settings = f'{{"echoCancellation": {str(canceller).lower()}}}'
    notebook.page.evaluate("text => localStorage.setItem('stepnb.devices', text)", settings)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    found = []
    for _ in range(2):
        mark, asked = records(notebook), time.monotonic()
        panel.say(LONG)
        sounding = ear.wait_for_sound(after=asked)
        begun = []
        for _ in range(4):
            begun.append(mouth.say(QUESTION).wait()[0])
            started = times_of(notebook, "input_audio_buffer.speech_started", after=mark)
            if started:
                break
        words = (
            f"at once, {started[0] - begun[-1]:.1f} s after it began"
            if started and len(begun) == 1
            else f"{started[0] - sounding:.1f} s into the answer, the {len(begun)}. time"
            if started
            else "never"
        )
        found.append(words)
        panel.button("Stop").click()
        panel.wait_for(answering="false", timeout=30)
    name = "with" if canceller else "without"
    figure(
        f"a person interrupting, {name} echo cancellation: first answer: heard {found[0]}; second: {found[1]}"
    )
