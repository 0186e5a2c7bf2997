"""Displays that follow a session: one HTML output, updated from the user's loop thread a few times a second."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..conversation.reducer import Change
from ..service.loop import user_thread
from ..session.status import Notice, Status

if TYPE_CHECKING:
    from ..session.core import SessionCore
    from ..session.session import Session
    from ..session.turn import Turn

INTERVAL = 0.25


class LiveOutput:
    """One output that is rendered again when something of interest changed.

    Parameters
    ----------
    render
        Returns (html, text). It runs on the user's loop thread.
    concerns
        Which changes matter.
    done
        Whether it will never change again.
    """

    def __init__(
        self,
        core: SessionCore,
        render: Callable[[], tuple[str, str]],
        concerns: Callable[[Change], bool],
        done: Callable[[], bool],
    ) -> None:
        self._core = core
        self._render = render
        self._concerns = concerns
        self._done = done
        self._id = uuid.uuid4().hex
        self._timer: asyncio.TimerHandle | None = None

    def show(self) -> None:
        """Show it in the current cell and follow from now on."""
        self._publish(update=False)
        if not self._done():
            self._core.loop.call_soon_threadsafe(self._follow)

    def _follow(self) -> None:
        self._core.hub.listeners.append(self)
        self._soon()  # what changed between the first rendering and now

    def _publish(self, *, update: bool) -> None:
        from IPython.display import display

        page, text = self._render()
        bundle = {"text/html": page, "text/plain": text}
        display(bundle, raw=True, display_id=self._id, update=update)  # type: ignore[no-untyped-call]

    def _soon(self) -> None:
        if self._timer is None:
            self._timer = self._core.loop.call_later(INTERVAL, self._update)

    def _update(self) -> None:
        self._timer = None
        if self._done() and self in self._core.hub.listeners:
            self._core.hub.listeners.remove(self)
        user_thread.loop.call_soon_threadsafe(lambda: self._publish(update=True))

    # The session's changes, on the I/O thread

    def on_change(self, change: Change, pcm: bytes | None) -> None:
        if self._concerns(change):
            self._soon()

    def on_status(self, status: Status) -> None:
        if status.state == "closed":
            self._soon()

    def on_notice(self, notice: Notice) -> None:
        pass

    def on_flush(self, flush_id: int) -> None:
        pass

    def on_config(self) -> None:
        pass


def show_turn(turn: Turn) -> None:
    """Show a turn, live until it has ended."""
    from IPython.display import display

    from .static_html import turn_html

    core = turn._source.live
    if core is None:
        display({"text/html": turn_html(turn), "text/plain": repr(turn)}, raw=True)  # type: ignore[no-untyped-call]
        return
    LiveOutput(
        core,
        lambda: (turn_html(turn), repr(turn)),
        lambda change: (
            change.turn is not None and change.turn == turn.id and change.kind in ("turn", "ended")
        ),
        lambda: core.closed or turn.status in ("completed", "interrupted", "failed"),
    ).show()


def show_session(session: Session) -> None:
    """Show the panel with its settings, and beside it the transcript as HTML: what is left of it in a saved notebook.

    The live panel hides the transcript by its style sheet.
    """
    from IPython.display import display
    from ipywidgets import VBox

    from .static_html import session_html

    frame = VBox([session.panel, session.controls()])
    frame.add_class("stepnb-frame")
    display(frame)  # type: ignore[no-untyped-call]
    core: Any = session._core
    LiveOutput(
        core,
        lambda: (session_html(session), repr(session)),
        lambda change: change.kind == "ended",
        lambda: core.closed,
    ).show()
