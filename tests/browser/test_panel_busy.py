"""The microphone goes on while a cell keeps the kernel busy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from playwright.sync_api import expect

from tests.browser._panel import QUESTION, SESSION, Panel, evaluate, records, soon, times_of
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook

# A cell that says something to the page and goes on working: ipykernel 7.4 would have the page's messages wait for it.
SLEEP = """
import time
for _ in range(30):
    s.panel.send_state("info")
    time.sleep(0.01)
begun = time.monotonic(); time.sleep(3); print(begun, time.monotonic())
"""
# An answer to a message under way leads the page's messages past the cell again, so it speaks until none has come for
# as long as a loaded machine keeps one.
HOLD = """
import time
begun = quiet = time.monotonic(); seen = len(s.events)
while quiet - begun < 10 and time.monotonic() - quiet < 0.5:
    s.panel.send_state("info")
    time.sleep(0.01)
    if len(s.events) != seen:
        quiet = time.monotonic(); seen = len(s.events)
begun = time.monotonic(); time.sleep(3); print(begun, time.monotonic())
"""
UNGUARD = "del s.panel.comm._reply_subshell_for"


def test_microphone_flows_while_a_cell_sleeps(
    open_notebook: OpenNotebook, mouth: Mouth, figure: Callable[[str], None]
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    assert evaluate(notebook, "s.panel.survives_busy_cells")
    panel.talk()
    soon(
        lambda: evaluate(notebook, f"s.panel._bridge.views[{panel.view!r}].offset_ms") is not None,
        "the clocks' offset",
    )
    mark = records(notebook)
    evaluate(notebook, f"s.panel._bridge.views[{panel.view!r}].lags_ms.clear()")
    speech = mouth.say(QUESTION)
    panel.wait_for(speech="true")
    # The end of the speech and the engine's recognition fall into the cell.
    begun, ended = (float(t) for t in notebook.execute(SLEEP).split())
    speech.wait()
    lags = evaluate(notebook, f"list(s.panel._bridge.views[{panel.view!r}].lags_ms)")
    arrived = [t for t in times_of(notebook, "input_audio_buffer.append", after=mark) if begun < t < ended]
    (stopped,) = times_of(notebook, "input_audio_buffer.speech_stopped", after=mark)
    assert begun < stopped < ended, "it began to recognise while the cell slept"
    # 20 ms of sound to an append; two thirds of them is what must be there on a machine short of time.
    assert len(arrived) >= 3 / 0.02 * 2 / 3
    assert np.diff([begun, *arrived, ended]).max() < 1, "no stall as long as those of a held comm"
    figure(
        f"microphone to kernel beyond the frame, a cell sleeping and the engine recognising: "
        f"p50 {np.percentile(lags, 50):.1f} ms, p95 {np.percentile(lags, 95):.1f} ms of {len(lags)} messages"
    )
    panel.wait_for(health="live", gaps="0", dropped="0")


def test_without_the_guard_frames_wait_and_the_panel_says_so(
    open_notebook: OpenNotebook, mouth: Mouth
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    notebook.execute(UNGUARD)
    panel.talk()
    mark = records(notebook)
    running = notebook.start(notebook.add(HOLD))
    notebook.wait_for_kernel("busy")
    panel.wait_for(health="blocked")
    expect(panel.root.locator(".sn-kernel")).to_have_text("blocked by a running cell")
    expect(panel.note("lag")).to_contain_text("await t, not t.wait()")
    notebook.screenshot("panel-busy", panel.root)
    begun, ended = (float(t) for t in running.wait().split())
    panel.wait_for(health="live")
    expect(panel.note("lag")).to_have_count(0)
    arrived = times_of(notebook, "input_audio_buffer.append", after=mark)
    assert not [t for t in arrived if begun < t < ended]
    # Nothing is lost: all that was said in the meantime comes afterwards. (Its order is not sure without the guard.)
    soon(
        lambda: (
            evaluate(
                notebook,
                f"sum(r.audio.length for r in list(s.events)[{mark}:] if r.kind == 'input_audio_buffer.append')",
            )
            > 3 * 48_000
        ),
        "the frames that waited",
    )
    panel.wait_for(dropped="0")
    panel.answers("What is seven times six?", "42")
