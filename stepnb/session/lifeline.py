"""`Lifeline`: keeps a session connected. Connects, says hello, connects again, rotates. I/O thread only.

The service resumes nothing: a new connection is a new session with an empty memory. So after every reconnect the
conversation is told again as text, questions without an answer are asked again, and what could not be restored is said.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..conversation.history import history_items, not_told
from ..errors import ConnectError, ConnectionLost, ReplayMismatch, SessionClosed, StepnbError
from ..protocol import events as ev
from ..service.endpoint import EngineLease
from ..service.retry import delays, worth_retrying
from .lifetimes import close_before_the_engine
from .link import Link, Opener
from .status import Status

if TYPE_CHECKING:
    from .core import SessionCore

# The service sends `session.created` at once.
HELLO_TIMEOUT = 10.0
# A session may last 30 minutes; between turns it is replaced before that, s.
ROTATE_AFTER = 25 * 60.0
ROTATE_CHECK = 1.0
# Attempts for a session that has never been connected: a user waits for it, about 7 s.
FIRST_ATTEMPTS = 4


class Lifeline:
    """The connections of a session, one after the other.

    Parameters
    ----------
    core
        The session.
    history
        What to tell the service before the first turn.
    open_connection
        Opens a connection.

    Attributes
    ----------
    trace_id
        The service's id of the connection.
    restored
        What the last reconnect could not tell the service again, as phrases; None before there was one.
    """

    def __init__(self, core: SessionCore, history: Sequence[ev.Item], open_connection: Opener) -> None:
        self.trace_id: str | None = None
        self.restored: list[str] | None = None
        self.rotate_after = ROTATE_AFTER
        self._core = core
        self._history = history
        self._link = Link(core.on_frame, self._on_lost, open_connection)
        self._engine = EngineLease()
        self._connecting: asyncio.Task[None] | None = None
        self._hello: asyncio.Future[None] | None = None
        self._had_session = False
        self._rotation: asyncio.TimerHandle | None = None
        self._random = random.Random()

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent, those of the handshake included."""
        return self._link.is_open

    @property
    def ready(self) -> bool:
        """Whether the session is there and configured."""
        return self._link.is_open and self._connecting is None

    @property
    def crowded(self) -> bool:
        """Whether the socket takes so little that microphone audio should rather be left out."""
        return self._link.crowded

    def send(self, frame: str) -> None:
        self._link.send(frame)

    async def connected(self) -> None:
        """Connect unless that has been done; return when the session is ready.

        Raises
        ------
        StepnbError
            Why there is no session.
        """
        if self._core.closed:
            raise SessionClosed("The session is closed.", fix="Make a new one: sn.Session().")
        if self.ready:
            return
        if self._connecting is None:
            self._connecting = self._core.spawn(self._connect())
        # shield: one caller that gives up must not take the connection from the others.
        await asyncio.shield(self._connecting)

    def hello(self) -> None:
        """The service has begun a session."""
        if self._hello is not None and not self._hello.done():
            self._hello.set_result(None)

    def renew(self) -> None:
        """Begin a new session at the service, which is told the conversation so far; what it says now is cut off."""
        if not self.ready:
            return  # the next connection is a new session anyway
        self._core.bargein.interrupt()
        self._replace("A new session was asked for.")

    def restart(self, error: ConnectionLost) -> None:
        """Give up a connection that is of no use any more, and connect again."""
        self._link.leave()
        self._on_lost(error)

    async def close(self) -> None:
        """Close for good."""
        if self._rotation is not None:
            self._rotation.cancel()
        await self._link.close()
        await self._engine.release()

    # Connecting

    async def _connect(self) -> None:
        """Connect because somebody asked for it."""
        self._core.hub.set_status(Status("connecting"))
        try:
            await self._try(FIRST_ATTEMPTS)
            self._tell(self._history if not self._had_session else self._past())
        except StepnbError as error:
            # What was asked meanwhile never reached the service: its `wait` raises this error.
            self._connecting = None
            await self._fail(error, raises=True)
            raise
        if self._had_session:
            self._report()
        self._established()

    async def _reconnect(self, waiting: list[int]) -> None:
        """Connect because a connection was lost; waiting: the turns to ask again."""
        await self._link.close()
        try:
            await asyncio.sleep(next(delays(self._random)))
            await self._try(None)
            await self._core.asking.recall(waiting)
            self._tell(self._past())
        except StepnbError as last:
            self._connecting = None
            await self._fail(last, raises=True)
            return
        self._report()
        self._established()
        self._core.asking.ask_again(waiting)

    def _replace(self, reason: str) -> None:
        waiting = self._core.disconnected(ConnectionLost(reason))
        self._connecting = self._core.spawn(self._rotate(waiting))

    async def _rotate(self, waiting: list[int]) -> None:
        """Replace the connection; waiting: the turns to ask again."""
        await self._link.close()
        try:
            await self._try(None)
            await self._core.asking.recall(waiting)
            self._tell(self._past())
        except StepnbError as error:
            self._connecting = None
            await self._fail(error, raises=True)
            return
        self._established()
        self._core.asking.ask_again(waiting)

    async def _try(self, attempts: int | None) -> None:
        """Shake hands, again and again while that may help.

        Raises
        ------
        StepnbError
            The last reason why it did not come about.
        """
        waits = itertools.islice(delays(self._random), attempts)
        while True:
            try:
                await self._shake_hands()
                return
            except StepnbError as error:
                await self._link.close()
                wait = next(waits, None) if worth_retrying(error, had_session=self._had_session) else None
                if wait is None:
                    raise
                self._core.log.append_local("retry", {"reason": error.message, "wait_s": wait})
                state = self._core.hub.status.state
                self._core.hub.set_status(Status(state, f"{error} Trying again."))
                await asyncio.sleep(wait)

    async def _shake_hands(self) -> None:
        url, key = await self._engine.address(self._core.endpoint)
        close_before_the_engine()
        self._hello = asyncio.get_running_loop().create_future()
        self.trace_id = await self._link.open(url, self._core.model, key, cluster=self._core.endpoint.cluster)
        where = self._core.endpoint.label
        self._core.log.append_local("connected", {"host": where, "trace_id": self.trace_id})
        try:
            await asyncio.wait_for(self._hello, HELLO_TIMEOUT)
        except TimeoutError:
            raise ConnectError(
                f"{where} accepted the connection but did not begin a session.",
                fix="Try again; if it goes on, check the URL and the model.",
                trace_id=self.trace_id,
            ) from None
        await self._core.settings.send_all()

    def _established(self) -> None:
        self._connecting = None
        if not self._had_session:
            self._had_session = True
            self._core.asking.greet()
        if self._rotation is not None:
            self._rotation.cancel()
        self._rotation = asyncio.get_running_loop().call_later(self.rotate_after, self._rotate_when_idle)
        self._core.refresh_status()

    def _rotate_when_idle(self) -> None:
        if self._core.closed or not self.ready:
            return
        if self._core.idle:
            self._core.log.append_local("rotating", {"after_s": self.rotate_after})
            self._replace("The connection was replaced.")
        else:
            self._rotation = asyncio.get_running_loop().call_later(ROTATE_CHECK, self._rotate_when_idle)

    # The past

    def _past(self) -> list[ev.Item]:
        conversation = self._core.conversation
        self.restored = not_told(conversation.turns.values(), conversation.items)
        return [*self._history, *history_items(conversation.turns.values(), conversation.items)]

    def _tell(self, items: Sequence[ev.Item]) -> None:
        for n, item in enumerate(items, 1):
            self._core.send(ev.ConversationItemCreate(item=item, event_id=f"history{n}.item"))
        if items:
            self._core.log.append_local("restored", {"items": len(items), "left_out": self.restored or []})

    def _report(self) -> None:
        left_out = f", without {', '.join(self.restored)}" if self.restored else ""
        self._core.notice("info", f"Connected again; the conversation so far was told as text{left_out}.")

    # Losing

    def _on_lost(self, error: ConnectionLost | ReplayMismatch) -> None:
        if self._core.closed:
            return
        self._core.settings.on_lost(error)
        if self._hello is not None and not self._hello.done():
            self._hello.set_exception(error)
        if self._connecting is not None:
            return  # whoever connects reports it
        if worth_retrying(error, had_session=True):
            # Not the error's own advice, which is for those who are left without a connection.
            told = ConnectionLost(error.message, fix="Connecting again.", trace_id=error.trace_id)
            self._core.hub.set_status(Status("reconnecting", str(told)))
            # At once: a turn that is opened from now on belongs to the next connection and waits for it.
            waiting = self._core.disconnected(error)
            self._connecting = self._core.spawn(self._reconnect(waiting))
        else:
            self._core.spawn(self._fail(error, raises=isinstance(error, ReplayMismatch)))

    async def _fail(self, error: StepnbError, *, raises: bool) -> None:
        """The connection is of no use any more; raises: waiting for a turn raises the error."""
        self._core.failed(error, raises=raises)
        await self._link.close()
