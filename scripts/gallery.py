"""Makes docs/gallery.md and its pictures: ``make pictures``, or ``python -m scripts.gallery``.

The tests draw the same pictures and hold them against the thumbnails that are written here.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import stepnb as sn
from scripts.example_conversation import Stage, room, said, weather
from stepnb import plots
from stepnb.audio.analysis import speech_segments

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
IMAGES = DOCS / "images" / "gallery"
THUMBNAILS = ROOT / "tests" / "data" / "pictures"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_SMALLER = (
    8  # a pixel of a thumbnail is so many of the picture, which blurs what fonts and versions differ in
)

# The second half is for the tests, which run the page: what a reader would have of their own.
_IMPORTS = """
```python
import stepnb as sn
from stepnb import plots
from stepnb.audio.analysis import speech_segments
```

<!-- invisible-code: python
from scripts import gallery

clip, recording = gallery.sentence(), gallery.recording()
a, b = gallery.asked(1, 0.0), gallery.asked(2, 0.2)
-->"""


@dataclass(frozen=True)
class Picture:
    """A picture of the gallery: what it answers, the code that draws it, and how."""

    question: str
    code: str
    draw: Callable[[], Figure]


@functools.cache
def recording() -> sn.Recording:
    """Half a minute in which everything happens that a timeline shows."""
    return weather()


@functools.cache
def sentence() -> sn.Clip:
    """Two phrases in a quiet room."""
    return room(5.6, (0.7, said(1.6, 11, 2.2)), (3.7, said(1.1, 12, 2.2)))


@functools.cache
def loud() -> sn.Clip:
    """The same, too loud for the converter."""
    return sn.Clip((sentence().samples * 2.4 / 32768).clip(-1, 1), 24_000)


@functools.cache
def asked(seed: int, slower: float) -> sn.Recording:
    """Written questions, answered after times that differ."""
    stage, random = Stage(vad=None), np.random.default_rng(seed)
    for n in range(40):
        stage.typed(1.0 + 4 * n, n + 1, f"Question {n + 1}")
        delay = 0.25 + slower + float(random.gamma(2, 0.14))
        stage.answer(1.05 + 4 * n, "Answer.", said(0.3, 1), delay=delay, play=n % 13 != 5)
    return stage.recording()


PICTURES = {
    "waveform": Picture(
        "What does it look like, and where is speech?",
        "clip.plot(segments=speech_segments(clip))",
        lambda: sentence().plot(segments=speech_segments(sentence(), energy_awakeness_threshold=1200)),
    ),
    "clipping": Picture("Was it too loud?", 'clip.plot(who="step")', lambda: loud().plot(who="step")),
    "level": Picture(
        "Would the VAD hear it?",
        'clip.plot("level", threshold=1200)',
        lambda: sentence().plot("level", threshold=1200),
    ),
    "spectrogram": Picture(
        "What is it made of?", 'clip.plot("spectrogram")', lambda: sentence().plot("spectrogram")
    ),
    "mel": Picture(
        "And to the ear?", 'clip.plot("mel", who="step")', lambda: sentence().plot("mel", who="step")
    ),
    "pitch": Picture("How high is the voice?", 'clip.plot("pitch")', lambda: sentence().plot("pitch")),
    "timeline": Picture(
        "Who spoke when, what was heard, what happened?", "recording.plot()", lambda: recording().plot()
    ),
    "zoom": Picture(
        "How did the interruption go?",
        "recording.plot(since=9, until=16)",
        lambda: recording().plot(since=9, until=16),
    ),
    "waterfall": Picture(
        "Where does the time go before an answer?",
        'recording.plot("waterfall")',
        lambda: recording().plot("waterfall"),
    ),
    "latency": Picture(
        "Which of two setups answers faster?",
        'plots.latency({"before": a, "after": b})',
        lambda: plots.latency({"before": asked(1, 0.0), "after": asked(2, 0.2)}),
    ),
    "vad": Picture(
        "Where would turns begin and end under other VAD settings, and what would be cut off?",
        "sn.vad_lab(recording).plot()",
        lambda: sn.vad_lab(recording()).plot(),
    ),
    "report": Picture(
        "How did the two take turns?", "recording.report()", lambda: recording().report().plot()
    ),
}


def draw(name: str, theme: Literal["light", "dark"]) -> Image.Image:
    """Draw a picture at twice the size it is shown at."""
    with sn.style(theme):
        figure = PICTURES[name].draw()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=200)
    return Image.open(buffer).convert("RGB")


def thumbnail(picture: Image.Image) -> Image.Image:
    """Return the picture with each square of pixels averaged."""
    return picture.reduce(_SMALLER)


def main() -> None:
    """Write the page, its pictures and the thumbnails."""
    for folder in (IMAGES, THUMBNAILS):
        folder.mkdir(parents=True, exist_ok=True)
    parts = [
        "# Gallery",
        "",
        "A picture for every question. All are matplotlib figures: they can be changed, saved, put on axes of yours",
        "(`ax=`), and follow `sn.style()`. Teal is you, violet the assistant, as in the panel; red is cut off or",
        "clipped, nothing else. `make pictures` makes this page; the voices in it are synthetic and speak no language.",
        _IMPORTS,
    ]
    for name, picture in PICTURES.items():
        for theme in THEMES:
            drawn = draw(name, theme)
            thumbnail(drawn).save(THUMBNAILS / f"{name}-{theme}.png", optimize=True)
            # As many colours as fit into a byte are enough, and a third of the size.
            drawn.quantize(255, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
                IMAGES / f"{name}-{theme}.png", optimize=True
            )
        width = drawn.width // 2
        parts += [
            "",
            f"## {picture.question}",
            "",
            "```python",
            picture.code,
            "```",
            "",
            "<picture>",
            f'  <source media="(prefers-color-scheme: dark)" srcset="images/gallery/{name}-dark.png">',
            f'  <img alt="{name}: {picture.question}" src="images/gallery/{name}-light.png" width="{width}">',
            "</picture>",
        ]
    (DOCS / "gallery.md").write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
