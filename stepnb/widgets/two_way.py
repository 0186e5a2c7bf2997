"""`TwoWay`: values that people move and settings that are in force, kept the same. Pure, and safe on any thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any


class TwoWay:
    """What was moved and is not in force yet.

    A value that is shown because it is in force counts as moved by nobody: so what follows the settings never changes
    them, and there is no loop to break.

    Parameters
    ----------
    in_force
        The settings' values, by name.
    """

    def __init__(self, in_force: Mapping[str, Any]) -> None:
        self._in_force = dict(in_force)
        self._moved: dict[str, Any] = {}
        self._lock = threading.Lock()

    def move(self, name: str, value: Any) -> bool:
        """Take in a new value; return whether it has to be put in force."""
        with self._lock:
            if self._in_force.get(name) == value:
                self._moved.pop(name, None)
                return False
            self._moved[name] = value
            return True

    @property
    def moved(self) -> dict[str, Any]:
        """What has to be put in force."""
        with self._lock:
            return dict(self._moved)

    def settle(self, sent: Mapping[str, Any]) -> None:
        """What was sent has been taken in, or refused; what was moved again meanwhile is still to be sent."""
        with self._lock:
            for name, value in sent.items():
                if name in self._moved and self._moved[name] == value:
                    del self._moved[name]

    def follow(self, in_force: Mapping[str, Any]) -> dict[str, Any]:
        """Take in the settings; return the values to show, which leave alone what is being moved."""
        with self._lock:
            self._in_force |= in_force
            for name, value in list(self._moved.items()):
                if self._in_force.get(name) == value:
                    del self._moved[name]
            return {name: value for name, value in self._in_force.items() if name not in self._moved}
