"""Frames to events and back.

`decode` looks at ``type`` first, through the alias table, and then at the Struct. What it can repair it
repairs and names in ``Decoded.repairs``; what it cannot becomes an `UnknownEvent` or a `MalformedEvent`. It
never raises.
"""

from __future__ import annotations

import contextlib
import functools
import math
import operator
import sys
from typing import Any

import msgspec
import pybase64
from msgspec import UNSET, Struct, UnsetType, inspect

from .events import ALIASES, EVENTS, Event, MalformedEvent, Open, UnknownEvent

AnyEvent = Event | UnknownEvent | MalformedEvent

# Which field of a frame carries audio. These two are nearly all of the traffic.
AUDIO_FIELD = {"input_audio_buffer.append": "audio", "response.audio.delta": "delta"}
_ABSENT = object()
# Characters. The audio of anything shorter is not worth a way of its own; in anything longer it begins before.
_LONG = 512


class Cut(Struct, frozen=True, gc=False):
    """The audio of a frame, and the frame without it.

    Attributes
    ----------
    pcm
        The audio: PCM16LE, mono, 24 kHz.
    skeleton
        The frame without the base64 text of the audio.
    at
        Where in ``skeleton`` that text belongs; negative when it is still there, because encoding the audio would give
        another text.
    """

    pcm: bytes
    skeleton: str
    at: int


class Decoded(Struct, frozen=True, gc=False):
    """What `decode` made of a frame.

    Attributes
    ----------
    event
        The event.
    audio
        The audio of an audio frame, else None.
    repairs
        One short sentence for every field that was not as it should be.
    """

    event: AnyEvent
    audio: Cut | None = None
    repairs: tuple[str, ...] = ()

    @property
    def pcm(self) -> bytes | None:
        """The audio, PCM16LE, mono, 24 kHz."""
        return self.audio.pcm if self.audio is not None else None


_encode_json = msgspec.json.Encoder().encode


# As it should be, a frame goes straight from JSON to its Struct, in one pass.
_direct: msgspec.json.Decoder[Any] = msgspec.json.Decoder(functools.reduce(operator.or_, EVENTS.values()))


def decode(frame: str | bytes) -> Decoded:
    """Decode one frame of either direction.

    Parameters
    ----------
    frame
        The frame as it came from the socket.

    Returns
    -------
    Decoded
        The event, its audio and its repairs.
    """
    if isinstance(frame, bytes):
        try:
            frame = frame.decode()
        except UnicodeDecodeError as error:
            return Decoded(MalformedEvent(frame=frame, reason=f"The frame is not UTF-8: {error}."))
    if len(frame) > _LONG and (decoded := _audio_first(frame)) is not None:
        return decoded
    try:
        return _with_audio(_direct.decode(frame), frame, ())
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass  # another type, an alias, a field of odd type or not JSON: the careful way says which
    try:
        body = msgspec.json.decode(frame)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return Decoded(MalformedEvent(frame=frame, reason=f"The frame is not JSON: {error}."))
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        return Decoded(MalformedEvent(frame=frame, reason="The frame is not an object with a type."))
    return _decode_body(frame, body)


def _decode_body(frame: str, body: dict[str, Any]) -> Decoded:
    name = ALIASES.get(body["type"], body["type"])
    cls = EVENTS.get(name)
    if cls is None:
        event_id = body.get("event_id")
        known_id = event_id if isinstance(event_id, str) else None
        return Decoded(UnknownEvent(type=name, body=body, event_id=known_id))
    if name == "error":
        body = _nested_error(body)
    repairs: list[str] = []
    try:
        event = _fit_struct(body, _struct_info(cls), "", repairs)
    except _Unusable as error:
        return Decoded(MalformedEvent(frame=frame, reason=str(error)))
    return _with_audio(event, frame, tuple(repairs))


def _audio_first(frame: str) -> Decoded | None:
    """Cut the audio out and decode the rest; None where it is not as simple as in nearly all of the traffic."""
    kind, field, key = "response.audio.delta", "delta", '"delta"'
    at = frame.find('"delta":"', 0, _LONG)
    if at < 0:
        kind, field, key = "input_audio_buffer.append", "audio", '"audio"'
        at = frame.find('"audio":"', 0, _LONG)
        if at < 0:
            return None
    at += 9
    end = frame.find('"', at)
    skeleton = frame[:at] + frame[end:]
    # What was cut out may be something else of the same name, further in or repeated.
    if skeleton.rfind("{") or skeleton.find(key, at) >= 0:
        return None
    try:
        event = _direct.decode(skeleton)
        if event.type != kind or getattr(event, field):
            return None
        payload = frame[at:end]
        pcm = pybase64.b64decode(payload, validate=True)
    except (msgspec.DecodeError, ValueError):
        return None
    size = len(pcm)
    if not size or size % 2 or (size % 3 and not _is_canonical(payload, pcm)):
        return None
    setattr(event, field, payload)
    return Decoded(event, Cut(pcm, skeleton, at))


def _with_audio(event: Any, frame: str, repairs: tuple[str, ...]) -> Decoded:
    field = AUDIO_FIELD.get(event.type)
    if field is None:
        return Decoded(event, None, repairs)
    payload = getattr(event, field)
    try:
        pcm = pybase64.b64decode(payload, validate=True)
    except ValueError as error:
        return Decoded(MalformedEvent(frame=frame, reason=f"The audio is not base64: {error}."))
    if len(pcm) % 2:
        return Decoded(MalformedEvent(frame=frame, reason="The audio has half a sample: an odd byte count."))
    return Decoded(event, cut_out(frame, payload, pcm), repairs)


def cut_out(frame: str, payload: str, pcm: bytes) -> Cut:
    """Take the audio out of a frame.

    Parameters
    ----------
    payload, pcm
        The base64 text in the frame and the audio it stands for. It is cut out only where the audio gives the same text
        again; anything else stays in the frame as it is.
    """
    # A short needle: searching for the whole payload would preprocess all of it.
    at = frame.find(payload[:40])
    if at >= 0 and frame.startswith(payload, at) and _is_canonical(payload, pcm):
        return Cut(pcm, frame[:at] + frame[at + len(payload) :], at)
    return Cut(pcm, frame, -1)


def _is_canonical(payload: str, pcm: bytes) -> bool:
    # Only characters beside the padding can hold bits that stand for nothing.
    return payload[-1:] != "=" or payload.endswith(pybase64.b64encode_as_string(pcm[-(len(pcm) % 3) :]))


def _nested_error(body: dict[str, Any]) -> dict[str, Any]:
    """Bring the flat and the bare-string error into the nested shape, with everything said beside it."""
    details = {key: value for key, value in body.items() if key not in ("type", "event_id", "error")}
    if body["type"] != "error":
        details["type"] = body["type"]
    error = body.get("error")
    if error is None:
        # In the flat shape event_id names the client event that is answered.
        return {"error": {**details, "event_id": body.get("event_id")}}
    if not isinstance(error, dict):
        error = {"message": error if isinstance(error, str) else _encode_json(error).decode()}
    return {"event_id": body.get("event_id"), "error": details | error}


class _Unusable(Exception):
    """A field without which the event means nothing is missing."""


@functools.cache
def _struct_info(cls: type[Struct]) -> inspect.StructType:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return info


def _fit_struct(body: dict[str, Any], info: inspect.StructType, path: str, repairs: list[str]) -> Struct:
    values: dict[str, Any] = {}
    fields = _fields(info.cls)
    for name, field in fields.items():
        # null for what must be given says nothing more than leaving it out.
        given = name in body and not (field.required and body[name] is None)
        value = _fit(body[name], field.type, f"{path}{name}", repairs) if given else _ABSENT
        if value is not _ABSENT:
            values[name] = value
        elif field.required:
            if not isinstance(field.type, inspect.StructType):
                raise _Unusable(f"The field {path}{name} is missing or unusable.")
            if not given:
                repairs.append(f"{path}{name}: missing")
            values[name] = field.type.cls()
    if issubclass(info.cls, Open):
        extra = {key: value for key, value in body.items() if key not in fields}
        if extra:
            values["extra"] = extra
    return info.cls(**values)


@functools.cache
def _fields(cls: type[Struct]) -> dict[str, inspect.Field]:
    """Return the fields of a Struct by their names on the wire."""
    return {field.encode_name: field for field in _struct_info(cls).fields if field.name != "extra"}


def _fit(value: Any, kind: inspect.Type, path: str, repairs: list[str]) -> Any:
    """Return value as kind wants it, repaired if need be, or _ABSENT; what was done goes into repairs."""
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    if value is None:
        if any(isinstance(member, inspect.NoneType) for member in kinds):
            return None
        repairs.append(f"{path}: null")
        return _ABSENT
    for member in kinds:
        if _is(value, member):
            if isinstance(member, inspect.StructType):
                return _fit_struct(value, member, f"{path}.", repairs)
            if isinstance(member, inspect.ListType):
                return _fit_list(value, member, path, repairs)
            return float(value) if isinstance(member, inspect.FloatType) else value
    for member in kinds:
        repaired = _convert(value, member)
        if repaired is not None:
            repairs.append(f"{path}: {_brief(value)} taken as {_brief(repaired)}")
            return repaired
    repairs.append(f"{path}: {_brief(value)} dropped")
    return _ABSENT


def _fit_list(values: list[Any], kind: inspect.ListType, path: str, repairs: list[str]) -> list[Any]:
    fitted = (_fit(value, kind.item_type, f"{path}[{i}]", repairs) for i, value in enumerate(values))
    return [value for value in fitted if value is not _ABSENT]


def _is(value: Any, kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            # JSON integers have no bound, floats do.
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return is_number and abs(value) <= sys.float_info.max
        case inspect.ListType():
            return isinstance(value, list)
        case inspect.DictType() | inspect.StructType():
            return isinstance(value, dict)
        case inspect.AnyType():
            return True
    return False


def _convert(value: Any, kind: inspect.Type) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(kind, inspect.StrType):
        return str(value)
    try:
        if isinstance(kind, inspect.IntType):
            return _whole(value)
        if isinstance(kind, inspect.FloatType):
            number = float(value)
            return number if math.isfinite(number) else None
    except (ValueError, OverflowError):
        pass
    return None


def _whole(value: str | float) -> int | None:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return int(value)
    # From 2**53 on, a float is no longer an exact integer.
    number = float(value)
    return int(number) if abs(number) < 2**53 else None


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def encode(event: Event) -> str:
    """Encode an event as one text frame.

    Parameters
    ----------
    event
        Any client or server event. ``UNSET`` fields and fields at their default ``None`` are left out.
    """
    return _encode_json({"type": event.type, **to_wire(event)}).decode()


def to_wire(value: Struct) -> dict[str, Any]:
    """Return an event or one of its objects as a plain dict, unknown keys included."""
    wire: dict[str, Any] = {}
    for name, default in zip(value.__struct_fields__, _defaults(type(value)), strict=True):
        if name == "extra" and isinstance(value, Open):
            continue
        item = getattr(value, name)
        if isinstance(item, UnsetType) or (item is None and default is None):
            continue
        wire[name] = _plain(item)
    if isinstance(value, Open):
        wire |= value.extra
    return wire


@functools.cache
def _defaults(cls: type[Struct]) -> tuple[Any, ...]:
    defaults = cls.__struct_defaults__
    return (UNSET,) * (len(cls.__struct_fields__) - len(defaults)) + defaults


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return to_wire(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
