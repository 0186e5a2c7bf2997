"""`Session`: the public object. It validates, hands over to the I/O thread and returns at once."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import dataclasses
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Self, TypeVar

from ..audio.clip import Clip
from ..audio.pcm import RATE
from ..conversation.state import TurnKind, TurnState
from ..errors import AudioError, ConfigError, SessionClosed, StepnbError
from ..protocol import catalog
from ..protocol.codec import AnyEvent
from ..protocol.config import ServerVAD, SessionConfig
from ..recording.log import EventLog
from . import endpoint as _endpoint
from .audio_input import AudioInput
from .cells import replace_predecessors
from .core import SessionCore
from .loop import io_thread, user_thread
from .status import Notice, Status
from .subscription import Callback, Subscription, deliver
from .turn import Turn

T = TypeVar("T")

# One message may hold 15 MB of audio: five minutes.
_LONGEST_CLIP_S = 300.0
_CLOSE_TIMEOUT = 10.0
_open_cores: weakref.WeakSet[SessionCore] = weakref.WeakSet()


class _Unchanged:
    def __repr__(self) -> str:
        return "unchanged"


UNCHANGED = _Unchanged()
DEFAULT_VAD = ServerVAD()


class Session:
    """A conversation with a realtime voice model.

    Making one does no I/O: it connects with its first use, when it is displayed, or by `connect`. As the last line of a
    cell it shows the voice panel.

    Parameters
    ----------
    cluster
        "global", "cn", "cn/step_plan", "local" or a ws:// or wss:// URL. None: STEPNB_CLUSTER, else "global" when
        there is a key and the local practice engine when there is none.
    model
        A model id; None for the cluster's recommended one.
    voice
        A voice id; None for the model's usual one.
    instructions
        The system prompt; None for the service's own.
    vad
        `ServerVAD`: the service finds the turns. None: push-to-talk.
    api_key
        None: STEPFUN_API_KEY or STEP_API_KEY, Colab secrets, keyring, .env.

    Raises
    ------
    ConfigError
        A wrong argument; the message says what to write instead.
    """

    def __init__(
        self,
        cluster: str | None = None,
        *,
        model: str | None = None,
        voice: str | None = None,
        instructions: str | None = None,
        vad: ServerVAD | None = DEFAULT_VAD,
        api_key: str | None = None,
    ) -> None:
        where = _endpoint.resolve(cluster, api_key)
        model = _text("model", model) or catalog.recommended_model(where.cluster)
        config = SessionConfig(
            voice=_text("voice", voice) or catalog.default_voice(model, where.cluster),
            instructions=_text("instructions", instructions),
            vad=_vad(vad),
        )
        self._core = SessionCore(where, model, config, io_thread.loop)
        self._input = AudioInput(self._core)
        self._turns: dict[int, Turn] = {}
        self._panel: Any = None
        self._finalizer = weakref.finalize(self, _close_soon, self._core)
        self._finalizer.atexit = False  # `_close_all` waits, a finalizer could not
        _open_cores.add(self._core)
        if where.cluster == "local" and cluster is None:
            _say_no_key_once()
            self._core.hub.notices.append(Notice("info", _endpoint.NO_KEY_LINE))
        replace_predecessors(self)

    # Asking -------------------------------------------------------------------------------------------------------

    def ask(self, what: str | Clip) -> Turn:
        """Send a complete message and get its turn at once.

        Parameters
        ----------
        what
            Text, or a Clip of at most five minutes, sent as one audio message.

        Raises
        ------
        ConfigError, AudioError
            Empty text, an empty or too long clip, or something else altogether.
        SessionClosed
            The session is closed.
        """
        if isinstance(what, Clip):
            pcm = _pcm_of(what)
            return self._new_turn("clip", lambda number: self._core.ask_audio(number, pcm))
        if not isinstance(what, str):
            kind = type(what).__name__
            raise ConfigError(
                f"ask() takes text or a Clip, not {kind}.", fix="Load audio with sn.Clip.load(path)."
            )
        if not what.strip():
            raise ConfigError("There is nothing to ask: the text is empty.", fix="Write something.")
        return self._new_turn("text", lambda number: self._core.ask_text(number, what), text=what)

    def append(self, clip: Clip) -> Turn:
        """Stream a clip in real time, as the microphone does.

        With VAD on, silence follows until the service has noticed the end of speech; with push-to-talk the clip is one
        turn, padded to a second. Clips are streamed one after the other, and the microphone waits meanwhile.

        Parameters
        ----------
        clip
            Any rate; it is resampled to 24 kHz.
        """
        if not isinstance(clip, Clip):
            raise ConfigError(
                f"append() takes a Clip, not {type(clip).__name__}.",
                fix="Load audio with sn.Clip.load(path).",
            )
        pcm = _pcm_of(clip)
        return self._new_turn("speech", lambda number: self._input.stream(number, pcm))

    def _new_turn(
        self, how: TurnKind, work: Callable[[int], Coroutine[Any, Any, None]], *, text: str | None = None
    ) -> Turn:
        self._check_open()
        ending: Future[None] = Future()
        turn = Turn(self, None, ending)

        def begin() -> None:
            number = self._core.open_turn(how, ending, text=text)
            turn._bind(self._core.conversation.turns[number])
            self._turns[number] = turn
            self._core.spawn(work(number))

        self._core.loop.call_soon_threadsafe(begin)
        return turn

    # Steering -----------------------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Stop the running answer: cancel it and silence the loudspeaker."""
        self._check_open()
        self._core.loop.call_soon_threadsafe(self._core.interrupt)

    def update(
        self,
        *,
        voice: str | None | _Unchanged = UNCHANGED,
        instructions: str | None | _Unchanged = UNCHANGED,
        vad: ServerVAD | None | _Unchanged = UNCHANGED,
    ) -> None:
        """Change settings of the running session.

        Parameters
        ----------
        voice
            Only before the first audio of the session.
        instructions, vad
            At any time. Left out: unchanged. ``vad=None``: push-to-talk.

        Raises
        ------
        ConfigError
            A wrong value, or a voice after the first audio.
        """
        self._check_open()
        changes: dict[str, Any] = {}
        if not isinstance(voice, _Unchanged):
            wanted = _text("voice", voice) or catalog.default_voice(self.model, self._core.endpoint.cluster)
            if wanted != self._core.settings.config.voice and self._core.voice_locked:
                raise ConfigError(
                    "The voice is fixed since the first audio of the session.",
                    fix="Make a new Session(voice=...).",
                )
            changes["voice"] = wanted
        if not isinstance(instructions, _Unchanged):
            changes["instructions"] = _text("instructions", instructions) or ""
        if not isinstance(vad, _Unchanged):
            changes["vad"] = _vad(vad)

        def apply() -> None:
            self._core.update(dataclasses.replace(self._core.settings.config, **changes))

        self._core.loop.call_soon_threadsafe(apply)

    def connect(self, timeout: float | None = 30.0) -> Session:
        """Connect now and wait until the session is ready.

        Raises
        ------
        ConnectError
            Its subclasses name the cause and the fix.
        """
        self._check_open()
        self._wait(self._core.connected(), timeout, "connecting")
        return self

    def close(self) -> None:
        """Close the connection; what was said stays readable. Closing twice does nothing."""
        if self._finalizer.detach() is None:
            return
        self._wait(self._core.close(), _CLOSE_TIMEOUT, "closing")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Looking ------------------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """What it is doing: ``status.state`` in a word, ``status.detail`` as a sentence."""
        return self._core.hub.status

    @property
    def notices(self) -> list[Notice]:
        """What the session did or found out that its user should know, oldest first; the last 500."""
        return list(self._core.hub.notices)

    @property
    def events(self) -> EventLog:
        """Everything that happened, in order."""
        return self._core.log

    @property
    def turns(self) -> list[Turn]:
        """Every exchange so far, in order."""
        states = list(self._core.conversation.turns.values())
        return [self._turn(state) for state in states]

    def _turn(self, state: TurnState) -> Turn:
        turn = self._turns.get(state.id)
        if turn is None:
            ending: Future[None] = Future()
            turn = self._turns.setdefault(state.id, Turn(self, state, ending))
            self._core.loop.call_soon_threadsafe(self._core.await_ending, state.id, turn._ending)
        return turn

    @property
    def model(self) -> str:
        return self._core.model

    @property
    def config(self) -> SessionConfig:
        """The settings in force."""
        return self._core.settings.config

    # Following ----------------------------------------------------------------------------------------------------

    def on(self, type: str, callback: Callback) -> Callable[[], None]:
        """Call back for every event of a type.

        Parameters
        ----------
        type
            A wire name such as "response.audio.delta", or "*" for all.
        callback
            A function or coroutine function of the event. It runs on the user's loop thread, never on the I/O thread;
            what it raises becomes a notice.

        Returns
        -------
        callable
            Ends the subscription.
        """
        if not callable(callback):
            raise ConfigError(
                "on() takes a function of the event.", fix='Write s.on("response.done", print).'
            )
        subscription = Subscription(user_thread.loop, None if type == "*" else type)
        core = self._core

        def failed(callback: Callback, error: Exception) -> None:
            name = getattr(callback, "__name__", repr(callback))
            text = f"Your callback {name} for {type!r} failed: {error!r}"
            core.loop.call_soon_threadsafe(core.notice, "error", text)

        self._subscribe(subscription)
        user_thread.submit(deliver(subscription, callback, failed))
        return lambda: self._unsubscribe(subscription)

    async def stream(self) -> AsyncIterator[AnyEvent]:
        """Yield every event of the service from now on, until the session closes."""
        subscription = Subscription(asyncio.get_running_loop())
        self._subscribe(subscription)
        try:
            async for event in subscription:
                yield event
        finally:
            self._unsubscribe(subscription)

    def _subscribe(self, subscription: Subscription) -> None:
        self._check_open()
        self._core.loop.call_soon_threadsafe(self._core.hub.subscriptions.append, subscription)

    def _unsubscribe(self, subscription: Subscription) -> None:
        def remove() -> None:
            if subscription in self._core.hub.subscriptions:
                self._core.hub.subscriptions.remove(subscription)
            subscription.end()

        self._core.loop.call_soon_threadsafe(remove)

    # Display ------------------------------------------------------------------------------------------------------

    @property
    def panel(self) -> Any:
        """The voice panel of this session, an anywidget that stands alone."""
        if self._panel is None:
            from ..widgets.panel import VoicePanel

            self._panel = VoicePanel(self)
        return self._panel

    def _ipython_display_(self) -> None:
        from ..widgets.live import show_session

        show_session(self)

    def __repr__(self) -> str:
        turns = len(self._core.conversation.turns)
        return f"Session({self.model}, {self._core.endpoint.label}, {self.status.state}, {turns} turns)"

    def _check_open(self) -> None:
        if self._core.closed or not self._finalizer.alive:
            raise SessionClosed("The session is closed.", fix="Make a new one: sn.Session().")

    def _wait(self, coroutine: Coroutine[Any, Any, T], timeout: float | None, what: str) -> T:
        future = io_thread.submit(coroutine)
        try:
            return future.result(timeout)
        except FutureTimeout:
            if future.done():
                raise
            future.cancel()
            raise StepnbError(
                f"{what.capitalize()} took more than {timeout:g} s.", fix="Try again."
            ) from None


def _close_soon(core: SessionCore) -> None:
    """A session nobody holds any more closes by itself; nobody waits for it."""
    io_thread.submit(core.close())


def _close_all() -> None:
    """At exit of the kernel: close what is open, so that no server session lingers."""
    for core in list(_open_cores):
        if not core.closed:
            with contextlib.suppress(FutureTimeout, RuntimeError):
                io_thread.submit(core.close()).result(_CLOSE_TIMEOUT)


atexit.register(_close_all)

_no_key_said = False


def _say_no_key_once() -> None:
    global _no_key_said
    if not _no_key_said:
        _no_key_said = True
        print(_endpoint.NO_KEY_LINE)  # noqa: T201 - the one line a user without a key must see


def _text(name: str, value: str | None) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} is a {type(value).__name__}.", fix=f"Write {name}='...' or leave it out.")
    return value.strip() or None if value else None


def _vad(value: ServerVAD | None) -> ServerVAD | None:
    if value is not None and not isinstance(value, ServerVAD):
        raise ConfigError(
            f"vad is {value!r}.",
            fix="Write vad=sn.ServerVAD(silence_duration_ms=500), or vad=None for push-to-talk.",
        )
    return value


def _pcm_of(clip: Clip) -> bytes:
    if clip.duration == 0:
        raise AudioError("The clip is empty.", fix="Record or load one with sound in it.")
    if clip.duration > _LONGEST_CLIP_S:
        raise AudioError(
            f"The clip is {clip.duration:.0f} s long; one message holds {_LONGEST_CLIP_S:.0f} s.",
            fix="Cut it: clip[0:60].",
        )
    return clip.resample(RATE).pcm
