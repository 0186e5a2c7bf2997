"""stepnb: realtime voice in Jupyter.

``import stepnb as sn; sn.Session()`` puts a voice panel into the notebook.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .audio.clip import Clip as Clip
    from .conversation.cost import Cost as Cost
    from .conversation.timing import Latency as Latency
    from .conversation.timing import Stamp as Stamp
    from .conversation.timing import Stamps as Stamps
    from .conversation.usage import Usage as Usage
    from .experiments import scorers as scorers
    from .experiments.call import Call as Call
    from .experiments.experiment import Experiment as Experiment
    from .experiments.inputs import Input as Input
    from .experiments.inputs import Interruption as Interruption
    from .experiments.inputs import SimulatedCaller as SimulatedCaller
    from .experiments.limits import Limits as Limits
    from .experiments.prompts import Prompts as Prompts
    from .local import faults as faults
    from .local.engine import LocalEngine as LocalEngine
    from .plots.theme import style as style
    from .plots.turntaking import TurnTaking as TurnTaking
    from .plots.whatif import VadLab as VadLab
    from .plots.whatif import vad_lab as vad_lab
    from .protocol.catalog import Capabilities as Capabilities
    from .protocol.config import Retrieval as Retrieval
    from .protocol.config import ServerVAD as ServerVAD
    from .protocol.config import WebSearch as WebSearch
    from .protocol.models import Models as Models
    from .protocol.models import models as models
    from .recording.recording import Recording as Recording
    from .rest.knowledge import Knowledge as Knowledge
    from .rest.knowledge import VectorStore as VectorStore
    from .rest.owned import ClonedVoice as ClonedVoice
    from .rest.voices import Voices as Voices
    from .session.session import Session as Session
    from .session.tools import ToolCall as ToolCall
    from .session.tools import tool as tool
    from .session.turn import Turn as Turn
    from .troubleshooting import troubleshoot as troubleshoot
    from .widgets.comparison import VoiceComparison as VoiceComparison
    from .widgets.comparison import compare_voices as compare_voices
    from .widgets.controls import SessionControls as SessionControls
    from .widgets.doctor import Doctor as Doctor
    from .widgets.doctor import doctor as doctor
    from .widgets.inspector import Inspector as Inspector
    from .widgets.language import set_language as set_language
    from .widgets.panel import VoicePanel as VoicePanel
    from .widgets.recorder import Recorder as Recorder
    from .widgets.timeline import Timeline as Timeline
    from .widgets.voice_lab import VoiceLab as VoiceLab

__version__ = "0.1.0"

# Imported with their first use: `import stepnb` stays quick, and the local engine's parts are optional.
_PUBLIC = {
    "Call": "stepnb.experiments.call",
    "Capabilities": "stepnb.protocol.catalog",
    "Clip": "stepnb.audio.clip",
    "ClonedVoice": "stepnb.rest.owned",
    "Cost": "stepnb.conversation.cost",
    "Knowledge": "stepnb.rest.knowledge",
    "Latency": "stepnb.conversation.timing",
    "Experiment": "stepnb.experiments.experiment",
    "Input": "stepnb.experiments.inputs",
    "Doctor": "stepnb.widgets.doctor",
    "Inspector": "stepnb.widgets.inspector",
    "Interruption": "stepnb.experiments.inputs",
    "Limits": "stepnb.experiments.limits",
    "LocalEngine": "stepnb.local.engine",
    "Prompts": "stepnb.experiments.prompts",
    "Models": "stepnb.protocol.models",
    "Recorder": "stepnb.widgets.recorder",
    "Recording": "stepnb.recording.recording",
    "Retrieval": "stepnb.protocol.config",
    "ServerVAD": "stepnb.protocol.config",
    "scorers": "stepnb.experiments",
    "Session": "stepnb.session.session",
    "SessionControls": "stepnb.widgets.controls",
    "Stamp": "stepnb.conversation.timing",
    "Stamps": "stepnb.conversation.timing",
    "SimulatedCaller": "stepnb.experiments.inputs",
    "ToolCall": "stepnb.session.tools",
    "Timeline": "stepnb.widgets.timeline",
    "TurnTaking": "stepnb.plots.turntaking",
    "Turn": "stepnb.session.turn",
    "Usage": "stepnb.conversation.usage",
    "VectorStore": "stepnb.rest.knowledge",
    "VadLab": "stepnb.plots.whatif",
    "VoiceComparison": "stepnb.widgets.comparison",
    "VoiceLab": "stepnb.widgets.voice_lab",
    "VoicePanel": "stepnb.widgets.panel",
    "Voices": "stepnb.rest.voices",
    "WebSearch": "stepnb.protocol.config",
    "compare_voices": "stepnb.widgets.comparison",
    "doctor": "stepnb.widgets.doctor",
    "set_language": "stepnb.widgets.language",
    "style": "stepnb.plots.theme",
    "vad_lab": "stepnb.plots.whatif",
    "models": "stepnb.protocol.models",
    "tool": "stepnb.session.tools",
    "troubleshoot": "stepnb.troubleshooting",
}
_ERRORS = (
    "ApprovalBlocked", "AudioError", "AudioFileNotFound", "AuthenticationError", "BadRequest",
    "BalanceExhausted", "BudgetExhausted", "ConfigError", "ConnectError", "ConnectionLost",
    "ContentBlocked", "EngineError", "ExperimentError", "HandshakeError", "LibraryError", "MissingLibrary",
    "NeedsConfirmation", "NeedsConsent", "PortInUse", "RateLimited", "RecordingError", "ReplayMismatch",
    "ServiceError", "ServiceUnavailable", "SessionClosed", "StepnbError", "TurnError", "TurnTimeout",
    "Unreachable", "WrongPath",
)  # fmt: skip
_PUBLIC |= dict.fromkeys(_ERRORS, "stepnb.errors")

# Whole modules.
_MODULES = {"faults": "stepnb.local.faults"}

__all__ = sorted([*_PUBLIC, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'stepnb' has no attribute {name!r}")
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext stepnb``: ``%%say``, ``%voice``, and completion of the values of options."""
    from .ipython import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext stepnb``."""
    from .ipython import unload

    unload(shell)
