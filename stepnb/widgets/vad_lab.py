"""The sliders of a `VadLab`, and the picture they move."""

from __future__ import annotations

import html
import threading
from typing import TYPE_CHECKING, Any

import ipywidgets
import pybase64

from ..errors import StepnbError
from ..plots.figure import PlotFigure
from ..plots.vad import draw
from ..protocol.config import ServerVAD

if TYPE_CHECKING:
    from ..plots.whatif import VadLab

_MAX_SILENCE_MS = 2000
_MAX_PADDING_MS = 2000


class Sliders:
    """Three sliders, a fourth for the noise where there is some, and the picture.

    A moved slider only notes what is wanted; a thread of its own draws, always the newest, and ends when it has.

    Attributes
    ----------
    box
        The widget.
    settled
        Set while the picture shows what the sliders say.
    """

    def __init__(self, lab: VadLab) -> None:
        self._lab = lab
        self._lock = threading.Lock()
        self._drawing = False
        self.settled = threading.Event()
        self.settled.set()
        self.threshold = _slider(
            "energy threshold",
            "Louder than this is speech, in the service's units",
            lab.vad.energy_awakeness_threshold,
            5000,
            50,
        )
        self.silence = _slider(
            "silence ends a turn, ms",
            "So long a silence is the end of a turn",
            lab.vad.silence_duration_ms,
            _MAX_SILENCE_MS,
            20,
        )
        self.prefix = _slider(
            "audio kept before, ms",
            "Sound from before the speech that belongs to the turn",
            lab.vad.prefix_padding_ms,
            _MAX_PADDING_MS,
            20,
        )
        self.snr = _slider(
            "signal to noise, dB", "How far the speech is above the noise", 20, 40, 1, least=-10
        )
        sliders = [self.threshold, self.silence, self.prefix, *([self.snr] if lab.noisy else [])]
        png, self._size = _picture(lab, lab.vad)
        self.image = ipywidgets.Image(
            value=png, format="png", layout={"max_width": "100%", "width": f"{self._size[0]}px"}
        )
        self.trouble = ipywidgets.HTML()
        self.box = ipywidgets.VBox([*sliders, self.image, self.trouble])
        for slider in sliders:
            slider.observe(self._moved, "value")

    @property
    def setting(self) -> ServerVAD:
        """What the sliders say."""
        return ServerVAD(
            prefix_padding_ms=self.prefix.value,
            silence_duration_ms=self.silence.value,
            energy_awakeness_threshold=self.threshold.value,
        )

    def bundle(self) -> dict[str, Any]:
        """Return what to display: the widget, and for pages without one the picture."""
        return {
            **self.box._repr_mimebundle_(),
            "image/png": pybase64.b64encode_as_string(self.image.value),
            "text/plain": repr(self._lab),
        }

    def _moved(self, _: object) -> None:
        """Note it: this runs in a comm handler, perhaps beside the user's cell."""
        with self._lock:
            self.settled.clear()
            if self._drawing:
                return
            self._drawing = True
        threading.Thread(target=self._draw, name="stepnb-vad-lab", daemon=True).start()

    def _draw(self) -> None:
        drawn: object = None
        while True:
            with self._lock:
                wanted = (self.setting, self.snr.value)
                if wanted == drawn:
                    self._drawing = False
                    self.settled.set()
                    return
            try:
                lab = self._lab.with_noise(wanted[1]) if self._lab.noisy else self._lab
                self.image.value, _ = _picture(lab, wanted[0])
                self._lab.vad = wanted[0]
                self.trouble.value = ""
            except StepnbError as error:
                self.trouble.value = html.escape(str(error))
            drawn = wanted


def show(lab: VadLab) -> None:
    """Display the sliders of a lab in the current cell."""
    from IPython.display import display

    display(Sliders(lab).bundle(), raw=True)  # type: ignore[no-untyped-call]


def _picture(lab: VadLab, setting: ServerVAD) -> tuple[bytes, tuple[int, int]]:
    figure = draw(lab, setting)
    assert isinstance(figure, PlotFigure)
    return figure.png(), figure.shown_at


def _slider(name: str, tooltip: str, value: int, most: int, step: int, *, least: int = 0) -> Any:
    return ipywidgets.IntSlider(
        value=value, min=least, max=max(most, value), step=step, description=name, tooltip=tooltip,
        style={"description_width": "170px"}, layout={"width": "min(100%, 640px)"},
    )  # fmt: skip
