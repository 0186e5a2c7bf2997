"""`VoiceLab`: from a recording to a voice one can talk with, in four steps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

import ipywidgets
import pybase64
import traitlets
from msgspec import Meta

from ..audio.clip import Clip
from ..audio.pcm import RATE
from ..errors import ConfigError, StepnbError
from ..protocol.catalog import Cluster
from ..rest.owned import ClonedVoice
from ..rest.price import price_of_a_clone
from ..rest.voices import MAX_PREVIEW, Voices
from ..service.loop import user_thread
from ..session.session import Session
from . import messages
from .page_widget import STATIC
from .recorder import Listen, Recorder, Source, Take

# A handle that is dragged is judged once it rests, s.
_REST = 0.2
_Words = Annotated[str, Meta(max_length=2000)]


class Preview(messages.Message, tag="preview"):
    """Let the clip's voice say this."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_PREVIEW)]
    said: _Words


class Clone(messages.Message, tag="clone"):
    """Make a voice of the clip."""

    name: _Words
    said: _Words
    consent: _Words
    accept_cost: bool


class Converse(messages.Message, tag="converse"):
    """Open a session with the voice."""


class Bench(Recorder):
    """The page of a `VoiceLab`: a recorder with three more steps under it.

    Attributes
    ----------
    checks
        The rows of `Clip.quality`, for the page.
    recorded
        Whether the clip was recorded here, so that what was read is what is said in it.
    price, free
        What a voice costs, and whether that is only what it would cost.
    busy
        "preview", "clone", "converse" or "".
    made
        ``{"id": ..., "name": ...}`` of the voice, empty before there is one.
    """

    _page = "lab"
    _esm = STATIC / "lab.js"
    _css = STATIC / "lab.css"
    checks = traitlets.List(traitlets.Dict()).tag(sync=True)
    recorded = traitlets.Bool().tag(sync=True)
    price = traitlets.Unicode().tag(sync=True)
    free = traitlets.Bool().tag(sync=True)
    busy = traitlets.Unicode().tag(sync=True)
    made = traitlets.Dict().tag(sync=True)

    _messages: Any = messages.Hello | Take | Listen | messages.File | Preview | Clone | Converse

    def __init__(self, lab: VoiceLab, **options: Any) -> None:
        self._lab = lab
        self._judging: asyncio.TimerHandle | None = None
        cluster = lab.voices.cluster
        super().__init__(price=price_of_a_clone(cluster), free=cluster == "local", **options)
        self.observe(self._judge_later, names=["trim", "takes"])
        self._judge_later()

    def _judge_later(self, _: Any = None) -> None:
        user_thread.loop.call_soon_threadsafe(self._rest)

    # The user's loop thread -------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        if self._judging is not None:
            self._judging.cancel()
        self._judging = user_thread.loop.call_later(_REST, lambda: user_thread.submit(self._judge()))

    async def _judge(self) -> None:
        clip = self.clip
        judged = await asyncio.to_thread(clip.quality) if clip.duration else ()
        self.checks = [
            {
                "name": check.name,
                "figure": check.figure,
                "verdict": check.verdict,
                "reason": check.reason,
                "advice": check.advice,
            }
            for check in judged
        ]

    async def _handle(self, message: Any) -> None:
        match message:
            case Preview(text=text, said=said):
                await self._work("preview", self._preview(text, said))
            case Clone():
                await self._work("clone", self._clone(message))
            case Converse():
                await self._work("converse", asyncio.to_thread(self._lab.converse))
            case Take() | messages.File():
                await super()._handle(message)
                self.recorded = isinstance(message, Take)
            case _:
                await super()._handle(message)

    async def _work(self, step: str, work: Coroutine[Any, Any, object]) -> None:
        """Do one thing, tell the page that it goes on, and what went wrong with it."""
        if self.busy:  # the page's buttons are disabled meanwhile
            work.close()
            return
        self.busy = step
        try:
            await work
        except StepnbError as error:
            trace = f" (trace id {error.trace_id})" if error.trace_id else ""
            self._say("failed", step=step, text=error.message, fix=f"{error.fix or ''}{trace}")
        finally:
            self.busy = ""

    async def _preview(self, text: str, said: str) -> None:
        heard = await self._lab.voices.preview.aio(self.clip, text, transcript=said or None)
        self._say("preview", pcm=pybase64.b64encode_as_string(heard.resample(RATE).pcm))

    async def _clone(self, wanted: Clone) -> None:
        voice = await self._lab.voices.clone.aio(
            self.clip, wanted.said, consent=wanted.consent, accept_cost=wanted.accept_cost, name=wanted.name
        )
        self._lab.voice = voice
        self.made = {"id": voice.id, "name": voice.name}


class VoiceLab(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """From a recording to a voice one can talk with: record or load, check, preview, create.

    Each step is also one line of code, which the panel shows: ``lab.clip``, ``lab.clip.quality()``,
    ``lab.voices.preview(...)``, ``lab.voices.clone(...)``.

    Parameters
    ----------
    cluster, api_key
        As for a `Session`.
    script, seconds, clip
        As for a `Recorder`.
    library
        As for `Voices`.

    Attributes
    ----------
    voices
        The account's `Voices`.
    voice
        The voice that was made here, None before.
    session
        The session that was opened here, None before.

    Raises
    ------
    ConfigError
        A wrong argument.
    """

    def __init__(
        self,
        cluster: Cluster | str | None = None,
        *,
        api_key: str | None = None,
        script: str | None = None,
        seconds: Sequence[float] = (5, 10),
        clip: Source | None = None,
        library: str | os.PathLike[str] | None = None,
    ) -> None:
        self.voices = Voices(cluster, api_key=api_key, library=library)
        self.voice: ClonedVoice | None = None
        self.session: Session | None = None
        where = "local" if self.voices.cluster == "local" else cluster
        self._open: Callable[[ClonedVoice], Session] = lambda voice: Session(
            where, api_key=api_key, voice=voice
        )
        self._bench = Bench(self, script=script, seconds=seconds, clip=clip)
        super().__init__(children=[self._bench])

    @property
    def clip(self) -> Clip:
        """What was recorded or loaded, cut as the handles say, at 24 kHz; empty before there is anything."""
        return self._bench.clip

    @property
    def script(self) -> str:
        """The text to read."""
        return self._bench.script

    def load(self, clip: Source) -> None:
        """Take a clip in the place of a recording; see `Recorder.load`."""
        self._bench.load(clip)

    def converse(self) -> Session:
        """Open a session that speaks with the voice, and show its panel below; the one before is closed.

        Raises
        ------
        ConfigError
            There is no voice yet.
        """
        if self.voice is None:
            raise ConfigError(
                "There is no voice yet.", fix="Create one in the fourth step, or set lab.voice."
            )
        self._close_session()
        self.session = self._open(self.voice)
        self.children = [self._bench, self.session.panel]
        return self.session

    def close(self) -> None:
        """Close the session that was opened here, and the widget."""
        self._close_session()
        self.voices.close()
        self._bench.close()
        super().close()

    def _close_session(self) -> None:
        if self.session is not None:
            self.session.close()

    def __repr__(self) -> str:
        made = f", {self.voice!r}" if self.voice is not None else ""
        return f"VoiceLab({self.clip.duration:.1f} s{made})"
