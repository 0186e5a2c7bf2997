"""`Inspector`: everything that went between a session and the service, live, as a table to look into."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import traitlets
from msgspec import Meta

from ..errors import ConfigError, RecordingError, StepnbError
from ..protocol.catalog import event_templates
from ..recording.log import EventLog
from ..recording.recording import Recording
from ..recording.rows import Filter, Rows
from ..service.loop import user_thread
from ..session.session import Session
from . import messages
from .page_widget import STATIC, PageWidget

INTERVAL = 0.1
"""A view is told of what has come at most so often, s."""
MOST_VIEWS = 8
_FILES = 200
_ENDING = ".stepnb"

logger = logging.getLogger("stepnb")

Name = Annotated[str, Meta(min_length=1, max_length=300)]
Number = Annotated[int, Meta(ge=0, lt=1 << 48)]


class Look(messages.Message, tag="look"):
    """A view wants rows: at once, or once there is something new. Its next look takes the place of this one."""

    n: Number
    count: Annotated[int, Meta(ge=1, le=200)]
    start: Number | None = None  # None: the last ones
    wait: bool = False
    paused: bool = False
    side: Literal["", "in", "out", "local"] = ""
    type: Annotated[str, Meta(max_length=200)] = ""
    text: Annotated[str, Meta(max_length=500)] = ""
    fold: bool = True


class Detail(messages.Message, tag="detail"):
    """A view wants to read a record."""

    n: Number


class SendEvent(messages.Message, tag="send"):
    """An event written by hand."""

    text: Annotated[str, Meta(max_length=1_100_000)]


class Save(messages.Message, tag="save"):
    """Save what is shown beside the notebook."""

    name: Name


class Load(messages.Message, tag="load"):
    """Show a recording that lies beside the notebook; None: what the widget was made for."""

    name: Name | None


class _View:
    """What is known of a view.

    Attributes
    ----------
    look
        What it wants to be answered, None when it has been.
    told
        Records there were when it was last answered, and when that was, s.
    """

    def __init__(self) -> None:
        self.rows: Rows | None = None
        self.look: Look | None = None
        self.told = (-1, 0.0)
        self.timer: asyncio.TimerHandle | None = None
        self.busy = asyncio.Lock()


class Inspector(PageWidget):
    """Everything that went between a session and the service, and what happened here, as a live table.

    Deltas are folded; it is filtered by side, type and text; a selected event is shown as JSON without its audio. An
    event can be written and sent by hand, what is shown can be saved, and a recording of another session be shown in
    its place. Made by ``session.inspector()`` and ``recording.inspector()``.

    Parameters
    ----------
    source
        A `Session` or a `Recording`.

    Attributes
    ----------
    source
        What is shown: what it was made for, or a recording that was loaded.
    lang
        "en", "zh", or "" for the page's language.
    """

    _page = "inspector"
    _esm = STATIC / "inspector.js"
    _css = STATIC / "inspector.css"
    shown = traitlets.Dict().tag(sync=True)

    _messages: Any = messages.Hello | messages.Bye | Look | Detail | SendEvent | Save | Load

    def __init__(self, source: Session | Recording) -> None:
        self.source = self._home = source
        self._views: dict[str, _View] = {}
        self._watches = False
        super().__init__(shown=_facts(source, at_home=True))

    def load(self, path: str | os.PathLike[str] | None) -> None:
        """Show a recording in the place of what is shown; None: what the widget was made for.

        Raises
        ------
        RecordingError
            It cannot be read.
        """
        self.source = self._home if path is None else Recording.load(path)
        self.shown = _facts(self.source, at_home=path is None)
        user_thread.loop.call_soon_threadsafe(self._anew)

    # From the page ------------------------------------------------------------------------------------------------

    def _refuse(self, message: Any, error: StepnbError) -> None:
        self._say(
            "said", message.view, about=message.__struct_config__.tag, text=error.message, fix=error.fix
        )

    async def _handle(self, message: Any) -> None:
        match message:
            case messages.Hello(view=view):
                self._say("welcome", view, templates=event_templates(), files=await asyncio.to_thread(_files))
            case Look():
                await self._look(message)
            case Detail(view=view, n=n):
                known = self._view(view)
                async with known.busy:
                    found = await asyncio.to_thread(known.rows.detail, n) if known.rows is not None else None
                self._say("detail", view, n=n, record=found)
            case SendEvent(view=view, text=text):
                if not isinstance(self.source, Session):
                    raise ConfigError("A recording takes no events.", fix="Send them to a session.")
                event_id = await asyncio.to_thread(self.source.send_event, text)
                self._say("sent", view, event_id=event_id)
            case Save(view=view, name=name):
                path = await asyncio.to_thread(self._save, name)
                self._say("saved", view, name=path.name, files=await asyncio.to_thread(_files))
            case Load(name=name):
                await asyncio.to_thread(self.load, None if name is None else _beside(name))
            case messages.Bye(view=view):
                self._forget(view)

    def _save(self, name: str) -> Path:
        path = _beside(name)
        if path.exists():
            raise RecordingError(f"There is a {name!r} already.", fix="Choose another name.")
        return self.source.save(path)

    def _view(self, name: str) -> _View:
        view = self._views.pop(name, None) or _View()
        self._views[name] = view  # the last that was heard of
        while len(self._views) > MOST_VIEWS:
            self._forget(next(iter(self._views)))
        return view

    def _forget(self, name: str) -> None:
        view = self._views.pop(name, None)
        if view is not None:
            view.look = None
            if view.timer is not None:
                view.timer.cancel()

    async def _look(self, look: Look) -> None:
        view = self._view(look.view)
        view.look = look
        if not look.wait:
            await self._answer(view)
            return
        self._watch()
        self._answer_if_new(view)

    def _anew(self) -> None:
        """Another log is shown: what a view knows of the one before is of no use to it."""
        for view in self._views.values():
            view.rows, view.told = None, (-1, 0.0)
            if view.look is not None:
                self._answer_soon(view, 0)

    def _watch(self) -> None:
        log = self.source.events
        if self._watches or not isinstance(log, EventLog):
            return
        self._watches = True
        log.when_grown(self._tell_grown)

    def _tell_grown(self) -> None:
        """On the I/O thread."""
        user_thread.loop.call_soon_threadsafe(self._on_grown)

    def _on_grown(self) -> None:
        self._watches = False
        for view in self._views.values():
            self._answer_if_new(view)

    def _answer_if_new(self, view: _View) -> None:
        records, at = view.told
        if view.look is not None and _records(self.source) != records:
            self._answer_soon(view, max(0.0, at + INTERVAL - time.monotonic()))

    def _answer_soon(self, view: _View, delay: float) -> None:
        if view.timer is None:
            view.timer = user_thread.loop.call_later(delay, self._on_time, view)

    def _on_time(self, view: _View) -> None:
        view.timer = None
        task = user_thread.loop.create_task(self._answer(view))
        task.add_done_callback(_check)

    async def _answer(self, view: _View) -> None:
        async with view.busy:  # one at a time: the rows are not to be read while they are updated
            look, view.look = view.look, None
            if look is None:
                return
            source = self.source
            records = _records(source)
            fields = await asyncio.to_thread(self._rows, view, look, source)
            view.told = (records, time.monotonic())
            self._say("rows", look.view, to=look.n, records=records, **fields)

    def _rows(self, view: _View, look: Look, source: Session | Recording) -> dict[str, Any]:
        wanted = Filter(look.side, look.type, look.text, look.fold)
        rows = view.rows
        if rows is None or rows.filter != wanted:
            rows = view.rows = source.events.rows(wanted)
            rows.update()
        elif not look.paused:
            rows.update()
        start = max(0, len(rows) - look.count) if look.start is None else look.start
        return {
            "total": len(rows),
            "taken": rows.taken,
            "start": start,
            "rows": rows.window(start, look.count),
        }

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        data = found[0] if isinstance(found, tuple) else found
        return {**(data or {}), "text/html": self.source.events._repr_html_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Inspector({self.source!r})"


def _facts(source: Session | Recording, *, at_home: bool) -> dict[str, Any]:
    name = source.name if isinstance(source, Recording) else source.model
    live = isinstance(source, Session)
    return {"name": name, "live": live, "home": at_home}


def _records(source: Session | Recording) -> int:
    log = source.events
    return log.appended if isinstance(log, EventLog) else len(log)


def _beside(name: str) -> Path:
    """Return the place of a recording in the notebook's folder or below it.

    Raises
    ------
    ConfigError
        It is elsewhere, or has another ending.
    """
    folder = Path.cwd().resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or path.suffix != _ENDING:
        raise ConfigError(
            f"{name!r} is not the name of a recording beside the notebook.",
            fix=f"Write a name that ends with {_ENDING}.",
        )
    return path


def _files() -> list[str]:
    """Return the recordings beside the notebook, newest first."""
    found = [path for path in Path.cwd().glob(f"*{_ENDING}") if path.is_file()]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.name for path in found[:_FILES]]


def _check(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("The inspector could not show what has come", exc_info=error)
