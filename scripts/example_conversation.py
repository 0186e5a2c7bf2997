"""Conversations for pictures, tests and benchmarks: logs written event by event, with every time chosen.

Nothing here is measured or made up by a model: it is a script with actors, so that a picture of it can be checked.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pybase64

from stepnb.audio import signals
from stepnb.audio.clip import Clip
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.recording.about import Settings
from stepnb.recording.log import EventLog
from stepnb.recording.recording import Recording

VAD = {"prefix_padding_ms": 500, "silence_duration_ms": 500, "energy_awakeness_threshold": 1200}


@dataclass(order=True)
class _Entry:
    at: float
    order: int
    write: Callable[[int], None] = field(compare=False)


class Stage:
    """Writes a log. Times are in seconds from its beginning, in any order; `recording` puts them in order."""

    def __init__(
        self, name: str = "example.stepnb", *, keep_audio: Any = "all", vad: dict[str, int] | None = VAD
    ) -> None:
        self.log = EventLog(
            keep_audio=keep_audio, model="stepaudio-2.5-realtime", cluster="local", where="local engine",
            settings=Settings(voice="linjiajiejie", vad=vad),
        )  # fmt: skip
        self._name = name
        self._entries: list[_Entry] = []
        self._responses = 0
        self._connection = ""  # what a connection after the first adds to ids, in local records

    # What happens

    def local(self, at: float, kind: str, **data: Any) -> None:
        self._put(at, lambda t: self.log.append_local(kind, data, t))

    def came(self, at: float, event: ev.Event) -> None:
        self._frame(at, "in", event)

    def sent(self, at: float, event: ev.Event) -> None:
        self._frame(at, "out", event)

    def microphone(self, sound: Clip, at: float = 0.0, chunk_ms: int = 40) -> None:
        """The microphone is open from a time on; each chunk is sent as it ends."""
        step = chunk_ms * 48
        for start in range(0, len(sound.pcm), step):
            part = sound.pcm[start : start + step]
            when = at + (start + len(part)) / 48_000
            self.sent(when, ev.InputAudioBufferAppend(audio=pybase64.b64encode_as_string(part)))

    def heard(
        self, item: str, start: float, end: float, text: str, *, wait: float = 0.5, stream: float = 0.0
    ) -> float:
        """The service hears speech, padded before and waited for after; returns when it noticed the end."""
        noticed = end + wait + 0.04
        first, last = round((start - 0.5 - stream) * 1000), round((end + wait - stream) * 1000)
        self.came(start + 0.1, ev.SpeechStarted(item_id=item, audio_start_ms=max(first, 0)))
        self.came(noticed, ev.SpeechStopped(item_id=item, audio_end_ms=last))
        self.came(noticed + 0.01, ev.InputAudioBufferCommitted(item_id=item))
        self.came(
            noticed + 0.02, ev.ConversationItemCreated(item=ev.Item(id=item, type="message", role="user"))
        )
        self.came(noticed + 0.3, ev.InputTranscriptionCompleted(item_id=item, transcript=text))
        return noticed

    def typed(self, at: float, turn: int, text: str) -> None:
        self.local(at, "turn", turn=turn, how="text", text=text)
        item = ev.Item(type="message", role="user", content=[ev.Part(type="input_text", text=text)])
        self.sent(at + 0.005, ev.ConversationItemCreate(item=item, event_id=f"t{turn}.item"))
        self.sent(at + 0.006, ev.ResponseCreate(event_id=f"t{turn}.create"))
        self.came(
            at + 0.03, ev.ConversationItemCreated(item=ev.Item(id=f"u{turn}", type="message", role="user"))
        )

    def answer(
        self,
        at: float,
        text: str,
        speech: Clip | None,
        *,
        delay: float = 0.35,
        speed: float = 4.0,
        played: float | None = None,
        play: bool = True,
        thinking: str = "",
        call: tuple[str, float] | None = None,
        status: str = "completed",
    ) -> float:
        """An answer begins at a time; returns when its last sample was (or would have been) heard.

        Parameters
        ----------
        delay
            From its creation to its first audio, s.
        speed
            How much faster than speech the audio comes.
        played
            Cut off by the person after so many seconds of it.
        call
            Instead of an answer a function is called: its name, and how long it runs, s.
        """
        self._responses += 1
        response, item = f"r{self._responses}", f"a{self._responses}"
        self.came(
            at, ev.ResponseCreated(response=ev.ResponseInfo(id=response, status="in_progress", output=[]))
        )
        ids: dict[str, Any] = {
            "response_id": response,
            "item_id": item,
            "output_index": 0,
            "content_index": 0,
        }
        if thinking:
            words = thinking.split(" ")
            for n, word in enumerate(words):
                when = at + 0.1 + (delay - 0.15) * n / max(len(words) - 1, 1)
                self.came(when, ev.ThinkingDelta(delta=word + " ", **ids))
        if call is not None:
            return self._call(at + delay, response, item, *call)
        first = at + delay
        end_of_audio = first
        if speech is not None:
            step = 4800
            for start in range(0, len(speech.pcm), step):
                part = speech.pcm[start : start + step]
                end_of_audio = first + start / 48_000 / speed
                self.came(end_of_audio, ev.AudioDelta(delta=pybase64.b64encode_as_string(part), **ids))
        words = text.split(" ") if " " in text else list(text)
        for n, word in enumerate(words):
            piece = word + (" " if " " in text and n < len(words) - 1 else "")
            when = first + 0.001 + (end_of_audio - first) * n / max(len(words), 1)
            self.came(when, ev.AudioTranscriptDelta(delta=piece, **ids))
        done = end_of_audio + 0.02
        self.came(done, ev.ResponseDone(response=ev.ResponseInfo(id=response, status=status, output=[])))
        if speech is None or not play:
            return done
        item += self._connection
        heard = first + 0.09
        ends = heard + speech.duration
        self.local(heard, "first", item=item)
        stops = ends if played is None else heard + played
        playhead = 0.25
        while heard + playhead < stops:
            self.local(heard + playhead, "playhead", items={item: playhead * 1000})
            playhead += 0.25
        if played is None:
            self.local(ends, "playhead", items={item: speech.duration * 1000})
        else:
            rest = (speech.duration - played) * 1000
            self.local(stops, "flushed", item=item, heard_ms=played * 1000, unplayed_ms=rest)
        return ends

    def _call(self, at: float, response: str, item: str, name: str, seconds: float) -> float:
        info = ev.Item(
            id=item,
            type="function_call",
            name=name,
            call_id=f"c{item}",
            arguments='{"city": "Paris"}',
            status="completed",
        )
        self.came(at, ev.OutputItemDone(response_id=response, output_index=0, item=info))
        self.came(
            at + 0.01,
            ev.ResponseDone(response=ev.ResponseInfo(id=response, status="completed", output=[info])),
        )
        self.local(at + 0.02, "tool_call", response=response, call=f"c{item}", status="running")
        self.local(
            at + 0.02 + seconds,
            "tool_result",
            response=response,
            call=f"c{item}",
            status="completed",
            output="21 degrees",
        )
        return at + 0.02 + seconds

    def error(self, at: float, message: str) -> None:
        self.came(at, ev.ErrorEvent(error=ev.ErrorInfo(message=message)))

    def lost(self, at: float, back: float) -> None:
        """The connection is lost, and comes back."""
        self.local(at, "disconnected", reason="The connection was lost.", keep=[])
        self.local(back, "connected", host="local engine", trace_id=None)
        self._connection = f"~{int(self._connection[1:] or 0) + 1}"

    # The result

    def recording(self) -> Recording:
        """Write everything in the order of time."""
        heapq.heapify(self._entries)
        while self._entries:
            entry = heapq.heappop(self._entries)
            entry.write(self.log.anchor + round(entry.at * 1e9))
        self.log.flush()
        return Recording(self.log, self._name, [])

    def _put(self, at: float, write: Callable[[int], Any]) -> None:
        self._entries.append(_Entry(at, len(self._entries), write))

    def _frame(self, at: float, side: Any, event: ev.Event) -> None:
        frame = codec.encode(event)

        def write(t: int) -> None:
            self.log.append_frame(side, event.type, frame, t, codec.decode(frame).audio)

        self._put(at, write)


def said(seconds: float, seed: int, gain: float = 1.6) -> Clip:
    """A voice that talks all the time, louder than its usual level."""
    clip = signals.talker(seconds, seed=seed)
    return Clip((clip.samples * gain / 32768).clip(-1, 1), clip.rate)


def room(seconds: float, *speech: tuple[float, Clip]) -> Clip:
    """What a microphone hears: a quiet room, and speech from some times on."""
    noise = Clip.pink_noise(seconds, seed=9).samples * 0.03
    for start, clip in speech:
        begin = round(start * clip.rate)
        noise[begin : begin + clip.samples.size] += clip.samples
    return Clip((noise / 32768).clip(-1, 1), 24_000)


def weather() -> Recording:
    """Half a minute: a question with a tool, an interruption, a typed line in Mandarin, a lost connection, an error."""
    stage = Stage("weather.stepnb")
    first, second, third = said(2.4, 11), said(1.5, 12), said(1.8, 13)
    stage.microphone(room(32.0, (1.0, first), (11.05, second), (25.6, third)))
    noticed = stage.heard("u1", 1.0, 3.4, "What is the weather in Paris, and should I take an umbrella?")
    called = stage.answer(noticed + 0.02, "", None, delay=0.4, call=("get_weather", 0.8))
    stage.sent(called + 0.01, ev.ResponseCreate(event_id="t1.create"))
    text = "It is 21 degrees and dry in Paris until the evening, so you can leave the umbrella at home. Good day."
    stage.answer(called + 0.05, text, said(8.0, 21, 1.2), played=5.7, delay=0.4)
    noticed = stage.heard("u2", 11.05, 12.55, "Wait, and in Lyon?")
    stage.answer(
        noticed + 0.02,
        "Lyon will see rain.",
        said(1.9, 22, 1.2),
        delay=1.2,
        thinking="Lyon is south of Paris so I look",
    )
    stage.typed(18.6, 3, "用中文说一遍，好吗？")
    stage.answer(18.75, "里昂会下雨。", said(1.6, 23, 1.2))
    stage.lost(22.0, 24.1)
    stage.error(24.6, "The voice is busy, try again.")
    noticed = stage.heard("u4", 25.6, 27.4, "Thank you, that is all.", stream=22.0)
    stage.answer(noticed + 0.02, "You are welcome.", said(1.3, 24, 1.2))
    return stage.recording()
