"""How a session's events look on the wire, where a profile wants them other than the protocol's Structs have them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from stepnb.local.profile import Profile
from stepnb.protocol import codec
from stepnb.protocol import events as ev

Frame = dict[str, Any]
Change = Callable[[Frame], Frame]
Kinds = tuple[type[ev.ServerEvent], ...]

_TIMES = ("audio_start_ms", "audio_end_ms")


class Dialect:
    """Writes the events of a session.

    Parameters
    ----------
    profile
        The habits.
    opened
        When the session was.
    """

    def __init__(self, profile: Profile, opened: datetime) -> None:
        self._opened_ms = int(opened.timestamp() * 1000)
        self._created_status = profile.created_status
        items: Kinds = (ev.ConversationItemCreated,)
        fresh: Kinds = (ev.ConversationItemCreated, ev.OutputItemAdded)
        ordered: Kinds = (ev.ConversationItemCreated, ev.InputAudioBufferCommitted)
        speech: Kinds = (ev.SpeechStarted, ev.SpeechStopped)
        changes: tuple[tuple[bool, Change, Kinds], ...] = (
            (profile.updated_as_created, _as_created, (ev.SessionUpdated,)),
            (profile.created_status != "in_progress", self._other_status, (ev.ResponseCreated,)),
            (profile.fresh_content == "null", _null_content, fresh),
            (profile.previous_item_id == "absent", _no_previous, ordered),
            (profile.previous_item_id == "own", _own_previous, items),
            (not profile.speech_stopped_time, _no_time, (ev.SpeechStopped,)),
            (profile.epoch_times, self._epoch_times, speech),
            (profile.text_times, _text_times, speech),
            (profile.output_item_created, _as_output_item_created, (ev.OutputItemAdded,)),
            (profile.error_shape == "flat", _flat_error, (ev.ErrorEvent,)),
            (profile.error_shape == "text", _text_error, (ev.ErrorEvent,)),
        )
        self._changes: dict[type[ev.ServerEvent], list[Change]] = {}
        for wanted, change, kinds in changes:
            for kind in kinds if wanted else ():
                self._changes.setdefault(kind, []).append(change)

    def encode(self, event: ev.ServerEvent) -> str:
        """Return an event as one text frame."""
        changes = self._changes.get(type(event))
        if changes is None:
            return codec.encode(event)
        frame: Frame = {"type": event.type, **codec.to_wire(event)}
        for change in changes:
            frame = change(frame)
        return msgspec.json.encode(frame).decode()

    def _other_status(self, frame: Frame) -> Frame:
        return frame | {"response": frame["response"] | {"status": self._created_status}}

    def _epoch_times(self, frame: Frame) -> Frame:
        return frame | {key: frame[key] + self._opened_ms for key in _TIMES if key in frame}


def _as_created(frame: Frame) -> Frame:
    return frame | {"type": "session.created"}


def _null_content(frame: Frame) -> Frame:
    item = frame["item"]
    fresh = item["type"] == "message" and item["status"] == "in_progress" and not item.get("content")
    return frame | {"item": item | {"content": None}} if fresh else frame


def _no_previous(frame: Frame) -> Frame:
    return {key: value for key, value in frame.items() if key != "previous_item_id"}


def _own_previous(frame: Frame) -> Frame:
    return frame | {"previous_item_id": frame["item"]["id"]}


def _no_time(frame: Frame) -> Frame:
    return {key: value for key, value in frame.items() if key not in _TIMES}


def _text_times(frame: Frame) -> Frame:
    return frame | {key: str(frame[key]) for key in _TIMES if key in frame}


def _as_output_item_created(frame: Frame) -> Frame:
    return frame | {"type": "response.output_item.created"}


def _flat_error(frame: Frame) -> Frame:
    # Its type takes the place of the event's, and its event_id, the client's event, that of the event's own.
    return {"type": "invalid_request_error", **frame["error"]}


def _text_error(frame: Frame) -> Frame:
    return frame | {"error": frame["error"].get("message", "")}
