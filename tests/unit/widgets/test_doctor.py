"""The kernel's side of the doctor's table; its page is tested in the browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import stepnb as sn
from stepnb.checkup.row import Row
from stepnb.widgets import doctor as module
from stepnb.widgets.doctor import Doctor

ROWS = [Row("python", "ok", "3.13"), Row("engine", "note", "<b>odd</b>", "Look & see.")]


class Page:
    """Sends what the page sends, and waits for what it is sent."""

    def __init__(self, doctor: Doctor) -> None:
        self.doctor = doctor
        self.got: list[dict[str, Any]] = []
        self._told = threading.Condition()
        doctor.send = self._take  # type: ignore[method-assign]

    def _take(self, content: dict[str, Any], buffers: Any = None) -> None:
        with self._told:
            self.got.append(content)
            self._told.notify_all()

    def says(self, kind: str, **fields: Any) -> None:
        content = {"v": 1, "k": kind, "seq": 0, "t": 7.0, "view": "v", **fields}
        self.doctor._on_page_message(None, content, None)

    def wait_for(self, kind: str) -> dict[str, Any]:
        with self._told:
            assert self._told.wait_for(lambda: any(c["k"] == kind for c in self.got), 20)
            return next(content for content in self.got if content["k"] == kind)


@pytest.fixture
def doctor() -> Doctor:
    return Doctor(lambda: ROWS).wait()


def test_rows_come_one_by_one_and_are_shown_as_text(doctor: Doctor) -> None:
    go = threading.Event()

    def slowly() -> Iterator[Row]:
        yield ROWS[0]
        go.wait(20)
        yield ROWS[1]

    slow = Doctor(slowly)
    until = time.monotonic() + 20
    while not slow.rows:
        assert time.monotonic() < until
    assert slow.looking and str(slow).endswith("still looking")
    with pytest.raises(sn.StepnbError, match=r"more than 0\.01 s"):
        slow.wait(0.01)
    go.set()
    assert slow.wait().rows == doctor.rows == ROWS
    assert doctor.kernel_rows[1] == {
        "check": "engine", "name": "Local engine", "state": "note", "text": "<b>odd</b>", "fix": "Look & see."
    }  # fmt: skip
    bundle, _ = doctor._repr_mimebundle_()
    assert bundle["text/plain"] == str(doctor)
    assert "&lt;b&gt;odd&lt;/b&gt;<br>Look &amp; see." in bundle["text/html"]
    assert repr(doctor) == "Doctor(2 rows, look at: Local engine)"


def test_a_check_that_breaks_off_ends_the_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    broken: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", broken.append)

    def breaks() -> Iterator[Row]:
        yield ROWS[0]
        raise KeyError("a bug")

    doctor = Doctor(breaks).wait()
    for thread in threading.enumerate():
        if thread.name == "stepnb-doctor":
            thread.join(20)
    assert doctor.rows == ROWS[:1] and not doctor.looking
    assert [caught.exc_type for caught in broken] == [KeyError]


def test_pings_are_answered_with_the_thread_they_came_on(doctor: Doctor) -> None:
    page = Page(doctor)
    page.says("ping")
    assert page.wait_for("pong") == {"v": 1, "k": "pong", "seq": 0, "view": "v", "echo": 7.0, "beside": False}
    page.got.clear()
    beside = threading.Thread(target=lambda: page.says("ping"))
    beside.start()
    beside.join()
    assert page.wait_for("pong")["beside"] is True


def test_without_a_kernels_loop_it_says_it_cannot_hold(doctor: Doctor) -> None:
    page = Page(doctor)
    page.says("hold")
    assert page.wait_for("held")["on"] is None


def test_the_thread_is_held_once(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    class Loop:
        def __init__(self) -> None:
            self.wanted: list[Any] = []

        def add_callback(self, callback: Any, *arguments: Any) -> None:
            self.wanted.append(lambda: callback(*arguments))

    loop = Loop()
    monkeypatch.setattr(module, "_cell_loop", lambda: loop)
    monkeypatch.setattr(module, "HOLD_S", 0.01)
    page = Page(doctor)
    assert doctor._hold_soon() and doctor._hold_soon()
    (held,) = loop.wanted
    held()
    assert [content["on"] for content in page.got] == [True, False]
    # What comes after a long cell comes too late, and the next one is not kept out.
    monkeypatch.setattr(module, "LATE_S", 0.0)
    assert doctor._hold_soon()
    loop.wanted.pop()()
    assert len(page.got) == 2 and doctor._hold_soon() and len(loop.wanted) == 2


def test_what_the_page_finds_is_kept_and_what_does_not_fit_is_not(doctor: Doctor) -> None:
    page = Page(doctor)
    page.says("found", check="microphone", state="ok", text="x" * 501)
    page.says("found", check="clock", state="ok", text="no check of a page")
    page.says("found", check="microphone", state="great", text="no state")
    page.says("found", check="microphone", state="fails", text="refused", fix="Allow it.")
    page.says("ping")
    page.wait_for("pong")
    assert doctor.rows == [*ROWS, Row("microphone", "fails", "refused", "Allow it.")]


def test_outside_a_notebook_it_waits_for_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Doctor.__init__, "__defaults__", (lambda: ROWS,))
    assert sn.doctor().rows == ROWS
