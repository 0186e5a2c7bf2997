"""What a session sent then, compared with what it sends now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pybase64

from ..conversation.record import Record
from ..errors import ReplayMismatch
from .log import Log

APPEND = "input_audio_buffer.append"
# It says how far a player had come, and a replay may have none.
NOT_COMPARED = {"conversation.item.truncate"}
_BOUNDARIES = {"input_audio_buffer.commit", "input_audio_buffer.clear"}
_SHOWN = 400


class Flow:
    """How much audio has been sent, in samples.

    Attributes
    ----------
    sound
        Those that are not digital silence.
    silence
        Those that came after the last of them.
    last_sound
        Where the last of them ends, counted from the beginning.
    """

    def __init__(self) -> None:
        self.sound = 0
        self.silence = 0
        self.last_sound = 0
        # What `end_of` may be asked for: how much sound there is up to the end of a piece, where the piece begins, and
        # where in it the samples of sound are.
        self._pieces: deque[tuple[int, int, np.ndarray]] = deque()

    def add(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, "<i2")
        (sound,) = samples.nonzero()
        if len(sound):
            self._add_sound(self.last_sound + self.silence, sound)
            self.silence = len(samples) - int(sound[-1]) - 1
        else:
            self.silence += len(samples)

    def end_of(self, sound: int) -> int:
        """Return where so much sound ends, counted from the beginning; the next question is for as much or more."""
        if sound == 0:
            return 0
        while self._pieces[0][0] < sound:
            self._pieces.popleft()
        total, begin, places = self._pieces[0]
        return begin + int(places[sound - total - 1]) + 1

    def add_record(self, log: Log, record: Record) -> None:
        """Count the audio of a recorded event."""
        if record.audio is None:
            return
        if record.audio.kept:
            self.add(log.audio.read([record.audio]))
        else:
            self.add_unknown(record.audio.length // 2)

    def add_unknown(self, samples: int) -> None:
        """Count audio that was not kept; all of it may have been sound."""
        if samples:
            self._add_sound(self.last_sound, np.arange(samples))

    def _add_sound(self, begin: int, places: np.ndarray) -> None:
        self.sound += len(places)
        self.last_sound = begin + int(places[-1]) + 1
        self._pieces.append((self.sound, begin, places.astype(np.int32)))


class Script:
    """What the session sent then, compared with what it sends now.

    Attributes
    ----------
    controls
        How many events other than audio have come.
    flow
        The audio that has come.
    """

    def __init__(self, log: Log, records: Iterable[Record]) -> None:
        self.controls = 0
        self.flow = Flow()
        self._log = log
        self._sent = (record for record in records if record.side == "out")
        self._next_controls: deque[Record] = deque()
        self._next_audio = bytearray()
        self._audio_known = log.about.header.keep_audio in ("all", "input")

    def came(self, frame: str) -> None:
        """Take in a frame of the session.

        Raises
        ------
        ReplayMismatch
            It is not what was sent then.
        """
        body = msgspec.json.decode(frame)
        kind = body["type"]
        if kind == APPEND:
            self._audio_came(pybase64.b64decode(body["audio"]))
        elif kind not in NOT_COMPARED:
            self._control_came(body)

    def _audio_came(self, pcm: bytes) -> None:
        if not self._audio_known:
            self.flow.add_unknown(len(pcm) // 2)
            return
        self.flow.add(pcm)
        loud = _loud(pcm)
        while len(self._next_audio) < len(loud) and self._advance(past_boundary=False):
            pass
        if self._next_audio[: len(loud)] != loud:
            there = len(self._next_audio) >= len(loud)
            raise _mismatch(
                "other audio" if there else "more audio",
                APPEND if there else None,
                f"{APPEND}: {len(pcm) // 48} ms",
            )
        del self._next_audio[: len(loud)]

    def _control_came(self, body: dict[str, Any]) -> None:
        while not self._next_controls and self._advance(past_boundary=True):
            pass
        got, pcm = _essence(body)
        if not self._next_controls:
            raise _mismatch("more", None, _text(got))
        record = self._next_controls.popleft()
        expected, _ = _essence(msgspec.json.decode(record.skeleton or "{}"))
        if expected != got:
            raise _mismatch("something else", _text(expected), _text(got))
        if record.audio is not None and record.audio.kept and self._log.audio.read([record.audio]) != pcm:
            raise _mismatch("other audio", _text(expected), _text(got))
        if record.kind in _BOUNDARIES and self._next_audio:
            rest = f"{APPEND}: {len(self._next_audio) // 48} ms more"
            raise _mismatch("less audio", rest, _text(got))
        self.controls += 1

    def _advance(self, *, past_boundary: bool) -> bool:
        """Look at one more recorded event; return whether there was one."""
        if not past_boundary and any(record.kind in _BOUNDARIES for record in self._next_controls):
            return False
        record = next(self._sent, None)
        if record is None:
            return False
        if record.kind != APPEND:
            if record.kind not in NOT_COMPARED:
                self._next_controls.append(record)
        elif record.audio is not None:
            self._next_audio += _loud(self._log.audio.read([record.audio]))
        return True


def _loud(pcm: bytes) -> bytes:
    """Return the samples that are not digital silence."""
    samples = np.frombuffer(pcm, "<i2")
    return bytes(samples[samples != 0].tobytes())


def _essence(body: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return what an event says, without its ids, and the audio in it."""
    essence = {key: value for key, value in body.items() if not key.endswith("_id")}
    pcm = b""
    item = essence.get("item")
    if isinstance(item, dict):
        item = {key: value for key, value in item.items() if key != "id"}
        parts = []
        for part in item.get("content") or []:
            pcm += pybase64.b64decode(part.get("audio") or "")
            parts.append(part | {"audio": ""} if "audio" in part else part)
        essence["item"] = item | {"content": parts}
    return essence, pcm


def _text(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _mismatch(what: str, expected: str | None, got: str) -> ReplayMismatch:
    recorded = expected if expected is not None else "nothing more"
    return ReplayMismatch(
        f"The session sent {what} than the recorded one.\n  recorded: {recorded}\n  sent:     {got}\n",
        expected=expected,
        got=got,
        fix="Ask what was asked in the recording, in the same order, or record it anew.",
    )
