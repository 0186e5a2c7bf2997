"""Plots of audio, as matplotlib Figures that show themselves in a notebook; pyplot is never imported."""

from stepnb.plots.figure import PlotFigure
from stepnb.plots.waveform import level, waveform

__all__ = ["PlotFigure", "level", "waveform"]
