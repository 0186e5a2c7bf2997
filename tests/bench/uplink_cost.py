"""What microphone messages cost the kernel, by how much sound each carries, in real JupyterLab.

    pytest tests/bench/uplink_cost.py

The page sends silence at its real pace through the panel's own comm, and the session appends it to the local engine,
which runs in the same process: the last line has no messages and is to be taken off.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser._panel import SESSION, Panel, evaluate
from tests.browser.conftest import OpenNotebook

SECONDS = 8
SEND = """async ([comm, view, frames, seconds]) => {
    const kernel = lab.kernel();
    const channel = kernel._comms.get(comm);
    const pcm = btoa(String.fromCharCode(0).repeat(960 * frames));
    const start = performance.now();
    for (let n = 0; n * 20 < seconds * 1000; n += frames) {
        const due = start + n * 20 - performance.now();
        if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
        const content = {v: 1, k: 'mic', seq: window.seq++, t: performance.now(), view, n, frames, pcm,
                         rms: Array(frames).fill(0)};
        channel.send({method: 'custom', content});
    }
}"""
CPU = "__import__('psutil').Process().cpu_times()[:2]"


@pytest.mark.timeout(240)
def test_cost_of_messages(open_notebook: OpenNotebook, figure: Callable[[str], None]) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    Panel(notebook).ready()
    comm = evaluate(notebook, "s.panel.comm.comm_id")
    notebook.page.evaluate("window.seq = 0")
    talk = """([comm, view]) => lab.kernel()._comms.get(comm).send({method: 'custom', content: {
        v: 1, k: 'talk', seq: window.seq++, t: 0, view, on: true, how: 'toggle'}})"""
    notebook.page.evaluate(talk, [comm, "bench"])
    figure("CPU of the kernel while the microphone is live, by sound in a message:")
    for frames in (1, 2, 5, 10, 0):
        before = sum(evaluate(notebook, CPU))
        if frames:
            notebook.page.evaluate(SEND, [comm, "bench", frames, SECONDS])
        else:
            notebook.page.wait_for_timeout(SECONDS * 1000)
        spent = sum(evaluate(notebook, CPU)) - before
        figure(f"  {frames * 20 or 'no':>4} ms  {spent / SECONDS * 100:5.1f} %")
    assert evaluate(notebook, "s.panel._bridge.counts['mic']") == sum(
        -(-SECONDS * 50 // frames) for frames in (1, 2, 5, 10)
    )
