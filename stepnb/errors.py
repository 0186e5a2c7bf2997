"""Every error stepnb raises.

::

    StepnbError
    ├── ConfigError                 a wrong argument or setting; also a ValueError
    │   ├── NeedsConsent            a voice would be cloned without a statement of consent
    │   ├── NeedsConfirmation       something would cost money; has ``price`` and ``currency``
    │   └── MissingLibrary          a library that only this needs is not installed
    ├── AudioError                  audio that cannot be read or used; also a ValueError
    │   └── AudioFileNotFound       also a FileNotFoundError
    ├── ConnectError                no session or no answer to a request came about
    │   ├── Unreachable             no answer: name, network, refused, timeout
    │   └── HandshakeError          the service answered with an HTTP error; has ``status``
    │       ├── BadRequest          400, 413: the model, a parameter or a file was refused
    │       ├── AuthenticationError 401: the key is missing, wrong, or belongs to the other cluster
    │       ├── BalanceExhausted    402
    │       ├── WrongPath           404: nothing at this address or with this id
    │       ├── RateLimited         429: too many requests or connections
    │       ├── ContentBlocked      451: stopped by content review
    │       └── ServiceUnavailable  5xx: a fault or overload of the service
    ├── ConnectionLost              the connection ended and nobody asked for it
    ├── BudgetExhausted             the session has cost what its budget allows
    ├── SessionClosed               the session was closed before the call
    ├── ServiceError                the service sent an ``error`` event
    ├── TurnError                   a turn ended without an answer
    │   ├── TurnTimeout             ``wait(timeout)`` ran out; also a TimeoutError
    │   └── ApprovalBlocked         a call awaits approval that cannot be given while the cell waits
    ├── LibraryError                the library of cloned voices on this machine cannot be read or written
    ├── RecordingError              a recording cannot be written, read or continued
    │   └── ReplayMismatch          a replayed session did something else than the recorded one
    ├── ExperimentError             an experiment cannot be planned, kept or gone on with
    └── EngineError                 the local engine or one of its parts failed
        └── PortInUse               its port is taken

``str(error)`` says what happened and what to do about it, with the service's trace id where there is one. Each class
has a section in docs/troubleshooting.md, whose name is its ``anchor``.
"""

from __future__ import annotations

from typing import Any, ClassVar


class StepnbError(Exception):
    """The root of the tree.

    Parameters
    ----------
    message
        What happened, as a sentence.
    fix
        What to do about it, as a sentence.
    trace_id
        The service's id for the failed exchange, to be named in support requests.

    Attributes
    ----------
    anchor
        The section of the troubleshooting page about this kind of error: `sn.troubleshoot(error)` shows it. A traceback
        names it in a note.
    """

    anchor: ClassVar[str] = "something-else"

    def __init__(self, message: str, *, fix: str | None = None, trace_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.trace_id = trace_id
        self.add_note(f"More: sn.troubleshoot({self.anchor!r})")

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call the class with the message alone, and fail where a keyword is required.
        return _restore, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        parts = [self.message]
        if self.fix:
            parts.append(self.fix)
        if self.trace_id:
            parts.append(f"(trace id {self.trace_id})")
        return " ".join(parts)


def _restore(cls: type[StepnbError], args: tuple[Any, ...], state: dict[str, Any]) -> StepnbError:
    # With two built-in exceptions among the bases, only the one that lays out the object may make it.
    solid: type = cls
    while solid.__module__ != "builtins":
        solid = solid.__base__ or BaseException
    error: StepnbError = solid.__new__(cls)  # type: ignore[call-overload]
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(StepnbError, ValueError):
    """A wrong argument or setting."""

    anchor = "wrong-argument"


class NeedsConsent(ConfigError):
    """A voice would be cloned without a statement of consent."""

    anchor = "consent"


class NeedsConfirmation(ConfigError):
    """Something would cost money that nobody has agreed to.

    Attributes
    ----------
    price, currency
        What it costs, and "CNY" or "USD"; None where it is not known.
    """

    anchor = "confirm-cost"

    def __init__(
        self,
        message: str,
        *,
        price: float | None = None,
        currency: str | None = None,
        fix: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(message, fix=fix, trace_id=trace_id)
        self.price = price
        self.currency = currency


class MissingLibrary(ConfigError):
    """A library that only this needs is not installed."""

    anchor = "missing-library"


class AudioError(StepnbError, ValueError):
    """Audio that cannot be read or used."""

    anchor = "audio-file"


class AudioFileNotFound(AudioError, FileNotFoundError):
    """There is no audio file at this path."""

    anchor = "audio-file"


class ConnectError(StepnbError):
    """No session or no answer to a request came about."""

    anchor = "connect"


class Unreachable(ConnectError):
    """The host did not answer: name, network, refused or timeout."""

    anchor = "unreachable"


class HandshakeError(ConnectError):
    """The service answered a connection or a request with an HTTP error."""

    anchor = "refused"

    def __init__(
        self, message: str, *, status: int, fix: str | None = None, trace_id: str | None = None
    ) -> None:
        super().__init__(message, fix=fix, trace_id=trace_id)
        self.status = status


class BadRequest(HandshakeError):
    """400, 413: the model, a parameter or a file was refused."""

    anchor = "bad-request"


class AuthenticationError(HandshakeError):
    """401: the key is missing, wrong, or belongs to the other cluster."""

    anchor = "wrong-cluster"


class BalanceExhausted(HandshakeError):
    """402: the account's balance is used up."""

    anchor = "balance"


class WrongPath(HandshakeError):
    """404: nothing is at this address, or has this id."""

    anchor = "not-found"


class RateLimited(HandshakeError):
    """429: too many requests or connections."""

    anchor = "too-many-requests"


class ContentBlocked(HandshakeError):
    """451: stopped by content review."""

    anchor = "content-review"


class ServiceUnavailable(HandshakeError):
    """5xx: a fault or overload of the service."""

    anchor = "service-down"


class ConnectionLost(StepnbError):
    """The connection ended and nobody asked for it.

    Attributes
    ----------
    code
        The WebSocket close code, None when it just broke off.
    """

    anchor = "connection-lost"

    def __init__(
        self, message: str, *, code: int | None = None, fix: str | None = None, trace_id: str | None = None
    ) -> None:
        super().__init__(message, fix=fix, trace_id=trace_id)
        self.code = code


class BudgetExhausted(StepnbError):
    """The session has cost what its budget allows; no new turn begins."""

    anchor = "budget"


class SessionClosed(StepnbError):
    """The session was closed before the call."""

    anchor = "session-closed"


class ServiceError(StepnbError):
    """The service sent an ``error`` event.

    Attributes
    ----------
    type, code, param
        As the service named them; each may be None.
    """

    anchor = "service-error"

    def __init__(
        self,
        message: str,
        *,
        type: str | None = None,
        code: str | None = None,
        param: str | None = None,
        fix: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(message, fix=fix, trace_id=trace_id)
        self.type = type
        self.code = code
        self.param = param


class TurnError(StepnbError):
    """A turn ended without an answer."""

    anchor = "no-answer"


class TurnTimeout(TurnError, TimeoutError):
    """``wait(timeout)`` ran out; the turn itself goes on."""

    anchor = "turn-timeout"


class ApprovalBlocked(TurnError):
    """A call awaits approval by button, and no button can be heard while this cell waits; the turn goes on."""

    anchor = "approval-blocked"


class LibraryError(StepnbError):
    """The library of cloned voices on this machine cannot be read or written."""

    anchor = "voice-library"


class RecordingError(StepnbError):
    """A recording cannot be written, read or continued."""

    anchor = "recording"


class ReplayMismatch(RecordingError):
    """A replayed session did something else than the recorded one.

    Attributes
    ----------
    expected, got
        What was recorded and what came instead, as JSON; None for nothing.
    """

    anchor = "replay-mismatch"

    def __init__(
        self,
        message: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        fix: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(message, fix=fix, trace_id=trace_id)
        self.expected = expected
        self.got = got


class ExperimentError(StepnbError):
    """An experiment cannot be planned, kept or gone on with."""

    anchor = "experiment"


class EngineError(StepnbError):
    """The local engine or one of its parts failed."""

    anchor = "local-engine"


class PortInUse(EngineError):
    """The engine's port is taken."""

    anchor = "port-in-use"
