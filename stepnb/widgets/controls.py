"""`SessionControls`: the settings of a session as a widget, moved by hand, by code and by the session itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import anywidget
import traitlets

from ..conversation.reducer import Change
from ..errors import ConfigError, StepnbError
from ..protocol.config import ServerVAD, changed_keys
from ..service.loop import user_thread
from ..session.arguments import Section
from ..session.status import Notice, Status
from . import language, messages
from .comm_guard import keep_requested_subshell
from .tool_shelf import ToolShelf
from .two_way import TwoWay
from .voice_desk import VoiceDesk

if TYPE_CHECKING:
    from ..session.session import Session

logger = logging.getLogger("stepnb")

_STATIC = Path(__file__).parent / "static"

SECTIONS: tuple[Section, ...] = get_args(Section)
# A slider that is moved sends once it rests, s.
DEBOUNCE = 0.25

_VAD_NUMBERS = ("prefix_padding_ms", "silence_duration_ms", "energy_awakeness_threshold")
# Each trait, and the field of the session's configuration it belongs to.
_FIELDS = {"voice": "voice", "instructions": "instructions", "vad": "vad", "tools": "tools"} | dict.fromkeys(
    _VAD_NUMBERS, "vad"
)


class Restart(messages.Message, tag="restart"):
    """Begin a new session at the service with this voice."""

    voice: messages.Id


class Sample(messages.Message, tag="sample"):
    """Let this voice be heard."""

    voice: messages.Id


class OwnVoices(messages.Message, tag="own_voices"):
    """List the account's own voices, too."""


class SessionControls(anywidget.AnyWidget):
    """The settings of a session; under its panel when the session is displayed.

    Its traits follow the session, whoever changes it, and changing one of them changes the session: once, a quarter of
    a second after the last move. What the service refuses goes back to what is in force, and says why. They can be
    observed and linked as those of any widget; observers of the session's own changes run on a thread of their own.

    Parameters
    ----------
    session
        Whose settings.
    sections
        Which of "voice", "prompt", "turns" and "tools" are shown; none named: all.

    Attributes
    ----------
    voice
        A voice id, "" for the service's choice. Fixed after the first audio; see `Session.restart`.
    instructions
        The system prompt, "" for the service's own.
    vad
        Whether the service finds the turns; False is push-to-talk.
    prefix_padding_ms, silence_duration_ms, energy_awakeness_threshold
        See `ServerVAD`. They count while ``vad`` is on.
    tools
        A list of dicts, one for each tool there is or was: ``name``, ``kind`` ("function", "web_search", "retrieval"),
        ``on``, and ``approval`` ("session", "ask", "never") or what the tool takes. Assign a changed copy.
    voices
        What is known of the voices for this model, for the page.
    lang
        "en", "zh", or "" for the page's language; see `stepnb.set_language`.
    info
        The rest of what the page shows; ``info["refused"]`` holds reasons by field.

    Raises
    ------
    ConfigError
        A section that does not exist.
    """

    _esm = _STATIC / "controls.js"
    _css = _STATIC / "controls.css"
    voice = traitlets.Unicode().tag(sync=True)
    instructions = traitlets.Unicode().tag(sync=True)
    vad = traitlets.Bool().tag(sync=True)
    prefix_padding_ms = traitlets.Int(500, min=0, max=10_000).tag(sync=True)
    silence_duration_ms = traitlets.Int(500, min=0, max=60_000).tag(sync=True)
    energy_awakeness_threshold = traitlets.Int(2500, min=0, max=5000).tag(sync=True)
    tools = traitlets.List(traitlets.Dict()).tag(sync=True)
    voices = traitlets.List(traitlets.Dict()).tag(sync=True)
    info = traitlets.Dict().tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)

    def __init__(self, session: Session, *sections: Section) -> None:
        unknown = [section for section in sections if section not in SECTIONS]
        if unknown:
            raise ConfigError(
                f"There is no section {unknown[0]!r}.", fix=f"There are: {', '.join(SECTIONS)}."
            )
        self.session = session
        self._sections = list(sections or SECTIONS)
        self._shelf = ToolShelf(session.model)
        self._wrong: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        # What the session says is shown whole: a page's message comes before it or after it.
        self._showing = threading.RLock()
        self._config = session.config
        values = self._values()
        self._two_way = TwoWay(values)
        self._desk = VoiceDesk(session._core)
        self._seq = itertools.count()
        super().__init__(
            **values,
            info=self._info(session._core.settings.refused),
            voices=self._desk.official(),
            lang=language.chosen(),
        )
        self.survives_busy_cells = keep_requested_subshell(self.comm)
        self.on_msg(self._on_page_message)
        self.observe(self._on_moved, names=list(_FIELDS))
        core = session._core
        core.loop.call_soon_threadsafe(core.hub.listeners.append, _Listener(self._follow))
        core.loop.call_soon_threadsafe(_then, self._follow)  # what changed between reading and listening

    # From a hand, or from code: any thread -------------------------------------------------------------------------

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take in what the page says; called by ipywidgets."""
        with self._showing:
            super().set_state(sync_data)

    def _on_page_message(self, _: Any, content: Any, __: Any) -> None:
        """Check and enqueue, nothing else."""
        try:
            message = messages.parse(content, Restart | Sample | OwnVoices)
        except ValueError as error:
            logger.warning("The page sent a message that does not fit: %s", error)
            return
        match message:
            case Restart():
                user_thread.loop.call_soon_threadsafe(self._restart, message.voice)
            case Sample():
                user_thread.submit(self._send_sample(message))
            case OwnVoices():
                user_thread.submit(self._add_own_voices(message))

    def _on_moved(self, change: Any) -> None:
        if self._two_way.move(change["name"], change["new"]):
            self._wrong.pop(_FIELDS[change["name"]], None)
            user_thread.loop.call_soon_threadsafe(self._apply_later)

    # To the session: the user's loop thread -------------------------------------------------------------------------

    def _apply_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = user_thread.loop.call_later(DEBOUNCE, self._apply)

    def _apply(self) -> None:
        self._timer = None
        moved = self._two_way.moved
        changes: dict[str, Any] = {}
        for field in {_FIELDS[name]: None for name in moved}:
            with self._blaming(field):
                changes[field] = self._change(field)
        try:
            self.session.update(**changes)
        except StepnbError:
            for field, value in changes.items():
                with self._blaming(field):
                    self.session.update(**{field: value})
        # Through the I/O thread and back: behind the update, so that its result is what is shown.
        self.session._core.loop.call_soon_threadsafe(_then, lambda: self._settle(moved))

    @contextlib.contextmanager
    def _blaming(self, field: str) -> Iterator[None]:
        """Keep an error as the reason why a field stays what it was."""
        try:
            yield
        except StepnbError as error:
            self._wrong[field] = str(error)

    def _change(self, field: str) -> Any:
        match field:
            case "vad":
                numbers = {name: getattr(self, name) for name in _VAD_NUMBERS}
                return ServerVAD(**numbers) if self.vad else None
            case "tools":
                return self._shelf.specs(self.tools)
            case _:
                return getattr(self, field) or None

    async def _send_sample(self, message: Sample) -> None:
        try:
            wav = await self._desk.sample(message.voice)
        except StepnbError as error:
            self._answer(message, voice=message.voice, wav=None, problem=str(error))
        else:
            self._answer(message, voice=message.voice, wav=wav, problem=None)

    async def _add_own_voices(self, message: OwnVoices) -> None:
        try:
            own = await self._desk.own()
        except StepnbError as error:
            self._answer(message, problem=str(error))
        else:
            self.voices = [*own, *self._desk.official()]
            self._answer(message, problem=None)

    def _answer(self, message: messages.Message, **fields: Any) -> None:
        envelope = {"v": 1, "k": message.__struct_config__.tag, "seq": next(self._seq), "view": message.view}
        if self.comm is not None:
            self.send(envelope | {"t": time.monotonic_ns() / 1e6} | fields)

    def _restart(self, voice: str) -> None:
        with self._blaming("voice"):
            self.session.restart(voice=voice)
        self._follow()

    def _settle(self, moved: dict[str, Any]) -> None:
        self._two_way.settle(moved)
        self._follow()

    # From the session -----------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        with self._showing:
            refused = dict(self.session._core.settings.refused)  # before what is in force: see there
            before, self._config = self._config, self.session.config
            for field in changed_keys(before, self._config):
                self._wrong.pop(field, None)
            shown = self._two_way.follow(self._values()) | {"info": self._info(refused)}
            for name, value in shown.items():
                try:
                    setattr(self, name, value)
                except Exception as error:  # noqa: BLE001 - the user's observers run here
                    text = f"An observer of the controls' {name} failed: {error!r}"
                    self.session._core.loop.call_soon_threadsafe(self.session._core.notice, "error", text)

    def _values(self) -> dict[str, Any]:
        config = self._config
        values: dict[str, Any] = {
            "voice": config.voice or "",
            "instructions": config.instructions or "",
            "vad": config.vad is not None,
            "tools": self._shelf.entries(config.tools),
        }
        # Without VAD the numbers wait for it as they are.
        return values | {name: getattr(config.vad or self, name) for name in _VAD_NUMBERS}

    def _info(self, refused: dict[str, str]) -> dict[str, Any]:
        core = self.session._core
        settings = core.settings
        return {
            "model": core.model,
            "sections": self._sections,
            "session": core.key,
            "voice_locked": settings.voice_locked,
            "refused": refused | self._wrong,
            "unconfirmed": sorted(settings.unconfirmed),
            "closed": core.closed,
        }

    def __repr__(self) -> str:
        return f"SessionControls({self.session.model}, {', '.join(self._sections)})"


def _then(work: Callable[[], None]) -> None:
    """Go on on the user's loop thread, where observers may run; from the I/O thread."""
    user_thread.loop.call_soon_threadsafe(work)


class _Listener:
    """Has the controls follow the session."""

    def __init__(self, follow: Callable[[], None]) -> None:
        self._follow = follow

    def on_config(self) -> None:
        _then(self._follow)

    def on_status(self, status: Status) -> None:
        if status.state == "closed":
            _then(self._follow)

    def on_change(self, change: Change, pcm: bytes | None) -> None:
        pass

    def on_notice(self, notice: Notice) -> None:
        pass

    def on_flush(self, flush_id: int) -> None:
        pass
