"""The key is in no log, however much is logged, and in no traceback, however much it shows."""

from __future__ import annotations

import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import pytest
from IPython.core.ultratb import VerboseTB

import stepnb as sn
from stepnb.local.engine import LocalEngine
from tests.engine.proxy import Proxy
from tests.engine.states import States

KEY = "sk-right-Zm9vYmFyYmF6cXV4"
WRONG = "sk-wrong-cXV4YmF6YmFyZm9v"
TIMEOUT = 30


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(seed=7, speed=None, api_key=KEY) as engine:
        yield engine


def test_nothing_that_is_logged_holds_the_key(engine: LocalEngine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Proxy(engine.url) as proxy, sn.Session(proxy.url, api_key=KEY) as session:
        session.ask("What is your name?").wait(TIMEOUT)
        states = States(session)
        proxy.cut()
        states.wait_for("reconnecting", "ready")
        session.ask("Thank you.").wait(TIMEOUT)
        said = [repr(session), str(session.status), *map(str, session.notices)]
    with sn.Session(engine.url, api_key=WRONG) as session, pytest.raises(sn.AuthenticationError):
        session.connect()
    assert "stepnb.wire" in {record.name for record in caplog.records}, "the socket was not listened to"
    for text in (caplog.text, *said, *(repr(record.args) for record in caplog.records)):
        assert KEY not in text and WRONG not in text


@pytest.mark.parametrize("how", ["refused", "not found", "unreachable"])
def test_no_traceback_shows_the_key(engine: LocalEngine, how: str) -> None:
    urls = {
        "refused": engine.url,
        "not found": engine.url.replace("/v1/realtime", "/nowhere"),
        "unreachable": "ws://127.0.0.1:9/v1/realtime",
    }
    with sn.Session(urls[how], api_key=WRONG) as session, pytest.raises(sn.ConnectError) as caught:
        session.connect()
    error = caught.value
    plain = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    shown = io.StringIO()
    with redirect_stdout(shown), redirect_stderr(shown):
        VerboseTB()(type(error), error, error.__traceback__)
    assert "Traceback" in plain and "connect" in shown.getvalue()
    texts = [plain, shown.getvalue(), repr(error), str(error), repr(vars(error)), repr(pickle.dumps(error))]
    assert [n for n, text in enumerate(texts) if WRONG in text] == []
