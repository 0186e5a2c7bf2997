"""How far an upload is: counted where the bytes are read, shown in the cell that waits for it."""

from __future__ import annotations

import html
import io
import sys
import threading
import time
import uuid
from typing import Any

from ..service.loop import user_thread

# Between two pictures, s.
_INTERVAL = 0.25


class Progress:
    """A bar under the cell; nothing where there is no notebook.

    Parameters
    ----------
    what
        What is going on, for people.
    total
        Bytes in all.
    """

    def __init__(self, what: str, total: int) -> None:
        self.done = 0
        self._what = what
        self._total = max(total, 1)
        self._id = uuid.uuid4().hex
        self._last = time.monotonic()
        self._lock = threading.Lock()
        ipython: Any = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        # Elsewhere than in the main thread no cell waits for it.
        in_cell = threading.current_thread() is threading.main_thread()
        self._shown = in_cell and getattr(shell, "kernel", None) is not None
        self._publish("", update=False)

    def to(self, done: int) -> None:
        """So many bytes are on their way. Any thread."""
        with self._lock:
            self.done = done
            if time.monotonic() - self._last < _INTERVAL and done < self._total:
                return
            self._last = time.monotonic()
        self._publish("", update=True)

    def say(self, state: str) -> None:
        """Tell what happens once the bytes are there, which they may have been before: "processing". Any thread."""
        self.done = self._total
        self._publish(state, update=True)

    def _publish(self, state: str, *, update: bool) -> None:
        if not self._shown:
            return
        share = min(self.done / self._total, 1.0)
        figure = state or f"{share:.0%} of {self._total / 1024:.0f} kB"
        page = (
            "<div style='display:flex;gap:10px;align-items:center;font-size:12px'>"
            f"<span>{html.escape(self._what)}</span><progress value='{share:.3f}' max='1'></progress>"
            f"<span style='font-variant-numeric:tabular-nums'>{html.escape(figure)}</span></div>"
        )
        bundle = {"text/html": page, "text/plain": f"{self._what}: {figure}"}

        def show() -> None:
            from IPython.display import display

            display(bundle, raw=True, display_id=self._id, update=update)  # type: ignore[no-untyped-call]

        if update:
            user_thread.loop.call_soon_threadsafe(show)
        else:
            show()  # in the cell that asked for it


class Counted(io.BytesIO):
    """Bytes that are uploaded, counted as they are read."""

    def __init__(self, data: bytes, progress: Progress) -> None:
        super().__init__(data)
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._progress.to(self.tell())
        return piece
