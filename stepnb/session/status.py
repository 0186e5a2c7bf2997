"""What a session is doing, in a word, and what its user should know."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

State = Literal[
    "idle", "connecting", "ready", "listening", "thinking", "speaking", "reconnecting", "failed", "closed"
]
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Status:
    """What a session is doing.

    Attributes
    ----------
    state
        ``idle`` before it connects; ``closed`` for good.
    detail
        A sentence where there is one to say: why it failed and what to do.
    """

    state: State
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.state}: {self.detail}" if self.detail else self.state


@dataclass(frozen=True)
class Notice:
    """Something the session did, or found out, that its user should know."""

    level: Level
    text: str
    fix: str = ""
    at: float = field(default_factory=time.time, compare=False)

    def __str__(self) -> str:
        return f"{self.text} {self.fix}".strip()
