"""`Client`: requests to the service's HTTP side, with the key, the address, timeouts, repetition and named errors.

A connection lives as long as one operation, so that nothing is left open; only the share in the local engine is held as
long as the client, because the engine's memory goes with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import functools
import hashlib
import itertools
import random
import ssl
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from ..errors import ConfigError, ConnectError, ConnectionLost, StepnbError, Unreachable
from ..protocol.catalog import Cluster
from ..service.endpoint import EngineLease, Secret, resolve
from ..service.loop import io_thread
from ..service.refusals import refusal, trace_id
from ..service.retry import delays

T = TypeVar("T")


class HasId(Protocol):
    """An entry of a list."""

    @property
    def id(self) -> str | int: ...


E = TypeVar("E", bound=HasId)

CONNECT_TIMEOUT = 15.0
# Without a byte in either direction, s. Speech for 1000 characters takes a while before the first one.
READ_TIMEOUT = 60.0
ATTEMPTS = 6
# Where nobody answers at all, it is more likely a wrong address than a passing fault.
UNREACHED_ATTEMPTS = 3
# A Retry-After beyond this is not waited for, s: the user should know.
LONGEST_WAIT = 60.0
MAX_ANSWER = 64 * 1024 * 1024

_PAGE = 100
# Of a list that is read to its end: more than an account may have of anything.
_MAX_PAGES = 50
_AGAIN = frozenset({429, 500, 502, 503, 504})
# The Step Plan has only these of its own; everything else is at the ordinary address.
_STEP_PLAN = "/step_plan"
_IN_STEP_PLAN = frozenset(
    {("POST", "/audio/voices"), ("POST", "/audio/voices/preview"), ("POST", "/audio/speech")}
)
# In these cases nothing has been sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Client:
    """The way to one account.

    Parameters
    ----------
    cluster, api_key
        As for a `Session`.

    Raises
    ------
    ConfigError
        An unknown cluster, no key, or a URL beside which there is no REST.
    """

    def __init__(self, cluster: Cluster | str | None = None, api_key: str | None = None) -> None:
        self.endpoint = resolve(cluster, api_key)
        if self.endpoint.url is not None:
            rest_base(self.endpoint.url)
        self._lease = EngineLease()
        self._finalizer = weakref.finalize(self, _release, self._lease)
        self._finalizer.atexit = False  # then the engine closes itself

    def close(self) -> None:
        """Give the share in the local engine back."""
        self._finalizer()

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Requests]:
        """Lend what requests are made with, for one operation. I/O thread only.

        Raises
        ------
        ConfigError
            A proxy in the environment cannot be used.
        """
        url, key = await self._lease.address(self.endpoint)
        base = rest_base(url)
        loopback = urlsplit(base).hostname in ("127.0.0.1", "localhost", "::1")
        context = await asyncio.to_thread(_ssl_context)
        try:
            http = httpx.AsyncClient(
                auth=_KeyAuth(key),
                timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
                trust_env=not loopback,
                verify=context,
            )
        except (ImportError, ValueError) as error:
            raise ConfigError(
                f"The proxy in the environment cannot be used: {error}.",
                fix="Correct HTTPS_PROXY or ALL_PROXY; for a SOCKS proxy: pip install 'httpx[socks]'.",
            ) from None
        async with http:
            yield Requests(http, base, key, self.endpoint.cluster)

    def __repr__(self) -> str:
        return f"Client({self.endpoint.label})"


class Requests:
    """Makes requests. I/O thread only.

    Attributes
    ----------
    account
        A name for the account, the same for the same key and address; it does not tell the key.
    host
        A short name for people.
    """

    def __init__(self, http: httpx.AsyncClient, base: str, key: Secret, cluster: str) -> None:
        self._http = http
        self._base = base
        self._key = key
        self._cluster = cluster
        self._random = random.Random()
        self.host = urlsplit(base).hostname or base
        place = base.replace(_STEP_PLAN, "")
        digest = hashlib.blake2b(f"{place} {key.reveal()}".encode(), digest_size=12, person=b"stepnb account")
        self.account = digest.hexdigest()

    async def json(
        self,
        shape: type[T],
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Callable[[], dict[str, Any]] | None = None,
        repeatable: bool | None = None,
        recover: Callable[[], Awaitable[T | None]] | None = None,
    ) -> T:
        """Make a request and decode its answer, again while that is safe and may help.

        Parameters
        ----------
        shape
            The msgspec type of the answer.
        method, path
            The path begins after ``/v1``.
        params, body
            The query, and what is sent as JSON.
        form
            Makes the files and fields of a multipart form, anew for every attempt.
        repeatable
            Whether doing it twice does no harm; None: all but POST. Otherwise a request whose fate is unknown (cut off,
            no answer, a fault of the service) is not made again.
        recover
            Asked after such a failure what came of the request; if it says None, nothing did, and it is made again.

        Raises
        ------
        ConnectError
            No answer, a refusal, or an answer of another shape; its subclasses name the cause and the fix.
        ConnectionLost
            The connection broke off before the answer.
        """

        async def attempt() -> T:
            said, trace = await self._once(method, path, params=params, json=body, **(form() if form else {}))
            try:
                return msgspec.json.decode(said, type=shape)
            except msgspec.DecodeError as error:
                raise ConnectError(
                    f"{self.host} did not answer {path} as documented: {error}.",
                    fix="Check the URL and any proxy in between.",
                    trace_id=trace,
                ) from None

        harmless = method != "POST" if repeatable is None else repeatable
        return await self._again(attempt, harmless, recover)

    async def all_of(self, entry: type[E], path: str) -> list[E]:
        """Return all entries of a paged list, newest first; the errors are those of `json`."""
        shape: type[_Page[E]] = _Page[entry]  # type: ignore[valid-type]
        found: list[E] = []
        params: dict[str, str | int] = {"limit": _PAGE}
        for _ in range(_MAX_PAGES):
            page = await self.json(shape, "GET", path, params=params)
            found += page.data
            if not page.has_more or not page.data:
                break
            params["after"] = str(page.last_id or page.data[-1].id)
        return found

    async def content(self, path: str, body: Mapping[str, Any]) -> bytes:
        """POST what may be repeated and return the answer's bytes; the errors are those of `json`."""

        async def attempt() -> bytes:
            return (await self._once("POST", path, json=body))[0]

        return await self._again(attempt, harmless=True, recover=None)

    async def _again(
        self,
        attempt: Callable[[], Awaitable[T]],
        harmless: bool,
        recover: Callable[[], Awaitable[T | None]] | None,
    ) -> T:
        waits = itertools.islice(delays(self._random), ATTEMPTS - 1)
        attempts = 0
        while True:
            attempts += 1
            try:
                return await attempt()
            except _Passing as passing:
                failed = passing
            doubtful = failed.doubtful and not harmless
            if doubtful and recover is None:
                raise failed.error
            wait = next(waits, None)
            if failed.unreached and attempts >= UNREACHED_ATTEMPTS:
                wait = None
            if failed.least > LONGEST_WAIT:
                failed.error.fix = f"The service asks to wait for {failed.least:.0f} s."
                wait = None
            if wait is not None:
                await asyncio.sleep(max(wait, failed.least))
            # After the pause: what had only been slow is there now.
            if doubtful and recover is not None and (found := await recover()) is not None:
                return found
            if wait is None:
                raise failed.error

    async def _once(self, method: str, path: str, **content: Any) -> tuple[bytes, str | None]:
        """Return an answer's bytes and trace id.

        Raises
        ------
        _Passing
            It may help to try again.
        StepnbError
            It would not.
        """
        base = self._base
        if (method, path) not in _IN_STEP_PLAN:
            base = base.replace(_STEP_PLAN, "")
        try:
            answer = await self._http.send(
                self._http.build_request(method, base + path, **content), stream=True
            )
            try:
                said = await self._read(answer, path)
            finally:
                await answer.aclose()
        except httpx.RequestError as error:
            # `from None`: the chain would carry the request with its headers into tracebacks.
            raise _Passing(self._unreachable(error), unreached=isinstance(error, _NOT_SENT)) from None
        if answer.is_success:
            return said, trace_id(answer.headers)
        refused = refusal(
            answer.status_code, answer.headers, said, host=self.host, cluster=self._cluster, key=self._key
        )
        if answer.status_code not in _AGAIN:
            raise refused
        raise _Passing(refused, refused=answer.status_code == 429, least=_retry_after(answer.headers))

    async def _read(self, answer: httpx.Response, path: str) -> bytes:
        said = bytearray()
        async for chunk in answer.aiter_bytes():
            said += chunk
            if len(said) > MAX_ANSWER:
                raise ConnectError(
                    f"{self.host} answers {path} with more than {MAX_ANSWER // 1024**2} MB.",
                    fix="Ask for less.",
                    trace_id=trace_id(answer.headers),
                )
        # A gateway may repeat the key in its refusal, and a traceback may show local variables.
        return bytes(said) if answer.is_success else bytes(said).replace(self._key.reveal().encode(), b"...")

    def _unreachable(self, error: httpx.RequestError) -> StepnbError:
        if isinstance(error, httpx.TimeoutException):
            limit = CONNECT_TIMEOUT if isinstance(error, httpx.ConnectTimeout) else READ_TIMEOUT
            return Unreachable(
                f"{self.host} did not answer within {limit:.0f} s.",
                fix="Check the network, a proxy or the host name.",
            )
        if isinstance(error, _NOT_SENT):
            return Unreachable(
                f"{self.host} cannot be reached: {error}.",
                fix="Check the network, a proxy, the host name and the port.",
            )
        return ConnectionLost(
            f"The connection to {self.host} broke off before the answer came.",
            fix="Check the network and try again.",
        )


class _Page(msgspec.Struct, Generic[E]):
    data: list[E] = []
    has_more: bool = False
    last_id: str | int | None = None


class _Passing(Exception):
    """A failure that may pass.

    Parameters
    ----------
    error
        What the caller is told if it does not.
    unreached
        Nothing was sent.
    refused
        The service has said that it did nothing.
    least
        For how long to wait, s.
    """

    def __init__(
        self, error: StepnbError, *, unreached: bool = False, refused: bool = False, least: float = 0.0
    ) -> None:
        super().__init__(error)
        self.error = error
        self.unreached = unreached
        self.least = least
        # Whether the request may have been carried out all the same.
        self.doubtful = not (unreached or refused)


class _KeyAuth(httpx.Auth):
    """Puts the key into the header at the last moment: no argument and no default of the client holds it."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


def rest_base(url: str) -> str:
    """Return where REST is, ``https://host/v1``, beside a WebSocket URL.

    Raises
    ------
    ConfigError
        The URL does not end in ``/realtime``.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if not path.endswith("/realtime"):
        raise ConfigError(
            f"The URL {url!r} does not end in /realtime, so it does not tell where files and voices are.",
            fix="Use a URL like wss://host/v1/realtime.",
        )
    scheme = {"ws": "http", "wss": "https"}[parts.scheme]
    return urlunsplit((scheme, parts.netloc, path.removesuffix("/realtime"), "", ""))


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    """Load the certificates once, and not on the I/O thread: it takes tens of milliseconds."""
    return httpx.create_ssl_context()


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return for how long the service asks to wait, s; it may say so in seconds or as a date."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    with contextlib.suppress(ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0


def _release(lease: EngineLease) -> None:
    io_thread.submit(lease.release())
