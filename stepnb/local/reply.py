"""One response: from ``response.created`` to ``response.done``.

Everything that is emitted is emitted without waiting, and `Reply.end` closes whatever is open in one go: a response is
always well formed, wherever a cancellation hits it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stepnb.audio import pcm as pcm16
from stepnb.local.conversation import ServerItem
from stepnb.local.parts import Mouth, VoiceSettings
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


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a reply speaks with and into.

    Attributes
    ----------
    emit, room
        The way out, and how to wait until it is free.
    speed
        Audio sent per real time; None or 0: as fast as it is read.
    first_audio
        Called before the first audio is sent.
    """

    emit: Callable[[ev.ServerEvent], None]
    room: Callable[[], Awaitable[None]]
    mouth: Mouth
    voice: VoiceSettings
    profile: Profile
    speed: float | None
    first_audio: Callable[[], None]


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


class Reply:
    """A response in progress.

    Parameters
    ----------
    response_id
        Its id.
    item
        The item it fills; shown to the client by `open`.
    stage
        What it speaks with.
    """

    def __init__(self, response_id: str, item: ServerItem, stage: Stage) -> None:
        self.id = response_id
        self.item = item
        self.audio_bytes = 0
        self._stage = stage
        self._opened = False
        self._pacer = Pacer(stage.speed)
        stage.emit(ev.ResponseCreated(response=self._info("in_progress", output=[])))

    def open(self, previous_item_id: str | None) -> None:
        """Show the item and its content part; `previous_item_id` is the item before it."""
        self._opened = True
        emit, item = self._stage.emit, self.item
        emit(ev.OutputItemAdded(response_id=self.id, output_index=0, item=item.reply(self._stage.profile)))
        emit(
            ev.ConversationItemCreated(
                previous_item_id=previous_item_id, item=item.reply(self._stage.profile)
            )
        )
        part = (
            ev.Part(type="text", text="") if item.content == "text" else ev.Part(type="audio", transcript="")
        )
        emit(ev.ContentPartAdded(part=part, **self._ids()))

    async def write(self, sentences: Sequence[str]) -> None:
        """Answer in writing."""
        for word in split_words("".join(with_separators(sentences))):
            await self._pacer.wait(TEXT_WORD_MS)
            await self._stage.room()
            self.item.words.append((0, word))
            self._stage.emit(ev.TextDelta(delta=word, **self._ids()))

    async def speak(self, sentences: Sequence[str]) -> None:
        """Answer aloud; while one sentence is on its way, the mouth works on the next.

        Raises
        ------
        EngineError
            The mouth failed.
        """
        script: deque[tuple[int, str]] = deque()  # words not yet sent, with the byte at which each begins
        waiting = bytearray()
        coming = self._start_speaking(sentences[0])
        try:
            for number, sentence in enumerate(with_separators(sentences)):
                pcm = await coming
                if number + 1 < len(sentences):
                    coming = self._start_speaking(sentences[number + 1])
                if number:
                    waiting += bytes(PAUSE_MS * pcm16.BYTES_PER_MS)
                begin = self.audio_bytes + len(waiting)
                script.extend(place_words(sentence, begin, len(pcm)))
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

    def end(
        self, status: str, *, details: dict[str, Any] | None = None, usage: dict[str, Any] | None = None
    ) -> None:
        """Close whatever is open and the response with it. Nothing is emitted afterwards.

        Parameters
        ----------
        status
            completed, incomplete, cancelled or failed.
        details
            The response's ``status_details``.
        usage
            Its ``usage``.
        """
        emit, item = self._stage.emit, self.item
        if self._opened:
            item.status = "completed" if status == "completed" else "incomplete"
            part = item.part()
            if item.content == "text":
                emit(ev.TextDone(text=part.text, **self._ids()))
            else:
                emit(ev.AudioDone(**self._ids()))
                emit(ev.AudioTranscriptDone(transcript=part.transcript, **self._ids()))
            emit(ev.ContentPartDone(part=part, **self._ids()))
            emit(ev.OutputItemDone(response_id=self.id, output_index=0, item=item.reply(self._stage.profile)))
        if status == self._stage.profile.interrupted_status and self._stage.profile.sends_response_cancelled:
            emit(ev.ResponseCancelled(response_id=self.id))
        output = [item.reply(self._stage.profile)] if self._opened else []
        emit(ev.ResponseDone(response=self._info(status, output=output, details=details, usage=usage)))

    async def _send(self, pcm: bytes, script: deque[tuple[int, str]]) -> None:
        await self._pacer.wait(len(pcm) / pcm16.BYTES_PER_MS)
        await self._stage.room()
        if not self.audio_bytes:
            self._stage.first_audio()
        self._send_words(script, before=self.audio_bytes + len(pcm))
        self.audio_bytes += len(pcm)
        self._stage.emit(ev.AudioDelta(delta=pcm16.encode(pcm), **self._delta_ids()))

    def _send_words(self, script: deque[tuple[int, str]], before: int | None) -> None:
        """Send the words that begin before that byte of the audio, as one delta."""
        delta = ""
        while script and (before is None or script[0][0] < before):
            at, word = script.popleft()
            self.item.words.append((at // pcm16.BYTES_PER_MS, word))
            delta += word
        if delta:
            self._stage.emit(ev.AudioTranscriptDelta(delta=delta, **self._delta_ids()))

    def _start_speaking(self, sentence: str) -> asyncio.Task[bytes]:
        async def speak() -> bytes:
            async with asyncio.timeout(MOUTH_TIMEOUT_S):
                return await self._stage.mouth.speak(sentence, self._stage.voice)

        return asyncio.create_task(speak(), name="stepnb sentence")

    def _info(
        self,
        status: str,
        *,
        output: list[ev.Item],
        details: dict[str, Any] | None = None,
        usage: dict[str, Any] | None = None,
    ) -> ev.ResponseInfo:
        return ev.ResponseInfo(
            id=self.id,
            object="realtime.response",
            status=status,
            status_details=details,
            output=output,
            usage=usage,
        )

    def _ids(self) -> dict[str, Any]:
        return {"response_id": self.id, "item_id": self.item.id, "output_index": 0, "content_index": 0}

    def _delta_ids(self) -> dict[str, Any]:
        ids = self._ids()
        if not self._stage.profile.response_id_on_deltas:
            del ids["response_id"]
        return ids


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


def with_separators(sentences: Sequence[str]) -> list[str]:
    """Return the sentences so that joining them gives the text back: Chinese ones follow each other without a space."""
    return [sentence if _is_chinese(sentence[-1]) else sentence + " " for sentence in sentences[:-1]] + [
        sentences[-1]
    ]


def _is_chinese(char: str) -> bool:
    return "\u3000" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"
