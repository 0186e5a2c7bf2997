"""Parts by name, as the command line and `LocalEngine` take them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from stepnb.audio.vad import EnergyVAD
from stepnb.errors import ConfigError, EngineError
from stepnb.local.brain import RuleBrain
from stepnb.local.ears import SphinxEars
from stepnb.local.library import Library
from stepnb.local.mouth import EspeakMouth
from stepnb.local.parts import VAD, Brain, Ears, Mouth, StreamingBrain

EARS = "sphinx, sphinx:general or whisper:MODEL"
VADS = ("energy", "silero")
_LIBRARIES = (
    "starlette",
    "uvicorn",
    "python_multipart",
    "pyworld",
    "espeakng_loader",
    "pocketsphinx",
    "bm25s",
)
_INSTALL = 'Install the engine\'s parts with: pip install "stepnb[local]"'


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one run of an engine."""

    ears: Ears
    mouth: Mouth
    brain: Brain | StreamingBrain
    make_vad: Callable[..., VAD]

    def closing(self) -> list[Coroutine[Any, Any, None]]:
        """Return what has to be awaited at the end."""
        ending = [self.ears.close(), self.mouth.close()]
        return [*ending, self.brain.close()] if isinstance(self.brain, StreamingBrain) else ending


def check_installed() -> None:
    """See that the engine's own libraries are there.

    Raises
    ------
    EngineError
        One is not.
    """
    for library in _LIBRARIES:
        if importlib.util.find_spec(library) is None:
            raise EngineError(f"The local engine needs {library}, which is not installed.", fix=_INSTALL)


def choose_parts(
    ears: Ears | str,
    mouth: Mouth | None,
    brain: Brain | StreamingBrain | str | None,
    brain_model: str | None,
    vad: str,
    *,
    library: Library,
) -> Parts:
    """Make the parts that are given by name, and take the others as they are.

    Raises
    ------
    ConfigError
        There is no part of that name.
    EngineError
        A part cannot be had: its library is not installed, its model cannot be loaded, its server does not answer.
    """
    return Parts(
        make_vad=choose_vad(vad),
        ears=choose_ears(ears) if isinstance(ears, str) else ears,
        mouth=mouth or EspeakMouth(),
        brain=choose_brain(brain, brain_model, library) if isinstance(brain, str | None) else brain,
    )


def choose_ears(name: str) -> Ears:
    """Make ears.

    Parameters
    ----------
    name
        ``"sphinx"``, ``"sphinx:general"``, or ``"whisper:MODEL"`` with a size or a model's directory.

    Raises
    ------
    ConfigError
        There are no such ears.
    EngineError
        Their library is not installed, or the model cannot be loaded.
    """
    kind, _, model = name.partition(":")
    if kind == "whisper" and model:
        from stepnb.local.whisper_ears import WhisperEars

        return WhisperEars(model)
    if name == "sphinx":
        return SphinxEars()
    if name == "sphinx:general":
        return SphinxEars("general")
    raise ConfigError(f"There are no ears {name!r}.", fix=f"Write {EARS}, as in whisper:base.en.")


def choose_brain(url: str | None, model: str | None, library: Library) -> Brain | StreamingBrain:
    """Make a brain.

    Parameters
    ----------
    url
        The base URL of a chat server; None: the engine's own rules.
    model
        The model's name there.
    library
        The documents for ``retrieval`` tools.

    Raises
    ------
    ConfigError
        Only one of the two was given, or the URL is none.
    EngineError
        httpx is not installed, or no chat server answers there.
    """
    if url is None and model is None:
        return RuleBrain(library)
    if url is None or not model:
        raise ConfigError(
            "A brain behind HTTP needs its address and the model's name.",
            fix="Give both: --brain http://127.0.0.1:11434/v1 --brain-model NAME.",
        )
    from stepnb.local.http_brain import HttpBrain

    brain = HttpBrain(url, model, library=library)
    brain.check()
    return brain


def choose_vad(name: str) -> Callable[..., VAD]:
    """Return what makes the turn detection of a session.

    Parameters
    ----------
    name
        ``"energy"`` or ``"silero"``.

    Raises
    ------
    ConfigError
        There is no such one.
    EngineError
        Its library is not installed.
    """
    if name == "energy":
        return EnergyVAD
    if name == "silero":
        from stepnb.local.silero import SileroVAD

        SileroVAD()  # what is missing is said now, not to the first session
        return SileroVAD
    raise ConfigError(
        f"There is no voice activity detection {name!r}.", fix=f"Write one of: {', '.join(VADS)}."
    )
