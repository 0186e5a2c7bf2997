"""Faults on demand: what can go wrong with the service, rehearsed on the local engine.

A fault is a plain value that says what goes wrong and when. `LocalEngine` takes faults at its start, ``stepnb serve``
as ``--fault NAME:KEY=VALUE,...``, and ``engine.faults`` adds and removes them while sessions run.

>>> engine.faults.add(sn.faults.Close(code=1011, times=1))  # in the middle of the next answer, once
>>> engine.faults.add("slow_first_audio:seconds=4")  # in every answer from the next on
"""

from stepnb.local.faults.frames import (
    Close,
    DuplicateTerminal,
    FailedTranscript,
    Jitter,
    LateTranscript,
    MissingTranscript,
    OddTypes,
    OversizedFrame,
    Stall,
    TranscriptOnly,
    TruncatedBase64,
    UnknownType,
)
from stepnb.local.faults.kinds import KINDS
from stepnb.local.faults.planted import Faults, named
from stepnb.local.faults.service import (
    FastClock,
    HandshakeStatus,
    InternalError,
    RequestStatus,
    SlowFirstAudio,
    SlowRequest,
    TooManyConnections,
)
from stepnb.local.faults.spec import Fault

__all__ = [
    "KINDS",
    "Close",
    "DuplicateTerminal",
    "FailedTranscript",
    "FastClock",
    "Fault",
    "Faults",
    "HandshakeStatus",
    "InternalError",
    "Jitter",
    "LateTranscript",
    "MissingTranscript",
    "OddTypes",
    "OversizedFrame",
    "RequestStatus",
    "SlowFirstAudio",
    "SlowRequest",
    "Stall",
    "TooManyConnections",
    "TranscriptOnly",
    "TruncatedBase64",
    "UnknownType",
    "named",
]
