"""The key, the clusters and the clock. The key is looked for and never sent, nor shown."""

from __future__ import annotations

import email.utils
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from ..errors import ConfigError
from ..protocol.catalog import CLUSTERS
from ..service.endpoint import locate_key, resolve
from .row import Row

TIMEOUT_S = 5.0
_WRONG_CLOCK_S = 30.0
_OFFLINE = "Offline, the local engine works. Online, look at the network, its proxy and its firewall."


@dataclass(frozen=True)
class Reached:
    """How a cluster answered.

    Attributes
    ----------
    row
        What to say of it.
    ahead_s
        How far this machine's clock is ahead of the cluster's, s; None when it did not say.
    """

    row: Row
    ahead_s: float | None


def key() -> Row:
    """Look for a key, and where sessions go."""
    where = locate_key()
    found = f"found in {where}" if where else "none"
    try:
        endpoint = resolve(None, None)
    except ConfigError as error:
        return Row("key", "note", f"{found}. {error.message}", error.fix or "")
    if where is None:
        return Row("key", "ok", "none: sessions use the local engine. With STEPFUN_API_KEY set, the service")
    return Row("key", "ok", f"{found}; sessions use {endpoint.label}")


def cluster(name: str, url: str | None = None) -> Reached:
    """Ask a cluster for an answer of any kind, without a key.

    Parameters
    ----------
    name
        "global" or "cn".
    url
        Where to ask instead.
    """
    address = urlsplit(CLUSTERS[name])
    begun = time.time()
    try:
        answer = httpx.head(url or f"https://{address.hostname}/", timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        text = f"{address.hostname} was not reached: {_reason(error)}."
        return Reached(Row(name, "note", text, _OFFLINE), None)
    took = time.time() - begun
    row = Row(name, "ok", f"{address.hostname} answers in {took * 1000:.0f} ms")
    return Reached(row, _ahead(answer.headers.get("Date"), begun + took / 2))


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {TIMEOUT_S:g} s"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate was refused ({cause.verify_message})"
        if isinstance(cause, socket.gaierror):
            return "its name was not found"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def _ahead(date: str | None, now: float) -> float | None:
    try:
        return now - email.utils.parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None


def clock(ahead_s: Iterable[float | None]) -> Row:
    """Compare this machine's clock with those of the clusters.

    Parameters
    ----------
    ahead_s
        How far it is ahead of each, s.
    """
    known = [ahead for ahead in ahead_s if ahead is not None]
    if not known:
        return Row("clock", "open", "No cluster was reached to compare with.")
    ahead = min(known, key=abs)
    if abs(ahead) > _WRONG_CLOCK_S:
        word = "fast" if ahead > 0 else "slow"
        fix = "Set it, or let it be set by the network's time: certificates and times of calls depend on it."
        return Row("clock", "note", f"It is {abs(ahead):.0f} s {word}.", fix)
    return Row("clock", "ok", "agrees with the service's")
