"""Where a session connects and with which key."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import ConfigError
from ..protocol.catalog import CLUSTERS

KEY_NAMES = ("STEPFUN_API_KEY", "STEP_API_KEY")
NO_KEY_LINE = (
    "No API key found: this session uses the local practice engine, offline. "
    "It understands simple spoken English, answers from a small set of topics and does not reason."
)


class Secret:
    """A string that does not show itself in reprs, tracebacks or logs."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"


@dataclass(frozen=True)
class Endpoint:
    """A place to connect to.

    Attributes
    ----------
    cluster
        "global", "cn", "cn/step_plan", "local" or "custom".
    url
        The WebSocket URL without the model, None for the local engine, which has none before it runs.
    key
        None for the local engine, which makes its own.
    """

    cluster: str
    url: str | None
    key: Secret | None

    @property
    def label(self) -> str:
        """A short name for people."""
        if self.url is None:
            return "local engine"
        return urlsplit(self.url).hostname or self.url


def resolve(cluster: str | None, api_key: str | None) -> Endpoint:
    """Choose the endpoint.

    Parameters
    ----------
    cluster
        "global", "cn", "cn/step_plan", "local", a ws:// or wss:// URL, or None: ``STEPNB_CLUSTER``, else "global" when
        there is a key and "local" when there is none.
    api_key
        The key, or None to look for one: see `find_key`.

    Raises
    ------
    ConfigError
        An unknown cluster, or a cluster that needs a key and there is none, or none that can be sent.
    """
    if api_key is not None and (not isinstance(api_key, str) or not api_key.strip()):
        raise ConfigError(
            "api_key is empty.", fix="Leave it out to use STEPFUN_API_KEY, or the local engine."
        )
    named = cluster or os.environ.get("STEPNB_CLUSTER") or None
    if named == "local":
        return Endpoint("local", None, None)
    key = api_key.strip() if api_key else find_key()
    if named is None:
        if key is None:
            return Endpoint("local", None, None)
        named = "global"
    url = CLUSTERS.get(named) or _own_url(named)
    if key is None:
        fix = f"Set {KEY_NAMES[0]} or pass api_key=..., or use cluster='local'."
        raise ConfigError(f"The cluster {named!r} needs an API key and none was found.", fix=fix)
    if not (key.isascii() and key.isprintable()):
        # A library that finds out would show the key in its error.
        raise ConfigError(
            "The API key has characters that no key has.", fix="Copy it again from the service's console."
        )
    return Endpoint(named if named in CLUSTERS else "custom", url, Secret(key))


def _own_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        names = ", ".join(repr(name) for name in CLUSTERS)
        raise ConfigError(
            f"The cluster {text!r} is not known.", fix=f"Use {names}, 'local' or a ws:// or wss:// URL."
        )
    if parts.username or parts.password or "key" in parts.query.lower():
        raise ConfigError(
            "A key does not belong into a URL.", fix="Pass it as api_key=... or in STEPFUN_API_KEY."
        )
    return text


def find_key() -> str | None:
    """Return the key from the environment, Colab's secrets, the keyring or a .env file, in this order."""
    return next((key for _, look in _KEY_PLACES if (key := look())), None)


def locate_key() -> str | None:
    """Return where `find_key` finds a key, in words; None when there is none."""
    return next((place for place, look in _KEY_PLACES if look()), None)


def _from_mapping(values: Mapping[str, str]) -> str | None:
    return next((values[name].strip() for name in KEY_NAMES if values.get(name, "").strip()), None)


def _from_colab() -> str | None:
    if "google.colab" not in sys.modules:
        return None
    from google.colab import userdata

    for name in KEY_NAMES:
        try:
            value = userdata.get(name)
        except Exception:  # noqa: BLE001 - not granted, not found, timed out: each means "no key here"
            continue
        if value:
            return str(value).strip()
    return None


def _from_keyring() -> str | None:
    try:
        import keyring
    except ImportError:
        return None
    try:
        return keyring.get_password("stepnb", "api_key") or None
    except keyring.errors.KeyringError:
        return None


def _from_dotenv(path: Path) -> str | None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    pairs = (
        line.removeprefix("export ").partition("=")
        for line in map(str.strip, lines)
        if not line.startswith("#")
    )
    return _from_mapping({name.strip(): value.strip().strip("'\"") for name, _, value in pairs})


_KEY_PLACES: tuple[tuple[str, Callable[[], str | None]], ...] = (
    ("the environment", lambda: _from_mapping(os.environ)),
    ("Colab's secrets", _from_colab),
    ("the keyring", _from_keyring),
    (".env in this folder", lambda: _from_dotenv(Path(".env"))),
)


class EngineLease:
    """A session's share in the process's local engine. I/O thread only."""

    def __init__(self) -> None:
        self._held = False

    async def address(self, endpoint: Endpoint) -> tuple[str, Secret]:
        """Return URL and key of an endpoint, with the local engine running if that is the one."""
        if endpoint.url is not None:
            assert endpoint.key is not None
            return endpoint.url, endpoint.key
        from ..local.shared import acquire_shared

        # Acquired before the old share is given back: an engine in good health keeps running.
        engine = await asyncio.to_thread(acquire_shared)
        await self.release()
        self._held = True
        return engine.url, Secret(engine.key)

    async def release(self) -> None:
        """Give the share back, if there is one."""
        if self._held:
            from ..local.shared import release_shared

            self._held = False
            # At the exit of the interpreter no thread can be started any more; the engine then closes itself.
            with contextlib.suppress(RuntimeError):
                await asyncio.to_thread(release_shared)
