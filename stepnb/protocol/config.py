"""What a session is set to, and how that is put on the wire.

`SessionConfig` is the whole setting; `SessionConfig.session_info` writes it out, `changed_keys` compares
two of them, and `echo_differences` compares what was sent with what the service says it took: unknown keys
are ignored silently there, so the echo is the only witness.
"""

from __future__ import annotations

import dataclasses
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
        return TurnDetection(
            type="server_vad",
            prefix_padding_ms=self.prefix_padding_ms,
            silence_duration_ms=self.silence_duration_ms,
            energy_awakeness_threshold=self.energy_awakeness_threshold,
        )


class ToolSpec(Protocol):
    """Anything that can describe itself as a tool on the wire."""

    def to_wire(self) -> dict[str, Any]: ...


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
    """

    voice: str | None = None
    instructions: str | None = None
    vad: ServerVAD | None = ServerVAD()
    tools: tuple[ToolSpec, ...] = ()

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
    if sent.turn_detection is not UNSET:
        wanted_vad, taken_vad = vad_of(sent), vad_of(echo)
        if wanted_vad and taken_vad:
            filled = tuple(w if t is None else t for w, t in zip(wanted_vad, taken_vad, strict=True))
            if filled != wanted_vad:
                differences.append(Difference("vad", wanted_vad, filled))
        elif wanted_vad != taken_vad:
            differences.append(Difference("vad", wanted_vad, taken_vad))
    return differences


def vad_of(info: SessionInfo) -> tuple[int | None, int | None, int | None] | None:
    """Return (prefix ms, silence ms, energy threshold) of a session object, or None when VAD is off."""
    vad = info.turn_detection
    if not isinstance(vad, TurnDetection) or not vad.type:
        return None
    energy = vad.energy_awakeness_threshold
    # Some servers name the threshold as other realtime dialects do, and scale it from 0 to 1.
    other = vad.extra.get("threshold")
    if energy is None and isinstance(other, int | float) and not isinstance(other, bool) and 0 <= other <= 1:
        energy = _energy(other)
    return vad.prefix_padding_ms, vad.silence_duration_ms, energy
