"""Frames for logs."""

from __future__ import annotations

from stepnb.audio.pcm import encode
from stepnb.conversation.record import Record
from stepnb.protocol.codec import cut_out
from stepnb.recording.log import EventLog


def append(log: EventLog, pcm: bytes, t: int = 0) -> Record:
    """Log audio that is sent."""
    payload = encode(pcm)
    frame = f'{{"type":"input_audio_buffer.append","event_id":"a1","audio":"{payload}"}}'
    audio = cut_out(frame, payload, pcm)
    return log.append_frame("out", "input_audio_buffer.append", frame, log.anchor + t, audio)


def delta(log: EventLog, pcm: bytes, t: int = 0) -> Record:
    """Log audio that comes."""
    payload = encode(pcm)
    frame = f'{{"type":"response.audio.delta","response_id":"r1","item_id":"i1","delta":"{payload}"}}'
    return log.append_frame("in", "response.audio.delta", frame, log.anchor + t, cut_out(frame, payload, pcm))


def words(log: EventLog, text: str, t: int = 0) -> Record:
    """Log a piece of transcript that comes."""
    frame = f'{{"type":"response.audio_transcript.delta","response_id":"r1","item_id":"i1","delta":"{text}"}}'
    return log.append_frame("in", "response.audio_transcript.delta", frame, log.anchor + t)
