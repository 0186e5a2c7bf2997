"""The ``info`` trait of the panel."""

from __future__ import annotations

from typing import Any

from ..session.core import SessionCore
from .ladder import rungs


def info_of(core: SessionCore) -> dict[str, Any]:
    """Return the ``info`` trait: what the session is set to, in a form for the page."""
    vad = core.settings.config.vad
    return {
        "model": core.model,
        "voice": core.settings.config.voice or "",
        "where": None if core.endpoint.url is None else core.endpoint.label,
        "vad": None
        if vad is None
        else {
            "prefix_padding_ms": vad.prefix_padding_ms,
            "silence_duration_ms": vad.silence_duration_ms,
            "energy_awakeness_threshold": vad.energy_awakeness_threshold,
        },
        "prompt": next(iter((core.settings.config.instructions or "").strip().splitlines()), "")[:60],
        "tools": len(core.settings.config.tools),
        "session": core.key,
        "rungs": rungs(),
    }
