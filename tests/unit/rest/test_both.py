from __future__ import annotations

import _thread
import asyncio
import inspect
import signal
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from stepnb.rest.both import both


class Thing:
    def __init__(self) -> None:
        self.threads: list[str] = []
        self.cancelled = threading.Event()

    @both
    def double(self, number: int, *, plus: int = 0) -> Coroutine[Any, Any, int]:
        """Double a number."""
        if number < 0:
            raise ValueError("negative")
        self.threads.append(threading.current_thread().name)
        return self._double(number, plus)

    async def _double(self, number: int, plus: int) -> int:
        self.threads.append(threading.current_thread().name)
        return 2 * number + plus

    @both
    async def forever(self) -> None:
        """Never end."""
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


def test_plain_and_awaited_calls_do_the_same() -> None:
    thing = Thing()
    assert thing.double(2, plus=1) == 5
    assert asyncio.run(thing.double.aio(2, plus=1)) == 5
    assert thing.threads == ["MainThread", "stepnb-io"] * 2


def test_arguments_are_checked_in_the_callers_thread() -> None:
    with pytest.raises(ValueError, match="negative"):
        Thing().double(-1)


def test_it_looks_like_a_method() -> None:
    method = Thing().double
    assert inspect.getdoc(method) == "Double a number."
    assert (
        str(inspect.signature(method)) == "(number: 'int', *, plus: 'int' = 0) -> 'Coroutine[Any, Any, int]'"
    )
    assert inspect.getdoc(Thing.double) == "Double a number."
    assert "0x" not in repr(method)


def test_a_call_that_is_given_up_is_cancelled() -> None:
    thing = Thing()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(thing.forever.aio(), 0.05)

    asyncio.run(give_up())
    assert thing.cancelled.wait(10)


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Interrupts arrive also where the tests run in the background of a shell, which ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupted_cell_cancels_what_it_waits_for() -> None:
    thing = Thing()
    threading.Timer(0.2, _thread.interrupt_main).start()  # as Jupyter does it on Windows
    with pytest.raises(KeyboardInterrupt):
        thing.forever()
    assert thing.cancelled.wait(10)
