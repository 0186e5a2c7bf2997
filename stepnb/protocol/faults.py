"""The service's error messages, told apart by their text (protocol notes, section 10).

The service has no stable error codes, so a substring of the message, in lower case, is what there is.
"""

from __future__ import annotations

from enum import Enum

from ..errors import ServiceError
from .events import ErrorInfo, ResponseInfo


class Fault(Enum):
    """What an error message means to a client."""

    NOTHING_TO_CANCEL = "nothing to cancel"
    SLOT_TAKEN = "a response is running"
    COMMIT_UNDER_VAD = "commit while VAD is on"
    NO_SPEECH = "no speech found"
    EMPTY_BUFFER = "nothing was appended"
    BAD_VOICE = "voice not valid"
    EMPTY_CONTEXT = "nothing to answer"
    BAD_EVENT = "invalid event"
    ENGINE = "a fault of the service itself"
    OTHER = "other"


_SIGNS: tuple[tuple[str, Fault], ...] = (
    ("no ongoing response to cancel", Fault.NOTHING_TO_CANCEL),
    ("no active response", Fault.NOTHING_TO_CANCEL),
    ("ongoing response already exists", Fault.SLOT_TAKEN),
    ("commit when server vad", Fault.COMMIT_UNDER_VAD),
    ("no speech found", Fault.NO_SPEECH),
    ("append is not called", Fault.EMPTY_BUFFER),
    ("continue_final_message", Fault.EMPTY_CONTEXT),
    ("invalid event format", Fault.BAD_EVENT),
    ("item.role must be", Fault.BAD_EVENT),
    ("item.type must be", Fault.BAD_EVENT),
    ("cannot find previous item", Fault.BAD_EVENT),
    ("engine error", Fault.ENGINE),
    ("internal error", Fault.ENGINE),
    ("internal server error", Fault.ENGINE),
)

BENIGN = frozenset({Fault.NOTHING_TO_CANCEL, Fault.COMMIT_UNDER_VAD, Fault.EMPTY_BUFFER})

_FIXES: dict[Fault, str] = {
    Fault.NO_SPEECH: "Speak for at least a second, closer to the microphone, or lower the energy threshold.",
    Fault.EMPTY_BUFFER: "Send audio before ending the turn.",
    Fault.BAD_VOICE: "Choose a voice the model knows: stepnb.protocol.catalog.voices(model, cluster) lists them.",
    Fault.EMPTY_CONTEXT: "Say or write something first.",
    Fault.ENGINE: "Ask again; if it goes on, look at the service's status page.",
    Fault.BAD_EVENT: "This is a bug of the client: please report it with the event log.",
}


def classify(error: ErrorInfo) -> Fault:
    """Return what an error means."""
    message = (error.message or "").lower()
    if "voice" in message and "not valid" in message:
        return Fault.BAD_VOICE
    return next((fault for sign, fault in _SIGNS if sign in message), Fault.OTHER)


def failure_of(response: ResponseInfo) -> ErrorInfo:
    """Return the error of a failed response: its details, or the error in them, may be a text or an object."""
    details: object = response.status_details
    if isinstance(details, dict):
        details = details.get("error", details)
    if isinstance(details, dict):
        texts = {
            name: details[name] for name in ("type", "code", "message") if isinstance(details.get(name), str)
        }
        return ErrorInfo(**texts)
    return ErrorInfo(message=details if isinstance(details, str) else None)


def as_exception(error: ErrorInfo, *, trace_id: str | None = None) -> ServiceError:
    """Return an error of the service as an exception with its fix."""
    message = error.message or error.code or error.type or "an error without a message"
    return ServiceError(
        f"The service answered: {message.rstrip('.')}.",
        type=error.type,
        code=error.code,
        param=error.param,
        fix=_FIXES.get(classify(error)),
        trace_id=trace_id,
    )
