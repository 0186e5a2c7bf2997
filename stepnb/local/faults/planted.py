"""The faults of an engine: which are planted, and when they strike."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from stepnb.errors import ConfigError
from stepnb.local import values
from stepnb.local.faults.frames import FrameFault
from stepnb.local.faults.kinds import KINDS
from stepnb.local.faults.service import RequestFault
from stepnb.local.faults.spec import Fault

AnyFault = TypeVar("AnyFault", bound=Fault)


def named(text: str) -> Fault:
    """Read a fault from text.

    Parameters
    ----------
    text
        ``NAME`` or ``NAME:KEY=VALUE,KEY=VALUE``, as in ``close:code=1011,times=1``.

    Raises
    ------
    ConfigError
        There is no such fault, or it has no such value.
    """
    name, _, rest = (side.strip() for side in text.partition(":"))
    kind = KINDS.get(name.replace("-", "_"))
    if kind is None:
        raise ConfigError(f"There is no fault {name!r}.", fix=f"Write one of: {', '.join(KINDS)}.")
    return kind(**values.read(kind, f"the fault {kind.name()}", rest))


@dataclass(eq=False)
class Planted:
    """A fault in its place, with its own chance and what has become of it."""

    fault: Fault
    random: Random
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Take an occasion, and tell whether the fault strikes on it."""
        self.seen += 1
        strikes = (
            self.seen > self.fault.after
            and (self.fault.times is None or self.struck < self.fault.times)
            and self.random.random() < self.fault.chance
        )
        self.struck += strikes
        return strikes


class Faults:
    """The faults of an engine; those of the same kind strike in the order in which they were added.

    May be used from any thread while sessions run: what is added strikes from the next occasion on.

    Parameters
    ----------
    faults
        The first ones, as values or as text.
    seed
        Decides where chance does.
    """

    def __init__(self, faults: Iterable[Fault | str] = (), seed: int = 0) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._number = 0
        self._planted: tuple[Planted, ...] = ()
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault | str) -> Fault:
        """Plant a fault.

        Parameters
        ----------
        fault
            A value of `stepnb.faults`, or text as in ``"close:code=1011,times=1"``.

        Returns
        -------
        Fault
            The fault as a value, for `remove` and `struck`.

        Raises
        ------
        ConfigError
            The text names no fault.
        """
        if isinstance(fault, str):
            fault = named(fault)
        if not isinstance(fault, Fault):
            raise ConfigError(f"{fault!r} is no fault.", fix="Write one of stepnb.faults, or its name.")
        with self._lock:
            self._number += 1
            planted = Planted(fault, Random(f"{self._seed}/{self._number}/{fault}"))
            self._planted = (*self._planted, planted)
        return fault

    def remove(self, fault: Fault | str) -> None:
        """Take a fault away, of several equal ones the oldest.

        Raises
        ------
        ConfigError
            It is not planted.
        """
        wanted = named(fault) if isinstance(fault, str) else fault
        with self._lock:
            found = next((planted for planted in self._planted if planted.fault == wanted), None)
            if found is None:
                raise ConfigError(f"The fault {wanted!r} is not planted.", fix="Look at engine.faults.")
            self._planted = tuple(planted for planted in self._planted if planted is not found)

    def clear(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._planted = ()

    def struck(self, fault: Fault | str) -> int:
        """Return how often a fault has struck; of equal ones together."""
        wanted = named(fault) if isinstance(fault, str) else fault
        return sum(planted.struck for planted in self._planted if planted.fault == wanted)

    def __iter__(self) -> Iterator[Fault]:
        return iter([planted.fault for planted in self._planted])

    def __len__(self) -> int:
        return len(self._planted)

    def __repr__(self) -> str:
        inner = ", ".join(f"{planted.fault!r} (struck {planted.struck})" for planted in self._planted)
        return f"<Faults: {inner or 'none'}>"

    # For the engine -----------------------------------------------------------------------------------------------

    def strike(self, kind: type[AnyFault]) -> AnyFault | None:
        """Give every fault of a kind its occasion; returns the first that strikes."""
        with self._lock:
            for planted in self._planted:
                if isinstance(planted.fault, kind) and planted.strikes():
                    return planted.fault
        return None

    def strike_request(self, path: str) -> RequestFault | None:
        """Give every fault of requests to a path its occasion; returns the first that strikes."""
        with self._lock:
            for planted in self._planted:
                fault = planted.fault
                if isinstance(fault, RequestFault) and path.startswith(fault.path) and planted.strikes():
                    return fault
        return None

    @property
    def any_on_frames(self) -> bool:
        """Whether a fault changes what is sent."""
        return any(isinstance(planted.fault, FrameFault) for planted in self._planted)

    def strike_frames(self, *scopes: str) -> list[Planted]:
        """Give every fault of these scopes that changes what is sent its occasion; returns those that strike."""
        with self._lock:
            return [
                planted
                for planted in self._planted
                if isinstance(planted.fault, FrameFault)
                and planted.fault.scope() in scopes
                and planted.strikes()
            ]

    def take_back(self, planted: Planted) -> None:
        """Count a strike as none, because its occasion had nothing to strike."""
        with self._lock:
            planted.struck -= 1
