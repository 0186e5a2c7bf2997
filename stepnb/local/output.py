"""The output items of a response: what is said, and the calls that are made.

Each emits without waiting while it is open, and closes itself in one go, so that a response is well formed wherever
a cancellation hits it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from stepnb.audio import pcm as pcm16
from stepnb.local.conversation import ServerItem
from stepnb.local.parts import Mouth, ToolCall, VoiceSettings, separated
from stepnb.local.profile import Profile
from stepnb.protocol import events as ev

logger = logging.getLogger("stepnb.local")

DELTA_BYTES = 6400
"""Audio of one delta, 133 ms."""

PAUSE_MS = 200
"""Silence between two sentences, which the mouth speaks one by one and without it."""

# A written word counts as this much sound, which gives a text-only answer a pace too.
TEXT_WORD_MS = 80
MOUTH_TIMEOUT_S = 30.0

_WORDS = re.compile(r"[\u3400-\u9fff\uf900-\ufaff][^\w\s]*\s*|[^\s\u3400-\u9fff\uf900-\ufaff]+\s*|\s+")
_ARGUMENTS_DELTA = 12  # characters, about three tokens


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a reply speaks with and into.

    Attributes
    ----------
    emit, room
        The way out, and how to wait until it is free.
    add
        Puts an item into the conversation and returns the id of the item before it.
    speed
        Audio sent per real time; None or 0: as fast as it is read.
    first_audio
        Awaited before the first audio is sent.
    """

    emit: Callable[[ev.ServerEvent], None]
    room: Callable[[], Awaitable[None]]
    add: Callable[[ServerItem], str | None]
    mouth: Mouth
    voice: VoiceSettings
    profile: Profile
    speed: float | None
    first_audio: Callable[[], Awaitable[None]]


class Pacer:
    """Lets time pass as audio goes out, `speed` times faster than real time."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._due: float | None = None

    async def wait(self, ms: float) -> None:
        """Wait until something that lasts `ms` may go out; the first goes at once."""
        if not self._speed:
            return
        now = asyncio.get_running_loop().time()
        due = now if self._due is None else max(self._due, now)
        self._due = due + ms / 1000 / self._speed
        await asyncio.sleep(due - now)


class OutputItem:
    """One item of a response, shown to the client when it is made.

    Parameters
    ----------
    response_id, index
        The response it is in, and its place there.
    item
        What the conversation keeps of it.
    """

    def __init__(self, response_id: str, index: int, item: ServerItem, stage: Stage) -> None:
        self.item = item
        self._response_id = response_id
        self._index = index
        self._stage = stage
        self._emit = stage.emit
        self._emit(
            ev.OutputItemAdded(response_id=response_id, output_index=index, item=item.reply(stage.profile))
        )
        self._emit(
            ev.ConversationItemCreated(previous_item_id=stage.add(item), item=item.reply(stage.profile))
        )

    def to_wire(self) -> ev.Item:
        """Return the item as far as it has come."""
        return self.item.reply(self._stage.profile)

    def close(self, status: str) -> None:
        """Emit what ends the item, whose status is completed or incomplete."""
        self.item.status = status
        self._emit(
            ev.OutputItemDone(response_id=self._response_id, output_index=self._index, item=self.to_wire())
        )


class MessageOutput(OutputItem):
    """What is said: thoughts in a content part of their own, then one part of speech or text."""

    def __init__(self, response_id: str, index: int, item: ServerItem, stage: Stage) -> None:
        super().__init__(response_id, index, item, stage)
        self.audio_bytes = 0
        self._pacer = Pacer(stage.speed)
        self._open: ev.Part | None = None

    async def think(self, text: str) -> None:
        """Show a piece of the thoughts; must come before anything is said."""
        if self._open is None:
            self._begin(ev.Part(type="thinking", thinking=""))
        for word in split_words(text):
            await self._stage.room()
            self.item.thinking += word
            self._emit(ev.ThinkingDelta(delta=word, **self._ids()))

    async def write(self, first: str, rest: AsyncIterator[str]) -> None:
        """Answer in writing: the first sentence, then the others."""
        self._begin(ev.Part(type="text", text=""))
        before, sentence = "", first
        while sentence:
            for word in split_words(separated(before, sentence)):
                await self._pacer.wait(TEXT_WORD_MS)
                await self._stage.room()
                self.item.words.append((0, word))
                self._emit(ev.TextDelta(delta=word, **self._ids()))
            before, sentence = sentence, await anext(rest, "")

    async def speak(self, first: str, rest: AsyncIterator[str]) -> None:
        """Answer aloud; while one sentence is on its way, the mouth works on the next.

        Raises
        ------
        EngineError
            The mouth failed.
        """
        self._begin(ev.Part(type="audio", transcript=""))
        script: deque[tuple[int, str]] = deque()  # words not yet sent, with the byte at which each begins
        waiting = bytearray()
        before = ""
        coming = self._start_speaking(rest, first)
        try:
            while (spoken := await coming) is not None:
                coming = self._start_speaking(rest)
                sentence, pcm = spoken
                if before:
                    waiting += bytes(PAUSE_MS * pcm16.BYTES_PER_MS)
                begin = self.audio_bytes + len(waiting)
                script.extend(place_words(separated(before, sentence), begin, len(pcm)))
                before = sentence
                waiting += pcm
                while len(waiting) >= DELTA_BYTES:
                    await self._send(bytes(waiting[:DELTA_BYTES]), script)
                    del waiting[:DELTA_BYTES]
            if waiting:
                await self._send(bytes(waiting), script)
            self._send_words(script, before=None)
        finally:
            coming.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await coming

    def close(self, status: str) -> None:
        """Emit what ends the open content part and the item."""
        self._end_part()
        super().close(status)

    def _begin(self, part: ev.Part) -> None:
        self._end_part()
        self._open = part
        self.item.parts.append(part.type or "")
        self._emit(ev.ContentPartAdded(part=part, **self._ids()))

    def _end_part(self) -> None:
        if self._open is None:
            return
        kind, self._open = self._open.type, None
        part = self.item.part(kind or "")
        if kind == "thinking":
            self._emit(ev.ThinkingDone(thinking=part.thinking, **self._ids()))
        elif kind == "text":
            self._emit(ev.TextDone(text=part.text, **self._ids()))
        else:
            self._emit(ev.AudioDone(**self._ids()))
            self._emit(ev.AudioTranscriptDone(transcript=part.transcript, **self._ids()))
        self._emit(ev.ContentPartDone(part=part, **self._ids()))

    async def _send(self, pcm: bytes, script: deque[tuple[int, str]]) -> None:
        await self._pacer.wait(len(pcm) / pcm16.BYTES_PER_MS)
        await self._stage.room()
        if not self.audio_bytes:
            await self._stage.first_audio()
        self._send_words(script, before=self.audio_bytes + len(pcm))
        self.audio_bytes += len(pcm)
        self._emit(ev.AudioDelta(delta=pcm16.encode(pcm), **self._delta_ids()))

    def _send_words(self, script: deque[tuple[int, str]], before: int | None) -> None:
        """Send the words that begin before that byte of the audio, as one delta."""
        delta = ""
        while script and (before is None or script[0][0] < before):
            at, word = script.popleft()
            self.item.words.append((at // pcm16.BYTES_PER_MS, word))
            delta += word
        if delta:
            self._emit(ev.AudioTranscriptDelta(delta=delta, **self._delta_ids()))

    def _start_speaking(
        self, rest: AsyncIterator[str], first: str = ""
    ) -> asyncio.Task[tuple[str, bytes] | None]:
        """Start to speak `first`, else the next of the rest; the task's result is None after the last."""

        async def speak() -> tuple[str, bytes] | None:
            sentence = first or await anext(rest, "")
            if not sentence:
                return None
            async with asyncio.timeout(MOUTH_TIMEOUT_S):
                return sentence, await self._stage.mouth.speak(sentence, self._stage.voice)

        return asyncio.create_task(speak(), name="stepnb sentence")

    def _ids(self) -> dict[str, Any]:
        return {
            "response_id": self._response_id,
            "item_id": self.item.id,
            "output_index": self._index,
            "content_index": len(self.item.parts) - 1,
        }

    def _delta_ids(self) -> dict[str, Any]:
        ids = self._ids()
        if not self._stage.profile.response_id_on_deltas:
            del ids["response_id"]
        return ids


class CallOutput(OutputItem):
    """A call of a function of the client."""

    async def write(self, call: ToolCall) -> None:
        """Send the arguments, piece by piece."""
        profile = self._stage.profile
        ids = self._ids() if profile.ids_on_call_deltas else {}
        for start in range(0, len(call.arguments), _ARGUMENTS_DELTA):
            await self._stage.room()
            piece = call.arguments[start : start + _ARGUMENTS_DELTA]
            self._emit(
                ev.FunctionCallArgumentsDelta(
                    call_id=call.call_id,
                    name=call.name,
                    arguments=piece,
                    delta=piece if profile.call_delta_in_both_keys else None,
                    **ids,
                )
            )
        self._emit(
            ev.FunctionCallArgumentsDone(
                call_id=call.call_id, name=call.name, arguments=call.arguments, **ids
            )
        )

    def _ids(self) -> dict[str, Any]:
        return {"response_id": self._response_id, "item_id": self.item.id, "output_index": self._index}


def split_words(text: str) -> list[str]:
    """Cut a text into what one delta adds: a word with the space after it, or a Chinese character."""
    return _WORDS.findall(text)


def place_words(sentence: str, begin: int, size: int) -> list[tuple[int, str]]:
    """Spread the words of a sentence over its audio, by their length.

    The mouth does not tell when it says which word, so this is an estimate; it is exact at the sentence's ends.

    Parameters
    ----------
    sentence
        Its text.
    begin, size
        Where its audio begins and how much it is, in bytes.

    Returns
    -------
    list of (int, str)
        The words, each with the byte at which it begins.
    """
    words = split_words(sentence)
    # A Chinese character is a syllable, about three Latin letters.
    weights = [sum(3 if "\u3400" <= char <= "\u9fff" else 1 for char in word) for word in words]
    total = sum(weights)
    placed, so_far = [], 0
    for word, weight in zip(words, weights, strict=True):
        placed.append((begin + size * so_far // total, word))
        so_far += weight
    return placed
