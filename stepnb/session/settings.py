"""`Settings`: what the session is set to, what the service made of it, and the way between. I/O thread only."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ConnectError, StepnbError
from ..protocol import events as ev
from ..protocol.config import SessionConfig, changed_keys, echo_differences, with_taken
from ..protocol.faults import Fault, as_exception, classify
from .hub import Hub

# The service answers an update within milliseconds.
ECHO_TIMEOUT = 10.0


class VoiceRefused(StepnbError):
    """The service does not know the voice."""

    anchor = "voice-refused"


class Settings:
    """The configuration in force.

    Parameters
    ----------
    send
        Sends an event.
    hub
        Is told of changes and of what the service took otherwise.

    Attributes
    ----------
    refused
        Why the service did not take the last change of a field; gone with the field's next change.
    voice_locked
        Whether the service has spoken: its session keeps the voice from then on.
    """

    def __init__(self, config: SessionConfig, send: Callable[[ev.Event], None], hub: Hub) -> None:
        self.config = config
        self.refused: dict[str, str] = {}
        self.voice_locked = False
        self._send = send
        self._hub = hub
        self._numbers = itertools.count(1)
        self._pending: dict[str, dict[str, Any]] = {}  # update -> what it changed, as it was before
        self._echo: asyncio.Future[None] | None = None

    @property
    def unconfirmed(self) -> frozenset[str]:
        """The fields whose change the service has not answered yet."""
        return frozenset(key for before in self._pending.values() for key in before)

    async def send_all(self) -> None:
        """Send everything, explicitly, and wait for the echo; a refused voice is left to the service.

        Raises
        ------
        ConnectError, ServiceError
            No echo came, or the service refused.
        """
        self._pending.clear()
        if self.voice_locked:
            self.voice_locked = False
            self._hub.config_changed()
        try:
            await self._send_and_wait()
        except VoiceRefused as error:
            text = f"The voice {self.config.voice!r} is not available here."
            self._hub.notice("warning", text, str(error))
            self._set(dataclasses.replace(self.config, voice=None), {"voice": text})
            await self._send_and_wait()

    async def _send_and_wait(self) -> None:
        self._echo = asyncio.get_running_loop().create_future()
        self._send(ev.SessionUpdate(session=self.config.session_info(), event_id="first.update"))
        try:
            await asyncio.wait_for(self._echo, ECHO_TIMEOUT)
        except TimeoutError:
            raise ConnectError(
                f"The service did not confirm the settings within {ECHO_TIMEOUT:.0f} s.",
                fix="Try again; if it goes on, check the URL and the model.",
            ) from None
        finally:
            self._echo = None

    def update(self, config: SessionConfig, *, live: bool) -> None:
        """Apply a changed configuration: now when live, else with the next connection."""
        keys = changed_keys(self.config, config)
        if not keys:
            return
        before = {key: getattr(self.config, key) for key in keys}
        for key in keys:
            self.refused.pop(key, None)
        if live:
            event_id = f"{next(self._numbers)}.update"
            self._pending[event_id] = before
            self._send(ev.SessionUpdate(session=config.session_info(keys), event_id=event_id))
        self._set(config)

    def lock_voice(self) -> None:
        """The service speaks for the first time."""
        self.voice_locked = True
        self._hub.config_changed()

    def on_updated(self, echo: ev.SessionInfo) -> None:
        """Compare the echo with what was sent: unknown or unwelcome values are dropped silently otherwise."""
        confirmed = self._pending.pop(next(iter(self._pending), ""), None)
        if self._pending:
            return  # what is on its way is not in this echo; the next one tells everything
        config = self.config
        refused = {}
        for difference in echo_differences(config.session_info(), echo):
            text = f"The service took {difference.key} as {difference.taken!r}, not {difference.sent!r}."
            self._hub.notice("warning", text)
            refused[difference.key] = text
            config = with_taken(config, difference)
        if confirmed or refused:
            self._set(config, refused)
        if self._echo is not None and not self._echo.done():
            self._echo.set_result(None)

    def on_created(self, session: ev.SessionInfo) -> None:
        """Take a ``session.created`` that comes while an update is unanswered as its echo: some are typed so."""
        if self._echo is not None or self._pending:
            self.on_updated(session)

    def on_error(self, info: ev.ErrorInfo, trace_id: str | None) -> bool:
        """Take in an error that answers an update; return whether it was one."""
        error: StepnbError = as_exception(info, trace_id=trace_id)
        if info.event_id == "first.update" and self._echo is not None and not self._echo.done():
            if classify(info) is Fault.BAD_VOICE and self.config.voice is not None:
                error = VoiceRefused(
                    error.message, fix="The service uses its own voice instead.", trace_id=trace_id
                )
            self._echo.set_exception(error)
            return True
        before = self._pending.pop(info.event_id or "", None)
        if before is None:
            if not (info.event_id or "").endswith(".update"):
                return False
            self._hub.notice("warning", str(error))
            return True
        for later in self._pending.values():
            # A later change of the same field stands, and would be undone to what was there before both.
            later |= {key: before.pop(key) for key in before.keys() & later.keys()}
        self._set(dataclasses.replace(self.config, **before), dict.fromkeys(before, str(error)))
        self._hub.notice("warning", f"The change was refused and is undone. {error}")
        return True

    def on_lost(self, error: StepnbError) -> None:
        """The connection is gone: nobody will confirm anything."""
        self._pending.clear()
        if self._echo is not None and not self._echo.done():
            self._echo.set_exception(error)

    def _set(self, config: SessionConfig, refused: Mapping[str, str] | None = None) -> None:
        self.config = config
        # After the configuration: whoever reads a reason, on whatever thread, then finds the change undone.
        self.refused |= refused or {}
        self._hub.config_changed()
