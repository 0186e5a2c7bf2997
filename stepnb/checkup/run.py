"""The checks one after the other, each within its time; those of the network run beside the others."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from . import here, kernel, network, sound
from .row import Row

WITHIN_S = 28.0
"""All of them together."""

P = TypeVar("P")
T = TypeVar("T")
Check = Callable[[], Row | Iterable[Row]]


def in_terminal() -> Iterator[Row]:
    """Yield the rows of ``stepnb doctor``."""
    return _rows(
        [
            ("python", here.python),
            ("package", here.package),
            ("jupyterlab", here.jupyterlab),
            ("widgets", here.widgets),
            ("server", here.server),
            ("engine", sound.engine),
            ("audio", sound.audio),
            ("kernel", kernel.kernel),
        ]
    )


def in_notebook() -> Iterator[Row]:
    """Yield the rows of a running kernel: what its page shows needs no proof."""
    return _rows(
        [
            ("python", here.python),
            ("package", here.package),
            ("kernel", here.ipykernel),
            ("engine", sound.engine),
            ("audio", sound.audio),
        ]
    )


def _rows(checks: Iterable[tuple[str, Check]]) -> Iterator[Row]:
    until = time.monotonic() + WITHIN_S
    asked = [(name, _begin(network.cluster, name)) for name in ("global", "cn")]
    for name, check in checks:
        yield from _finish(name, _begin(_listed, check), until)
    yield from _finish("key", _begin(_listed, network.key), until)
    ahead = []
    for name, future in asked:
        found = _finish(name, future, until)
        if isinstance(found, network.Reached):
            ahead.append(found.ahead_s)
            yield found.row
        else:
            # Whatever went wrong, offline voice works.
            yield from (dataclasses.replace(row, state="note") for row in found)
    yield network.clock(ahead)


def _listed(check: Check) -> list[Row]:
    found = check()
    return [found] if isinstance(found, Row) else list(found)


def _begin(work: Callable[[P], T], argument: P) -> Future[T]:
    """Run on a thread that nothing waits for at the end: what hangs must not hang the doctor."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work(argument))
        except Exception as error:  # noqa: BLE001 - told to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, name="stepnb-checkup", daemon=True).start()
    return future


def _finish(check: str, future: Future[T], until: float) -> T | list[Row]:
    """Return the result; a row that says so when there is none in time, or the check itself broke."""
    begun = time.monotonic()
    try:
        return future.result(max(0.0, until - begun))
    except FutureTimeout:
        text = f"No result within {time.monotonic() - begun:.0f} s."
        return [Row(check, "fails", text, "Is the machine busy? Look again.")]
    except Exception as error:  # noqa: BLE001 - the others go on
        text = f"The check itself broke: {type(error).__name__}: {error}."
        return [Row(check, "fails", text, "Please report it.")]
