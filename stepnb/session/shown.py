"""`ShownSession`: where a session is seen and heard: its panel, its settings, and other places for its sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..service.loop import wait_on_io
from .arguments import Section
from .core import SessionCore
from .view import SessionView

if TYPE_CHECKING:
    from ..device.device import SoundDevice
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

    def use_device(self, input: int | str | None = None, output: int | str | None = None) -> SoundDevice:
        """Talk and listen with the microphone and the loudspeaker of the kernel's machine, by sounddevice.

        With VAD it listens at once; with push-to-talk `SoundDevice.talk` begins and ends a turn. It is in use until it
        is closed, another place (a panel, a companion tab) takes the sound, or the session ends. Nothing takes the
        answer out of what the microphone hears: use headphones.

        Parameters
        ----------
        input, output
            Numbers or names, as ``python -m sounddevice`` lists them; None: the system's choice.

        Raises
        ------
        MissingLibrary
            sounddevice (``pip install 'stepnb[device]'``) or the PortAudio library is missing.
        AudioError
            There is no such device, or it cannot be opened.

        Examples
        --------
        >>> with sn.Session() as s, s.use_device():
        ...     input("Talk. Enter ends it.")
        """
        from ..device.device import SoundDevice

        self._check_open()
        device = SoundDevice(self._core, self._whole._input)
        wait_on_io(device.start(input, output), START_TIMEOUT, "opening the sound device")
        return device

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
