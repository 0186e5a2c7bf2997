"""What a recording says of its session beside the events: header, settings, versions."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import platform
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from ..errors import RecordingError
from ..protocol import events as ev
from ..protocol.config import ServerVAD, SessionConfig
from .store import KeepAudio

FORMAT = 1
_LIBRARIES = (
    "stepnb",
    "anywidget",
    "ipykernel",
    "ipywidgets",
    "jupyterlab",
    "msgspec",
    "numpy",
    "websockets",
)


class Header(Struct, kw_only=True):
    """The head of a recording.

    Attributes
    ----------
    format
        Version of the format.
    started, anchor_ns
        The same moment in wall-clock and in monotonic time: the beginning.
    model, cluster, where
        What the session talked to; ``where`` is the host or "local engine".
    """

    format: int = FORMAT
    started: datetime
    anchor_ns: int
    keep_audio: KeepAudio = "all"
    model: str = ""
    cluster: str = ""
    where: str = ""


class Settings(Struct, kw_only=True):
    """What a session was set to when it began; tools as they stand on the wire, history as (role, text)."""

    voice: str | None = None
    instructions: str | None = None
    vad: dict[str, int] | None = None
    tools: list[dict[str, Any]] = []
    transcription: str | None = None
    greeting: str | None = None
    history: list[tuple[str, str]] = []

    @classmethod
    def of(cls, config: SessionConfig, history: Sequence[ev.Item], greeting: str | None = None) -> Settings:
        return cls(
            voice=config.voice,
            instructions=config.instructions,
            vad=dataclasses.asdict(config.vad) if config.vad else None,
            tools=[tool.to_wire() for tool in config.tools],
            transcription=config.transcription,
            greeting=greeting,
            history=[(item.role or "", part.text or "") for item in history for part in item.content or []],
        )

    @property
    def server_vad(self) -> ServerVAD | None:
        return ServerVAD(**self.vad) if self.vad is not None else None


class About(Struct, kw_only=True):
    """Everything a recording says of its session beside the events."""

    header: Header
    config: Settings = msgspec.field(default_factory=Settings)
    versions: dict[str, str] = {}

    def files(self) -> dict[str, bytes]:
        """Return the contents of the JSON files, by name."""
        parts = {"header": self.header, "config": self.config, "versions": self.versions}
        return {
            f"{name}.json": msgspec.json.format(msgspec.json.encode(part)) for name, part in parts.items()
        }

    @classmethod
    def read(cls, files: dict[str, bytes]) -> About:
        """Return what the JSON files say; only the header is needed.

        Raises
        ------
        RecordingError
            There is no header, it is damaged, or of a newer format.
        """
        try:
            head = msgspec.json.decode(files["header.json"], type=_Format)
            if head.format > FORMAT:
                raise RecordingError(
                    f"The recording has format {head.format}; this version reads up to {FORMAT}.",
                    fix="Update stepnb: pip install --upgrade stepnb",
                )
            header = msgspec.json.decode(files["header.json"], type=Header)
            config = msgspec.json.decode(files.get("config.json", b"{}"), type=Settings)
            found = msgspec.json.decode(files.get("versions.json", b"{}"), type=dict[str, str])
        except KeyError:
            raise RecordingError(
                "This is not a recording: it has no header.json.",
                fix="Give a .stepnb file, or the folder of Session(record=...).",
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RecordingError(f"The head of the recording is damaged: {error}") from None
        return cls(header=header, config=config, versions=found)


class _Format(Struct):
    format: int


def versions() -> dict[str, str]:
    """Return what runs here: Python, the system and the libraries that matter."""
    found = {"python": sys.version.split()[0], "system": platform.platform()}
    for name in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
