"""Faults at the handshake, in the making of an answer, and of the REST side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from msgspec import Meta

from stepnb.local.faults.spec import Count, Fault, Occasion, Seconds

Status = Annotated[int, Meta(ge=400, le=599)]

# At the handshake -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, repr=False)
class HandshakeStatus(Fault):
    """The upgrade is answered with an HTTP status, and there is no session.

    Attributes
    ----------
    status
        400 to 599.
    message
        What the body says.
    """

    occasion: ClassVar[Occasion] = "connection"

    status: Status = 503
    message: str = "the service is overloaded"


@dataclass(frozen=True, kw_only=True, repr=False)
class TooManyConnections(HandshakeStatus):
    """Connections beyond a number are refused with 429, as the service's limiter does with probes."""

    after: Count = 12
    status: Status = 429
    message: str = "too many connections"


@dataclass(frozen=True, kw_only=True, repr=False)
class FastClock(Fault):
    """The session ages faster than the clock: its limit of 30 minutes comes early, as ``session_expired``.

    Attributes
    ----------
    factor
        Seconds of the session per second: with 60 it lasts half a minute.
    """

    occasion: ClassVar[Occasion] = "connection"

    factor: Annotated[float, Meta(gt=0)] = 60.0


# In the making of an answer -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, repr=False)
class SlowFirstAudio(Fault):
    """An answer begins, but its first audio is a long time coming; it can be cancelled meanwhile.

    Attributes
    ----------
    seconds
        How long.
    """

    occasion: ClassVar[Occasion] = "response"

    seconds: Seconds = 4.0


@dataclass(frozen=True, kw_only=True, repr=False)
class InternalError(Fault):
    """The engine fails: ``error`` of type ``server_error``, then ``response.done`` with status ``failed``.

    Attributes
    ----------
    sentences
        How many sentences are said before it fails; at the latest it fails at the end.
    message
        What the error says.
    """

    occasion: ClassVar[Occasion] = "response"

    sentences: Count = 0
    message: str = "engine internal error"


# On the REST side -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, repr=False)
class RequestFault(Fault):
    """A fault of the REST side.

    Attributes
    ----------
    path
        How the path of the request begins.
    """

    occasion: ClassVar[Occasion] = "request"

    path: str = "/"


@dataclass(frozen=True, kw_only=True, repr=False)
class RequestStatus(RequestFault):
    """A REST request is answered with an HTTP status, and nothing is done.

    Attributes
    ----------
    status
        400 to 599.
    message
        What the body says.
    """

    status: Status = 503
    message: str = "the service is overloaded"


@dataclass(frozen=True, kw_only=True, repr=False)
class SlowRequest(RequestFault):
    """The answer to a REST request is a long time coming.

    Attributes
    ----------
    seconds
        How long, before anything is done.
    """

    seconds: Seconds = 5.0
