"""`SessionView`: what can be read of a session, at any time and from any thread."""

from __future__ import annotations

import os
import weakref
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from pathlib import Path

from ..conversation.cost import Cost, Ledger
from ..conversation.reducer import Conversation
from ..conversation.state import ToolCallState, TurnState
from ..conversation.usage import Usage
from ..errors import SessionClosed
from ..protocol.codec import AnyEvent
from ..protocol.config import SessionConfig
from ..recording.archive import pack
from ..recording.export import export
from ..recording.log import EventLog
from .core import SessionCore
from .following import call_back, follow
from .pictures import Pictures
from .status import Notice, Status
from .subscription import Callback
from .tools import ToolCall
from .turn import Turn


class SessionView(Pictures):
    """The reading half of `Session`: status, turns, events, settings."""

    _finalizer: weakref.finalize[..., SessionView]

    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self._turns: dict[int, Turn] = {}

    @property
    def status(self) -> Status:
        """What it is doing: ``status.state`` in a word, ``status.detail`` as a sentence."""
        return self._core.hub.status

    @property
    def notices(self) -> list[Notice]:
        """What the session did or found out that its user should know, oldest first; the last 500."""
        return list(self._core.hub.notices)

    @property
    def restored(self) -> list[str] | None:
        """What the service could not be told again at the last reconnect, as phrases; None before there was one."""
        return self._core.lifeline.restored

    @property
    def events(self) -> EventLog:
        """Everything that happened, in order."""
        return self._core.log

    @property
    def conversation(self) -> Conversation:
        """Items, responses and turns, as the log tells them."""
        return self._core.conversation

    @property
    def usage(self) -> Usage:
        """Tokens of all responses so far that have ended."""
        return self.ledger.usage()

    @property
    def cost(self) -> Cost:
        """What the session has cost so far by the published prices."""
        return self.ledger.cost()

    @property
    def ledger(self) -> Ledger:
        """What the turns used and cost; `usage` and `cost` are its sums."""
        return self._core.ledger

    @property
    def live(self) -> SessionCore | None:
        """What a display of a turn follows."""
        return self._core

    def tool_call(self, response: str, call: ToolCallState) -> ToolCall:
        """Return a call as the user sees it, with what the function returned."""
        return self._core.tools.view(response, call)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Pack everything so far into one file, which `Recording.load` opens: events, audio, settings; no key.

        Parameters
        ----------
        path
            Usually ends with ``.stepnb``. An existing file is replaced, and only once the new one is complete.

        Raises
        ------
        RecordingError
            The file cannot be written.
        """
        return pack(self._core.log, Path(path).expanduser())

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the conversation to a file for others.

        Parameters
        ----------
        path
            Its ending says how: ``.md`` (Markdown), ``.json``, or ``.wav``: both sides on one clock, what was heard of
            the answers left, what was said to them right; stereo, 24 kHz.

        Raises
        ------
        ConfigError
            Another ending.
        RecordingError
            The file cannot be written, or there is no sound for a ``.wav``.
        """
        return export(self, path)

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
            self._core.loop.call_soon_threadsafe(self._core.asking.await_ending, state.id, turn._ending)
        return turn

    @property
    def model(self) -> str:
        """The model's id."""
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
        self._check_open()
        return call_back(self._core, type, callback)

    def stream(self) -> AsyncIterator[AnyEvent]:
        """Yield every event of the service from now on, until the session closes."""
        self._check_open()
        return follow(self._core)

    def __repr__(self) -> str:
        turns = len(self._core.conversation.turns)
        return f"Session({self.model}, {self._core.endpoint.label}, {self.status.state}, {turns} turns)"

    def _check_open(self) -> None:
        if self._core.closed or not self._finalizer.alive:
            raise SessionClosed("The session is closed.", fix="Make a new one: sn.Session().")
