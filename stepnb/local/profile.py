"""Profiles: which of the service's habits the local engine shows.

Where the documentation and the live service disagree, each disagreement is one switch here, decided in one place and
read where the habit shows. ``live`` is what was observed of the service, ``docs`` the documentation taken literally.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from msgspec import Meta

from stepnb.errors import ConfigError
from stepnb.local import values


def _switch(row: int, default: Any) -> Any:
    return dataclasses.field(default=default, metadata={"row": row})


@dataclass(frozen=True, kw_only=True, repr=False)
class Profile:
    """A set of habits.

    Attributes
    ----------
    name
        What it is called in logs.
    vad_at_start
        A session begins with server VAD; otherwise with push-to-talk.
    vad_off_echo
        Push-to-talk is echoed as ``{"type": ""}`` ("empty"), as null, or ``turn_detection`` is left out ("absent").
    updated_as_created
        An update of the session is answered with a second ``session.created``.
    created_status
        Status of a response in its ``response.created``.
    token_limit
        ``max_response_output_tokens`` is a text in ``session.created`` and a number later ("mixed"), always one of
        the two, or ``"inf"``.
    calls_flat_tools
        Function tools in the flat shape are called like nested ones; otherwise they are taken and never called.
    call_delta_in_both_keys
        A fragment of arguments comes as ``delta`` and as ``arguments``; otherwise as ``arguments`` alone.
    ids_on_call_deltas
        ``function_call_arguments`` events name their response and item; otherwise only the call.
    error_shape
        ``error`` is an object ("nested"), its fields are the frame's own ("flat"), or it is the message ("text").
    interrupted_status
        Status of a response that was cancelled or interrupted.
    sends_response_cancelled
        ``response.cancelled`` precedes the ``response.done`` of a cancelled response.
    keep_client_ids
        A client's own item id is kept; otherwise the server gives a new one.
    text_echoed_as_audio
        A user's text comes back as ``{"type": "audio", "transcript": ...}`` of an item in progress; otherwise as
        ``{"type": "input_text", "transcript": ...}`` of a completed one.
    fresh_content
        A fresh assistant item has no ``content`` ("absent"), an empty list, or null.
    previous_item_id
        It is that of the item before ("last"), missing ("absent"), or the item's own.
    epoch_times
        ``audio_start_ms`` and ``audio_end_ms`` are ms since 1970; otherwise since the session's first audio.
    text_times
        Both come as text.
    speech_stopped_time
        ``speech_stopped`` has ``audio_end_ms``.
    cumulative_transcripts
        Two growing ``delta`` events come before a transcript's ``completed``; otherwise that comes alone.
    transcripts_on_request
        What the user says is transcribed for the client only if ``input_audio_transcription`` was set.
    reads_threshold
        ``turn_detection.threshold`` (0 to 1) sets the energy threshold; otherwise it is ignored.
    output_item_created
        ``response.output_item.added`` is called ``response.output_item.created``.
    rate_limits
        ``rate_limits.updated`` follows every ``response.created``.
    response_id_on_deltas
        Audio and transcript deltas name their response.
    system_item_closes
        An item with the role ``system`` ends the session after its error.
    text_as_speech
        An answer for which only text was asked is spoken all the same.
    acknowledges_outputs
        A ``function_call_output`` is answered with ``conversation.item.created``; otherwise with nothing.
    auto_interrupt
        Speech stops the running response; otherwise the automatic response waits for it.
    unknown_models
        Models that nobody here knows are served; otherwise refused with 400.
    voices
        The official voices a model takes: those of the "cn" cluster, of the "global" one, or all.
    cloned_voices
        Voices that were cloned here are taken.
    preview_is_wav
        The preview of a clone is WAV where nothing or mp3 is asked for.
    session_limit_s
        Longest life of a session, s.
    session_limit_error
        ``error`` with the code ``session_expired`` comes before the end.
    session_limit_code
        The close code at the end.
    ignores_late_voice
        Another voice after the first audio is ignored; otherwise refused.
    truncation
        ``conversation.item.truncate`` is known; otherwise refused as an invalid event.
    """

    name: str
    vad_at_start: bool = _switch(1, False)
    vad_off_echo: Literal["empty", "null", "absent"] = _switch(2, "empty")
    updated_as_created: bool = _switch(3, False)
    created_status: Literal["in_progress", "completed"] = _switch(4, "in_progress")
    token_limit: Literal["mixed", "text", "number", "inf"] = _switch(5, "mixed")
    calls_flat_tools: bool = _switch(6, False)
    call_delta_in_both_keys: bool = _switch(7, True)
    ids_on_call_deltas: bool = _switch(8, True)
    error_shape: Literal["nested", "flat", "text"] = _switch(10, "nested")
    interrupted_status: Literal["incomplete", "cancelled"] = _switch(11, "incomplete")
    sends_response_cancelled: bool = _switch(11, False)
    keep_client_ids: bool = _switch(12, False)
    text_echoed_as_audio: bool = _switch(13, True)
    fresh_content: Literal["absent", "empty", "null"] = _switch(14, "absent")
    previous_item_id: Literal["last", "absent", "own"] = _switch(15, "last")
    epoch_times: bool = _switch(16, False)
    text_times: bool = _switch(16, False)
    speech_stopped_time: bool = _switch(17, True)
    cumulative_transcripts: bool = _switch(18, True)
    transcripts_on_request: bool = _switch(19, False)
    reads_threshold: bool = _switch(20, False)
    output_item_created: bool = _switch(22, False)
    rate_limits: bool = _switch(23, False)
    response_id_on_deltas: bool = _switch(24, True)
    system_item_closes: bool = _switch(25, False)
    text_as_speech: bool = _switch(26, False)
    acknowledges_outputs: bool = _switch(27, True)
    auto_interrupt: bool = _switch(28, True)
    unknown_models: bool = _switch(29, False)
    voices: Literal["all", "cn", "global"] = _switch(30, "all")
    cloned_voices: bool = _switch(30, True)
    preview_is_wav: bool = _switch(32, False)
    session_limit_s: Annotated[float, Meta(gt=0)] = _switch(33, 30 * 60.0)
    session_limit_error: bool = _switch(33, True)
    session_limit_code: Annotated[int, Meta(ge=1000, le=4999)] = _switch(33, 1000)
    ignores_late_voice: bool = _switch(34, False)
    truncation: bool = _switch(35, True)

    def __post_init__(self) -> None:
        for switch in dataclasses.fields(self):
            values.checked(Profile, "the profile", switch.name, getattr(self, switch.name))

    def changed(self, **switches: Any) -> Self:
        """Return the profile with some switches set.

        Raises
        ------
        ConfigError
            There is no such switch, or it cannot have this value.
        """
        for name, value in switches.items():
            values.checked(Profile, "the profile", name, value)
        return dataclasses.replace(self, **switches) if switches else self

    def __repr__(self) -> str:
        return f"<Profile {self}>"

    def __str__(self) -> str:
        usual = PROFILES.get(self.name, LIVE)
        shown = {switch.name: getattr(self, switch.name) for switch in dataclasses.fields(self)}
        changed = [f", {name}={value!r}" for name, value in shown.items() if value != getattr(usual, name)]
        return self.name + "".join(changed)


ALWAYS: dict[int, str] = {
    9: "a function call is an item of its own, at first without its arguments",
    21: "response.modalities, response.instructions, response.voice and session.instructions are all read",
    31: "the answer has audio; the fault transcript_only leaves it out",
    36: "the English guide's names of the VAD's durations, and response.voice, are read and logged",
}
"""Rows on which the engine has one way only."""

LIVE = Profile(name="live")
DOCS = Profile(
    name="docs",
    vad_off_echo="absent",
    keep_client_ids=True,
    text_echoed_as_audio=False,
    fresh_content="empty",
    interrupted_status="cancelled",
    sends_response_cancelled=True,
    cumulative_transcripts=False,
    response_id_on_deltas=False,
    ids_on_call_deltas=False,
    call_delta_in_both_keys=False,
)
PROFILES = {profile.name: profile for profile in (LIVE, DOCS)}


def named(profile: str | Profile) -> Profile:
    """Return a profile by its name; a `Profile` passes through.

    Parameters
    ----------
    profile
        ``NAME`` or ``NAME:SWITCH=VALUE,SWITCH=VALUE``, as in ``live:epoch_times=true``.

    Raises
    ------
    ConfigError
        There is no such profile or switch, or it cannot have this value.
    """
    if isinstance(profile, Profile):
        return profile
    name, _, switches = (side.strip() for side in profile.partition(":"))
    if name not in PROFILES:
        raise ConfigError(f"There is no profile {name!r}.", fix=f"Write one of: {', '.join(PROFILES)}.")
    return PROFILES[name].changed(**values.read(Profile, "the profile", switches))
