"""`ShownSession`: where a session is seen and heard: its panel, its settings, and other places for its sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..service.loop import wait_on_io
from .arguments import Section
from .core import SessionCore
from .view import SessionView

if TYPE_CHECKING:
    from .session import Session

START_TIMEOUT = 10.0


class ShownSession(SessionView):
    """The half of `Session` that is shown. What shows it is imported with its first use."""

    def __init__(self, core: SessionCore) -> None:
        super().__init__(core)
        self._panel: Any = None
        self._controls: Any = None

    @property
    def _whole(self) -> Session:
        return cast("Session", self)

    @property
    def panel(self) -> Any:
        """The voice panel of this session, an anywidget that stands alone."""
        if self._panel is None:
            from ..widgets.panel import VoicePanel

            self._panel = VoicePanel(self._whole)
        return self._panel

    def controls(self, *sections: Section) -> Any:
        """Return the settings of this session as a widget, which moves with them and moves them.

        Parameters
        ----------
        sections
            Which of "voice", "prompt", "turns" and "tools" it shows; none named: all of them, as under the panel.

        Returns
        -------
        SessionControls
            Its traits can be observed and linked. Each call makes another one, but for the one under the panel.
        """
        from ..widgets.controls import SessionControls

        if sections:
            return SessionControls(self._whole, *sections)
        if self._controls is None:
            self._controls = SessionControls(self._whole)
        return self._controls

    def _ipython_display_(self) -> None:
        from ..widgets.live import show_session

        show_session(self._whole)

    def companion(self) -> str:
        """Start a companion tab: the panel in a page of its own, for where the notebook's page gets no microphone.

        It is a page of this kernel, served on 127.0.0.1 alone, so the browser has to run on the same machine. While it
        is open the sound is there, and what is said is shown in the notebook too. It ends with the session.

        Returns
        -------
        str
            The address to open. It opens one tab, once, within two minutes.

        Raises
        ------
        ConfigError
            A companion tab is open already.
        StepnbError
            Its server cannot be started.

        Examples
        --------
        >>> webbrowser.open(s.companion())
        """
        self._check_open()
        return str(wait_on_io(self.panel._bridge.companion.start(), START_TIMEOUT, "starting"))
