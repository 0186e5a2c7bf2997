"""Ids that look random and are not: the same seed gives the same ones in the same order."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter


class Ids:
    """The ids of one session.

    Parameters
    ----------
    seed
        The engine's seed.
    session
        The session's number in its engine, so that two sessions never share an id.
    """

    def __init__(self, seed: int, session: int) -> None:
        self._space = f"{seed}/{session}"
        self._counts: Counter[str] = Counter()

    def new(self, kind: str) -> str:
        """Return the next id of a kind; every kind counts for itself, so one cannot shift another."""
        self._counts[kind] += 1
        digest = hashlib.blake2b(f"{self._space}/{kind}/{self._counts[kind]}".encode(), digest_size=16)
        return str(uuid.UUID(bytes=digest.digest(), version=4))
