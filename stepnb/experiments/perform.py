"""One run of an experiment: a session of one variant, one input, and what became of it."""

from __future__ import annotations

import asyncio
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..errors import StepnbError
from ..service.retry import worth_retrying
from ..session.cells import of_no_cell
from ..session.session import Session
from .call import Call
from .plan import Case

# Beyond it a run is taken for stuck, s: a script may be long, and the service ends a session after half an hour.
RUN_TIMEOUT = 25 * 60.0


class Outcome(Struct, kw_only=True):
    """What became of a run; it travels between processes.

    Attributes
    ----------
    key
        The run's.
    recording
        The session as a ``.stepnb`` file.
    error
        Why it failed, as a sentence; None when it did not.
    again
        Whether trying again may help.
    started, seconds
        Wall-clock time (s since 1970) and how long it took.
    """

    key: str
    recording: bytes
    error: str | None = None
    again: bool = False
    started: float
    seconds: float


async def perform(case: Case, api_key: str | None) -> Outcome:
    """Carry out a run.

    It raises nothing but cancellation: what goes wrong is the outcome. A session that lost its connection connects
    again by itself, so what is seen here is what could not be helped.
    """
    started, clock = time.time(), time.monotonic()
    error: Exception | None = None

    def open_session(settings: Mapping[str, Any]) -> Session:
        with of_no_cell():
            return Session(**{"cluster": case.variant.settings.get("cluster"), **settings}, api_key=api_key)

    session = open_session(case.variant.settings)
    call: Call | None = None
    try:
        async with asyncio.timeout(RUN_TIMEOUT):
            call = Call(session, case.variant.conditions, case.seed, listens=case.input.listens)
            await call.carry_out(case.input, open_session)
    except Exception as problem:  # noqa: BLE001 - a caller is user code and may raise anything: the run has failed
        error = problem
    finally:
        if call is not None:
            call.close()
        await asyncio.to_thread(session.close)
    seconds = time.monotonic() - clock
    recording = await asyncio.to_thread(_packed, session)
    return Outcome(
        key=case.key,
        recording=recording,
        error=None if error is None else _said(error),
        again=error is not None and _worth_trying_again(error),
        started=started,
        seconds=seconds,
    )


def _packed(session: Session) -> bytes:
    with tempfile.TemporaryDirectory(prefix="stepnb-") as folder:
        return session.save(Path(folder) / "run.stepnb").read_bytes()


def _worth_trying_again(error: Exception) -> bool:
    if isinstance(error, TimeoutError):  # TurnTimeout, too
        return True
    return isinstance(error, StepnbError) and worth_retrying(error, had_session=True)


def _said(error: Exception) -> str:
    if isinstance(error, StepnbError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"The run took longer than {RUN_TIMEOUT / 60:.0f} minutes."
    return "".join(traceback.format_exception_only(error)).strip()
