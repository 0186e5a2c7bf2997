"""The kernel's side of the inspector; its page is tested in the browser."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stepnb as sn
from scripts.example_conversation import weather
from stepnb.recording.log import EventLog
from stepnb.widgets.inspector import INTERVAL, MOST_VIEWS
from tests.unit.recording.story import append, delta, words

TIMEOUT = 20


class Page:
    """Sends what the page sends, and keeps what it is sent."""

    def __init__(self, inspector: sn.Inspector) -> None:
        self.inspector = inspector
        self.got: list[dict[str, Any]] = []
        self.times: list[float] = []
        self._came = threading.Condition()
        inspector.send = self._take  # type: ignore[method-assign]
        self._looks = 0

    def _take(self, content: dict[str, Any], buffers: Any = None) -> None:
        with self._came:
            json.dumps(content)
            self.got.append(content)
            self.times.append(time.monotonic())
            self._came.notify_all()

    def says(self, kind: str, view: str = "v", **fields: Any) -> None:
        content = {"v": 1, "k": kind, "seq": 0, "t": 0.0, "view": view, **fields}
        self.inspector._on_page_message(None, content, None)

    def looks(self, view: str = "v", **fields: Any) -> int:
        self._looks += 1
        self.says("look", view, n=self._looks, **{"count": 50, **fields})
        return self._looks

    def wait_for(self, kind: str, **fields: Any) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((c for c in self.got if {"k": kind, **fields}.items() <= c.items()), None)

        with self._came:
            assert self._came.wait_for(lambda: found() is not None, TIMEOUT), (kind, fields, self.got)
            content = found()
        assert content is not None
        return content

    def sees(self, **fields: Any) -> dict[str, Any]:
        return self.wait_for("rows", to=self.looks(**fields))


@pytest.fixture
def session() -> Iterator[sn.Session]:
    """A session that never connects; its log is written by hand."""
    session = sn.Session("ws://127.0.0.1:9/v1/realtime", api_key="unused")
    yield session
    session.close()


@pytest.fixture
def log(session: sn.Session) -> EventLog:
    append(session.events, b"\1\0" * 480)
    delta(session.events, b"\1\0" * 480)
    words(session.events, "Hello")
    return session.events


def test_rows_any_part_of_them_and_the_last(session: sn.Session, log: EventLog) -> None:
    page = Page(session.inspector())
    assert page.sees(start=0)["total"] == 3
    answer = page.sees(start=1, count=1)
    assert (answer["v"], answer["view"], answer["start"]) == (1, "v", 1)
    assert [row["type"] for row in answer["rows"]] == ["response.audio.delta"]
    assert [row["n"] for row in page.sees(count=2)["rows"]] == [1, 2]
    assert page.sees(start=0, side="out")["total"] == 1
    assert page.sees(start=99)["rows"] == []


def test_a_view_that_waits_is_told_of_what_comes_at_most_ten_times_a_second(
    session: sn.Session, log: EventLog
) -> None:
    page = Page(session.inspector())
    page.sees()
    for n in range(4):
        waiting = page.looks(wait=True)
        assert page.inspector.source.events is log
        words(log, str(n))
        words(log, str(n))
        answer = page.wait_for("rows", to=waiting)
        assert answer["rows"][-1]["count"] >= 2 * n + 2
    told = [at for at, content in zip(page.times, page.got, strict=True) if content["k"] == "rows"]
    assert all(after - before >= 0.9 * INTERVAL for before, after in itertools.pairwise(told))


def test_a_view_that_asks_nothing_is_told_nothing(session: sn.Session, log: EventLog) -> None:
    page = Page(session.inspector())
    page.sees()
    page.wait_for("rows", to=(page.looks(wait=True), words(log, "a"))[0])
    words(log, "b")
    page.says("look", "other", n=99, count=5)
    page.wait_for("rows", view="other")
    assert len([c for c in page.got if c["view"] == "v"]) == 2


def test_paused_the_table_stays_and_says_how_much_has_come(session: sn.Session, log: EventLog) -> None:
    page = Page(session.inspector())
    page.sees()
    log.append_local("notice", {"text": "new"})
    paused = page.sees(paused=True)
    assert (paused["total"], paused["taken"], paused["records"]) == (3, 3, 4)
    assert page.sees()["total"] == 4


def test_a_record_is_read_without_its_audio(session: sn.Session, log: EventLog) -> None:
    page = Page(session.inspector())
    page.sees()
    page.says("detail", n=1)
    record = page.wait_for("detail", n=1)["record"]
    assert json.loads(record["json"])["delta"] == "(20 ms of audio, 960 bytes)"
    page.says("detail", n=99)
    assert page.wait_for("detail", n=99)["record"] is None


def test_saving_and_showing_another_recording(
    session: sn.Session, log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weather().save(tmp_path / "weather.stepnb")
    inspector = session.inspector()
    page = Page(inspector)
    page.says("hello")
    welcome = page.wait_for("welcome")
    assert (
        welcome["files"] == ["weather.stepnb"]
        and welcome["templates"][0]["type"] == "conversation.item.create"
    )
    page.says("save", name="mine.stepnb")
    assert set(page.wait_for("saved")["files"]) == {"weather.stepnb", "mine.stepnb"}
    assert len(sn.Recording.load("mine.stepnb").events) == 3
    page.sees()
    waiting = page.looks(wait=True)
    page.says("load", name="weather.stepnb")
    answer = page.wait_for("rows", to=waiting)
    assert answer["total"] > 20 and inspector.shown == {
        "name": "weather.stepnb",
        "live": False,
        "home": False,
    }
    assert page.sees(wait=False)["records"] == len(sn.Recording.load("weather.stepnb").events)
    page.says("send", text='{"type":"response.create"}')
    assert page.wait_for("said", about="send")["text"] == "A recording takes no events."
    inspector.load(None)
    assert page.sees()["total"] == 3 and inspector.shown["live"] and inspector.source is session


@pytest.mark.parametrize("kind", ["save", "load"])
@pytest.mark.parametrize(
    "name", ["../a.stepnb", "/etc/passwd", "a.txt", "a", "/tmp/../a.stepnb", "x/../../a.stepnb"]
)
def test_only_recordings_beside_the_notebook(
    session: sn.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    page = Page(session.inspector())
    page.says(kind, name=name)
    said = page.wait_for("said", about=kind)
    assert "is not the name of a recording beside the notebook" in said["text"] and said["fix"]


def test_nothing_is_overwritten_and_what_is_missing_is_said(
    session: sn.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.stepnb").write_text("mine", encoding="utf-8")
    page = Page(session.inspector())
    page.says("save", name="a.stepnb")
    assert "already" in page.wait_for("said", about="save")["text"]
    assert (tmp_path / "a.stepnb").read_text(encoding="utf-8") == "mine"
    page.says("load", name="b.stepnb")
    assert "There is no recording" in page.wait_for("said", about="load")["text"]


def test_wrong_events_get_a_sentence(session: sn.Session) -> None:
    page = Page(session.inspector())
    page.says("send", text="{")
    said = page.wait_for("said", about="send")
    assert said["text"].startswith("This is not JSON") and said["fix"]


def test_what_does_not_fit_is_left_alone_and_views_are_few(session: sn.Session, log: EventLog) -> None:
    page = Page(session.inspector())
    for wrong in (
        {"count": 201},
        {"count": 0},
        {"start": -1},
        {"side": "server"},
        {"text": "x" * 501},
        {"type": 1},
    ):
        page.says("look", **{"n": 1, "count": 5, **wrong})
    page.says("mic")
    for n in range(3 * MOST_VIEWS):
        page.sees(view=f"v{n}")
    assert len(page.inspector._views) == MOST_VIEWS
    assert all(content["k"] == "rows" for content in page.got) and len(page.got) == 3 * MOST_VIEWS
    page.says("bye", "v23")
    page.sees(view="v22")
    assert "v23" not in page.inspector._views


def test_without_a_page_it_is_a_table_and_says_what_it_is(session: sn.Session, log: EventLog) -> None:
    inspector = session.inspector()
    data = inspector._repr_mimebundle_()
    assert "response.audio.delta" in data["text/html"] and data["text/plain"] == repr(inspector)
    assert repr(inspector) == f"Inspector({session!r})"
    state = json.dumps(inspector.get_state(["lang", "shown"]))
    assert "unused" not in state and len(state) < 300
