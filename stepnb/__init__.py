"""stepnb: realtime voice in Jupyter.

``import stepnb as sn; sn.Session()`` puts a voice panel into the notebook.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .audio.clip import Clip as Clip
    from .local.engine import LocalEngine as LocalEngine
    from .protocol.config import ServerVAD as ServerVAD
    from .session.session import Session as Session
    from .session.turn import Turn as Turn
    from .widgets.panel import VoicePanel as VoicePanel

__version__ = "0.1.0"

# Imported with their first use: `import stepnb` stays quick, and the local engine's parts are optional.
_PUBLIC = {
    "Clip": "stepnb.audio.clip",
    "LocalEngine": "stepnb.local.engine",
    "ServerVAD": "stepnb.protocol.config",
    "Session": "stepnb.session.session",
    "Turn": "stepnb.session.turn",
    "VoicePanel": "stepnb.widgets.panel",
}
_ERRORS = (
    "AudioError", "AuthenticationError", "BadRequest", "BalanceExhausted", "ConfigError", "ConnectError",
    "ConnectionLost", "ContentBlocked", "EngineError", "HandshakeError", "PortInUse", "RateLimited", "ServiceError",
    "ServiceUnavailable", "SessionClosed", "StepnbError", "TurnError", "TurnTimeout", "Unreachable", "WrongPath",
)  # fmt: skip
_PUBLIC |= dict.fromkeys(_ERRORS, "stepnb.errors")

__all__ = sorted([*_PUBLIC, "__version__"])


def __getattr__(name: str) -> Any:
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'stepnb' has no attribute {name!r}")
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return __all__
