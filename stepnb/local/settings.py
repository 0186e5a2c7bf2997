"""A session's settings on the server's side: merging ``session.update``, checking it, echoing it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from stepnb.errors import ConfigError
from stepnb.local.profile import Profile
from stepnb.local.refusals import Refused, invalid_value
from stepnb.protocol import catalog
from stepnb.protocol.config import ServerVAD
from stepnb.protocol.events import ResponseCreate, ResponseOptions, SessionInfo, TurnDetection

logger = logging.getLogger("stepnb.local")

DEFAULT_INSTRUCTIONS = "You are a helpful voice assistant."
MAX_INSTRUCTIONS = 100_000  # characters
MAX_TOOLS_BYTES = 1_000_000  # of their JSON
MAX_OUTPUT_TOKENS = 4096

# The service's own default of 100 ms ends a turn at every breath, but it is the documented one.
_DEFAULT_VAD = ServerVAD(prefix_padding_ms=500, silence_duration_ms=100, energy_awakeness_threshold=2500)
_VAD_KEYS = ("prefix_padding_ms", "silence_duration_ms", "energy_awakeness_threshold")
_FULL_THRESHOLD = 5000  # what a `threshold` of 1 stands for
_FALLBACK_VOICE = "linjiajiejie"
# For this model only a few voices are known to work and none to fail, so every official one is let through.
_OPEN_VOICE_LISTS = frozenset({"stepaudio-3-realtime-preview"})
# These models speak with the voice that is named in their instructions.
_NAMED_VOICE_MODELS = frozenset({"step-audio-2-mini", "step-audio-2-think", "step-audio-2-mini-think"})
_NAMED_VOICES = (
    (re.compile(r"\bdefault male voice\b|默认男声", re.IGNORECASE), "wenrounansheng"),
    (re.compile(r"\bdefault female voice\b|默认女声", re.IGNORECASE), "qingchunshaonv"),
)
_TOOL_CHOICES = ("auto", "none", "required")
_TOOL_TYPES = ("function", "web_search", "retrieval")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class ReplyOptions:
    """The settings as one response sees them."""

    modalities: tuple[str, ...]
    instructions: str
    voice: str
    tool_choice: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a session is set to. `merged` makes the next one, so a refused update changes nothing."""

    model: str
    voice: str
    instructions: str = DEFAULT_INSTRUCTIONS
    modalities: tuple[str, ...] = ("text", "audio")
    vad: ServerVAD | None = None
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: str = "auto"  # never echoed
    volume_ratio: float | None = None
    transcribed: bool  # whether the client gets to read what the user said
    profile: Profile
    is_clone: Callable[[str], bool]  # whether a voice was cloned here

    @classmethod
    def initial(cls, model: str, profile: Profile, is_clone: Callable[[str], bool]) -> Settings:
        """Return the settings a session of this model starts with."""
        cluster = "global" if profile.voices == "global" else "cn"
        return cls(
            model=model,
            voice=catalog.default_voice(model, cluster) or _FALLBACK_VOICE,
            vad=_DEFAULT_VAD if profile.vad_at_start else None,
            transcribed=not profile.transcripts_on_request,
            profile=profile,
            is_clone=is_clone,
        )

    def merged(self, update: SessionInfo, *, voice_locked: bool) -> Settings:
        """Return the settings after an update; what the update leaves out stays.

        Parameters
        ----------
        update
            The ``session`` of a ``session.update``. Keys the service ignores are ignored.
        voice_locked
            Whether the session has already been heard.

        Raises
        ------
        Refused
            A value cannot be.
        """
        changes: dict[str, Any] = {"vad": self._merged_vad(update)}
        if not isinstance(update.voice, UnsetType):
            changes["voice"] = self._new_voice(update.voice, voice_locked, "session.voice")
        if not isinstance(update.instructions, UnsetType):
            changes["instructions"] = _checked_instructions(update.instructions, "session.instructions")
        if not isinstance(update.modalities, UnsetType):
            changes["modalities"] = _checked_modalities(update.modalities, "session.modalities")
        if not isinstance(update.tools, UnsetType):
            changes["tools"] = _checked_tools(update.tools)
        if not isinstance(update.tool_choice, UnsetType):
            changes["tool_choice"] = _checked_choice(update.tool_choice, "session.tool_choice")
        if self.profile.transcripts_on_request and not isinstance(
            update.input_audio_transcription, UnsetType
        ):
            changes["transcribed"] = update.input_audio_transcription is not None
        if not isinstance(update.volume_ratio, UnsetType):
            changes["volume_ratio"] = update.volume_ratio
        for key in ("input_audio_format", "output_audio_format"):
            if getattr(update, key) not in (UNSET, "pcm16"):
                raise invalid_value(f"{key} must be pcm16", f"session.{key}")
        return replace(self, **changes)

    def to_wire(self, session_id: str, *, created: bool) -> SessionInfo:
        """Return the whole session as ``session.created`` or ``session.updated`` shows it."""
        info = SessionInfo(
            id=session_id,
            object="realtime.session",
            model=self.model,
            modalities=list(self.modalities),
            instructions=self.instructions,
            voice=self.voice,
            input_audio_format="pcm16",
            output_audio_format="pcm16",
            tools=list(self.tools),
            max_response_output_tokens=self._token_limit(created),
        )
        if self.vad is not None:
            info.turn_detection = self.vad.to_wire()
        elif self.profile.vad_off_echo != "absent":
            info.turn_detection = TurnDetection(type="") if self.profile.vad_off_echo == "empty" else None
        if self.volume_ratio is not None:
            info.volume_ratio = self.volume_ratio
        return info

    def reply_options(
        self, event: ResponseCreate | None = None, *, voice_locked: bool = False
    ) -> ReplyOptions:
        """Return the settings of one response: those of its ``response.create``, else the session's.

        Raises
        ------
        Refused
            A value cannot be.
        """
        options = ReplyOptions(
            modalities=self.modalities,
            instructions=self.instructions,
            voice=self.voice,
            tool_choice=self.tool_choice,
        )
        if event is not None:
            options = self._asked(options, event, voice_locked)
        if self.model in _NAMED_VOICE_MODELS:
            named = next((voice for sign, voice in _NAMED_VOICES if sign.search(options.instructions)), None)
            options = replace(options, voice=named or options.voice)
        return options

    def _asked(self, options: ReplyOptions, event: ResponseCreate, voice_locked: bool) -> ReplyOptions:
        """Return the options with what a ``response.create`` asks for."""
        wanted = event.response or ResponseOptions()
        changes: dict[str, Any] = {}
        if not isinstance(wanted.modalities, UnsetType):
            changes["modalities"] = _checked_modalities(wanted.modalities, "response.modalities")
        # The reference knows no body, the guide puts instructions into `session`, clients into `response`.
        for info, name in ((event.session, "session"), (wanted, "response")):
            if info is not None and not isinstance(info.instructions, UnsetType):
                changes["instructions"] = _checked_instructions(info.instructions, f"{name}.instructions")
        # As the service does: `response.tools` is taken without a word and not used.
        if not isinstance(wanted.tool_choice, UnsetType):
            changes["tool_choice"] = _checked_choice(wanted.tool_choice, "response.tool_choice")
        if not isinstance(wanted.voice, UnsetType):
            logger.info("response.voice is taken, as the English guide has it")
            changes["voice"] = self._new_voice(wanted.voice, voice_locked, "response.voice")
        return replace(options, **changes)

    def usable_tools(self, tool_choice: str) -> tuple[dict[str, Any], ...]:
        """Return the tools a response may use: none if it is told so, and never a flat one."""
        if tool_choice == "none":
            return ()
        if self.profile.calls_flat_tools:
            return tuple(map(_nested, self.tools))
        return tuple(tool for tool in self.tools if not _is_flat(tool))

    def _token_limit(self, created: bool) -> str | int:
        form = self.profile.token_limit
        if form == "inf":
            return form
        return (
            str(MAX_OUTPUT_TOKENS) if form == "text" or (form == "mixed" and created) else MAX_OUTPUT_TOKENS
        )

    def _new_voice(self, voice: str, locked: bool, param: str) -> str:
        if locked and voice != self.voice:
            if self.profile.ignores_late_voice:
                return self.voice
            raise invalid_value("voice cannot be changed after the first audio output", param)
        # For some models the documentation does not say whether they take cloned voices; here they do.
        if self.profile.cloned_voices and self.is_clone(voice):
            return voice
        if voice not in self._official_voices():
            raise invalid_value(f"voice {voice[:100]} is not valid", param)
        return voice

    def _official_voices(self) -> set[str]:
        """Return the official voices that the model takes."""
        cluster = None if self.profile.voices == "all" else self.profile.voices
        is_open = self.model in _OPEN_VOICE_LISTS and cluster != "global"
        listed = () if is_open else catalog.voices(self.model, cluster)
        known = listed or catalog.voices(cluster=cluster)
        return {voice.id for voice in known if _is_taken(voice, self.model, cluster)}

    def _merged_vad(self, update: SessionInfo) -> ServerVAD | None:
        wanted = update.turn_detection
        vad = self.vad
        values: dict[str, Any] = {}
        if wanted is None:
            vad = None
        elif isinstance(wanted, TurnDetection):
            if wanted.type == "":
                vad = None
            elif wanted.type == "server_vad":
                vad = vad or _DEFAULT_VAD
            elif wanted.type is not None:
                raise invalid_value("turn_detection.type must be server_vad", "session.turn_detection.type")
            values = {key: getattr(wanted, key) for key in _VAD_KEYS}
            threshold = wanted.extra.get("threshold")
            if self.profile.reads_threshold and isinstance(threshold, int | float):
                values["energy_awakeness_threshold"] = round(threshold * _FULL_THRESHOLD)
        guide = update.extra.get("input_audio_config")
        if isinstance(guide, dict):  # the English guide's place for the two durations
            logger.info("session.input_audio_config is taken as turn_detection")
            values |= {key: guide[key] for key in _VAD_KEYS[:2] if key in guide}
        if vad is None:
            return None
        try:
            return replace(vad, **{key: value for key, value in values.items() if value is not None})
        except ConfigError as error:
            raise invalid_value(str(error), "session.turn_detection") from None


def _is_taken(voice: catalog.Voice, model: str, cluster: str | None) -> bool:
    """Whether nothing says that the model does not take an official voice on a cluster."""
    evidence = voice.evidence.get(model, "")
    elsewhere = cluster is not None and "(" in evidence and f"({cluster})" not in evidence
    return model not in voice.rejected_by and not elsewhere


def _checked_instructions(text: str, param: str) -> str:
    """Return the instructions if they are not too long."""
    if len(text) > MAX_INSTRUCTIONS:
        raise invalid_value(f"instructions are longer than {MAX_INSTRUCTIONS} characters", param)
    return text


def _checked_modalities(modalities: list[str], param: str) -> tuple[str, ...]:
    """Return the modalities if the service has them: text, or text and audio."""
    if set(modalities) not in ({"text"}, {"text", "audio"}):
        raise invalid_value('modalities must be ["text"] or ["text", "audio"]', param)
    return tuple(name for name in ("text", "audio") if name in modalities)


def _checked_choice(choice: str, param: str) -> str:
    if choice not in _TOOL_CHOICES:
        raise invalid_value(f"tool_choice must be one of {', '.join(_TOOL_CHOICES)}", param)
    return choice


def _checked_tools(tools: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    if len(msgspec.json.encode(tools)) > MAX_TOOLS_BYTES:
        raise invalid_value(f"tools are larger than {MAX_TOOLS_BYTES} bytes", "session.tools")
    for number, tool in enumerate(tools):
        _check_tool(tool, f"session.tools[{number}]")
    return tuple(tools)


def _check_tool(tool: object, param: str) -> None:
    if not isinstance(tool, dict) or tool.get("type") not in _TOOL_TYPES:
        raise invalid_value(f"a tool's type must be one of {', '.join(_TOOL_TYPES)}", f"{param}.type")
    if tool["type"] != "function":
        return
    if _is_flat(tool):
        # As the service does with this shape: taken without a word, never called.
        logger.warning("%s is flat: the service takes it but never calls it; nest it under 'function'", param)
        return
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
        raise Refused(
            "function.name must be 1 to 64 letters, digits, _ or -",
            code="invalid_value",
            param=f"{param}.function.name",
        )


def _is_flat(tool: dict[str, Any]) -> bool:
    """Whether a function tool has the flat shape of other services."""
    return tool["type"] == "function" and "function" not in tool and "name" in tool


def _nested(tool: dict[str, Any]) -> dict[str, Any]:
    if not _is_flat(tool):
        return tool
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}
