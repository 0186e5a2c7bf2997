"""Every picture of the gallery, held against a small picture of itself.

A pixel of a thumbnail is the mean of 8 x 8, so that fonts and anti-aliasing may differ and what is drawn may not.
"""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from scripts.gallery import DOCS, PICTURES, THEMES, THUMBNAILS, draw, thumbnail
from stepnb.plots.theme import CHINESE_FONTS, families

MANDARIN = {"timeline", "zoom", "waterfall", "report"}
# Of 255, in the mean, and the share of pixels that may be off by more than 32.
MEAN, FAR = 1.5, 0.01


def difference(picture: Image.Image, expected: Image.Image) -> tuple[float, float]:
    """Return the mean difference of two thumbnails, and the share of pixels that are far off."""
    assert picture.size == expected.size
    off = np.abs(values(picture) - values(expected)).max(axis=2)
    return float(off.mean()), float((off > 32).mean())


def values(picture: Image.Image) -> NDArray[np.float64]:
    return np.asarray(picture.convert("RGB"), np.float64)


@functools.cache
def baseline(name: str, theme: str) -> Image.Image:
    return Image.open(THUMBNAILS / f"{name}-{theme}.png").convert("RGB")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_did(name: str, theme: str) -> None:
    if name in MANDARIN and families()[-1] not in CHINESE_FONTS:
        pytest.skip("no font with Mandarin is installed, and there is Mandarin in the picture")
    drawn = thumbnail(draw(name, theme))  # type: ignore[arg-type]
    mean, far = difference(drawn, baseline(name, theme))
    assert mean < MEAN and far < FAR, (
        f"see docs/gallery.md, and `make pictures` where it is meant: {mean:.2f}, {far:.3f}"
    )


@pytest.mark.parametrize("name", PICTURES)
def test_a_broken_picture_would_be_seen(name: str) -> None:
    """Blank, mirrored, moved by a twentieth, in the other speaker's colour, without its right half."""
    good = baseline(name, "light")
    array = np.asarray(good)
    blank, half = np.full_like(array, 255), array.copy()
    half[:, array.shape[1] // 2 :] = 255
    broken = {
        "blank": blank,
        "mirrored": array[:, ::-1],
        "moved": np.roll(array, array.shape[1] // 20, axis=1),
        "colour": array[:, :, [2, 0, 1]],
        "half": half,
    }
    for what, wrong in broken.items():
        mean, far = difference(Image.fromarray(np.ascontiguousarray(wrong)), good)
        assert mean >= MEAN or far >= FAR, what


def test_the_page_shows_every_picture_and_only_those() -> None:
    page = (DOCS / "gallery.md").read_text("utf-8")
    shown = re.findall(r"images/gallery/([\w-]+)\.png", page)
    assert sorted(shown) == sorted(f"{name}-{theme}" for name in PICTURES for theme in THEMES)
    for name in shown:
        assert (DOCS / "images" / "gallery" / f"{name}.png").exists()
    for picture in PICTURES.values():
        assert picture.code in page and picture.question in page
    assert {path.stem for path in THUMBNAILS.iterdir()} == set(shown)
