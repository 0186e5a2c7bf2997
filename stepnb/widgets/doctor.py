"""`doctor`: what voice needs, looked at from the kernel and from the page, as one table."""

from __future__ import annotations

import contextvars
import dataclasses
import html
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import traitlets
from msgspec import Meta

from ..checkup.row import Row, State, table
from ..checkup.run import in_notebook
from ..errors import StepnbError
from . import messages
from .page_widget import STATIC, PageWidget

HOLD_S = 1.0
"""For so long the kernel is kept busy, to see what becomes of messages meanwhile, s."""
LATE_S = 5.0
"""So long the page waits for the kernel to be kept busy, s (js/src/doctor/meter.ts)."""

Sentence = Annotated[str, Meta(max_length=500)]


class Ping(messages.Message, tag="ping"):
    """A view wants a pong at once."""


class Hold(messages.Message, tag="hold"):
    """A view wants the kernel to be busy for a while."""


class Found(messages.Message, tag="found"):
    """What a check of the page found."""

    check: Literal["page", "microphone", "output", "messages", "busy", "subshells"]
    state: State
    text: Sentence
    fix: Sentence = ""


class Doctor(PageWidget):
    """Everything voice needs, looked at; see `doctor`.

    Parameters
    ----------
    checks
        Yields the kernel's rows, on a thread of its own.

    Attributes
    ----------
    kernel_rows
        What the kernel's checks found so far, as dictionaries, for the page.
    looking
        Whether they go on.
    """

    _page = "doctor"
    _esm = STATIC / "doctor.js"
    _css = STATIC / "doctor.css"
    kernel_rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    looking = traitlets.Bool(True).tag(sync=True)

    _messages: Any = messages.Hello | Ping | Hold | Found

    def __init__(self, checks: Callable[[], Iterable[Row]] = in_notebook) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._done = threading.Event()
        self._held = threading.Lock()
        self._beside = False
        # What is published in it counts as the cell's: ipykernel routes the page's answers by that.
        self._cell = contextvars.copy_context()
        super().__init__()
        threading.Thread(target=self._look, args=(checks,), name="stepnb-doctor", daemon=True).start()

    @property
    def rows(self) -> list[Row]:
        """What was found so far, by the kernel and, once it was shown, by its page."""
        with self._lock:
            return list(self._rows.values())

    def wait(self, timeout: float = 60.0) -> Doctor:
        """Wait until the kernel's checks are made; those of the page need a page.

        Parameters
        ----------
        timeout
            Seconds.

        Raises
        ------
        StepnbError
            It took longer.
        """
        if not self._done.wait(timeout):
            raise StepnbError(f"The checks took more than {timeout:g} s.", fix="Look at `rows` so far.")
        return self

    def hold(self) -> None:
        """Keep the calling thread busy as a cell does, and tell the page when that begins and ends."""
        self._say("held", on=True)
        time.sleep(HOLD_S)
        self._say("held", on=False)

    def _look(self, checks: Callable[[], Iterable[Row]]) -> None:
        try:
            for row in checks():
                self._keep(row)
                self.kernel_rows = [*self.kernel_rows, dataclasses.asdict(row) | {"name": row.name}]
        finally:
            self._done.set()
            self.looking = False

    def _keep(self, row: Row) -> None:
        with self._lock:
            self._rows[row.check] = row

    # From the page ----------------------------------------------------------------------------------------------------

    def _on_page_message(self, widget: Any, content: Any, buffers: Any) -> None:
        self._beside = threading.current_thread() is not threading.main_thread()
        super()._on_page_message(widget, content, buffers)

    async def _handle(self, message: Any) -> None:
        match message:
            case Ping(view=view, t=t):
                self._say("pong", view, echo=t, beside=self._beside)
            case Hold(view=view):
                if not self._hold_soon():
                    self._say("held", view, on=None)
            case Found():
                self._keep(Row(message.check, message.state, message.text, message.fix))

    def _hold_soon(self) -> bool:
        """Let the thread of the cells hold once; False: this kernel has none we know how to."""
        loop = _cell_loop()
        if loop is None:
            return False
        if self._held.acquire(blocking=False):
            loop.add_callback(self._hold_once, time.monotonic())
        return True  # else it holds already, which all views are told

    def _hold_once(self, asked: float) -> None:
        try:
            # After a long cell nobody waits for it any more.
            if time.monotonic() - asked < LATE_S:
                self._cell.run(self.hold)
        finally:
            self._held.release()

    # Shown ------------------------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        data, metadata = found if isinstance(found, tuple) else (found, {})
        return {**(data or {}), "text/html": self._repr_html_(), "text/plain": str(self)}, metadata

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{html.escape(row.state)}</td><th>{html.escape(row.name)}</th>"
            f"<td style='text-align:left'>{html.escape(row.text)}<br>{html.escape(row.fix)}</td></tr>"
            for row in self.rows
        )
        return f"<table>{cells}</table>"

    def __str__(self) -> str:
        return table(self.rows) + ("\nstill looking" if self.looking else "")

    def __repr__(self) -> str:
        bad = [row.name for row in self.rows if row.state in ("note", "fails")]
        return f"Doctor({len(self.rows)} rows, look at: {', '.join(bad) or 'nothing'})"


def doctor() -> Doctor:
    """Look whether everything is here that voice needs: in the kernel, in the page, and between them.

    As the last line of a cell it shows a table in which every row is OK or says what to do. The kernel's rows come by
    themselves; microphone and loudspeaker are tried with a click. ``print(d)`` gives it as text, for a report: it holds
    no key. Without a notebook it waits for the kernel's rows, at most a minute.

    Returns
    -------
    Doctor
        With ``rows``, and ``wait(timeout)`` for those of the kernel.

    Raises
    ------
    StepnbError
        It is outside a notebook, and the checks took more than a minute.
    """
    found = Doctor()
    return found if _kernel() is not None else found.wait()


def _kernel() -> Any:
    ipython: Any = sys.modules.get("IPython")
    return getattr(ipython.get_ipython(), "kernel", None) if ipython is not None else None


def _cell_loop() -> Any:
    """The loop of the thread that runs the cells, None where there is none we know."""
    return getattr(_kernel(), "io_loop", None)
