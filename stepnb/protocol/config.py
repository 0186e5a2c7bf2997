"""What a session is set to, and how that is put on the wire.

`SessionConfig` is the whole setting; `SessionConfig.session_info` writes it out, `changed_keys` compares
two of them, and `echo_differences` compares what was sent with what the service says it took: unknown keys
are ignored silently there, so the echo is the only witness.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Protocol

from msgspec import UNSET

from ..errors import ConfigError
from .events import SessionInfo, TurnDetection

_VAD_LIMITS = {"prefix_padding_ms": 10_000, "silence_duration_ms": 60_000, "energy_awakeness_threshold": 5000}


def _energy(threshold: float) -> int:
    """Turn the 0-to-1 threshold of other realtime dialects into the service's units."""
    return round(threshold * _VAD_LIMITS["energy_awakeness_threshold"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerVAD:
    """Turn-taking by the service: it decides when the person starts and stops speaking.

    Parameters
    ----------
    prefix_padding_ms
        Audio kept from before the detected start of speech, ms.
    silence_duration_ms
        Silence that ends a turn, ms. The service's own default of 100 cuts people off; 350 to 800 is usual.
    energy_awakeness_threshold
        Level from which sound counts as speech, in the service's own units, 0 to 5000. Quiet microphones want
        about 1200, rooms with loudspeakers up to 4500.
    """

    prefix_padding_ms: int = 500
    silence_duration_ms: int = 500
    energy_awakeness_threshold: int = 2500

    def __post_init__(self) -> None:
        for name, limit in _VAD_LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
                fix = f"Write a whole number from 0 to {limit}."
                if name == "energy_awakeness_threshold" and isinstance(value, float) and 0 <= value <= 1:
                    fix += f" {value} on a scale of 0 to 1 is {_energy(value)}."
                raise ConfigError(f"{name} is {value!r}.", fix=fix)

    def to_wire(self) -> TurnDetection:
        """Return it as it stands in ``session``."""
        return TurnDetection(
            type="server_vad",
            prefix_padding_ms=self.prefix_padding_ms,
            silence_duration_ms=self.silence_duration_ms,
            energy_awakeness_threshold=self.energy_awakeness_threshold,
        )


class ToolSpec(Protocol):
    """Anything that can describe itself as a tool on the wire."""

    def to_wire(self) -> dict[str, Any]: ...


_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclasses.dataclass(frozen=True)
class FunctionTool:
    """A function the model may call; the session runs it.

    Parameters
    ----------
    name
        Letters, digits, ``_`` and ``-``, at most 64 of them.
    description
        What it does and when to call it, for the model. Empty: none is sent.
    parameters
        JSON Schema of an object: the arguments.

    Raises
    ------
    ConfigError
        The service would refuse the name.
    """

    name: str
    description: str
    parameters: dict[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _TOOL_NAME.fullmatch(self.name):
            raise ConfigError(
                f"A tool cannot be called {self.name!r}: letters, digits, _ and -, at most 64 of them.",
                fix="Give it another name: @sn.tool(name='get_weather').",
            )

    def to_wire(self) -> dict[str, Any]:
        """Return it as it stands in ``session``."""
        function: dict[str, Any] = {"name": self.name, "parameters": self.parameters}
        if self.description:
            function["description"] = self.description
        return {"type": "function", "function": function}


@dataclasses.dataclass(frozen=True, kw_only=True)
class WebSearch:
    """Let the model search the web. The service does it; only the answer is seen here.

    Parameters
    ----------
    top_k
        How many results the model gets, 1 to 50.
    timeout_seconds
        How long a search may take, s, above 0, at most 60.
    description
        When to search, for the model; None for the service's own words.

    Raises
    ------
    ConfigError
        A wrong value.
    """

    top_k: int = 5
    timeout_seconds: float = 3
    description: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, int) or not 1 <= self.top_k <= 50:
            raise ConfigError(f"top_k is {self.top_k!r}.", fix="Write a whole number from 1 to 50.")
        seconds = self.timeout_seconds
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= 60:
            raise ConfigError(
                f"timeout_seconds is {seconds!r}.", fix="Write a number above 0, at most 60, in seconds."
            )
        _check_description(self.description)

    def to_wire(self) -> dict[str, Any]:
        """Return it as it stands in ``session``."""
        function: dict[str, Any] = {"options": {"top_k": self.top_k, "timeout_seconds": self.timeout_seconds}}
        if self.description is not None:
            function["description"] = self.description
        return {"type": "web_search", "function": function}


@dataclasses.dataclass(frozen=True)
class Retrieval:
    """Let the model look things up in a vector store. The service does it; only the answer is seen here.

    Parameters
    ----------
    vector_store_id
        The store's id.
    description
        What the store holds and when to look there, for the model.
    prompt_template
        How the model is told what was found: ``{{knowledge}}`` stands for that, ``{{query}}`` for the question. None
        for the service's own words, which are Chinese.

    Raises
    ------
    ConfigError
        A wrong value, or a template without ``{{knowledge}}`` or with placeholders the service does not know.
    """

    vector_store_id: str
    description: str | None = None
    prompt_template: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.vector_store_id, str) or not self.vector_store_id.strip():
            raise ConfigError(
                f"vector_store_id is {self.vector_store_id!r}.",
                fix="Write the id of the store as text: sn.Retrieval('1646...').",
            )
        _check_description(self.description)
        if self.prompt_template is None:
            return
        if not isinstance(self.prompt_template, str):
            raise ConfigError(
                f"prompt_template is a {type(self.prompt_template).__name__}.", fix="Write it as text."
            )
        names = set(re.findall(r"{{(.*?)}}", self.prompt_template))
        if "knowledge" not in names:
            raise ConfigError(
                "The prompt_template has no {{knowledge}}: what is found would not reach the model.",
                fix="Write for example 'Answer {{query}} from this: {{knowledge}}'.",
            )
        unknown = sorted(names - {"knowledge", "query"})
        if unknown:
            raise ConfigError(
                f"The prompt_template has {{{{{unknown[0]}}}}}, which the service does not know.",
                fix="Use {{knowledge}} and {{query}}.",
            )

    def to_wire(self) -> dict[str, Any]:
        """Return it as it stands in ``session``."""
        options = {"vector_store_id": self.vector_store_id}
        if self.prompt_template is not None:
            options["prompt_template"] = self.prompt_template
        function: dict[str, Any] = {"options": options}
        if self.description is not None:
            function["description"] = self.description
        return {"type": "retrieval", "function": function}


def _check_description(text: str | None) -> None:
    if text is not None and (not isinstance(text, str) or not text.strip()):
        raise ConfigError(
            f"The description of a tool is {text!r}.", fix="Write a sentence for the model, or leave it out."
        )


@dataclasses.dataclass(frozen=True)
class SessionConfig:
    """Everything a session can be set to, apart from the model, which is fixed when the connection is made.

    Attributes
    ----------
    voice
        A voice id, or None for the service's choice.
    instructions
        The system prompt, or None for the service's own.
    vad
        `ServerVAD`, or None for push-to-talk.
    tools
        What the model may call.
    transcription
        The model that writes down what the person says, or None to leave it to the service.
    """

    voice: str | None = None
    instructions: str | None = None
    vad: ServerVAD | None = ServerVAD()
    tools: tuple[ToolSpec, ...] = ()
    transcription: str | None = None

    def session_info(self, keys: frozenset[str] | None = None) -> SessionInfo:
        """Return the ``session`` object of a ``session.update``.

        Parameters
        ----------
        keys
            Names of the fields to write, None for everything. What the service has no "default" for (voice
            and instructions) is left out while it is None.
        """

        def wanted(name: str) -> bool:
            return keys is None or name in keys

        info = SessionInfo()
        if keys is None:
            info.modalities = ["text", "audio"]
            info.input_audio_format = info.output_audio_format = "pcm16"
        if wanted("voice") and self.voice is not None:
            info.voice = self.voice
        if wanted("instructions") and self.instructions is not None:
            info.instructions = self.instructions
        if wanted("vad"):
            # Explicit null: the sources disagree on whether VAD is on by default.
            info.turn_detection = self.vad.to_wire() if self.vad else None
        if wanted("tools"):
            info.tools = [tool.to_wire() for tool in self.tools]
        if wanted("transcription") and self.transcription is not None:
            info.input_audio_transcription = {"model": self.transcription}
        return info


def changed_keys(old: SessionConfig, new: SessionConfig) -> frozenset[str]:
    """Return the names of the fields in which two configurations differ."""
    names = (field.name for field in dataclasses.fields(SessionConfig))
    return frozenset(name for name in names if getattr(old, name) != getattr(new, name))


@dataclasses.dataclass(frozen=True)
class Difference:
    """One setting the service took otherwise than it was sent."""

    key: str
    sent: object
    taken: object


def echo_differences(sent: SessionInfo, echo: SessionInfo) -> list[Difference]:
    """Compare a ``session.update`` with the session the service echoes.

    A key the echo leaves out counts as taken, because the live service does not echo everything; only a
    value that is there and different is reported. The VAD as a whole is the exception: null, absent and
    ``{"type": ""}`` all mean that it is off.
    """
    differences = []
    for key in ("voice", "instructions"):
        wanted, taken = getattr(sent, key), getattr(echo, key)
        if wanted is not UNSET and taken is not UNSET and wanted != taken:
            differences.append(Difference(key, wanted, taken))
    model, echoed = sent.input_audio_transcription, echo.input_audio_transcription
    if model is not UNSET and model is not None and echoed is not UNSET:
        taken = echoed.get("model") if echoed is not None else None
        if taken != model["model"]:
            differences.append(Difference("input_audio_transcription", model["model"], taken))
    if sent.turn_detection is not UNSET:
        wanted_vad, taken_vad = vad_of(sent), vad_of(echo)
        if wanted_vad and taken_vad:
            filled = tuple(w if t is None else t for w, t in zip(wanted_vad, taken_vad, strict=True))
            if filled != wanted_vad:
                differences.append(Difference("vad", wanted_vad, filled))
        elif wanted_vad != taken_vad:
            differences.append(Difference("vad", wanted_vad, taken_vad))
    return differences


def with_taken(config: SessionConfig, difference: Difference) -> SessionConfig:
    """Return a configuration with what the service took, where that is something a session can be set to."""
    taken: Any = difference.taken
    match difference.key:
        case "voice":
            return dataclasses.replace(config, voice=str(taken))
        case "vad" if taken is None:
            return dataclasses.replace(config, vad=None)
        case "vad":
            given = {name: value for name, value in zip(_VAD_LIMITS, taken, strict=True) if value is not None}
            try:
                return dataclasses.replace(config, vad=ServerVAD(**given))
            except ConfigError:
                return config  # beyond what the service itself documents
    return config


def vad_of(info: SessionInfo) -> tuple[int | None, int | None, int | None] | None:
    """Return (prefix ms, silence ms, energy threshold) of a session object, or None when VAD is off."""
    vad = info.turn_detection
    if not isinstance(vad, TurnDetection) or not vad.type:
        return None
    prefix, silence, energy = vad.prefix_padding_ms, vad.silence_duration_ms, vad.energy_awakeness_threshold
    # One guide has the two durations in a place of their own.
    guide = info.extra.get("input_audio_config")
    if isinstance(guide, dict):
        prefix = _whole(guide.get("prefix_padding_ms")) if prefix is None else prefix
        silence = _whole(guide.get("silence_duration_ms")) if silence is None else silence
    # Some servers name the threshold as other realtime dialects do, and scale it from 0 to 1.
    other = vad.extra.get("threshold")
    if energy is None and isinstance(other, int | float) and not isinstance(other, bool) and 0 <= other <= 1:
        energy = _energy(other)
    return prefix, silence, energy


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
