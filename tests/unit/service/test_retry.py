"""When to connect again."""

from __future__ import annotations

import random

import pytest

from stepnb.errors import (
    AuthenticationError,
    ConfigError,
    ConnectError,
    ConnectionLost,
    RateLimited,
    ServiceUnavailable,
    StepnbError,
    Unreachable,
)
from stepnb.service.retry import ATTEMPTS, LONGEST_DELAY, delays, worth_retrying


@pytest.mark.parametrize("code", [None, 1000, 1001, 1005, 1006, 1011, 1012, 1013, 1015, 4000])
def test_a_close_nobody_asked_for_is_retried(code: int | None) -> None:
    assert worth_retrying(ConnectionLost("gone", code=code), had_session=True)


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 1010])
def test_a_close_that_blames_us_is_not(code: int) -> None:
    assert not worth_retrying(ConnectionLost("gone", code=code), had_session=True)


@pytest.mark.parametrize(
    ("error", "at_first", "later"),
    [
        (RateLimited("too many", status=429), True, True),
        (ServiceUnavailable("overloaded", status=503), True, True),
        (AuthenticationError("no", status=401), False, False),
        (Unreachable("no route"), False, True),
        (ConnectError("no hello"), False, True),
        (ConfigError("wrong"), False, False),
    ],
)
def test_only_what_may_pass_is_retried(error: StepnbError, at_first: bool, later: bool) -> None:
    assert worth_retrying(error, had_session=False) is at_first
    assert worth_retrying(error, had_session=True) is later


@pytest.mark.parametrize("seed", range(20))
def test_delays_double_from_half_a_second_to_eight_and_end(seed: int) -> None:
    waits = list(delays(random.Random(seed)))
    assert len(waits) == ATTEMPTS
    assert 0.25 <= waits[0] <= 0.5
    assert all(LONGEST_DELAY / 2 <= wait <= LONGEST_DELAY for wait in waits[5:])
