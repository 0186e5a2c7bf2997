"""When to connect again by oneself, and how soon. Pure; the caller waits."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ..errors import ConnectError, ConnectionLost, HandshakeError, ServiceError, StepnbError
from ..protocol.events import ErrorInfo
from ..protocol.faults import Fault, classify

FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
# About a minute in all; after that somebody should look.
ATTEMPTS = 10
# Close codes that say our side is wrong: the same again would end the same way.
_OUR_FAULT = frozenset({1002, 1003, 1007, 1008, 1009, 1010})


def worth_retrying(error: StepnbError, *, had_session: bool) -> bool:
    """Tell whether connecting again may succeed where this failed.

    Parameters
    ----------
    error
        Why there is no connection.
    had_session
        Whether there had been one: then an unreachable host is a passing fault, else more likely a wrong address.
    """
    match error:
        case ConnectionLost():
            return error.code not in _OUR_FAULT
        case HandshakeError():
            return error.status == 429 or error.status >= 500
        case ConnectError():
            return had_session
        case ServiceError():
            return classify(ErrorInfo(message=error.message)) is Fault.ENGINE
    return False


def delays(randomness: random.Random) -> Iterator[float]:
    """Yield the waits between attempts, s: doubling, each somewhere in the upper half, so that clients spread."""
    longest = FIRST_DELAY
    for _ in range(ATTEMPTS):
        yield longest * (0.5 + 0.5 * randomness.random())
        longest = min(2 * longest, LONGEST_DELAY)
