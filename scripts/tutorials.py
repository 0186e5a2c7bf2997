"""Stores the tutorials as the browser tests left them: ``python -m scripts.tutorials [NAME ...]``.

Outputs are as JupyterLab saved them, only smaller: pictures in as many colours as fit into a byte, sound as MP3.
"""

from __future__ import annotations

import base64
import io
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import soundfile
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
RUN = ROOT / "test-output" / "notebooks"

WIDGET = "application/vnd.jupyter.widget-view+json"
_MP3_COMPRESSION = 0.7  # about 30 kbit/s for speech at 24 kHz
_WAV = re.compile(r"data:audio/wav;base64,([A-Za-z0-9+/=]+)")


def stored(notebook: Any) -> Any:
    """Return a notebook without what belongs to one run or one editor, its outputs made small."""
    names = ("kernelspec", "language_info")
    notebook.metadata = {name: notebook.metadata[name] for name in names if name in notebook.metadata}
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data.pop(WIDGET, None)  # of a widget its picture stays: its model ends with the kernel
                data["image/png"] = _smaller_picture(data["image/png"])
            if "text/html" in data:
                data["text/html"] = _WAV.sub(lambda found: _smaller_sound(found[1]), data["text/html"])
    return notebook


def _smaller_picture(png: str) -> str:
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    if picture.mode != "P":
        method = Image.Quantize.FASTOCTREE if picture.mode == "RGBA" else Image.Quantize.MEDIANCUT
        picture = picture.quantize(255, method, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _smaller_sound(wav: str) -> str:
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(wav)), dtype="int16")
    buffer = io.BytesIO()
    soundfile.write(
        buffer, samples, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=_MP3_COMPRESSION
    )
    return f"data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def main(names: list[str]) -> None:
    """Take over the notebooks of the last test run, or those whose names begin so."""
    for path in sorted(RUN.glob("*.ipynb")):
        if not names or path.name.startswith(tuple(names)):
            nbformat.write(stored(nbformat.read(path, as_version=4)), NOTEBOOKS / path.name)
            sys.stdout.write(f"{path.name}: {(NOTEBOOKS / path.name).stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
