"""`Call`: a conversation under way, as a caller sees it. It runs on the experiment's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ..audio.clip import Clip
from ..errors import ConfigError, TurnTimeout
from ..session.session import Session
from ..session.turn import Turn
from .inputs import Input, Interruption, SimulatedCaller, Step, conditioned
from .listener import TURN_TIMEOUT, Listener


class Call:
    """What a caller can do: say something, hear the answer, break in.

    Attributes
    ----------
    session
        The session that is tested.
    """

    def __init__(self, session: Session, conditions: Mapping[str, Any], seed: int, *, listens: bool) -> None:
        self.session = session
        self._conditions = conditions
        self._seed = seed
        self._listener = Listener(session._core) if listens else None
        self._last: Turn | None = None

    @property
    def turns(self) -> list[Turn]:
        """Every exchange so far."""
        return self.session.turns

    async def say(self, what: str | Clip) -> Turn:
        """Say something, wait for the end of the answer, as it is heard, and return its turn.

        The service may take a pause in a Clip for the end of a turn; then it is the turn of the last answer.

        Raises
        ------
        TurnTimeout
            No answer within 90 s.
        """
        turn = await self._ended(self.begin(what))
        if self._listener is not None:
            await self._listener.silence()
            return self.turns[-1]
        return turn

    def begin(self, what: str | Clip) -> Turn:
        """Say something; the answer is not waited for."""
        if isinstance(what, Clip):
            self._last = self.session.append(conditioned(what, self._conditions, self._seed))
        else:
            self._last = self.session.ask(what)
        return self._last

    async def interrupt(self, what: str | Clip, after: float = 1.0) -> Turn:
        """Break in once so much of the running answer was heard, s, and wait for the answer to that.

        When the answer is over before, there is nothing to break in on: it is said all the same, and scorers call the
        interruption not exercised.
        """
        if self._listener is None or self._last is None:
            raise ConfigError(
                "There is no answer to break in on.", fix="Say something first: call.begin('...')."
            )
        await self._listener.heard(after, self._last)
        if isinstance(what, str):
            self.session.interrupt()
        return await self.say(what)

    async def _ended(self, turn: Turn) -> Turn:
        try:
            async with asyncio.timeout(TURN_TIMEOUT):
                return await turn
        except TimeoutError:
            raise TurnTimeout(f"There was no answer within {TURN_TIMEOUT:.0f} s.") from None

    async def carry_out(self, one: Input, open_session: Callable[..., Session]) -> None:
        """Do what an input says; `open_session` makes a session of settings, for a simulated caller."""
        if isinstance(one.what, SimulatedCaller):
            await self._converse(one.what, open_session)
        elif callable(one.what):
            await one.what(self)
        else:
            await self._script(one.steps)

    async def _script(self, steps: tuple[Step, ...]) -> None:
        for step, following in zip(steps, (*steps[1:], None), strict=True):
            if isinstance(step, Interruption):
                await self.interrupt(step.what, step.after)
            elif isinstance(following, Interruption):
                self.begin(step)
            else:
                await self.say(step)

    async def _converse(self, caller: SimulatedCaller, open_session: Callable[..., Session]) -> None:
        """Let a second session play the person: it hears each answer and replies aloud."""
        settings = {
            "voice": caller.voice,
            "model": caller.model,
            "instructions": caller.instructions,
            "vad": None,
        }
        if caller.cluster is not None:
            settings["cluster"] = caller.cluster
        with open_session(settings) as person:
            words = await self._ended(person.ask(f"Say this, and nothing else: {caller.opening}"))
            for remaining in reversed(range(caller.turns)):
                answer = await self.say(words.audio if words.audio.duration else words.transcript)
                if not remaining:
                    return
                words = await self._ended(
                    person.ask(answer.audio if answer.audio.duration else answer.transcript)
                )

    def close(self) -> None:
        """Hear no more; the session is closed by whoever opened it."""
        if self._listener is not None:
            self._listener.close()
