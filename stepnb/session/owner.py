"""`AudioOwner`: who has a session's microphone and loudspeaker. One at a time; the one place where that is decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

Place = Literal["page", "companion", "device"]
"""Where the sound is: a view in a notebook, the companion tab, the sound device of the kernel's machine."""


class AudioOwner:
    """Whoever takes it has it, until another one does or it is given back. I/O thread only.

    Attributes
    ----------
    name, place
        The owner, and where its sound is; None while nobody is.
    resident
        Who has it while nobody else does: a companion tab, as long as it is open.
    changed
        Told after each change.
    levels
        Told how loud the microphone is where no page of a notebook has it: RMS of 20 ms each, int16 units.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self.place: Place | None = None
        self.resident: tuple[str, Place] | None = None
        self.changed: list[Callable[[], None]] = []
        self.levels: list[Callable[[Sequence[float]], None]] = []

    def tell_levels(self, rms: Sequence[float]) -> None:
        for tell in self.levels:
            tell(rms)

    def take(self, name: str, place: Place = "page") -> None:
        """Make it the owner; the one before has to stop."""
        if self.resident is not None and name == self.resident[0]:
            place = self.resident[1]
        self._set(name, place)

    def release(self, name: str) -> bool:
        """Give it back; returns whether it was its own."""
        if name != self.name:
            return False
        self._set(*(self.resident or (None, None)))
        return True

    def move_in(self, name: str, place: Place) -> None:
        """Own it whenever nobody else does, and from now on."""
        self.resident = name, place
        self._set(name, place)

    def move_out(self, name: str) -> None:
        """Be the resident no longer."""
        if self.resident is not None and self.resident[0] == name:
            self.resident = None
        self.release(name)

    def _set(self, name: str | None, place: Place | None) -> None:
        if (name, place) != (self.name, self.place):
            self.name, self.place = name, place
            for tell in list(self.changed):
                tell()
