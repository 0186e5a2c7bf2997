"""What the engine refuses, in the service's words (protocol notes, section 10)."""

from __future__ import annotations

from stepnb.protocol.events import ErrorInfo

NO_RESPONSE_TO_CANCEL = "no ongoing response to cancel"
RESPONSE_EXISTS = "ongoing response already exists"
COMMIT_WITH_VAD = "cannot commit when server vad is on"
NO_SPEECH = "no speech found"
NOTHING_APPENDED = "append is not called"
BAD_ROLE = "item.role must be user or assistant"
BAD_ITEM_TYPE = "item.type must be message or function_call_output"
NO_PREVIOUS_ITEM = "cannot find previous item"
EMPTY_CONTEXT = "chat template error: continue_final_message is set but the conversation is empty"
INVALID_FORMAT = "invalid event format"


class Refused(Exception):
    """A client event that is answered with ``error``; the session goes on.

    Parameters
    ----------
    message
        What the client reads.
    type, code, param
        The other fields of the error.
    closes
        The connection ends after it.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.closes = closes

    def info(self, event_id: str | None = None) -> ErrorInfo:
        """Return the error's body; `event_id` names the client event it answers."""
        return ErrorInfo(
            type=self.type, code=self.code, message=self.message, param=self.param, event_id=event_id
        )


def invalid_format(reason: str, *, param: str | None = None) -> Refused:
    """A frame that is no client event: broken, unknown, or with a field of the wrong type."""
    return Refused(f"{INVALID_FORMAT}: {reason}", code="invalid_param", param=param)


def invalid_value(message: str, param: str) -> Refused:
    """A field of the right type with a value that cannot be."""
    return Refused(message, code="invalid_value", param=param)


def server_error(message: str) -> Refused:
    """A fault of the engine itself."""
    return Refused(message, type="server_error", code="internal_error")
