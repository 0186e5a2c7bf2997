"""`Downlink`: what goes from a session to the page, merged: audio at most 25 times a second, rows 10 times a second."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import pybase64

from ..conversation.reducer import Change
from ..session.core import SessionCore
from .row_feed import RowFeed
from .rows import Row

AUDIO_INTERVAL = 0.04
ROW_INTERVAL = 0.1
LEVEL_INTERVAL = 0.1
# Of the sound of a row: 4 s, 256 kB as base64.
SOUND_PIECE = 4 * 48_000
SOUND_INTERVAL = 0.4
# Rows remembered, so that only what changed is sent.
ROWS = 32


class Way:
    """A way to pages: a widget's comm, or the socket of a companion tab. It numbers what it carries.

    Parameters
    ----------
    send
        Sends one message; for a comm from any thread.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._seq = itertools.count()

    def send(self, kind: str, **fields: Any) -> None:
        """Send one message now."""
        envelope = {"v": 1, "k": kind, "seq": next(self._seq), "t": time.monotonic_ns() / 1e6}
        self._send(envelope | fields)


class Downlink:
    """Puts messages to the page into their envelope, and merges what comes in many pieces. I/O thread only.

    Parameters
    ----------
    send
        Sends one custom message to the page; thread-safe.

    Attributes
    ----------
    feed
        The rows.
    ways
        Where everything goes; the first is the notebook's.
    player
        The way that speech is sent on, to be played at its end; None: it is played elsewhere.
    """

    def __init__(self, core: SessionCore, send: Callable[[dict[str, Any]], None]) -> None:
        self.feed = RowFeed(core, self.row)
        self._core = core
        self.ways = [Way(send)]
        self.player: Way | None = self.ways[0]
        self._levels: list[float] = []
        self._level_timer: asyncio.TimerHandle | None = None
        self._audio: dict[str, bytearray] = {}
        self._ended: list[str] = []
        self._audio_timer: asyncio.TimerHandle | None = None
        self._dirty: set[int] = set()
        self._rows: dict[str, Row] = {}  # as they were last sent
        self._row_timer: asyncio.TimerHandle | None = None

    def send(self, kind: str, **fields: Any) -> None:
        """Send one message now, to all pages."""
        for way in self.ways:
            way.send(kind, **fields)

    def levels(self, rms: Sequence[float]) -> None:
        """Tell the notebook's pages how loud the microphone is that none of them has: RMS of 20 ms each."""
        self._levels += rms
        if self._level_timer is None:
            self._send_levels()

    def _send_levels(self) -> None:
        self._level_timer = None
        if self._levels:
            self.ways[0].send("level", rms=[round(rms) for rms in self._levels])
            self._levels.clear()
            self._level_timer = self._core.loop.call_later(LEVEL_INTERVAL, self._send_levels)

    def audio(self, change: Change, pcm: bytes | None) -> None:
        """Take in a piece of speech, or the end of it. The first piece goes at once; what follows is merged."""
        if change.item is None:
            return
        if change.kind == "audio_end":
            self._ended.append(change.item)
        elif pcm:
            self._audio.setdefault(change.item, bytearray()).extend(pcm)
        if self._audio_timer is None:
            self._send_audio()

    def drop_audio(self) -> None:
        """Forget the speech that was not sent yet."""
        self._audio.clear()
        self._ended.clear()

    def row(self, turn: int) -> None:
        """Take in that the rows of a turn have changed."""
        self._dirty.add(turn)
        if self._row_timer is None:
            self._send_rows()

    async def sound(self, view: str, row: str) -> None:
        """Send the sound of a row to one view, in pieces, and slowly: Jupyter drops what comes faster than 1 MB/s."""
        pcm = await self.feed.sound(row)
        pieces = [pcm[at : at + SOUND_PIECE] for at in range(0, len(pcm), SOUND_PIECE)] or [b""]
        for n, piece in enumerate(pieces):
            if n:
                await asyncio.sleep(SOUND_INTERVAL)
            payload = pybase64.b64encode_as_string(piece)
            self.send("sound", view=view, row=row, n=n, of=len(pieces), pcm=payload)

    def _send_audio(self) -> None:
        self._audio_timer = None
        if not self._audio and not self._ended:
            return
        for item, pcm in self._audio.items():
            if self.player is not None:
                self.player.send("audio", item=item, pcm=pybase64.b64encode_as_string(bytes(pcm)))
        for item in self._ended:
            self.send("audio_end", item=item)
        self.drop_audio()
        self._audio_timer = self._core.loop.call_later(AUDIO_INTERVAL, self._send_audio)

    def _send_rows(self) -> None:
        self._row_timer = None
        if not self._dirty:
            return
        turns = self._core.conversation.turns
        for row in self.feed.rows(turns[number] for number in sorted(self._dirty)):
            if self._rows.pop(row["id"], None) != row:
                self.send("row", row=row)
            self._rows[row["id"]] = row
        while len(self._rows) > ROWS:
            del self._rows[next(iter(self._rows))]
        self._dirty.clear()
        self._row_timer = self._core.loop.call_later(ROW_INTERVAL, self._send_rows)
