"""What users pass to a session, checked: a wrong argument raises at once, with a sentence that says what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..audio.clip import Clip
from ..audio.pcm import RATE
from ..conversation.history import Message, history_items, message_items, not_told
from ..errors import AudioError, ConfigError
from ..protocol import catalog
from ..protocol import events as ev
from ..protocol.catalog import Voice
from ..protocol.config import ServerVAD
from ..recording.recording import Recording
from ..rest.owned import ClonedVoice
from .tools import tool_list

# One message may hold 15 MB of audio: five minutes.
LONGEST_CLIP_S = 300.0


Section = Literal["voice", "prompt", "turns", "tools"]
"""A part of the settings under the panel."""


class Unchanged:
    def __repr__(self) -> str:
        return "unchanged"


UNCHANGED = Unchanged()
DEFAULT_VAD = ServerVAD()


def text_of(name: str, value: str | None) -> str | None:
    """Return a text without its margins, None for an empty one."""
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} is a {type(value).__name__}.", fix=f"Write {name}='...' or leave it out.")
    return value.strip() or None if value else None


def voice_of(voice: str | ClonedVoice | Voice | None, model: str, cluster: str) -> str | None:
    """Return the id of a voice; for none, the usual one of the model, if there is one."""
    chosen = text_of("voice", voice.id if isinstance(voice, ClonedVoice | Voice) else voice)
    known = catalog.capabilities(model)
    cloned = isinstance(voice, ClonedVoice) or (chosen or "").startswith("voice-tone-")
    if cloned and known is not None and known.cloned_voices is False:
        raise ConfigError(
            f"The model {model} cannot speak with a cloned voice.",
            fix=f"Use another model, for example model={catalog.FALLBACK_MODEL!r}, or an official voice.",
        )
    return chosen or catalog.default_voice(model, cluster)


def question_of(what: object) -> str:
    """Return what is asked as text, unless there is nothing in it."""
    if not isinstance(what, str):
        kind = type(what).__name__
        raise ConfigError(
            f"ask() takes text or a Clip, not {kind}.", fix="Load audio with sn.Clip.load(path)."
        )
    if not what.strip():
        raise ConfigError("There is nothing to ask: the text is empty.", fix="Write something.")
    return what


def past_of(history: Recording | Sequence[Message]) -> tuple[list[ev.Item], list[str]]:
    """Return a history as items, and what they leave out."""
    if isinstance(history, Recording):
        told = history.conversation.turns.values(), history.conversation.items
        return history_items(*told), not_told(*told)
    return message_items(history), []


def vad_of(value: ServerVAD | None) -> ServerVAD | None:
    """Return turn-taking settings as they are, if that is what they are."""
    if value is not None and not isinstance(value, ServerVAD):
        raise ConfigError(
            f"vad is {value!r}.",
            fix="Write vad=sn.ServerVAD(silence_duration_ms=500), or vad=None for push-to-talk.",
        )
    return value


def changes_of(given: Mapping[str, Any], model: str, cluster: str) -> dict[str, Any]:
    """Return changed settings as fields of a configuration, checked; what is unchanged is left out."""
    changes = {name: value for name, value in given.items() if not isinstance(value, Unchanged)}
    if "voice" in changes:
        changes["voice"] = voice_of(changes["voice"], model, cluster)
    if "instructions" in changes:
        changes["instructions"] = text_of("instructions", changes["instructions"]) or ""
    if "vad" in changes:
        changes["vad"] = vad_of(changes["vad"])
    if "tools" in changes:
        changes["tools"] = tool_list(changes["tools"], model)
    return changes


def pcm_of(clip: Clip) -> bytes:
    """Return a clip as PCM16LE, mono, 24 kHz, unless it is empty or too long for one message."""
    if clip.duration == 0:
        raise AudioError("The clip is empty.", fix="Record or load one with sound in it.")
    if clip.duration > LONGEST_CLIP_S:
        raise AudioError(
            f"The clip is {clip.duration:.0f} s long; one message holds {LONGEST_CLIP_S:.0f} s.",
            fix="Cut it: clip[0:60].",
        )
    return clip.resample(RATE).pcm
