"""`PageWidget`: a widget whose page and kernel talk by messages, with the kernel's side on the user's loop thread."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..errors import StepnbError
from ..service.loop import user_thread
from . import language, messages
from .comm_guard import keep_requested_subshell

logger = logging.getLogger("stepnb")

STATIC = Path(__file__).parent / "static"


class PageWidget(anywidget.AnyWidget):
    """What a widget with a page of its own does with messages; it says itself what they mean.

    A subclass names its page (``_page``; ``_esm`` and ``_css`` are its files) and what that may send (``_messages``, a
    union of Structs; errors of the page are added to it), and carries it out (`_handle`).

    Attributes
    ----------
    lang
        "en", "zh", or "" for the page's language.
    survives_busy_cells
        Whether the kernel lets its messages go around a busy cell.
    """

    _page: str
    _messages: Any
    lang = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        if not (STATIC / f"{self._page}.js").exists():
            raise StepnbError(
                f"The page's part of {type(self).__name__} is not built.",
                fix="In a source checkout run: cd js && npm ci && npm run build",
            )
        self._seq = itertools.count()
        super().__init__(lang=language.chosen(), **traits)
        self.survives_busy_cells = keep_requested_subshell(self.comm)
        self.on_msg(self._on_page_message)

    def _on_page_message(self, _: Any, content: Any, __: Any) -> None:
        """Check and enqueue, nothing else: this may run beside the user's cell, on another thread."""
        try:
            message = messages.parse(content, self._messages | messages.PageError)
        except ValueError as error:
            logger.warning("The page of %s sent a message that does not fit: %s", type(self).__name__, error)
            return
        user_thread.submit(self._take_in(message))

    async def _take_in(self, message: Any) -> None:
        if isinstance(message, messages.PageError):
            logger.error("The page of %s failed: %s", type(self).__name__, message.message)
            return
        try:
            await self._handle(message)
        except StepnbError as error:
            self._refuse(message, error)
        except Exception as error:
            logger.exception("%s failed at a message of its page", type(self).__name__)
            self._refuse(
                message, StepnbError(f"This went wrong in the kernel: {error!r}.", fix="Please report it.")
            )

    async def _handle(self, message: Any) -> None:
        """Carry out a checked message, on the user's loop thread: what takes long belongs on a thread of its own."""
        raise NotImplementedError

    def _refuse(self, message: Any, error: StepnbError) -> None:
        """Tell the page why a message was not carried out."""
        self._say("refused", message.view, text=error.message, fix=error.fix)

    def _say(self, kind: str, view: str | None = None, **fields: Any) -> None:
        """Send a message to a view, or to all. Any thread."""
        if self.comm is not None:
            address = {"view": view} if view is not None else {}
            self.send({"v": 1, "k": kind, "seq": next(self._seq), **address, **fields})
