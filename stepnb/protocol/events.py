"""Every event of the Realtime API as a msgspec Struct, in both directions.

The wire is tolerant: whatever a server may leave out is optional here, and the nested objects
(`SessionInfo`, `Item`, `Part`, `ResponseInfo`) keep the keys they do not know in ``extra``. A field that is
absent is ``None`` in server events; in the objects a client sends, absent and ``null`` differ
(``turn_detection: null`` switches the VAD off), so those fields default to ``UNSET``.

Two classes stand for what does not fit: `UnknownEvent` (a type without a Struct, or one of a sibling
endpoint) and `MalformedEvent` (not JSON, no type, an audio payload that is not base64 of PCM16).
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, field


class Open(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A nested object that keeps the keys it does not know (`codec` puts them there, msgspec refuses them)."""

    extra: dict[str, Any] = field(default_factory=dict, name="(unknown keys)")


class Part(Open):
    """A content part: ``type`` is text, audio, thinking, input_text or input_audio."""

    type: str | None = None
    text: str | None = None
    audio: str | None = None
    transcript: str | None = None
    thinking: str | None = None


class Item(Open):
    """A conversation item: ``type`` is message, function_call or function_call_output."""

    id: str | None = None
    object: str | None = None
    type: str | None = None
    status: str | None = None
    role: str | None = None
    content: list[Part] | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    output: str | None = None


class TurnDetection(Open):
    """Server VAD. The live service echoes ``{"type": ""}`` when it is off."""

    type: str | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None
    energy_awakeness_threshold: int | None = None


class SessionInfo(Open):
    """The session object, sent in part by clients and whole by the service."""

    id: str | UnsetType = UNSET
    object: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    modalities: list[str] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    input_audio_format: str | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    turn_detection: TurnDetection | None | UnsetType = UNSET
    tools: list[dict[str, Any]] | UnsetType = UNSET
    tool_choice: str | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    max_response_output_tokens: int | str | UnsetType = UNSET
    input_audio_transcription: dict[str, Any] | None | UnsetType = UNSET
    volume_ratio: float | UnsetType = UNSET
    reasoning: dict[str, Any] | None | UnsetType = UNSET


class ResponseOptions(Open):
    """What a client may ask of one response."""

    modalities: list[str] | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    voice: str | UnsetType = UNSET
    tools: list[dict[str, Any]] | UnsetType = UNSET
    tool_choice: str | UnsetType = UNSET
    input_audio_format: str | UnsetType = UNSET
    output_audio_format: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class ResponseInfo(Open):
    """A response: ``status`` is in_progress, completed, cancelled, incomplete or failed."""

    id: str | None = None
    object: str | None = None
    status: str | None = None
    status_details: dict[str, Any] | str | None = None
    output: list[Item] | None = None
    usage: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class ErrorInfo(Open):
    """The body of an error; ``event_id`` names the client event it answers."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class Event(Struct, kw_only=True, omit_defaults=True):
    """One frame. ``type`` is the wire name of the class, its msgspec tag."""

    type: ClassVar[str]
    event_id: str | None = None


class ClientEvent(Event):
    """An event a client sends."""


class ServerEvent(Event):
    """An event the service sends."""


class SessionUpdate(ClientEvent, tag="session.update"):
    session: SessionInfo


class InputAudioBufferAppend(ClientEvent, tag="input_audio_buffer.append"):
    """``audio``: base64 of PCM16LE, mono, 24 kHz."""

    audio: str


class InputAudioBufferCommit(ClientEvent, tag="input_audio_buffer.commit"): ...


class InputAudioBufferClear(ClientEvent, tag="input_audio_buffer.clear"): ...


class ConversationItemCreate(ClientEvent, tag="conversation.item.create"):
    item: Item
    previous_item_id: str | None = None


class ConversationItemDelete(ClientEvent, tag="conversation.item.delete"):
    item_id: str


class ConversationItemTruncate(ClientEvent, tag="conversation.item.truncate"):
    item_id: str
    # Required on the wire, so they have no defaults that could be left out.
    content_index: int
    audio_end_ms: int


class ResponseCreate(ClientEvent, tag="response.create"):
    response: ResponseOptions | None = None
    session: SessionInfo | None = None


class ResponseCancel(ClientEvent, tag="response.cancel"): ...


class SessionCreated(ServerEvent, tag="session.created"):
    session: SessionInfo


class SessionUpdated(ServerEvent, tag="session.updated"):
    session: SessionInfo


class ErrorEvent(ServerEvent, tag="error"):
    """``error``, whichever of its three shapes arrived (nested, flat, bare string)."""

    error: ErrorInfo


class SpeechStarted(ServerEvent, tag="input_audio_buffer.speech_started"):
    item_id: str | None = None
    audio_start_ms: int | None = None


class SpeechStopped(ServerEvent, tag="input_audio_buffer.speech_stopped"):
    item_id: str | None = None
    audio_end_ms: int | None = None
    response_id: str | None = None


class InputAudioBufferCommitted(ServerEvent, tag="input_audio_buffer.committed"):
    item_id: str | None = None
    previous_item_id: str | None = None


class InputAudioBufferCleared(ServerEvent, tag="input_audio_buffer.cleared"): ...


class ConversationItemCreated(ServerEvent, tag="conversation.item.created"):
    item: Item
    previous_item_id: str | None = None
    response_id: str | None = None


class ConversationItemDeleted(ServerEvent, tag="conversation.item.deleted"):
    item_id: str | None = None


class ConversationItemTruncated(ServerEvent, tag="conversation.item.truncated"):
    item_id: str | None = None
    content_index: int | None = None
    audio_end_ms: int | None = None


class InputTranscriptionDelta(ServerEvent, tag="conversation.item.input_audio_transcription.delta"):
    """``delta`` is the whole text so far on the live service: replace, do not append."""

    item_id: str | None = None
    content_index: int | None = None
    delta: str | None = None


class InputTranscriptionCompleted(ServerEvent, tag="conversation.item.input_audio_transcription.completed"):
    item_id: str | None = None
    content_index: int | None = None
    transcript: str | None = None
    usage: dict[str, Any] | None = None


class InputTranscriptionFailed(ServerEvent, tag="conversation.item.input_audio_transcription.failed"):
    item_id: str | None = None
    content_index: int | None = None
    error: ErrorInfo | None = None


class ResponseCreated(ServerEvent, tag="response.created"):
    response: ResponseInfo


class ResponseDone(ServerEvent, tag="response.done"):
    response: ResponseInfo


class OutputItemAdded(ServerEvent, tag="response.output_item.added"):
    item: Item
    response_id: str | None = None
    output_index: int | None = None


class OutputItemDone(ServerEvent, tag="response.output_item.done"):
    item: Item
    response_id: str | None = None
    output_index: int | None = None


class PartEvent(ServerEvent, kw_only=True):
    """The ids of what belongs to one item of a response; any may be missing."""

    response_id: str | None = None
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None


class ContentPartAdded(PartEvent, tag="response.content_part.added"):
    part: Part


class ContentPartDone(PartEvent, tag="response.content_part.done"):
    part: Part


class TextDelta(PartEvent, tag="response.text.delta"):
    delta: str | None = None


class TextDone(PartEvent, tag="response.text.done"):
    text: str | None = None


class AudioTranscriptDelta(PartEvent, tag="response.audio_transcript.delta"):
    delta: str | None = None
    start_time: float | None = None


class AudioTranscriptDone(PartEvent, tag="response.audio_transcript.done"):
    transcript: str | None = None


class AudioDelta(PartEvent, tag="response.audio.delta"):
    """``delta``: base64 of PCM16LE, mono, 24 kHz."""

    delta: str


class AudioDone(PartEvent, tag="response.audio.done"):
    audio: str | None = None


class ThinkingDelta(PartEvent, tag="response.thinking.delta"):
    delta: str | None = None


class ThinkingDone(PartEvent, tag="response.thinking.done"):
    thinking: str | None = None


class FunctionCallArgumentsDelta(PartEvent, tag="response.function_call_arguments.delta"):
    """The guide puts the fragment into ``arguments``, SDKs into ``delta``."""

    call_id: str | None = None
    delta: str | None = None
    arguments: str | None = None
    name: str | None = None


class FunctionCallArgumentsDone(PartEvent, tag="response.function_call_arguments.done"):
    call_id: str | None = None
    arguments: str | None = None
    name: str | None = None


class ResponseCancelled(ServerEvent, tag="response.cancelled"):
    response_id: str | None = None
    response: ResponseInfo | None = None


class RateLimitsUpdated(ServerEvent, tag="rate_limits.updated"):
    rate_limits: list[dict[str, Any]] | None = None


class UnknownEvent(msgspec.Struct, kw_only=True, frozen=True):
    """A well-formed frame of a type this package does not know.

    Attributes
    ----------
    type
        The wire name.
    body
        The whole frame as decoded JSON.
    """

    type: str
    body: dict[str, Any]
    event_id: str | None = None


class MalformedEvent(msgspec.Struct, kw_only=True, frozen=True):
    """A frame that could not be understood.

    Attributes
    ----------
    frame
        What arrived; bytes only where it is not UTF-8.
    reason
        Why it could not be used, as a sentence.
    """

    frame: str | bytes
    reason: str
    type: ClassVar[str] = "malformed"
    event_id: str | None = None


def _leaves(base: type[Event]) -> dict[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    for cls in base.__subclasses__():
        tag = cls.__struct_config__.tag
        if isinstance(tag, str):  # an event, not a base class; its tag becomes readable as ``type``
            cls.type = tag
            found[tag] = cls
        found |= _leaves(cls)
    return found


CLIENT_EVENTS: dict[str, type[Event]] = _leaves(ClientEvent)
SERVER_EVENTS: dict[str, type[Event]] = _leaves(ServerEvent)
EVENTS: dict[str, type[Event]] = CLIENT_EVENTS | SERVER_EVENTS

ALIASES: dict[str, str] = {
    # Names of the same events in the newer OpenAI dialect, in the guide's tables, and in its slips.
    "conversation.item.added": "conversation.item.created",
    "response.output_item.created": "response.output_item.added",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    # The flat error of the guide carries the error's type as the frame's type.
    "invalid_request_error": "error",
    "server_error": "error",
    "internal_error": "error",
}
