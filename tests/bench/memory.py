"""30 simulated minutes of duplex audio: how much memory log and conversation take, and what a record costs.

Run it: python tests/bench/memory.py [minutes]
"""

from __future__ import annotations

import gc
import sys
import time
import uuid

import numpy as np
import psutil

from stepnb.audio.pcm import encode
from stepnb.conversation.reducer import Conversation
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.recording.log import EventLog

TURN_S = 20
FRAME = np.random.default_rng(7).integers(-9000, 9000, 480, np.int16).tobytes()
DELTA = np.random.default_rng(8).integers(-9000, 9000, 3000, np.int16).tobytes()
FRAME_TEXT, DELTA_TEXT = encode(FRAME), encode(DELTA)
BOUND_MB = 40


class Line:
    """One connection: frames go through codec, log and conversation as in a session."""

    def __init__(self) -> None:
        self.log = EventLog()
        self.conversation = Conversation()
        self.now = self.log.anchor
        self.sent = self.came = 0

    def up(self) -> None:
        self.sent += 1
        frame = f'{{"type":"input_audio_buffer.append","event_id":"a{self.sent}","audio":"{FRAME_TEXT}"}}'
        audio = codec.cut_out(frame, FRAME_TEXT, FRAME)
        record = self.log.append_frame("out", "input_audio_buffer.append", frame, self.now, audio)
        self.conversation.apply(record, ev.InputAudioBufferAppend(audio=""))

    def down(self, event: ev.Event) -> None:
        self.came += 1
        event.event_id = str(uuid.uuid4())
        frame = codec.encode(event)
        decoded = codec.decode(frame)
        kind = decoded.event.type
        record = self.log.append_frame("in", kind, frame, self.now, decoded.audio, decoded.repairs)
        self.conversation.apply(record, decoded.event)

    def play(self, item: str, ms: float) -> None:
        record = self.log.append_local("playhead", {"items": {item: ms}}, self.now)
        self.conversation.apply(record, None)


def talk(line: Line, seconds: int) -> None:
    """50 appends a second up and 8 deltas a second down, all the time; each answer ends as the next speech does."""
    user, item, response = (str(uuid.uuid4()) for _ in range(3))
    for second in range(seconds):
        place, ms = second % TURN_S, second * 1000
        for _ in range(50):
            line.up()
            line.now += 20_000_000
        if place == TURN_S // 2:
            user = str(uuid.uuid4())
            line.down(ev.SpeechStarted(item_id=user, audio_start_ms=ms))
        elif place == 0 and second:
            line.down(ev.AudioDone(response_id=response, item_id=item))
            line.down(ev.ResponseDone(response=ev.ResponseInfo(id=response, status="completed")))
            line.down(ev.SpeechStopped(item_id=user, audio_end_ms=ms))
            line.down(ev.InputAudioBufferCommitted(item_id=user))
            words = "What a person says in ten seconds. " * 3
            line.down(ev.InputTranscriptionCompleted(item_id=user, transcript=words))
            item, response = str(uuid.uuid4()), str(uuid.uuid4())
            line.down(
                ev.ResponseCreated(response=ev.ResponseInfo(id=response, status="in_progress", output=[]))
            )
            message = ev.Item(id=item, type="message", role="assistant")
            line.down(ev.OutputItemAdded(response_id=response, item=message))
        for n in range(8):
            line.down(ev.AudioDelta(response_id=response, item_id=item, delta=DELTA_TEXT))
            line.down(ev.AudioTranscriptDelta(response_id=response, item_id=item, delta=f"word {n} "))
            if n % 2:
                line.play(item, place * 1000 + n * 125)
        line.log.flush()


def main(minutes: float = 30) -> float:
    """Print the figures and return the growth in MB."""
    process = psutil.Process()
    talk(Line(), 60)  # everything that is made once
    gc.collect()
    before = process.memory_info().rss
    started = time.perf_counter()
    line = Line()
    talk(line, round(minutes * 60))
    seconds = time.perf_counter() - started
    gc.collect()
    growth = (process.memory_info().rss - before) / 1e6
    records = len(line.log)
    completed = sum(turn.status == "completed" for turn in line.conversation.turns.values())
    audio = line.log.audio.size / 1e6
    print(
        f"{minutes:g} min of duplex audio: {records} records, {completed} turns, {audio:.0f} MB of audio on disk"
    )
    print(f"memory grew by {growth:.1f} MB (bound {BOUND_MB}), {growth * 1e6 / records:.0f} bytes a record")
    print(f"{seconds * 1e6 / records:.1f} us a record: codec, log, conversation and spool")
    return growth


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30) >= BOUND_MB)
