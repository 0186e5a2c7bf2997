"""`Listener`: somebody who hears a session's answers at the pace of speech, where no page plays them.

It takes the place of the panel's loudspeaker: it reports the first sample, the playhead and what a barge-in left
unheard, so that turns of an experiment have the same figures as turns in a notebook. Its state lives on the I/O thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..conversation.reducer import Change
from ..conversation.state import BYTES_PER_MS
from ..errors import TurnTimeout
from ..service.loop import io_thread
from ..session.core import SessionCore
from ..session.status import Notice, Status
from ..session.turn import Turn

# How often the playhead moves, and is told, s.
_TICK = 0.05
# An answer that takes longer is taken for lost, s.
TURN_TIMEOUT = 90.0


@dataclass
class _Track:
    """An item's speech: how much came, and how much of it was heard, ms."""

    item: str
    came: float = 0.0
    heard: float = 0.0
    complete: bool = False


class Listener:
    """Plays a session's answers without a sound.

    Parameters
    ----------
    core
        The session's I/O side.
    """

    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self._tracks: list[_Track] = []
        self._timer: asyncio.TimerHandle | None = None
        self._moved_at = 0.0
        self._changed = asyncio.Event()
        core.loop.call_soon_threadsafe(core.hub.listeners.append, self)

    # What a caller waits for, from another loop -------------------------------------------------------------------

    async def heard(self, seconds: float, turn: Turn) -> None:
        """Wait until so much of a turn's answer was heard, or it is over.

        Raises
        ------
        TurnTimeout
            Neither came about within 90 s.
        """
        ended = ("completed", "interrupted", "failed")
        await self._until(
            lambda: (turn.heard_ms or 0) >= 1000 * seconds or (turn.status in ended and not self._tracks)
        )

    async def silence(self) -> None:
        """Wait until everything was said and heard.

        Raises
        ------
        TurnTimeout
            It took longer than 90 s.
        """
        await self._until(lambda: self._core.idle and not self._tracks)

    async def _until(self, met: Callable[[], bool]) -> None:
        await asyncio.wrap_future(io_thread.submit(self._wait(met)))

    async def _wait(self, met: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                while not met() and not self._core.closed:
                    await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            raise TurnTimeout(f"The answer was not over within {TURN_TIMEOUT:.0f} s.") from None

    def close(self) -> None:
        """Hear no more."""
        self._core.loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        if self in self._core.hub.listeners:
            self._core.hub.listeners.remove(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # The session's changes ----------------------------------------------------------------------------------------

    def on_change(self, change: Change, pcm: bytes | None) -> None:
        if change.kind == "audio" and change.item is not None and pcm:
            track = self._track(change.item)
            track.came += len(pcm) / BYTES_PER_MS
            self._play()
        elif change.kind == "audio_end":
            for track in self._tracks:
                if track.item == change.item:
                    track.complete = True
        self._changed.set()

    def on_flush(self, flush_id: int) -> None:
        if self._tracks:
            self._advance()
        if self._tracks:
            head = self._tracks[0]
            unheard = sum(track.came - track.heard for track in self._tracks)
            self._tracks.clear()
            self._rest()
            self._core.bargein.flushed(flush_id, head.item, head.heard, unheard, time.monotonic_ns())
        self._changed.set()

    def on_status(self, status: Status) -> None:
        self._changed.set()

    def on_notice(self, notice: Notice) -> None:
        pass

    def on_config(self) -> None:
        pass

    # The clock ----------------------------------------------------------------------------------------------------

    def _track(self, item: str) -> _Track:
        for track in self._tracks:
            if track.item == item:
                return track
        track = _Track(item)
        self._tracks.append(track)
        return track

    def _play(self) -> None:
        if self._timer is None:
            self._moved_at = self._core.loop.time()
            self._core.activity(playing=True)
            self._core.local("first", {"item": self._tracks[0].item})
            self._timer = self._core.loop.call_later(_TICK, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._advance()
        if self._tracks:
            self._tell(self._tracks[0])
            self._timer = self._core.loop.call_later(_TICK, self._tick)
        else:
            self._rest()
        self._changed.set()

    def _advance(self) -> None:
        """Hear what could be heard since the last time."""
        now = self._core.loop.time()
        left = 1000 * (now - self._moved_at)
        self._moved_at = now
        while self._tracks and left > 0:
            track = self._tracks[0]
            step = min(left, track.came - track.heard)
            track.heard += step
            left -= step
            if track.heard < track.came or not track.complete:
                return  # all time is used up, or the rest has not come yet
            self._tell(track)
            self._tracks.pop(0)
            if self._tracks:
                self._core.local("first", {"item": self._tracks[0].item})

    def _tell(self, track: _Track) -> None:
        self._core.played({track.item: track.heard})

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._core.activity(playing=False)
