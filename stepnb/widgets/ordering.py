"""`InOrder`: a view's messages in the order in which it sent them. Pure.

ipykernel may hand a comm's messages to two threads, the main shell's and a subshell's. Whatever was waiting for a busy
cell then arrives together with, and after, what was sent later (see `comm_guard.py`).
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

# Messages held at most; more means that something was lost.
MOST = 256


class InOrder(Generic[T]):
    """Holds messages back until those before them have come.

    Parameters
    ----------
    first
        The sequence number to begin with.

    Attributes
    ----------
    gaps
        Numbers that were given up.
    """

    def __init__(self, first: int = 0) -> None:
        self.gaps = 0
        self._next = first
        self._held: dict[int, T | None] = {}

    @property
    def waiting(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def push(self, seq: int, message: T | None) -> list[T]:
        """Take one in and return those whose turn it is; None: the number is used up and there is nothing to do.

        One that comes after its number was given up is returned at once.
        """
        if seq < self._next:
            return [] if message is None else [message]
        self._held[seq] = message
        return self._ready() if len(self._held) <= MOST else self.give_up()

    def give_up(self) -> list[T]:
        """Wait for the missing ones no longer, and return what was held back for them."""
        ready: list[T] = []
        while self._held:
            first = min(self._held)
            self.gaps += first - self._next
            self._next = first
            ready += self._ready()
        return ready

    def _ready(self) -> list[T]:
        ready: list[T] = []
        while self._next in self._held:
            message = self._held.pop(self._next)
            self._next += 1
            if message is not None:
                ready.append(message)
        return ready
