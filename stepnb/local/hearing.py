"""What the user says becomes text: the transcripts of a session, one after the other or side by side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from stepnb.errors import StepnbError
from stepnb.local.conversation import ServerItem
from stepnb.local.parts import Ears
from stepnb.local.profile import Profile
from stepnb.protocol import events as ev

logger = logging.getLogger("stepnb.local")

MAX_WAITING = 8
"""Utterances of one session that may wait for the ears."""

EARS_TIMEOUT_S = 120.0


class Hearing:
    """The transcripts of a session in the making.

    Parameters
    ----------
    ears, profile
        What hears, and how the result is told.
    told
        Whether the client is told what was heard.
    emit
        The way out.
    spawn
        Runs a task of the session; whoever gives it cancels it at the session's end.
    name
        The session's, for the log.
    """

    def __init__(
        self,
        ears: Ears,
        profile: Profile,
        told: Callable[[], bool],
        emit: Callable[[ev.ServerEvent], None],
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
        name: str,
    ) -> None:
        self._ears = ears
        self._profile = profile
        self._told = told
        self._emit = emit
        self._spawn = spawn
        self._name = name
        self._running: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the ears that no more is taken."""
        return len(self._running) >= MAX_WAITING

    def start(self, item: ServerItem, pcm: bytes) -> None:
        """Transcribe an item's audio, PCM16LE mono 24 kHz; what fails is told to the client."""
        if self.is_full:
            self._fail(item, "too many recordings wait to be transcribed")
            return
        task = self._spawn(self._transcribe(item, pcm), "stepnb hearing")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def over(self) -> None:
        """Wait until everything is transcribed, what comes meanwhile included."""
        while self._running:
            await asyncio.wait(self._running.copy())

    async def _transcribe(self, item: ServerItem, pcm: bytes) -> None:
        try:
            async with asyncio.timeout(EARS_TIMEOUT_S):
                heard = await self._ears.hear(pcm)
        except (StepnbError, TimeoutError) as error:
            self._fail(item, str(error) or "the ears took too long")
            return
        except Exception as error:
            logger.exception("%s: the ears failed", self._name)
            self._fail(item, f"the ears failed: {type(error).__name__}")
            return
        # A message of text and speech keeps its text.
        item.text = "\n".join(text for text in (item.text, heard.text) if text)
        logger.info("%s: user: %s", self._name, heard.text or "(not understood)")
        if self._told():
            self._tell(item, heard.text)

    def _tell(self, item: ServerItem, text: str) -> None:
        if text and self._profile.cumulative_transcripts:
            words = text.split(" ")
            for so_far in (words[: (len(words) + 1) // 2], words):
                delta = " ".join(so_far)
                self._emit(ev.InputTranscriptionDelta(item_id=item.id, content_index=0, delta=delta))
        self._emit(ev.InputTranscriptionCompleted(item_id=item.id, content_index=0, transcript=text))

    def _fail(self, item: ServerItem, reason: str) -> None:
        item.failure = reason
        logger.warning("%s: not transcribed: %s", self._name, reason)
        error = ev.ErrorInfo(type="server_error", code="transcription_failed", message=reason)
        self._emit(ev.InputTranscriptionFailed(item_id=item.id, content_index=0, error=error))
