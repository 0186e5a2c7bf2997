"""Every fault by its name."""

from __future__ import annotations

from stepnb.local.faults import frames, service
from stepnb.local.faults.spec import Fault

KINDS: dict[str, type[Fault]] = {
    kind.name(): kind
    for kind in (
        service.HandshakeStatus,
        service.TooManyConnections,
        service.FastClock,
        service.SlowFirstAudio,
        service.InternalError,
        frames.Close,
        frames.Stall,
        frames.Jitter,
        frames.TranscriptOnly,
        frames.MissingTranscript,
        frames.LateTranscript,
        frames.FailedTranscript,
        frames.DuplicateTerminal,
        frames.UnknownType,
        frames.OddTypes,
        frames.OversizedFrame,
        frames.TruncatedBase64,
        service.RequestStatus,
        service.SlowRequest,
    )
}
