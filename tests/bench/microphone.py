"""From the microphone to the kernel in real JupyterLab, beyond the 40 ms that a message carries.

    pytest tests/bench/microphone.py

The page's clock is mapped to the kernel's by the shortest of the last twenty pings; both directions are taken to last
equally long, which overstates this one by about 10 ms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.browser._panel import SESSION, Panel, evaluate, soon
from tests.browser._signal import tone
from tests.browser._sound import Mouth
from tests.browser.conftest import OpenNotebook

CELLS = {
    "idle kernel": None,
    "time.sleep(5)": "import time; time.sleep(5)",
    "a CPU loop, 5 s": "import time\nend = time.monotonic() + 5\nwhile time.monotonic() < end: pass",
}


@pytest.mark.timeout(180)
def test_microphone_to_kernel(
    open_notebook: OpenNotebook, mouth: Mouth, figure: Callable[[str], None]
) -> None:
    notebook = open_notebook(SESSION)
    notebook.run(0)
    panel = Panel(notebook).ready()
    panel.talk()
    link = f"s.panel._bridge.views[{panel.view!r}]"
    soon(lambda: evaluate(notebook, f"{link}.offset_ms") is not None, "the clocks' offset")
    figure(f"{'microphone to kernel, beyond the frame':42} {'p50':>9} {'p95':>9} {'max':>9}  messages")
    for name, cell in CELLS.items():
        evaluate(notebook, f"{link}.lags_ms.clear()")
        running = notebook.start(notebook.add(cell)) if cell else None
        mouth.say(tone(300, 5)).wait()
        if running:
            running.wait()
        lags = np.array(evaluate(notebook, f"list({link}.lags_ms)"))
        p50, p95 = np.percentile(lags, [50, 95])
        figure(f"  {name:40} {p50:6.1f} ms {p95:6.1f} ms {lags.max():6.1f} ms  {len(lags):8d}")
