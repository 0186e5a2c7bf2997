"""What every fault is: a value with a name, checked when it is made, and the occasions on which it strikes."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from stepnb.local import values

Occasion = Literal["connection", "response", "transcript", "audio delta", "frame", "request"]
Seconds = Annotated[float, Meta(ge=0, le=3600)]
Count = Annotated[int, Meta(ge=0)]
Ordinal = Annotated[int, Meta(ge=1)]


@dataclass(frozen=True, kw_only=True, repr=False)
class Fault:
    """Something that goes wrong.

    Attributes
    ----------
    after
        How many occasions pass before the first on which it may strike.
    times
        On how many occasions it strikes; None: on all.
    chance
        How likely it strikes on an occasion, 0 to 1; the engine's seed decides.

    Raises
    ------
    ConfigError
        A value cannot be.
    """

    occasion: ClassVar[Occasion]

    after: Count = 0
    times: Count | None = None
    chance: Annotated[float, Meta(ge=0, le=1)] = 1.0

    @classmethod
    def name(cls) -> str:
        """Return what the command line calls it."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def summary(cls) -> str:
        """Return what a client sees of it, in a sentence or two."""
        return (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")

    @classmethod
    def fields(cls) -> dict[str, Any]:
        """Return what can be set, with its defaults."""
        return {entry.name: entry.default for entry in dataclasses.fields(cls)}

    def __post_init__(self) -> None:
        for key in self.fields():
            values.checked(type(self), f"the fault {self.name()}", key, getattr(self, key))

    def __repr__(self) -> str:
        changed = [f"{key}={value!r}" for key, value in self._changes().items()]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __str__(self) -> str:
        changed = ",".join(f"{key}={value}" for key, value in self._changes().items())
        return f"{self.name()}:{changed}" if changed else self.name()

    def _changes(self) -> dict[str, Any]:
        return {
            key: getattr(self, key) for key, default in self.fields().items() if getattr(self, key) != default
        }
