"""What every widget with a page of its own does with messages."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from stepnb.errors import ConfigError
from stepnb.service.loop import user_thread
from stepnb.widgets import messages
from stepnb.widgets.page_widget import PageWidget


class Ask(messages.Message, tag="ask"):
    what: str


class Asked(PageWidget):
    """Answers on the user's loop thread, unless it is asked for trouble."""

    _page = "panel"
    _messages: Any = messages.Hello | Ask

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.told = threading.Event()
        super().__init__()

    async def _handle(self, message: Any) -> None:
        if message.what == "refuse":
            raise ConfigError("No.", fix="Ask for something else.")
        if message.what == "break":
            raise KeyError("a bug")
        assert user_thread.owns_current_thread()
        self._say("answer", message.view, what=message.what)

    def send(self, content: Any, buffers: Any = None) -> None:
        self.sent.append(content)
        self.told.set()


class NotBuilt(PageWidget):
    _page = "nowhere"
    _messages: Any = messages.Hello | Ask


def asked(widget: Asked, **fields: Any) -> dict[str, Any] | None:
    """Let the page say something; returns what it is told."""
    widget.told.clear()
    widget._on_page_message(widget, {"v": 1, "seq": 0, "t": 0.0, "view": "v1"} | fields, [])
    return widget.sent[-1] if widget.told.wait(5) else None


@pytest.fixture
def widget() -> Asked:
    return Asked()


def test_a_message_is_answered_on_the_users_thread(widget: Asked) -> None:
    assert asked(widget, k="ask", what="x") == {"v": 1, "k": "answer", "seq": 0, "view": "v1", "what": "x"}
    answer = asked(widget, k="ask", what="y")
    assert answer is not None and answer["seq"] == 1


def test_a_refusal_reaches_the_page(widget: Asked) -> None:
    answer = asked(widget, k="ask", what="refuse")
    assert answer is not None
    assert (answer["k"], answer["text"], answer["fix"]) == ("refused", "No.", "Ask for something else.")


def test_a_bug_reaches_the_page_and_the_log(widget: Asked, caplog: pytest.LogCaptureFixture) -> None:
    answer = asked(widget, k="ask", what="break")
    assert answer is not None and answer["k"] == "refused" and "KeyError" in answer["text"]
    assert [record.exc_info is not None for record in caplog.records if record.name == "stepnb"] == [True]


def test_what_does_not_fit_and_what_went_wrong_there_is_logged(
    widget: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    widget._on_page_message(widget, {"v": 1, "k": "ask", "seq": 0, "t": 0.0, "view": "v1", "what": 3}, [])
    assert "does not fit" in caplog.text
    with caplog.at_level(logging.ERROR, "stepnb"):
        widget._on_page_message(
            widget,
            {"v": 1, "k": "error", "seq": 0, "t": 0.0, "view": "v1", "message": "boom", "stack": ""},
            [],
        )
        assert asked(widget, k="ask", what="x") is not None  # in order: the error was taken in before
    assert "The page of Asked failed: boom" in caplog.text


def test_a_page_that_is_not_built_is_named() -> None:
    with pytest.raises(Exception, match="NotBuilt is not built"):
        NotBuilt()
