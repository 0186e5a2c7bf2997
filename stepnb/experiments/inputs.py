"""Inputs: what is said to every variant, from one sentence to a caller that listens and answers."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..audio.clip import Clip
from ..audio.pcm import RATE
from ..errors import ConfigError
from ..protocol.catalog import Cluster
from .grid import level_name

if TYPE_CHECKING:
    from .call import Call

CallerFunction = Callable[["Call"], Awaitable[None]]


@dataclasses.dataclass(frozen=True)
class Interruption:
    """A step of a script: break in while the answer is being heard.

    Parameters
    ----------
    what
        A Clip, which needs a session with VAD, or text, which stops the answer first.
    after
        When, s of the answer heard.
    """

    what: str | Clip
    after: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.what, str | Clip):
            raise ConfigError(
                f"One cannot break in with a {type(self.what).__name__}.", fix="Give text or a Clip."
            )
        if not self.after >= 0:
            raise ConfigError(f"after is {self.after!r}.", fix="Give the seconds as 0 or more.")


Step = str | Clip | Interruption


@dataclasses.dataclass(frozen=True)
class SimulatedCaller:
    """A second session that plays the person: it listens to each answer and replies aloud.

    Parameters
    ----------
    instructions
        Who it is and what it wants: "You call a hotel to move a booking by a day."
    turns
        How many times it speaks.
    opening
        What it says first.
    voice, model, cluster
        Of its own session; None for the usual ones, and the cluster of the session it calls.
    """

    instructions: str
    opening: str
    turns: int = 3
    voice: str | None = None
    model: str | None = None
    cluster: Cluster | str | None = None

    def __post_init__(self) -> None:
        if self.turns < 1:
            raise ConfigError(f"turns is {self.turns!r}.", fix="Let it speak at least once.")


@dataclasses.dataclass(frozen=True)
class Input:
    """One input of an experiment.

    Parameters
    ----------
    what
        Text; a Clip, streamed as the microphone does; a list of steps (text, Clips, `Interruption`), one after the
        other; an async function of a `Call`; or a `SimulatedCaller`.
    name
        For tables; None for the text itself, or "input 3".
    said
        The words in the audio: what the service should hear.
    expect
        What the answer should be, for the scorers that compare.
    """

    what: str | Clip | Sequence[Step] | CallerFunction | SimulatedCaller
    name: str | None = None
    said: str | None = None
    expect: str | None = None

    def __post_init__(self) -> None:
        steps = self.steps
        odd = next((step for step in steps if not isinstance(step, str | Clip | Interruption)), None)
        if odd is not None or not (steps or callable(self.what) or isinstance(self.what, SimulatedCaller)):
            raise ConfigError(
                f"An input cannot be {self.what!r}.",
                fix="Give text, a Clip, a list of both, an async function or sn.SimulatedCaller.",
            )
        if any(isinstance(step, str) and not step.strip() for step in steps):
            raise ConfigError(f"The input {self.name or ''!r} has an empty text.", fix="Write something.")
        if callable(self.what) and not inspect.iscoroutinefunction(self.what):
            raise ConfigError(
                "A caller is an async function of a Call.", fix="Write: async def caller(call): ..."
            )
        if self.steps and isinstance(self.steps[0], Interruption):
            raise ConfigError("An input cannot begin with an interruption.", fix="Begin with text or a Clip.")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of a script; empty for a caller."""
        if isinstance(self.what, str | Clip):
            return (self.what,)
        if callable(self.what) or isinstance(self.what, SimulatedCaller):
            return ()
        return tuple(self.what) if isinstance(self.what, Sequence) else ()

    @property
    def spoken(self) -> bool:
        """Whether there is sound in it that conditions can change."""
        return not self.steps or any(
            isinstance(step.what if isinstance(step, Interruption) else step, Clip) for step in self.steps
        )

    @property
    def listens(self) -> bool:
        """Whether the answers have to be heard at the pace of speech."""
        return not self.steps or any(isinstance(step, Interruption) for step in self.steps)


def inputs_of(given: Sequence[Any] | Mapping[str, Any]) -> list[Input]:
    """Return the inputs of an experiment, each with a name of its own.

    Raises
    ------
    ConfigError
        There are none, one is of another kind, or two have the same name.
    """
    if isinstance(given, str | Clip) or callable(given):
        raise ConfigError("inputs is a single one.", fix="Write a list: inputs=[...].")
    named = given.items() if isinstance(given, Mapping) else [(None, one) for one in given]
    inputs = []
    for number, (name, one) in enumerate(named, 1):
        found = one if isinstance(one, Input) else Input(one)
        own = name or found.name or (level_name(found.what) if isinstance(found.what, str) else "")
        inputs.append(dataclasses.replace(found, name=own or f"input {number}"))
    if not inputs:
        raise ConfigError("There are no inputs.", fix='Write inputs=["What is the weather in Paris?"].')
    names = [one.name for one in inputs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"Two inputs are called {twice!r}.", fix="Give them names: inputs={'first': ..., ...}."
        )
    return inputs


def conditioned(clip: Clip, conditions: Mapping[str, Any], seed: int) -> Clip:
    """Return a clip as it arrives under the conditions of a variant.

    Parameters
    ----------
    conditions
        ``noise``: pink noise mixed in at that signal-to-noise ratio, dB. ``rate``: it passes through that rate, Hz, as
        through a telephone.
    seed
        The same noise for the same seed.
    """
    rate = conditions.get("rate")
    if rate is not None:
        clip = clip.resample(rate).resample(RATE)
    noise = conditions.get("noise")
    if noise is not None:
        clip = clip.mix(Clip.pink_noise(clip.duration, rate=clip.rate, seed=seed), snr_db=noise)
    return clip
