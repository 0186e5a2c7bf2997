"""Profiles: which of the service's habits the local engine shows.

Where the documentation and the live service disagree, each disagreement is one switch here, decided in one place and
read where the habit shows. ``live`` is what was observed of the service, ``docs`` the documentation taken literally.
"""

from __future__ import annotations

from dataclasses import dataclass

from stepnb.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A set of habits; `dataclasses.replace` changes one.

    Attributes
    ----------
    name
        What it is called in logs.
    vad_off_echo
        Push-to-talk is echoed as ``{"type": ""}``; otherwise ``turn_detection`` is left out.
    keep_client_ids
        A client's own item id is kept; otherwise the server gives a new one.
    text_echoed_as_audio
        A user's text comes back as ``{"type": "audio", "transcript": ...}`` of an item in progress; otherwise as
        ``{"type": "input_text", "transcript": ...}`` of a completed one.
    fresh_content_absent
        A fresh assistant item has no ``content``; otherwise an empty list.
    interrupted_status
        Status of a response that was cancelled or interrupted.
    sends_response_cancelled
        ``response.cancelled`` precedes the ``response.done`` of a cancelled response.
    auto_interrupt
        Speech stops the running response; otherwise the automatic response waits for it.
    transcription_deltas
        Two growing ``delta`` events come before a transcript's ``completed``.
    response_id_on_deltas
        Audio and transcript deltas name their response.
    ids_on_call_deltas
        ``function_call_arguments`` events name their response and item; otherwise only the call.
    call_delta_in_both_keys
        A fragment of arguments comes as ``delta`` and as ``arguments``; otherwise as ``arguments`` alone.
    acknowledges_outputs
        A ``function_call_output`` is answered with ``conversation.item.created``; otherwise with nothing.
    session_limit_s
        Longest life of a session, s.
    """

    name: str
    vad_off_echo: bool = True
    keep_client_ids: bool = False
    text_echoed_as_audio: bool = True
    fresh_content_absent: bool = True
    interrupted_status: str = "incomplete"
    sends_response_cancelled: bool = False
    auto_interrupt: bool = True
    transcription_deltas: bool = True
    response_id_on_deltas: bool = True
    ids_on_call_deltas: bool = True
    call_delta_in_both_keys: bool = True
    acknowledges_outputs: bool = True
    session_limit_s: float = 30 * 60


LIVE = Profile(name="live")
DOCS = Profile(
    name="docs",
    vad_off_echo=False,
    keep_client_ids=True,
    text_echoed_as_audio=False,
    fresh_content_absent=False,
    interrupted_status="cancelled",
    sends_response_cancelled=True,
    transcription_deltas=False,
    response_id_on_deltas=False,
    ids_on_call_deltas=False,
    call_delta_in_both_keys=False,
)
PROFILES = {profile.name: profile for profile in (LIVE, DOCS)}


def named(profile: str | Profile) -> Profile:
    """Return a profile by its name; a `Profile` passes through.

    Raises
    ------
    ConfigError
        There is no such profile.
    """
    if isinstance(profile, Profile):
        return profile
    if profile not in PROFILES:
        raise ConfigError(f"There is no profile {profile!r}.", fix=f"Write one of: {', '.join(PROFILES)}.")
    return PROFILES[profile]
