"""`BargeIn`: stopping an answer, in the order in which it has to be done."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING

from ..protocol import events as ev

if TYPE_CHECKING:
    from .core import SessionCore

# The page answers a flush within a few frames; without an answer nothing is known to have been heard.
FLUSH_TIMEOUT = 1.0


class BargeIn:
    """Discards the running answer, has players fall silent, and learns from them how much was heard."""

    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self._ids = itertools.count(1)
        self._awaited: dict[
            int, tuple[asyncio.TimerHandle, int]
        ] = {}  # flush -> its time-out, when it was (ns)

    def interrupt(self, *, by_speech: bool = False) -> None:
        """Discard the running answer and have every player fade out and report.

        Tools that run between two responses are given up too, unless it was speech that interrupted: what they find is
        told once the person is silent.
        """
        core = self._core
        if by_speech:
            core.asking.spoken_to()
        active = core.conversation.active
        if active is not None and not active.discarded:
            core.local("discard", {"response": active.id})
        if not by_speech:
            for number in core.conversation.between_responses():
                core.asking.slot.forget(number)
                core.local("turn_interrupted", {"turn": number})
        flush_id = next(self._ids)
        timer = core.loop.call_later(FLUSH_TIMEOUT, self._awaited.pop, flush_id, None)
        self._awaited[flush_id] = timer, time.monotonic_ns()
        core.hub.flush(flush_id)
        core.asking.cancel_response()

    def flushed(
        self,
        flush_id: int,
        item: str,
        heard_ms: float,
        unplayed_ms: float,
        t: int,
        asked: int | None = None,
    ) -> None:
        """A player that was asked for silence at asked fell silent at t, and says how far it had come.

        Late reports count for nothing. Times are monotonic ns; asked is None where it is not known.
        """
        core = self._core
        awaited = self._awaited.pop(flush_id, None)
        if awaited is None or item not in core.conversation.items:
            return
        timer, since = awaited
        timer.cancel()
        data = {
            "item": item,
            "heard_ms": heard_ms,
            "unplayed_ms": unplayed_ms,
            "since": since,
            "asked": asked,
        }
        core.local("flushed", data, t)
        wire_id = core.conversation.wire_id(item)
        if unplayed_ms > 0 and heard_ms > 0 and wire_id is not None:
            # Undocumented but acknowledged by the service; where it is not known it is only an error event.
            truncate = ev.ConversationItemTruncate(
                item_id=wire_id, content_index=0, audio_end_ms=int(heard_ms)
            )
            truncate.event_id = f"{flush_id}.truncate"
            core.send(truncate)

    def close(self) -> None:
        """Wait for no report any more."""
        for timer, _ in self._awaited.values():
            timer.cancel()
