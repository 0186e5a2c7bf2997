"""What faults make of what a session sends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from stepnb.local.faults.frames import ANSWER, AUDIO, TRANSCRIPT, FrameFault, Later, Passing
from stepnb.local.faults.planted import Faults, Planted
from stepnb.local.outbox import Entry

_LAST_OF_TRANSCRIPT = (f"{TRANSCRIPT}completed", f"{TRANSCRIPT}failed")


class _Strike:
    """A fault that has struck, for as long as its occasion lasts."""

    def __init__(self, planted: Planted) -> None:
        self.planted = planted
        self.changed_something = False
        self._types: Counter[str] = Counter()

    def apply(self, event: dict[str, Any], entries: Sequence[Entry | Later]) -> list[Entry | Later]:
        """Return what is sent in place of the entries that stand for an event."""
        fault = self.planted.fault
        assert isinstance(fault, FrameFault)
        self._types[event["type"]] += 1
        nth = self._types[event["type"]]
        sent: list[Entry | Later] = []
        for entry in entries:
            if isinstance(entry, str):
                sent += fault.apply(Passing(entry, event, nth, self.planted.random))
            else:
                sent.append(entry)
        self.changed_something |= sent != entries
        return sent


class Line:
    """The way from a session to its outbox, on which faults strike.

    Parameters
    ----------
    faults
        The engine's.
    put
        Takes what is sent.
    """

    def __init__(self, faults: Faults, put: Callable[[Entry], None]) -> None:
        self._faults = faults
        self._put = put
        self._response: list[_Strike] = []
        self._transcripts: dict[str, list[_Strike]] = {}
        self._held: set[asyncio.TimerHandle] = set()

    def put(self, entry: Entry) -> None:
        """Send a frame, or what faults make of it. Never waits."""
        faulty = self._faults.any_on_frames or self._response or self._transcripts
        if not (faulty and isinstance(entry, str)):
            self._put(entry)
            return
        event = msgspec.json.decode(entry)
        entries: list[Entry | Later] = [entry]
        for strike in self._strikes(event):
            entries = strike.apply(event, entries)
        if event["type"] == "response.done":
            self._end_response()
        for sent in entries:
            if isinstance(sent, Later):
                self._hold(sent)
            else:
                self._put(sent)

    def close(self) -> None:
        """Forget what was to come later."""
        for handle in self._held:
            handle.cancel()
        self._held.clear()

    def _strikes(self, event: dict[str, Any]) -> list[_Strike]:
        """Return the faults that strike an event, those of its answer or transcript first."""
        kind: str = event["type"]
        lasting: list[_Strike] = []
        if kind.startswith(ANSWER):
            if kind == "response.created":
                self._response = self._strike("response")
            lasting = self._response
        elif kind.startswith(TRANSCRIPT):
            item_id = event["item_id"]
            if item_id not in self._transcripts:
                self._transcripts[item_id] = self._strike("transcript")
            lasting = self._transcripts[item_id]
            if kind in _LAST_OF_TRANSCRIPT:
                del self._transcripts[item_id]
        passing = ("frame", "audio delta") if kind == AUDIO else ("frame", kind)
        return [*lasting, *self._strike(*passing)]

    def _strike(self, *scopes: str) -> list[_Strike]:
        return [_Strike(planted) for planted in self._faults.strike_frames(*scopes)]

    def _end_response(self) -> None:
        """Let go of the answer's faults; one whose frame did not come strikes another answer."""
        for strike in self._response:
            if not strike.changed_something:
                self._faults.take_back(strike.planted)
        self._response = []

    def _hold(self, later: Later) -> None:
        def send() -> None:
            self._held.discard(handle)
            self._put(later.frame)

        handle = asyncio.get_running_loop().call_later(later.seconds, send)
        self._held.add(handle)
