"""How plots look: `style`, the palette of the panel, and fonts for what people say."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Literal

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.rcsetup import cycler

from stepnb.errors import ConfigError

Who = Literal["you", "step"]
Theme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours on one background, the same as in the panel; told apart with every kind of colour vision.

    Attributes
    ----------
    you, step
        The speakers.
    live
        Cut, clipped, live: red means nothing else.
    tool
        A function the model called.
    ink, quiet, line, paper
        Text, text that is secondary, hairlines, the background.
    """

    you: str
    step: str
    live: str
    tool: str
    ink: str
    quiet: str
    line: str
    paper: str

    def of(self, who: Who) -> str:
        """Pick the colour of a speaker."""
        return self.you if who == "you" else self.step


LIGHT = Palette(
    you="#0b726d", step="#5b54c9", live="#c93a26", tool="#b26a00",
    ink="#17191c", quiet="#646b76", line="#d3d7dc", paper="#ffffff",
)  # fmt: skip
DARK = Palette(
    you="#4fc3bb", step="#aca6ff", live="#ff7f69", tool="#e3a54a",
    ink="#f2f4f6", quiet="#9aa3ae", line="#3a4048", paper="#181b1f",
)  # fmt: skip
_RC: MutableMapping[str, Any] = mpl.rcParams  # type: ignore[assignment] # its names are literals to mypy
_THEMES: dict[str, Palette] = {"light": LIGHT, "dark": DARK}

# Families with the characters of Mandarin, the best first, as the systems name them.
CHINESE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Sans CJK JP", "Heiti SC", "SimHei",
    "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip
MISSING = "□"
"""What stands for a character no font here has."""


def palette(ax: Axes) -> Palette:
    """Pick the colours that stand out from the background of `ax`."""
    red, green, blue = to_rgb(ax.get_facecolor())
    return LIGHT if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else DARK


def style(theme: Theme = "light") -> AbstractContextManager[None]:
    """Set how figures look from now on: a light or dark background, quiet axes, fonts that have Mandarin.

    It changes matplotlib's ``rcParams``, so that your own figures match too; plots of this package take the colours
    that fit the background. As ``with sn.style("dark"):`` it holds for that block only.

    Parameters
    ----------
    theme
        "light" or "dark".

    Returns
    -------
    context manager
        Puts the settings back at its end; without ``with`` they stay.

    Raises
    ------
    ConfigError
        Another theme.
    """
    if theme not in _THEMES:
        raise ConfigError(f"theme is {theme!r}.", fix="Write sn.style('light') or sn.style('dark').")
    return _Styled(_settings(_THEMES[theme]))


class _Styled(AbstractContextManager[None]):
    def __init__(self, settings: dict[str, Any]) -> None:
        self._before = {name: _RC[name] for name in settings}
        _RC.update(settings)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _RC.update(self._before)


def _settings(colors: Palette) -> dict[str, Any]:
    ink = ("axes.labelcolor", "axes.titlecolor", "text.color", "legend.labelcolor")
    paper = (
        "figure.facecolor",
        "figure.edgecolor",
        "axes.facecolor",
        "savefig.facecolor",
        "savefig.edgecolor",
    )
    return {
        **dict.fromkeys(ink, colors.ink),
        **dict.fromkeys(paper, colors.paper),
        "xtick.color": colors.line,
        "ytick.color": colors.line,
        "xtick.labelcolor": colors.quiet,
        "ytick.labelcolor": colors.quiet,
        "axes.edgecolor": colors.line,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=[colors.you, colors.step, colors.tool, colors.quiet, colors.live]),
        "grid.color": colors.line,
        "legend.frameon": False,
        "font.family": families(),
    }


def families() -> list[str]:
    """Return the font families to draw text with: the one in force, then one for Mandarin where there is one."""
    current = [name for name in _RC["font.family"] if name not in CHINESE_FONTS]
    chinese = _chinese_font()
    return [*current, chinese] if chinese else current


def readable(text: str, fonts: Sequence[str] | None = None) -> str:
    """Return `text` on one line, with `MISSING` for every character that none of the fonts has.

    matplotlib would warn and draw a box for each; here the caller can see it, and say so.

    Parameters
    ----------
    fonts
        Families; None for `families`.
    """
    found = [_face(name) for name in (families() if fonts is None else fonts)]
    return "".join(
        " " if char.isspace() else char if any(ord(char) in face for face in found) else MISSING
        for char in " ".join(text.split())
    )


@lru_cache(maxsize=1)
def _chinese_font() -> str | None:
    there = set(font_manager.get_font_names())
    return next((name for name in CHINESE_FONTS if name in there), None)


@lru_cache(maxsize=8)
def _face(family: str) -> frozenset[int]:
    """Return the code points a font has."""
    path = font_manager.findfont(font_manager.FontProperties(family=[family]))
    return frozenset(font_manager.get_font(path).get_charmap())
