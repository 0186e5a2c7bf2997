"""`Handle`: an experiment that runs in the background, and the bar that shows how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import html
import sys
import uuid
from collections.abc import Generator
from concurrent.futures import CancelledError, Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from ..errors import TurnTimeout
from .runner import Progress, Runner, experiment_thread
from .words import duration

# A bar is drawn so often, s.
_INTERVAL = 0.5
_ENDING_TIMEOUT = 30.0


class Handle:
    """An experiment under way.

    Attributes
    ----------
    progress
        How far it is; see `Progress`.
    """

    def __init__(self, runner: Runner, future: Future[None]) -> None:
        self._runner = runner
        self._future = future

    @property
    def progress(self) -> Progress:
        return self._runner.progress

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return not self._future.done()

    def wait(self, timeout: float | None = None) -> Progress:
        """Block until all runs are made.

        Parameters
        ----------
        timeout
            Seconds, None for no limit.

        Raises
        ------
        TurnTimeout
            They are not, within the time; it goes on.
        StepnbError
            The runs cannot be kept.
        """
        try:
            self._future.result(timeout)
        except FutureTimeout:
            if self._future.done():
                raise
            raise TurnTimeout(f"The experiment has not ended within {timeout:g} s; it goes on.") from None
        except CancelledError:
            pass
        except BaseExceptionGroup as group:
            raise _first(group) from None
        return self.progress

    def __await__(self) -> Generator[Any, None, Progress]:
        yield from asyncio.shield(asyncio.wrap_future(self._future)).__await__()
        return self.progress

    def stop(self) -> None:
        """Begin no further run; those under way come to their end and are kept."""
        self._runner.stop("it was stopped")

    def cancel(self) -> None:
        """End the runs under way, which are not kept, and wait until their sessions are closed."""
        experiment_thread.loop.call_soon_threadsafe(self._runner.cancel, "it was cancelled")
        wait([self._future], _ENDING_TIMEOUT)

    def __repr__(self) -> str:
        return f"Handle({told(self.progress, self._runner.stopped_by)})"

    def _repr_html_(self) -> str:
        return bar_html(self.progress, self._runner.stopped_by)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def told(progress: Progress, stopped_by: str | None = None) -> str:
    """Say in a line how far it is."""
    parts = [f"{progress.done} of {progress.total} runs done"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.running:
        parts.append(f"{progress.running} under way")
    if progress.per_minute is not None:
        parts.append(f"{progress.per_minute:.0f} a minute")
    left = progress.seconds_left
    if left and not stopped_by:
        parts.append(f"{duration(left)} left")
    parts += [f"{amount:.2f} {currency}" for currency, amount in progress.cost.items() if amount]
    if stopped_by:
        parts.append(stopped_by)
    return ", ".join(parts)


def bar_html(progress: Progress, stopped_by: str | None = None) -> str:
    """Draw a bar with its line."""
    total = max(progress.total, 1)
    widths = (100 * progress.done / total, 100 * progress.failed / total)
    parts = "".join(
        f'<span style="display:inline-block;height:6px;width:{width:.1f}%;background:{colour}"></span>'
        for width, colour in zip(widths, ("#0f766e", "#c2381f"), strict=True)
    )
    return (
        '<div style="max-width:40em;font-variant-numeric:tabular-nums"><div style="height:6px;line-height:0;'
        f'background:rgba(128,128,128,.25);border-radius:3px;overflow:hidden;white-space:nowrap">{parts}</div>'
        f"<div>{html.escape(told(progress, stopped_by))}</div></div>"
    )


def show_until_done(handle: Handle) -> None:
    """Draw the bar until all runs are made; an interrupt ends them."""
    bar = _Bar()
    try:
        while handle.running:
            bar.draw(handle)
            with contextlib.suppress(TurnTimeout):
                handle.wait(_INTERVAL)
    except KeyboardInterrupt:
        handle.cancel()
        raise
    finally:
        bar.draw(handle, last=True)
    handle.wait(0)


class _Bar:
    """One line that is drawn again: an output in a notebook, a line of a terminal; elsewhere the last one alone."""

    def __init__(self) -> None:
        ipython: Any = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        self._notebook = type(shell).__name__ == "ZMQInteractiveShell"
        self._id = uuid.uuid4().hex
        self._shown = False
        self._said = ""

    def draw(self, handle: Handle, *, last: bool = False) -> None:
        line = told(handle.progress, handle._runner.stopped_by)
        if line == self._said and not last:
            return
        self._said = line
        if self._notebook:
            from IPython.display import display

            bundle = {"text/html": handle._repr_html_(), "text/plain": line}
            display(bundle, raw=True, display_id=self._id, update=self._shown)  # type: ignore[no-untyped-call]
            self._shown = True
        elif sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if last else ""))
            sys.stderr.flush()
        elif last:
            sys.stderr.write(f"{line}\n")
