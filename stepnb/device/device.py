"""`SoundDevice`: the microphone and the loudspeaker of the kernel's machine, for a session.

PortAudio calls back on a thread of its own, which must never wait: it only moves samples between its buffers and two
rings. A task on the I/O thread does the rest, fifty times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import Any, Self

import numpy as np
import pybase64

from ..audio.pcm import RATE
from ..conversation.reducer import Change
from ..errors import SessionClosed
from ..session.audio_input import AudioInput
from ..session.core import SessionCore
from ..session.status import Notice, Status
from .playout import Playout
from .portaudio import FRAME, STREAM, cannot_open, sounddevice
from .ring import Ring

TICK = 0.02
REPORT = 0.25
# What the microphone's side holds while the I/O thread is held up, s.
HELD_UP = 2
_numbers = itertools.count(1)


class SoundDevice:
    """A session's sound on the kernel's machine; made by `Session.use_device`.

    Parameters
    ----------
    core, audio_input
        The session's I/O side.
    """

    def __init__(self, core: SessionCore, audio_input: AudioInput) -> None:
        self._core = core
        self._input = audio_input
        self._name = f"device-{next(_numbers)}"
        self._names = ("", "")
        self._captured = Ring(HELD_UP * RATE)
        self._lost = 0
        self._playout = Playout()
        self._streams: tuple[Any, Any] | None = None
        self._failure: type[Exception] = OSError
        self._task: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._flushes: list[int] = []

    # The user's, any thread ---------------------------------------------------------------------------------------

    def talk(self, on: bool = True) -> None:
        """Begin to talk, or end it: with push-to-talk one turn. With VAD it talks from the start."""
        self._core.loop.call_soon_threadsafe(self._talk, on)

    def close(self) -> None:
        """Give microphone and loudspeaker back. Closing twice does nothing."""
        self._core.loop.call_soon_threadsafe(self._over.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "open" if self._streams is not None else "closed"
        return f"SoundDevice({self._names[0]!r}, {self._names[1]!r}, {state})"

    # The I/O thread -------------------------------------------------------------------------------------------------

    async def start(self, source: int | str | None, sink: int | str | None) -> None:
        """Open both, and be the session's sound from now on.

        Parameters
        ----------
        source, sink
            Which microphone and loudspeaker, as sounddevice names them; None: the system's choice.

        Raises
        ------
        MissingLibrary
            sounddevice, or the PortAudio library it stands on, is missing.
        AudioError
            There is no such device, or it cannot be opened.
        """
        opening = asyncio.create_task(asyncio.to_thread(self._open, source, sink))
        try:
            self._streams = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise
        if self._core.closed:
            await self._close()
            raise SessionClosed("The session is closed.", fix="Make a new one: sn.Session().")
        self._input.owner.changed.append(self._on_owner)
        self._input.owner.take(self._name, "device")
        self._core.hub.listeners.append(self)
        self._task = self._core.spawn(self._run())
        if self._core.settings.config.vad is not None:
            self._talk(True)

    def _open(self, source: int | str | None, sink: int | str | None) -> tuple[Any, Any]:
        sd = sounddevice()
        self._failure = sd.PortAudioError
        with contextlib.ExitStack() as opened:
            try:
                self._names = tuple(
                    str(sd.query_devices(device, kind)["name"])
                    for device, kind in ((source, "input"), (sink, "output"))
                )  # type: ignore[assignment]
                microphone = sd.InputStream(device=source, callback=self._on_microphone, **STREAM)
                opened.callback(microphone.close)
                loudspeaker = sd.OutputStream(device=sink, callback=self._on_loudspeaker, **STREAM)
                opened.callback(loudspeaker.close)
                microphone.start()
                loudspeaker.start()
            except (sd.PortAudioError, ValueError) as error:
                raise cannot_open(error, "s.use_device(input, output)") from error
            opened.pop_all()
        return microphone, loudspeaker

    def _talk(self, on: bool) -> None:
        if self._input.owner.name == self._name:
            self._input.talk(on)

    def _on_owner(self) -> None:
        if self._input.owner.name != self._name:
            self._over.set()

    async def _run(self) -> None:
        reported = 0.0
        try:
            while not self._over.is_set():
                await self._wait()
                self._take_captured()
                self._playout.pump()
                reported = self._follow(reported)
                if not all(stream.active for stream in self._streams or ()):
                    self._core.notice("warning", "The sound device has stopped.", "Is it still plugged in?")
                    break
        except self._failure:
            pass  # the interpreter is ending, and PortAudio ends before what uses it
        finally:
            await self._end()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), TICK)

    async def _end(self) -> None:
        owner = self._input.owner
        owner.changed.remove(self._on_owner)
        if self in self._core.hub.listeners:
            self._core.hub.listeners.remove(self)
        if owner.name in (self._name, None):  # nobody has taken over
            self._input.talk(False)
            self._core.activity(playing=False)
            owner.release(self._name)
        await self._close()

    async def _close(self) -> None:
        streams, self._streams = self._streams, None
        for stream in streams or ():
            try:
                await asyncio.to_thread(stream.close)
            except RuntimeError:
                stream.close()  # the interpreter is ending: there are no further threads

    def _take_captured(self) -> None:
        ring = self._captured
        while ring.waiting >= FRAME:
            frame = np.empty(FRAME, np.int16)
            ring.read(frame)
            pcm = frame.astype("<i2").tobytes()
            rms = float(np.sqrt(np.mean(frame.astype(np.float32) ** 2)))
            self._input.microphone(pybase64.b64encode_as_string(pcm), pcm, rms)
            self._input.owner.tell_levels([rms])
        if self._lost:
            self._core.notice("warning", f"{self._lost * 1000 // RATE} ms of the microphone were lost.")
            self._lost = 0

    def _follow(self, reported: float) -> float:
        """Tell the session what was heard; returns when it was last told, s."""
        streams = self._streams
        if streams is None:
            return reported
        now, playout, was = streams[1].time, self._playout, self._playout.underruns
        for item, at in playout.begun(now):
            self._core.activity(playing=True)
            self._core.local("first", {"item": item}, self._ns(at, now))
        if self._flushes:
            cut = playout.cut()
            if cut is None:
                return reported
            t = self._ns(cut.at, now)
            for flush in self._flushes:
                self._core.bargein.flushed(flush, cut.item, cut.heard_ms, cut.unheard_ms, t)
            self._flushes.clear()
            self._core.activity(playing=False)
        heard, ended = playout.playheads(now)
        if heard and (ended or now - reported >= REPORT):
            self._core.played(heard)
            reported = now
        if heard and not playout.playing:
            self._core.activity(playing=False)
        if playout.underruns > was:
            self._core.log.append_local("underrun", {"count": playout.underruns - was})
        return reported

    @staticmethod
    def _ns(at: float, now: float) -> int:
        """A time of the device's clock, s, as a monotonic one, ns."""
        return time.monotonic_ns() + round((at - now) * 1e9)

    # The session's changes

    def on_change(self, change: Change, pcm: bytes | None) -> None:
        if change.kind == "audio" and change.item is not None and pcm:
            self._playout.push(change.item, np.frombuffer(pcm, "<i2").astype(np.int16))
        elif change.kind == "audio_end" and change.item is not None:
            self._playout.end(change.item)

    def on_flush(self, flush_id: int) -> None:
        if self._playout.playing:
            self._flushes.append(flush_id)
            self._playout.flush()

    def on_status(self, status: Status) -> None:
        pass

    def on_notice(self, notice: Notice) -> None:
        pass

    def on_config(self) -> None:
        pass

    # PortAudio's thread -----------------------------------------------------------------------------------------------

    def _on_microphone(self, samples: Any, frames: int, _: Any, __: Any) -> None:
        self._lost += frames - self._captured.write(samples[:, 0])

    def _on_loudspeaker(self, out: Any, _: int, when: Any, __: Any) -> None:
        self._playout.render(out[:, 0], when.outputBufferDacTime)


def _close_late(opening: asyncio.Task[tuple[Any, Any]]) -> None:
    """Close what was opened when nobody waited for it any more: PortAudio cannot be interrupted."""
    if opening.cancelled() or opening.exception() is not None:
        return
    for stream in opening.result():
        opening.get_loop().run_in_executor(None, stream.close)
