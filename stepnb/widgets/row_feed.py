"""`RowFeed`: the rows of a session as the page gets them: with tokens and cost, and sound to look at and to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..audio.clip import Clip
from ..conversation.cost import cost_of
from ..conversation.record import AudioRef
from ..conversation.state import TurnState
from ..conversation.usage import total, usages
from ..session.core import SessionCore
from .rows import Row, rows_of

# Of the small waveform of a row.
BARS = 32
# It shows a shape: its loudest bar is full. Noise below this is not blown up, RMS in int16 units.
FLOOR = 300
# What the page gets to hear of one row, s.
LONGEST_SOUND = 120.0


class RowFeed:
    """Rows of one session. I/O thread only; sound is read and measured on other threads.

    Parameters
    ----------
    changed
        Told of a turn whose rows have got their waveforms.
    """

    def __init__(self, core: SessionCore, changed: Callable[[int], None]) -> None:
        self._core = core
        self._changed = changed
        self._waves: dict[str, list[int] | None] = {}
        self._to_measure: dict[str, int] = {}  # row -> turn
        self._measuring = False

    def rows(self, turns: Iterable[TurnState]) -> list[Row]:
        """Return the rows of turns."""
        turns = list(turns)
        figures = self._figures(turn for turn in turns if turn.ended)
        rows: list[Row] = []
        for turn in turns:
            own = rows_of(self._core.conversation, turn)
            for row in own if turn.ended else ():
                self._add_wave(row, turn.id)
                if row["who"] == "step":
                    row |= figures.get(turn.id, {})
            rows += own
        return rows

    def _figures(self, turns: Iterable[TurnState]) -> dict[int, dict[str, Any]]:
        """Return tokens and cost of turns; all at once, because the input of an answer is all that came before it."""
        turns = list(turns)
        if not turns:
            return {}
        ledger = self._core.ledger
        used = usages(ledger.conversation, ledger.preface)
        figures: dict[int, dict[str, Any]] = {}
        for turn in turns:
            usage = total(used[number] for number in list(turn.responses) if number in used)
            if not usage.responses:
                continue
            cost = cost_of(usage, ledger.model, ledger.cluster)
            figures[turn.id] = {
                "usage": {
                    "input": usage.input_tokens,
                    "output": usage.output_tokens,
                    "estimated": usage.estimated > 0,
                },
                "cost": {
                    "amount": cost.amount,
                    "currency": cost.currency,
                    "estimated": cost.estimated,
                },
            }
        return figures

    async def sound(self, row: str) -> bytes:
        """Return what there is to hear of a row, PCM16LE, mono, 24 kHz; empty for a row that does not exist."""
        return await asyncio.to_thread(self._core.log.audio.read, self._refs(row))

    def _add_wave(self, row: Row, turn: int) -> None:
        if row["id"] in self._waves:
            row["wave"] = self._waves[row["id"]]
        elif row["duration_ms"]:
            self._to_measure[row["id"]] = turn
            if not self._measuring:
                self._measuring = True
                self._core.spawn(self._measure())

    async def _measure(self) -> None:
        try:
            while self._to_measure:
                row, turn = self._to_measure.popitem()
                refs = self._refs(row)
                self._waves[row] = await asyncio.to_thread(wave_of, self._core.log.audio.read, refs)
                self._changed(turn)
        finally:
            self._measuring = False

    def _refs(self, row: str) -> list[AudioRef]:
        number, _, who = row.partition("-")
        turn = self._core.conversation.turns.get(int(number)) if number.isdecimal() else None
        if turn is None:
            return []
        items = self._core.conversation.answer(turn)
        all_of_it = turn.input_audio if who == "you" else [ref for item in items for ref in item.audio]
        left = round(LONGEST_SOUND * 48_000)
        refs: list[AudioRef] = []
        for ref in all_of_it:
            if left > 0:
                refs.append(ref.part(0, min(ref.length, left)))
            left -= ref.length
        return refs


def wave_of(read: Callable[[list[AudioRef]], bytes], refs: list[AudioRef]) -> list[int] | None:
    """Measure how loud sound is, 0 to 100 in each of `BARS` parts; None where there is none."""
    samples = Clip.from_pcm(read(refs)).samples
    if samples.size < BARS:
        return None
    parts: list[Any] = np.array_split(samples.astype(np.float32), BARS)
    levels = np.array([np.sqrt(np.mean(part * part)) for part in parts])
    return [round(float(level) * 100) for level in levels / max(levels.max(), FLOOR)]
