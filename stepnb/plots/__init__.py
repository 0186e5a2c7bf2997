"""Plots of audio and conversations, as matplotlib Figures that show themselves; pyplot is never imported."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from stepnb.audio.clip import Clip
from stepnb.errors import AudioError, ConfigError
from stepnb.plots.figure import PlotFigure
from stepnb.plots.latency import latency, waterfall
from stepnb.plots.scene import Source, TurnLike
from stepnb.plots.spectrogram import mel, pitch, spectrogram
from stepnb.plots.theme import style
from stepnb.plots.timeline import timeline
from stepnb.plots.waveform import level, waveform

__all__ = [
    "PlotFigure",
    "draw_clip",
    "draw_conversation",
    "latency",
    "level",
    "mel",
    "pitch",
    "spectrogram",
    "style",
    "timeline",
    "waterfall",
    "waveform",
]

_OF_CLIPS = {"waveform": waveform, "level": level, "spectrogram": spectrogram, "mel": mel, "pitch": pitch}
_OF_CONVERSATIONS = {"timeline": timeline, "waterfall": waterfall, "latency": latency}


def draw_clip(clip: Clip, kind: str = "waveform", **options: Any) -> Figure:
    """Draw a clip: what ``clip.plot(kind)`` does."""
    if kind not in _OF_CLIPS:
        raise AudioError(f"kind is {kind!r}.", fix=f"Write one of {', '.join(map(repr, _OF_CLIPS))}.")
    draw: Any = _OF_CLIPS[kind]
    figure: Figure = draw(clip, **options)
    return figure


def draw_conversation(what: Source | TurnLike, kind: str = "timeline", **options: Any) -> Figure:
    """Draw a session, recording or turn: what their ``plot(kind)`` does."""
    if kind not in _OF_CONVERSATIONS:
        raise ConfigError(
            f"kind is {kind!r}.", fix=f"Write one of {', '.join(map(repr, _OF_CONVERSATIONS))}."
        )
    draw: Any = _OF_CONVERSATIONS[kind]
    figure: Figure = draw(what, **options)
    return figure
