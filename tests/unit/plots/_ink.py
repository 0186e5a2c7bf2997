"""What is really drawn: the pixels of a figure."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

from stepnb.plots.theme import LIGHT


def rgb(color: str) -> NDArray[np.float64]:
    return np.array(tuple(bytes.fromhex(color[1:])), float)


TEAL, VIOLET, RED = rgb(LIGHT.you), rgb(LIGHT.step), rgb(LIGHT.live)


def inked(figure: Figure, ax: Axes, color: NDArray[np.float64], tolerance: float = 12) -> NDArray[np.bool_]:
    """Find, for every pixel inside `ax`, whether it has that colour: (height, width) bool, top row first."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi)
    buffer.seek(0)
    image = np.rint(imread(buffer)[..., :3] * 255)
    box = ax.get_window_extent()
    top, bottom = image.shape[0] - box.y1, image.shape[0] - box.y0
    inside = image[round(top) : round(bottom), round(box.x0) : round(box.x1)]
    return np.asarray(np.abs(inside - color).max(axis=-1) < tolerance)
