"""From the kernel to the ear in real JupyterLab: the first sound, and silence.

    pytest tests/bench/loudspeaker.py

Ear figures are recorded from the loudspeaker's monitor. What the page does is timed where it is done, by the clock of
the worklet's own thread, rounded up to the millisecond: its reports wait for the page's main thread, which the sound
does not. The sound device's own latency is what the sound of each answer took from the moment at which its first block
was rendered to the ear; the page cannot make it shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.browser._lab import Notebook, Running
from tests.browser._panel import LONG, QUESTION, SESSION, Panel, evaluate, records
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook

# Has the worklet say when it rendered the first block of an answer, and when it took in a flush: page time, ms.
WATCH = """
window.rendered = window.taken = null;
const addModule = AudioWorklet.prototype.addModule;
AudioWorklet.prototype.addModule = async function (url) {
    const source = await (await fetch(url)).text();
    const stamped = `
        const register = registerProcessor;
        registerProcessor = (name, Processor) => register(name, class extends Processor {
            constructor() {
                super();
                const post = this.port.postMessage.bind(this.port);
                this.port.postMessage = (report, ...rest) => post({ ...report, wall: Date.now() }, ...rest);
            }
        });
        ${source}`;
    const blob = URL.createObjectURL(new Blob([`{${stamped}}`], { type: "text/javascript" }));
    return addModule.call(this, blob).finally(() => URL.revokeObjectURL(blob));
};
window.AudioWorkletNode = class extends AudioWorkletNode {
    constructor(...options) {
        super(...options);
        let commands = 0, flush = null;
        const post = this.port.postMessage.bind(this.port);
        this.port.postMessage = (command) => {
            commands += 1;
            if (command.k === "flush") flush = commands;
            post(command);
        };
        this.port.addEventListener("message", ({ data }) => {
            const at = data.wall + 1 - performance.timeOrigin;
            if (data.events?.some((event) => event.k === "first")) window.rendered = at;
            if (flush !== null && data.commands >= flush) {
                window.taken = at;
                flush = null;
            }
        });
    }
};
"""
BUSY = """
import time
end = time.monotonic() + 12
while time.monotonic() < end:
    sum(range(1000))
"""
# Of each record that matters: its kind, its time and what it says, s.
LOG = """[(r.kind, r.t / 1e9, {{k: v / 1e9 for k, v in (r.data or {{}}).items() if k in ('since', 'asked') and v}})
    for r in list(s.events)[{mark}:] if r.kind in
    ('first', 'flushed', 'input_audio_buffer.speech_started', 'response.audio.delta')]"""


FADE_S = 0.012


def log_since(notebook: Notebook, mark: int) -> dict[str, list[tuple[float, dict[str, float]]]]:
    found: dict[str, list[tuple[float, dict[str, float]]]] = {}
    for kind, t, data in evaluate(notebook, LOG.format(mark=mark).replace("\n", " ")):
        found.setdefault(kind, []).append((t, data))
    return found


def start(open_notebook: OpenNotebook) -> tuple[Notebook, Panel]:
    """A session whose microphone is live, and which has spoken once; no echo canceller, as with headphones."""
    notebook = open_notebook(SESSION)
    notebook.page.add_init_script(WATCH)
    notebook.page.evaluate("() => localStorage.setItem('stepnb.devices', '{\"echoCancellation\": false}')")
    notebook.reload()
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    panel.answers("What is seven times six?", "42")
    return notebook, panel


def watched(notebook: Notebook, panel: Panel, name: str) -> float:
    """A moment that the page has noted, in the kernel's clock, s."""
    offset = evaluate(notebook, f"s.panel._bridge.views[{panel.view!r}].offset_ms")
    return float(notebook.page.evaluate("(name) => window[name]", name) + offset) / 1000


def line(name: str, values: list[float]) -> str:
    p50, p95 = np.percentile(np.array(values) * 1000, [50, 95])
    return f"  {name:58} {p50:6.1f} ms {p95:6.1f} ms  {len(values):4d}"


def interruptions(
    notebook: Notebook, panel: Panel, mouth: Mouth, ear: Recorder, times: int
) -> dict[str, list[float]]:
    """Interrupt long answers by speaking; returns the parts of the way from `speech_started` to silence, s."""
    parts: dict[str, list[float]] = {}

    def note(**values: float) -> None:
        for name, value in values.items():
            parts.setdefault(name, []).append(value)

    for _ in range(times):
        mark, sent = records(notebook), time.monotonic()
        panel.say(LONG)
        heard = ear.wait_for_sound(after=sent)
        rendered = watched(notebook, panel, "rendered")
        speech = mouth.say(QUESTION)
        panel.wait_for(speech="true")
        silent = ear.wait_for_silence(after=speech.started(), hold_ms=400)
        taken = watched(notebook, panel, "taken")
        speech.wait()
        panel.wait_for(speech="false")
        panel.wait_for(answering="true")
        panel.button("Stop").click()
        panel.wait_for(answering="false")
        log = log_since(notebook, mark)
        started = log["input_audio_buffer.speech_started"][0][0]
        at, data = log["flushed"][0]
        first, delta = log["first"][0][0], log["response.audio.delta"][0][0]
        own = heard - rendered
        note(
            first=heard - delta,
            device=own,
            total=silent - started,
            rest=silent - started - own,
            kernel=data["since"] - started,
            way=data["asked"] - data["since"],
            page=taken - data["asked"] + FADE_S,
            block=at - (first - rendered) - taken - FADE_S,
        )
    return parts


NAMES = {
    "first": "first audio in the kernel to the ear",
    "device": "  of that the sound device's own latency",
    "total": "speech_started to silence at the ear",
    "rest": "  less the sound device's own latency",
    "kernel": "    in the kernel",
    "way": "    kernel to page",
    "page": "    in the page, 12 ms of fade included",
    "block": "    until the device asks for its next block",
}


def report(figure: Callable[[str], None], title: str, parts: dict[str, list[float]]) -> None:
    figure(f"{title:60} {'p50':>9} {'p95':>9}   n")
    for name, text in NAMES.items():
        figure(line(text, parts[name]))


@pytest.mark.timeout(500)
def test_kernel_to_ear(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder, figure: Callable[[str], None]
) -> None:
    notebook, panel = start(open_notebook)
    report(figure, "idle kernel", interruptions(notebook, panel, mouth, ear, 30))


def run_beside(notebook: Notebook, code: str) -> Running:
    running = notebook.start(notebook.add(code))
    notebook.wait_for_kernel("busy")
    return running


@pytest.mark.timeout(300)
def test_kernel_to_ear_beside_a_busy_cell(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder, figure: Callable[[str], None]
) -> None:
    notebook, panel = start(open_notebook)
    silences: list[float] = []
    for _ in range(3):
        mark, sent = records(notebook), time.monotonic()
        running = run_beside(notebook, BUSY)
        panel.say(LONG)
        ear.wait_for_sound(after=sent, timeout=15)
        speech = mouth.say(QUESTION)
        silent = ear.wait_for_silence(after=speech.started(), hold_ms=400)
        running.wait()
        log: dict[str, Any] = log_since(notebook, mark)
        silences.append(silent - log["input_audio_buffer.speech_started"][0][0])
        speech.wait()
        # What it heard is answered, beside the cell or after it.
        panel.wait_for(60, speech="false", answering="false", state="listening")
    figure(f"{'beside a cell with a CPU loop':60} {'p50':>9} {'p95':>9}   n")
    figure(line(NAMES["total"], silences))
