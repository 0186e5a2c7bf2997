"""`Recorder`: a reference clip, recorded in the notebook, loaded from a file or taken from a turn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Sequence
from typing import Annotated, Any

import pybase64
import traitlets
from msgspec import Meta

from ..audio.clip import Clip
from ..audio.pcm import RATE
from ..device.microphone import Microphone
from ..errors import AudioError, ConfigError
from ..service.loop import user_thread
from . import messages
from .ladder import rungs
from .page_widget import STATIC, PageWidget

MAX_SECONDS = 60.0
"""Of sound that is shown; what is longer is cut there."""
# The sound of the kernel's microphone goes to the page so often, and for so much longer than the longest recording, s.
_TICK = 0.04
_SPARE = 10.0


logger = logging.getLogger("stepnb")


class Take(messages.Message, tag="take"):
    """A recording: PCM16LE at 24 kHz as base64."""

    pcm: Annotated[str, Meta(min_length=1, max_length=int(MAX_SECONDS) * RATE * 2 * 4 // 3 + 4)]


class Listen(messages.Message, tag="listen"):
    """Send the sound of the kernel's microphone, or no more of it."""

    on: bool


Source = Clip | str | os.PathLike[str] | bytes


class Recorder(PageWidget):
    """Records a reference clip for cloning, with the microphone of the browser; ``recorder.clip`` afterwards.

    It counts in, shows the level, warns of clipping, ends by itself, and lets it be cut, heard and made again.
    The page can load a file (WAV, FLAC, OGG, MP3) instead, and Python a clip: that of a turn, say. The browser's noise
    suppression, gain control and echo cancellation are off: a clone would learn what they do to a voice. Where the page
    gets no microphone it offers that of the kernel's machine, if the kernel runs on this one and sounddevice is there
    (``pip install 'stepnb[device]'``).

    Parameters
    ----------
    script
        What to read. None: a text in the page's language; ``recorder.script`` tells which.
    seconds
        How long the clip should be, s.
    clip
        Something to begin with: a Clip, or a file's path or bytes.

    Attributes
    ----------
    script
        What is read, the transcript of the clip.
    trim
        The part of the recording that is meant, ``[start, end]`` in s; empty before there is one.
    takes
        How many recordings and files there were; observe it to be told of a new one.
    device
        Whether a page without a microphone may offer that of the kernel's machine.

    Raises
    ------
    ConfigError
        A wrong argument.
    AudioError
        The clip cannot be read.

    Examples
    --------
    >>> recorder = sn.Recorder()
    >>> recorder                                  # record
    >>> voices.clone(recorder.clip, recorder.script, consent="...", accept_cost=True)
    """

    _page = "recorder"
    _esm = STATIC / "recorder.js"
    _css = STATIC / "recorder.css"
    script = traitlets.Unicode().tag(sync=True)
    seconds = traitlets.List(traitlets.Float()).tag(sync=True)
    trim = traitlets.List(traitlets.Float()).tag(sync=True)
    takes = traitlets.Int()
    device = traitlets.Bool().tag(sync=True)

    _messages: Any = messages.Hello | Take | Listen | messages.File
    _over: asyncio.Event | None = None  # set when no more of the kernel's microphone is wanted

    def __init__(
        self,
        script: str | None = None,
        seconds: Sequence[float] = (5, 10),
        *,
        clip: Source | None = None,
        **traits: Any,
    ) -> None:
        if script is not None and not isinstance(script, str):
            raise ConfigError(f"The script is a {type(script).__name__}.", fix="Write it as text.")
        least, most = _window(seconds)
        self._lock = threading.Lock()
        self._sound = Clip.silence(0)
        device = "device" in rungs()
        super().__init__(script=script or "", seconds=[least, most], device=device, **traits)
        if clip is not None:
            self.load(clip)

    @property
    def clip(self) -> Clip:
        """What was recorded or loaded, cut to `trim`, at 24 kHz; empty before there is anything."""
        with self._lock:
            sound = self._sound
        if len(self.trim) != 2:
            return sound
        start, end = self.trim
        return sound[max(0.0, start) : max(0.0, end)]

    def load(self, clip: Source) -> None:
        """Take a clip in the place of a recording; of a long one the first minute.

        Parameters
        ----------
        clip
            A Clip (``turn.audio``, say), or a file's path or bytes.

        Raises
        ------
        AudioError
            It cannot be read, or is empty.
        """
        sound = clip if isinstance(clip, Clip) else Clip.load(clip, most=MAX_SECONDS)
        if not sound.duration:
            raise AudioError("The clip is empty.", fix="Take one with sound.")
        sound = sound[0:MAX_SECONDS].resample(RATE)
        self._keep(sound, [0.0, min(sound.duration, self.seconds[1])])
        self._say("sound", pcm=_encoded(sound))

    def _keep(self, sound: Clip, trim: list[float]) -> None:
        with self._lock:
            self._sound = sound
        self.trim = trim
        self.takes += 1

    # From the page ----------------------------------------------------------------------------------------------------

    async def _handle(self, message: Any) -> None:
        match message:
            case messages.Hello(view=view):
                if self._sound.duration:
                    self._say("sound", view=view, pcm=_encoded(self._sound))
            case Take(pcm=text):
                sound = Clip.from_pcm(messages.decoded(text))
                self._keep(sound, self.trim or [0.0, sound.duration])
            case messages.File():
                await asyncio.to_thread(lambda: self.load(message.clip(MAX_SECONDS)))
            case Listen(on=on, view=view):
                self._hush()
                if on:
                    self._over = asyncio.Event()
                    await self._listen(view, self._over)

    def _hush(self) -> None:
        if self._over is not None:
            self._over.set()

    async def _listen(self, view: str, over: asyncio.Event) -> None:
        """Send a view the sound of the kernel's microphone until it is over."""
        microphone = Microphone()
        try:
            async with asyncio.timeout(self.seconds[1] + _SPARE):
                await asyncio.to_thread(microphone.open)
                while not over.is_set():
                    if not microphone.active:
                        raise AudioError(
                            "The kernel's microphone has stopped.", fix="Is it still plugged in?"
                        )
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(over.wait(), _TICK)
                    if microphone.lost:
                        raise AudioError(
                            f"{microphone.lost * 1000 // RATE} ms of the kernel's microphone were lost.",
                            fix="Record again while the kernel has less to do.",
                        )
                    if (heard := microphone.read()).size:
                        pcm = pybase64.b64encode_as_string(heard.astype("<i2").tobytes())
                        self._say("heard", view=view, pcm=pcm)
        except TimeoutError:
            raise AudioError(
                "The kernel's microphone was open for too long, and was closed.", fix="Record again."
            ) from None
        finally:
            await asyncio.to_thread(microphone.close)

    def close(self) -> None:
        """Close the widget, and the kernel's microphone with it."""
        if self._over is not None:
            user_thread.loop.call_soon_threadsafe(self._hush)
        super().close()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Show the clip where there is no page: on a saved one."""
        found = super()._repr_mimebundle_(**options)
        data = found[0] if isinstance(found, tuple) else found
        clip = self.clip
        player = {"text/html": clip._repr_html_()} if clip.duration else {}
        return {**(data or {}), **player, "text/plain": repr(self)}, {}

    def __repr__(self) -> str:
        clip = self.clip
        return (
            f"{type(self).__name__}({clip.duration:.1f} s)" if clip.duration else f"{type(self).__name__}()"
        )


def _window(seconds: Sequence[float]) -> tuple[float, float]:
    try:
        least, most = (float(value) for value in seconds)
    except (TypeError, ValueError):
        least = most = 0.0
    if not 0 <= least < most <= MAX_SECONDS:
        raise ConfigError(
            f"seconds is {seconds!r}.", fix=f"Write the least and the most, up to {MAX_SECONDS:g}: (5, 10)."
        )
    return least, most


def _encoded(sound: Clip) -> str:
    return pybase64.b64encode_as_string(sound.pcm)
