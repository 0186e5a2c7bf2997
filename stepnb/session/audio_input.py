"""Audio on its way to the service: the microphone, held or open, and clips streamed as a microphone would.

Everything here runs on the I/O thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future

import pybase64

from ..conversation.state import TurnState
from ..errors import StepnbError
from ..protocol import events as ev
from .core import SessionCore
from .guard import FRAME_MS, SpeechGuard
from .owner import AudioOwner

FRAME_BYTES = FRAME_MS * 48
# The service finds "no speech" in anything shorter, ms.
SHORTEST_PUSH_TO_TALK_MS = 1000
# How long silence flows after a clip before the service must have heard speech begin, and end, s.
_START_GRACE = 2.0
_STOP_GRACE = 10.0
# Frames kept while the connection is being made: 10 s.
_PRE_ROLL = 500

_SILENCE = bytes(FRAME_BYTES)
_SILENCE_PAYLOAD = pybase64.b64encode_as_string(_SILENCE)


class AudioInput:
    """Decides what becomes of audio that wants to go up.

    With server VAD everything flows and the service finds the turns; silence follows when a source ends, because the
    service needs it to notice. With push-to-talk the span from press to release is one turn. VAD may be switched in the
    middle: an utterance that the service does not end any more is committed, and one that was held is its to find.
    """

    def __init__(self, core: SessionCore) -> None:
        self.guard = SpeechGuard()
        self.owner = AudioOwner()
        self._core = core
        self._held: int | None = None  # the push-to-talk turn
        self._talking = False
        self._begun = False  # talking, and connected
        self._pre_roll: deque[tuple[str, bytes]] = deque(maxlen=_PRE_ROLL)
        self._streaming = asyncio.Lock()
        self._tail: asyncio.Task[None] | None = None

    # The microphone -----------------------------------------------------------------------------------------------

    def microphone(self, payload: str, pcm: bytes, rms: float) -> None:
        """Take in 20 ms of the microphone: base64 text, the PCM16 it stands for, and its RMS in int16 units."""
        if not self._talking or self._streaming.locked():
            return
        if self._core.budget.exhausted is not None:
            self.talk(False)
            return
        self._follow_vad()
        vad = self._core.settings.config.vad
        held_back = vad is None and self._held is None
        if vad is None:
            self._pre_roll += [*self.guard.let_go(), (payload, pcm)]
        else:
            threshold, playing = vad.energy_awakeness_threshold, self._core.playing
            silence = (_SILENCE_PAYLOAD, _SILENCE)
            self._pre_roll += self.guard.push((payload, pcm), rms, threshold, silence, playing=playing)
        if not held_back and self._core.lifeline.ready:
            self._send_pre_roll()

    def talk(self, on: bool) -> None:
        """The person starts or ends talking into the microphone."""
        if on == self._talking:
            return
        exhausted = self._core.budget.exhausted
        if on and exhausted is not None:
            self._core.notice("warning", exhausted.message, exhausted.fix or "")
            return
        self._talking = on
        self._core.activity(mic_live=on)
        if on:
            self._core.spawn(self._begin())
        elif self._begun and self._core.lifeline.ready:
            self._end()
        elif self._begun:
            self._begun = False
            self._core.spawn(self._begin())  # what waits for a connection is sent, and ended, on the next one

    async def _begin(self) -> None:
        if self._tail is not None:
            self._tail.cancel()
        try:
            await self._core.connected()
        except StepnbError:
            self._pre_roll.clear()
            return  # the status says why
        if self._begun or not (self._talking or self._pre_roll):
            return
        if self._core.settings.config.vad is None:
            self._core.bargein.interrupt()
        self._begun = True
        self._follow_vad()
        self._send_pre_roll()
        if not self._talking:
            self._end()  # it was over before there was a connection

    def _end(self) -> None:
        self._follow_vad()
        self._begun = False
        if self._held is not None:
            number, self._held = self._held, None
            self._finish_push_to_talk(number)
        elif self._core.settings.config.vad is not None:
            self._pre_roll += self.guard.let_go()
            self._send_pre_roll()
            self._tail = self._core.spawn(self._silence_until_stopped())

    def _follow_vad(self) -> None:
        """Hold a turn, or leave it to the service, as turn detection is set now."""
        conversation = self._core.conversation
        if self._held is not None and conversation.turns[self._held].ended:
            self._held = None  # with its connection; what is said now is another one
        if self._core.settings.config.vad is not None:
            if self._held is not None:
                self._leave_to_service(self._held)
                self._held = None
        elif self._begun and self._held is None:
            if conversation.speaking and conversation.spoken is not None:
                self._held = conversation.spoken
                return
            self._held = self._core.asking.open_turn("speech", Future())
            self._core.send(ev.InputAudioBufferClear())

    def _leave_to_service(self, number: int) -> None:
        """The next speech that the service hears is that turn's."""
        self._core.local("streams", {"turn": number})

    def _send_pre_roll(self) -> None:
        while self._pre_roll:
            self._core.append_audio(*self._pre_roll.popleft())

    def _finish_push_to_talk(self, number: int) -> None:
        missing = SHORTEST_PUSH_TO_TALK_MS - self._core.conversation.input.open_ms
        if missing >= SHORTEST_PUSH_TO_TALK_MS:
            self._core.asking.fail_turn(number, "Nothing was recorded.", "Hold Talk while you speak.")
            return
        if missing > 0:
            padding = bytes(round(missing) * 48)
            self._core.append_audio(pybase64.b64encode_as_string(padding), padding)
        self._core.asking.commit(number)

    async def _silence_until_stopped(self) -> None:
        """Let silence flow until the service has noticed that the person stopped."""
        vad = self._core.settings.config.vad
        least = (vad.silence_duration_ms if vad else 0) / 1000 + 0.3
        async for elapsed in _paced(least + _STOP_GRACE):
            if self._core.settings.config.vad is None:
                self._commit_rest()
                return
            if elapsed > least and not self._core.conversation.speaking:
                return
            self._core.append_audio(_SILENCE_PAYLOAD, _SILENCE)

    # Clips --------------------------------------------------------------------------------------------------------

    async def stream(self, number: int, pcm: bytes) -> None:
        """Stream a clip in real time; one after the other, the microphone waits meanwhile.

        Parameters
        ----------
        number
            The turn it belongs to.
        pcm
            PCM16LE, mono, 24 kHz.
        """
        if not await self._core.asking.ready_for(number):
            return
        async with self._streaming:
            if self._core.settings.config.vad is None:
                self._core.bargein.interrupt()
                self._core.send(ev.InputAudioBufferClear())
            left_to_service = False
            async for frame in _frames(pcm):
                if not left_to_service and self._core.settings.config.vad is not None:
                    left_to_service = True
                    self._leave_to_service(number)
                self._core.append_audio(pybase64.b64encode_as_string(frame), frame)
            await self._silence_until_heard(number)

    async def _silence_until_heard(self, number: int) -> None:
        vad = self._core.settings.config.vad
        grace = _START_GRACE + (vad.silence_duration_ms if vad else 0) / 1000
        conversation = self._core.conversation
        turn = conversation.turns[number]
        async for elapsed in _paced(grace + _STOP_GRACE):
            if self._core.settings.config.vad is None:
                self._commit_rest(turn)
                return
            # A pause in the clip makes two turns of it: what came after the pause has to end, too.
            if (turn.ended or "speech_stopped" in turn.stamps) and not conversation.speaking:
                return
            if elapsed > grace and "speech_started" not in turn.stamps:
                fix = "Lower energy_awakeness_threshold, use a louder clip, or ask(clip) to send it as one message."
                self._core.asking.fail_turn(number, "The service heard no speech in the clip.", fix)
                return
            self._core.append_audio(_SILENCE_PAYLOAD, _SILENCE)
        self._core.asking.fail_turn(
            number, "The service did not notice the end of the speech.", "Raise the threshold."
        )

    def _commit_rest(self, turn: TurnState | None = None) -> None:
        """Nobody detects the end of a turn any more: commit what is not ended; turn: the one that was streamed."""
        conversation = self._core.conversation
        if conversation.speaking and conversation.spoken is not None:
            self._finish_push_to_talk(conversation.spoken)
        elif turn is not None and not turn.ended and "speech_stopped" not in turn.stamps:
            self._finish_push_to_talk(turn.id)


async def _frames(pcm: bytes) -> AsyncIterator[bytes]:
    """Yield frames of 20 ms, the last one shorter, at the pace of speech."""
    async for elapsed in _paced(len(pcm) / 48_000):
        start = round(elapsed * 1000 / FRAME_MS) * FRAME_BYTES
        if start < len(pcm):
            yield pcm[start : start + FRAME_BYTES]


async def _paced(seconds: float) -> AsyncIterator[float]:
    """Yield the elapsed time every 20 ms for so long; a late wake-up is caught up with, so the rate holds."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for n in range(round(seconds * 1000 / FRAME_MS) + 1):
        due = n * FRAME_MS / 1000
        await asyncio.sleep(max(0.0, start + due - loop.time()))
        yield due
