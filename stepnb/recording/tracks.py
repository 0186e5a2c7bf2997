"""Both sides of a conversation on one clock: what was said when, and what was heard of the answers when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..conversation.record import AudioRef, Lane, Record, joined
from ..conversation.reducer import Conversation
from ..protocol import events as ev
from .store import LANES, AudioStore

BYTES_PER_S = 48_000
# Microphone audio comes in pieces of 20 to 200 ms, each a little early or late; a longer gap is silence.
_JITTER_S = 0.3


@dataclass(frozen=True)
class Stretch:
    """Sound of one side without a gap.

    Attributes
    ----------
    start
        When it begins, s into the log.
    audio
        Where it lies in the store.
    """

    start: float
    audio: AudioRef

    @property
    def end(self) -> float:
        return self.start + self.audio.length / BYTES_PER_S


class _Track:
    """One side: sound is put one after the other, never over each other."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []

    @property
    def end(self) -> float:
        return self.stretches[-1].end if self.stretches else float("-inf")

    def put(self, start: float, refs: Sequence[AudioRef], *, joins: bool = False) -> None:
        if joins and start - self.end < _JITTER_S:
            start = self.end
        start = max(start, self.end)
        for ref in refs:
            if self.stretches and start == self.end and self.stretches[-1].audio.followed_by(ref):
                before = self.stretches.pop()
                start, ref = before.start, joined([before.audio, ref])[0]
            self.stretches.append(Stretch(start, ref))
            start = self.end


def tracks(records: Iterable[Record], conversation: Conversation, anchor: int) -> dict[Lane, list[Stretch]]:
    """Lay out the audio of a log.

    Microphone audio lies where it was sent, and a complete message ends where it was sent. An answer begins where its
    first sample was heard, or arrived where there was no player, and ends where it was cut off.

    Parameters
    ----------
    anchor
        When the log began, monotonic ns.
    """
    person, answers = _Track(), _Track()
    items: dict[str, list[AudioRef]] = {}
    begins: dict[str, float] = {}
    for record in records:
        t = (record.t - anchor) / 1e9
        if record.side == "local" and record.kind == "first" and record.data is not None:
            begins[str(record.data["item"])] = t
        if record.audio is None or not record.audio.kept:
            continue
        length = record.audio.length / BYTES_PER_S
        if record.side == "out":
            person.put(t - length, [record.audio], joins=record.kind == "input_audio_buffer.append")
        elif isinstance(event := record.event, ev.AudioDelta):
            item = event.item_id or ""
            items.setdefault(item, []).append(record.audio)
            begins.setdefault(item, t)
    for item, refs in items.items():
        answers.put(begins[item], _heard(joined(refs), conversation, item))
    return dict(zip(LANES, (person.stretches, answers.stretches), strict=True))


def _heard(refs: list[AudioRef], conversation: Conversation, item: str) -> list[AudioRef]:
    state = conversation.items.get(item)
    if state is None or state.played_ms is None:
        return refs
    left = round(state.played_ms * 24) * 2
    heard: list[AudioRef] = []
    for ref in refs:
        size = min(ref.length, left)
        if size:
            heard.append(ref.part(0, size))
        left -= size
    return heard


def mixed(stretches: Sequence[Stretch], store: AudioStore, start: float, samples: int) -> NDArray[np.int16]:
    """Return a piece of one side, with silence where it is silent.

    Parameters
    ----------
    start, samples
        Where the piece begins, s into the log, and its length at 24 kHz.

    Returns
    -------
    (samples,) int16
    """
    piece = np.zeros(samples, np.int16)
    for stretch in stretches:
        at = round((stretch.start - start) * 24_000)  # in the piece, in samples
        first, last = max(0, -at), min(stretch.audio.length // 2, samples - at)
        if first < last:
            pcm = store.read([stretch.audio.part(first * 2, last * 2)])
            piece[at + first : at + first + len(pcm) // 2] = np.frombuffer(pcm, "<i2")
    return piece
