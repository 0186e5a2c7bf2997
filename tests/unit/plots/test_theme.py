from __future__ import annotations

import itertools
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import style as sheets
from matplotlib.colors import to_rgb

import stepnb as sn
from stepnb.audio.clip import Clip
from stepnb.plots import theme as module
from stepnb.plots.figure import PlotFigure
from stepnb.plots.theme import DARK, LIGHT, MISSING, Palette, families, palette, readable

# What is left of linear RGB without one kind of cone: Machado, Oliveira and Fernandes (2009), severity 1.
VISION = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "all colours": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}  # fmt: skip


def linear(color: str) -> np.ndarray:
    return np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)])


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, as WCAG defines it."""
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear sRGB, D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb.clip(
        0, 1
    )
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(
    ("sheet", "background", "expected"), [("default", "white", LIGHT), ("dark_background", "black", DARK)]
)
def test_colours_follow_the_style_and_stand_out(sheet: str, background: str, expected: Palette) -> None:
    with sheets.context(sheet):
        colors = palette(PlotFigure(2, 1).add_subplot())
    assert colors == expected
    for name in ("you", "step", "live", "ink", "quiet"):
        assert contrast(getattr(colors, name), background) >= 4.5, name
        assert contrast(getattr(colors, name), colors.paper) >= 4.5, name


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_what_must_be_told_apart_can_be_with_every_colour_vision(colors: Palette, vision: str) -> None:
    seen = {
        name: lab(np.array(VISION[vision]) @ linear(getattr(colors, name)))
        for name in ("you", "step", "live", "ink")
    }
    for first, second in itertools.combinations(seen, 2):
        distance = float(np.linalg.norm(seen[first] - seen[second]))
        assert distance > 15, (first, second, distance)


def test_the_speakers_have_the_colours_of_the_panel() -> None:
    css = (Path(sn.__file__).parents[1] / "js/src/base.css").read_text("utf-8")
    light, dark = css.split('[data-theme="dark"]')[:2]
    for sheet, colors in ((light, LIGHT), (dark, DARK)):
        for name in ("you", "step", "live"):
            found = re.search(rf"--sn-{name}: (#[0-9a-f]{{6}});", sheet)
            assert found and found[1] == getattr(colors, name)


def test_a_style_stays_or_holds_for_a_block() -> None:
    before = dict(mpl.rcParams)
    with sn.style("dark"):
        assert palette(PlotFigure(2, 1).add_subplot()) == DARK
        with sn.style("light"):
            assert palette(PlotFigure(2, 1).add_subplot()) == LIGHT
        assert mpl.rcParams["figure.facecolor"] == DARK.paper
    assert dict(mpl.rcParams) == before
    staying = sn.style("dark")
    assert mpl.rcParams["axes.facecolor"] == DARK.paper
    staying.__exit__(None, None, None)
    with pytest.raises(sn.ConfigError, match="theme is 'blue'"):
        sn.style("blue")  # type: ignore[arg-type]


def test_characters_no_font_has_are_replaced_and_all_others_kept() -> None:
    assert readable("Wie heißt\nLyon?  ", ["DejaVu Sans"]) == "Wie heißt Lyon?"
    assert readable("巴黎 21°", ["DejaVu Sans"]) == f"{MISSING * 2} 21°"


def test_mandarin_is_drawn_where_there_is_a_font_for_it_and_boxes_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    try:
        for font in (
            None,
            "DejaVu Serif",
        ):  # it stands for a font with Mandarin: what counts is that it is asked
            monkeypatch.setattr(module, "CHINESE_FONTS", (font,) if font else ())
            module._chinese_font.cache_clear()
            assert families()[1:] == ([font] if font else [])
    finally:
        module._chinese_font.cache_clear()


@pytest.mark.skipif(module._chinese_font() is None, reason="no font with Mandarin is installed")
def test_mandarin_is_drawn_without_a_warning() -> None:
    with sn.style("light"):
        figure = Clip.silence(1).plot()
        figure.axes[0].set_title(readable("你好，巴黎"))
        assert MISSING not in figure.axes[0].get_title()
        figure._repr_png_()  # type: ignore[attr-defined] # a missing glyph would be a warning, and those are errors
