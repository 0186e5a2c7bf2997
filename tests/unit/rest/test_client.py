from __future__ import annotations

import email.utils
import time

import pytest

from stepnb.errors import ConfigError
from stepnb.rest.client import Client, _retry_after, rest_base


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("wss://api.stepfun.ai/v1/realtime", "https://api.stepfun.ai/v1"),
        ("wss://api.stepfun.com/step_plan/v1/realtime", "https://api.stepfun.com/step_plan/v1"),
        ("ws://127.0.0.1:81/v1/realtime/", "http://127.0.0.1:81/v1"),
        ("ws://[::1]:81/v1/realtime", "http://[::1]:81/v1"),
    ],
)
def test_rest_is_beside_the_sessions(url: str, base: str) -> None:
    assert rest_base(url) == base


def test_a_url_that_does_not_tell() -> None:
    with pytest.raises(ConfigError, match="does not end in /realtime"):
        Client("wss://relay.example/socket", "k")


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines", "a\x00b"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigError, match="characters that no key has") as caught:
        Client("global", key)
    assert key not in str(caught.value)


def test_how_long_the_service_asks_to_wait() -> None:
    assert _retry_after({}) == 0
    assert _retry_after({"retry-after": " 7 "}) == 7
    assert _retry_after({"retry-after": "soon"}) == 0
    later = email.utils.formatdate(time.time() + 90, usegmt=True)
    assert 80 < _retry_after({"retry-after": later}) <= 91
    assert _retry_after({"retry-after": email.utils.formatdate(0, usegmt=True)}) == 0
