"""`Timeline`: a conversation over time to pan, zoom and listen to; where there is no page, the static picture."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pybase64
from msgspec import Meta
from numpy.typing import NDArray

from ..audio import vad
from ..audio.clip import Clip
from ..conversation.record import AudioRef
from ..plots.figure import PlotFigure
from ..plots.lanes import loudest
from ..plots.scene import Scene, Source
from ..plots.timeline import draw, share
from . import messages
from .page_widget import STATIC, PageWidget

_FRAME_S = vad.FRAME_MS / 1000

MAX_SECONDS = 120.0
"""A longer piece is played as far as this: it travels to the page as a whole."""


class Look(messages.Message, tag="look"):
    """A view wants the scene."""


class Play(messages.Message, tag="play"):
    """A view wants to hear what one side said in a turn."""

    turn: Annotated[int, Meta(ge=1)]
    who: Literal["you", "step"]


class Timeline(PageWidget):
    """A conversation over time: pan, zoom, click what somebody said to read and hear it.

    It shows what had happened when it was displayed; made by ``session.timeline()`` and ``recording.timeline()``.
    Without a page (a saved notebook, GitHub) its static picture is shown.

    Parameters
    ----------
    source
        A `Session` or a `Recording`.

    Attributes
    ----------
    lang
        "en", "zh", or "" for the page's language.
    """

    _page = "timeline"
    _esm = STATIC / "timeline.js"
    _css = STATIC / "timeline.css"

    _messages: Any = Look | Play

    def __init__(self, source: Source) -> None:
        self.source = source
        super().__init__()

    async def _handle(self, message: Any) -> None:
        await asyncio.to_thread(self._answer, message)

    def _answer(self, message: Look | Play) -> None:
        if isinstance(message, Look):
            self._say("scene", message.view, **facts(self.source))
            return
        clip, start = sound(self.source, message.turn, message.who)
        wav = pybase64.b64encode_as_string(clip.encoded("WAV")) if clip.pcm else None
        self._say("sound", message.view, turn=message.turn, who=message.who, wav=wav, start=start)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        data = found[0] if isinstance(found, tuple) else found
        figure = draw(Scene.of(self.source), self.source)
        assert isinstance(figure, PlotFigure)
        width, height = figure.shown_at
        picture = {"image/png": pybase64.b64encode_as_string(figure.png())}
        return {**(data or {}), **picture, "text/plain": repr(self)}, {
            "image/png": {"width": width, "height": height}
        }

    def __repr__(self) -> str:
        return f"Timeline({self.source!r})"


def facts(source: Source) -> dict[str, Any]:
    """Return a scene as the page draws it: times in s, levels as bytes, shares of a lane's height, every 20 ms."""
    scene = Scene.of(source)
    lanes = source.events.audio.lanes
    frames = max(1, int(np.ceil(max(scene.end, _FRAME_S) / _FRAME_S)))
    end = frames * _FRAME_S
    step = [stretch for reply in scene.replies for stretch in reply.sound]
    return {
        "end": scene.end,
        "threshold": float(share(scene.threshold)) if scene.threshold is not None and scene.sound else None,
        "speech": [[span.start, span.end, span.turn, span.text] for span in scene.speech],
        "messages": [[span.start, span.turn, span.text] for span in scene.messages],
        "replies": [[r.start, r.generated, r.heard, r.turn, r.text] for r in scene.replies],
        "thinking": [[span.start, span.end] for span in scene.thinking],
        "calls": [[span.start, span.end, span.text] for span in scene.calls],
        "gaps": [[span.start, span.end] for span in scene.gaps],
        "cuts": [span.start for span in scene.cuts],
        "errors": [[span.start, span.text] for span in scene.errors],
        "events": np.round(scene.events, 3).tolist(),
        "you": _levels(loudest(lanes["input"], scene.sound, 0.0, end, frames)),
        "step": _levels(loudest(lanes["output"], step, 0.0, end, frames)),
    }


def sound(source: Source, number: int, who: Literal["you", "step"]) -> tuple[Clip, float]:
    """Return what one side said in a turn, and when it began, s; empty when there is no audio of it.

    Of the person it is what the service took for the utterance, so that it begins with the padding.
    """
    turn = source.conversation.turns.get(number)
    if turn is None:
        return Clip([], 24_000), 0.0
    scene = Scene.of(source)
    if who == "step":
        refs: Sequence[AudioRef] = [
            ref for item in source.conversation.answer(turn) for ref in list(item.audio)
        ]
        start = min((reply.start for reply in scene.replies if reply.turn == number), default=0.0)
    else:
        refs = list(turn.input_audio)
        start = min(
            (span.start for span in (*scene.speech, *scene.messages) if span.turn == number), default=0.0
        )
    clip = Clip.from_pcm(source.events.audio.read(refs))
    return clip[:MAX_SECONDS], start


def _levels(rms: NDArray[np.float64]) -> str:
    return pybase64.b64encode_as_string(np.round(255 * share(rms)).astype(np.uint8).tobytes())
