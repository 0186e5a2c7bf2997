"""What an HTTP status of the service means: the same for a handshake and for REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import (
    AuthenticationError,
    BadRequest,
    BalanceExhausted,
    ContentBlocked,
    HandshakeError,
    RateLimited,
    ServiceUnavailable,
    WrongPath,
)
from .endpoint import Secret

_OTHER_CLUSTER = {"global": "cn", "cn": "global", "cn/step_plan": "cn"}
# Status -> class, what happened, what to do.
_REFUSALS: dict[int, tuple[type[HandshakeError], str, str]] = {
    400: (BadRequest, "{host} refused {asked}", "{check}"),
    401: (AuthenticationError, "{host} refused the key", "The key is missing{or_other}."),
    402: (BalanceExhausted, "The account's balance is used up", "Top up the account."),
    404: (WrongPath, "{host} serves nothing at this address", "Check the URL and the cluster."),
    413: (BadRequest, "The file is larger than {host} takes", "Send a smaller one."),
    429: (
        RateLimited,
        "Too many requests or connections",
        "Wait a little, and close sessions that are not used: new accounts have 5 at a time.",
    ),
    451: (ContentBlocked, "Content review stopped the request", "Change the text or the instructions."),
}
_FAULT = (ServiceUnavailable, "{host} has a fault or is overloaded", "Try again a little later.")
_ODD = (HandshakeError, "{host} refused the request", "Check the URL and the cluster.")
# For the way out of a 404 of REST, where the address is ours and the id is the user's.
_UNKNOWN_ID = "Check the id, and that it belongs to this account and cluster."


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    host: str,
    cluster: str,
    key: Secret,
    model: str | None = None,
) -> HandshakeError:
    """Return the named error of an answer that is not the one hoped for.

    Parameters
    ----------
    status, headers, body
        The answer; the shape of the body depends on who answered.
    host, cluster, key
        Who was asked, and with which key, which some gateways repeat in their answer.
    model
        The model of a session that was refused; None: it was a REST request.
    """
    kind, what, fix = _REFUSALS.get(status, _FAULT if status >= 500 else _ODD)
    if status == 404 and model is None:
        what, fix = "{host} does not have this", _UNKNOWN_ID
    other = _OTHER_CLUSTER.get(cluster)
    about = {
        "host": host,
        "asked": "the request" if model is None else f"the model {model!r} or a parameter",
        "check": "Change what it names." if model is None else "Check the model's name.",
        "or_other": f", wrong, or belongs to the other cluster: try cluster={other!r}"
        if other
        else " or wrong",
    }
    said = _said(body, key)
    return kind(
        f"{what.format(**about)} (HTTP {status}{f': {said}' if said else ''}).",
        status=status,
        fix=fix.format(**about),
        trace_id=trace_id(headers),
    )


def trace_id(headers: Mapping[str, str]) -> str | None:
    """Return the service's id of an exchange, to be named in support requests."""
    return headers.get("x-trace-id") or headers.get("x-request-id")


def _said(body: bytes, key: Secret) -> str:
    """Return the sentence in an error body, shortened."""
    text = bytes(body)[:2000].decode("utf-8", "replace").strip()
    text = text.replace(key.reveal(), "(the key)")
    try:
        parsed: Any = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text[:200] if text and not text.startswith("<") else ""
    if isinstance(parsed, dict):
        inner = parsed.get("error", parsed)
        parsed = inner.get("message", "") if isinstance(inner, dict) else inner
    return str(parsed).rstrip(".")[:200]
