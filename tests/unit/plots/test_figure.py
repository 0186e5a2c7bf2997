from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from stepnb.audio.clip import Clip
from stepnb.plots.figure import PlotFigure


def test_the_png_has_twice_the_pixels_it_is_shown_at() -> None:
    png, metadata = PlotFigure(3, 1.5)._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert metadata == {"width": 300, "height": 150}
    assert struct.unpack(">II", png[16:24]) == (600, 300)


def test_pyplot_is_never_imported() -> None:
    code = """
import sys
from stepnb.audio.clip import Clip
from stepnb import plots
from stepnb.audio.analysis import speech_segments
clip = Clip.silence(1)
clip.plot(segments=speech_segments(clip))._repr_png_()
for kind in ('level', 'spectrogram', 'mel', 'pitch'):
    clip.plot(kind)._repr_png_()
with plots.style('dark'):
    clip.plot()
from scripts.example_conversation import weather
recording = weather()
for kind in ('timeline', 'waterfall', 'latency'):
    recording.plot(kind)._repr_png_()
recording.report()._repr_png_()
recording.timeline()._repr_mimebundle_()
import stepnb
stepnb.vad_lab(recording).plot()._repr_png_()
sys.exit('matplotlib.pyplot' in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=Path(__file__).parents[3])


def test_a_plot_and_a_clip_show_themselves_in_a_kernel_nothing_was_set_up_in() -> None:
    manager, client = start_new_kernel(startup_timeout=60)
    shown: list[dict[str, Any]] = []

    def collect(message: dict[str, Any]) -> None:
        assert message["msg_type"] != "error", message["content"]
        if message["msg_type"] in ("display_data", "execute_result"):
            shown.append(message["content"])

    def run(code: str) -> None:
        client.execute_interactive(code, timeout=60, output_hook=collect)

    try:
        run("from stepnb.audio.clip import Clip\nclip = Clip.silence(1)\nclip")
        run("clip.plot()")
        # With the inline backend set up there is still one picture, not two.
        run("%matplotlib inline\nimport matplotlib.pyplot as plt")
        run("clip.plot()")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    clip, bare, inline = shown
    assert "<audio" in clip["data"]["text/html"]
    assert clip["data"]["text/plain"] == repr(Clip.silence(1))
    assert bare["data"]["image/png"] and bare["metadata"]["image/png"] == {"width": 720, "height": 190}
    assert inline["data"]["image/png"]
