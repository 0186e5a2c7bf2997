"""`VoicePanel`: microphone, loudspeaker and transcript in the notebook."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..errors import StepnbError
from . import language, messages
from .bridge import PanelBridge
from .comm_guard import keep_requested_subshell
from .companion import Companion
from .info import info_of

if TYPE_CHECKING:
    from ..session.session import Session

_STATIC = Path(__file__).parent / "static"


class VoicePanel(anywidget.AnyWidget):
    """The voice panel of a session; shown when a Session is displayed.

    Parameters
    ----------
    session
        None: a new ``Session()``.

    Attributes
    ----------
    status, info
        What the page shows; see ARCHITECTURE.md. Audio and events travel as messages and are never part of the state.
    lang
        "en", "zh", or "" for the page's language; see `stepnb.set_language`.
    min_speech_ms
        How long a person has to speak before an answer is interrupted, ms, 0 to 500: a cough does not. What was said
        meanwhile is kept, and the interruption comes so much later.
    survives_busy_cells
        Whether the kernel let the panel route its messages around a busy cell.
    """

    _esm = _STATIC / "panel.js"
    _css = _STATIC / "panel.css"
    status = traitlets.Dict().tag(sync=True)
    info = traitlets.Dict().tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    min_speech_ms = traitlets.Int(0, min=0, max=500).tag(sync=True)

    def __init__(self, session: Session | None = None) -> None:
        if not (_STATIC / "panel.js").exists():
            raise StepnbError(
                "The panel's page is not built.",
                fix="In a source checkout run: cd js && npm ci && npm run build",
            )
        if session is None:
            from ..session.session import Session

            session = Session()
        self.session = session
        core = session._core
        current = core.hub.status
        super().__init__(
            status={"state": current.state, "detail": current.detail, "since": round(time.time() * 1000)},
            info=info_of(core),
            lang=language.chosen(),
        )
        self.survives_busy_cells = keep_requested_subshell(self.comm)
        self._bridge = PanelBridge(
            core, session._input, self._send_message, self._set_traits, session.export, session.append
        )
        self._bridge.companion = Companion(self, self._bridge)
        core.loop.call_soon_threadsafe(core.hub.listeners.append, self._bridge)
        core.loop.call_soon_threadsafe(self._bridge.on_status, core.hub.status)
        self.on_msg(self._on_page_message)
        self.observe(self._on_min_speech, "min_speech_ms")

    def _on_page_message(self, _: Any, content: Any, __: Any) -> None:
        """Check and enqueue, nothing else: this may run beside the user's cell, on another thread."""
        received_ns = time.monotonic_ns()
        if threading.current_thread() is not threading.main_thread():
            self.session._core.tools.approvals.page_beside_cells = True
        bridge, loop = self._bridge, self.session._core.loop
        try:
            message = messages.parse(content)
        except ValueError as error:
            loop.call_soon_threadsafe(bridge.refuse, content, str(error))
            return
        loop.call_soon_threadsafe(bridge.receive, message, received_ns)

    def _on_min_speech(self, change: Any) -> None:
        self.session._core.loop.call_soon_threadsafe(
            setattr, self.session._input.guard, "min_ms", change["new"]
        )

    def _send_message(self, content: dict[str, Any]) -> None:
        if self.comm is not None:
            self.send(content)

    def _set_traits(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"VoicePanel({self.session.model})"
