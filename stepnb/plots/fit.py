"""What the service's VAD did in a recording, and the scale at which the energy VAD does the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stepnb.audio import vad
from stepnb.audio.clip import Clip
from stepnb.audio.pcm import RATE
from stepnb.conversation.record import AudioRef
from stepnb.plots.scene import Source, microphone_chunks
from stepnb.protocol import events as ev
from stepnb.protocol.config import ServerVAD

__all__ = ["RATE", "Heard", "microphone_of", "scale_of"]

_KINDS = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "session.update",
    "disconnected",
)
_BYTES_PER_MS = 48
_EPOCH_MS = 1e11  # the service's times are relative; what is above is a date, and says nothing
# A twentieth to twenty times the assumed scale, in steps of 12 %.
_SCALES = np.geomspace(0.05, 20, 53)


@dataclass(frozen=True, slots=True)
class Heard:
    """Speech as the service found it under a `vad`, s in the microphone's sound; `start` with its padding."""

    start: float
    end: float
    vad: ServerVAD


def microphone_of(source: Source) -> tuple[Clip, list[Heard]]:
    """Return what the microphone sent, as one clip, and where the service heard speech in it."""
    log = source.events
    chunks = microphone_chunks(log)
    times = np.array([at for at, _, _ in chunks])
    sent = np.cumsum([0, *(size for _, _, size in chunks)])  # bytes of the stream before each chunk
    setting = log.about.config.server_vad or ServerVAD()
    heard: list[Heard] = []
    begin, started = 0, -1
    records = [record for kind in _KINDS for record in log.filter(type=kind)]
    for record in sorted(records, key=lambda record: record.n):
        place = int(sent[np.searchsorted(times, (record.t - log.anchor) / 1e9, side="right")])
        match record.event:
            case None:  # the connection was lost, and the service counts anew
                begin, started = place, -1
            case ev.SessionUpdate(session=ev.SessionInfo(turn_detection=ev.TurnDetection() as detection)):
                setting = _changed(setting, detection)
            case ev.SpeechStarted(audio_start_ms=int(ms)) if 0 <= ms < _EPOCH_MS:
                started = begin + ms * _BYTES_PER_MS
            case ev.SpeechStopped(audio_end_ms=int(ms)) if started >= 0 and 0 <= ms < _EPOCH_MS:
                end = min(begin + ms * _BYTES_PER_MS, place)
                if started < end:
                    heard.append(Heard(started / 2 / RATE, end / 2 / RATE, setting))
                started = -1
    pcm = log.audio.read([AudioRef(offset, size, "input") for _, offset, size in chunks])
    return Clip.from_pcm(pcm), heard


def scale_of(energy: NDArray[np.int64], heard: list[Heard]) -> tuple[float, float | None]:
    """Find the scale of the threshold at which the energy VAD agrees best with the service.

    Returns
    -------
    scale : float
        1 where there is nothing to fit to.
    agreement : float or None
        Time in which both say speech, as a share of the time in which either does.
    """
    if not heard:
        return 1.0, None
    truth = np.zeros(energy.size, bool)
    for piece in heard:
        truth[_frames(piece.start, piece.end)] = True
    scores = []
    for scale in _SCALES:
        said = np.zeros(energy.size, bool)
        for setting in dict.fromkeys(piece.vad for piece in heard):
            mine = [piece for piece in heard if piece.vad == setting]
            first, last = min(piece.start for piece in mine), max(piece.end for piece in mine)
            said |= _says(energy, setting, float(scale)) & _within(energy.size, first, last)
        either = np.count_nonzero(truth | said)
        scores.append(np.count_nonzero(truth & said) / either if either else 0.0)
    best = np.flatnonzero(np.isclose(scores, max(scores), atol=0.002))
    # Of scales that agree equally well, the middle one: it is the farthest from being wrong.
    return float(_SCALES[best[best.size // 2]]), float(max(scores))


def _says(energy: NDArray[np.int64], setting: ServerVAD, scale: float) -> NDArray[np.bool_]:
    events = vad.decide(
        energy,
        prefix_padding_ms=setting.prefix_padding_ms,
        silence_duration_ms=setting.silence_duration_ms,
        threshold=setting.energy_awakeness_threshold * scale,
    )
    said = np.zeros(energy.size, bool)
    started = 0
    for event in events:
        if isinstance(event, vad.SpeechStarted):
            started = event.start
        else:
            said[started // vad.FRAME : event.end // vad.FRAME] = True
            started = energy.size * vad.FRAME
    if events and isinstance(events[-1], vad.SpeechStarted):
        said[started // vad.FRAME :] = True
    return said


def _within(size: int, first: float, last: float) -> NDArray[np.bool_]:
    """A second around the time in which a setting was in force."""
    inside = np.zeros(size, bool)
    inside[_frames(first - 1, last + 1)] = True
    return inside


def _frames(start: float, end: float) -> slice:
    return slice(max(0, round(start * RATE / vad.FRAME)), max(0, round(end * RATE / vad.FRAME)))


def _changed(setting: ServerVAD, detection: ev.TurnDetection) -> ServerVAD:
    """Return what a session.update makes of a setting; what it leaves out stays."""
    values = {name: getattr(detection, name) for name in asdict(setting)}
    return replace(setting, **{name: value for name, value in values.items() if value is not None})
