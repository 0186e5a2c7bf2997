"""Making the core of a session of what its user asks for; a wrong argument raises here, before anything is started."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..conversation.history import Message
from ..protocol import catalog
from ..protocol.catalog import Voice
from ..protocol.config import ServerVAD, SessionConfig
from ..recording.about import Settings
from ..recording.log import EventLog
from ..recording.recording import Recording
from ..recording.store import KeepAudio
from ..rest.owned import ClonedVoice
from ..service.endpoint import NO_KEY_LINE, resolve
from ..service.loop import io_thread
from .arguments import past_of, text_of, vad_of, voice_of
from .budget import limit_of
from .core import SessionCore
from .lifetimes import say_no_key_once
from .status import Notice
from .tools import AnyTool, Approve, approve_of, tool_list


def core_of(
    cluster: str | None,
    *,
    model: str | None,
    voice: str | ClonedVoice | Voice | None,
    instructions: str | None,
    vad: ServerVAD | None,
    tools: Sequence[AnyTool] | None,
    approve: Approve | bool | None,
    greeting: str | None,
    budget: float | str | None,
    transcription: str | None,
    record: str | os.PathLike[str] | None,
    keep_audio: KeepAudio,
    history: Recording | Sequence[Message],
    api_key: str | None,
) -> SessionCore:
    """Return the core; the parameters are those of `Session`."""
    where = resolve(cluster, api_key)
    model = text_of("model", model) or catalog.recommended_model(where.cluster)
    config = SessionConfig(
        voice=voice_of(voice, model, where.cluster),
        instructions=text_of("instructions", instructions),
        vad=vad_of(vad),
        tools=tool_list(tools, model),
        transcription=text_of("transcription", transcription),
    )
    greeting = text_of("greeting", greeting)
    limit = limit_of(budget, model, where.cluster)
    approve = approve_of(approve)
    past, untold = past_of(history)
    log = EventLog(
        Path(record).expanduser() if record is not None else None,
        keep_audio=keep_audio,
        model=model,
        cluster=where.cluster,
        where=where.label,
        settings=Settings.of(config, past, greeting),
    )
    core = SessionCore(
        where, model, config, io_thread.loop, approve, log=log, history=past, greeting=greeting, budget=limit
    )
    doubt = catalog.voice_doubt(config.voice or "", model, where.cluster)
    if doubt is not None:
        core.hub.notices.append(Notice("warning", *doubt))
    if untold:
        text = f"The history is told as text. It leaves out {', '.join(untold)}."
        core.hub.notices.append(Notice("info", text))
    if where.cluster == "local" and cluster is None:
        say_no_key_once()
        core.hub.notices.append(Notice("info", NO_KEY_LINE))
    return core
