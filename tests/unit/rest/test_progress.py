from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from stepnb.rest import progress
from stepnb.rest.progress import Counted, Progress
from stepnb.service.loop import user_thread


class Cell:
    """Stands in for IPython in a kernel, and keeps what is displayed."""

    def __init__(self, kernel: object | None) -> None:
        self.shown: list[tuple[str, bool, str]] = []
        self._shell = type("Shell", (), {"kernel": kernel})()

    def get_ipython(self) -> object:
        return self._shell

    def display(self, bundle: dict[str, str], *, raw: bool, display_id: str, update: bool) -> None:
        assert raw
        self.shown.append((bundle["text/html"], update, threading.current_thread().name))

    @property
    def settled(self) -> list[tuple[str, bool, str]]:
        """What is displayed, once the user's thread has nothing left to do."""
        done = threading.Event()
        user_thread.loop.call_soon_threadsafe(done.set)
        assert done.wait(10)
        return self.shown


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Cell:
    cell: Any = Cell(getattr(request, "param", object()))
    monkeypatch.setitem(sys.modules, "IPython", cell)
    monkeypatch.setitem(sys.modules, "IPython.display", cell)
    monkeypatch.setattr(progress, "_INTERVAL", 0)
    return cell


def test_an_upload_is_shown_as_it_is_read(cell: Cell) -> None:
    data = bytes(100_000)
    bar = Progress("Uploading <me>.wav", len(data))
    reader = Counted(data, bar)
    for _ in range(4):
        reader.read(25_000)
    bar.say("processing")
    pages = cell.settled
    assert [update for _, update, _ in pages] == [False, True, True, True, True, True]
    assert pages[0][2] == "MainThread"
    assert {thread for _, _, thread in pages[1:]} == {"stepnb-user"}
    assert "0% of 98 kB" in pages[0][0]
    assert "75% of 98 kB" in pages[3][0]
    assert "processing" in pages[-1][0]
    assert all("&lt;me&gt;" in page for page, _, _ in pages)


def test_what_need_not_be_uploaded_is_there(cell: Cell) -> None:
    Progress("Clip", 100_000).say("ready")
    assert "value='1.000'" in cell.settled[-1][0]


@pytest.mark.parametrize("cell", [None], indirect=True)
def test_where_there_is_no_notebook_nothing_is_shown(cell: Cell) -> None:
    Counted(b"abc", Progress("x", 3)).read()
    assert cell.settled == []


def test_no_cell_waits_for_what_another_thread_does(cell: Cell) -> None:
    thread = threading.Thread(target=lambda: Progress("x", 3).to(3))
    thread.start()
    thread.join()
    assert cell.settled == []


def test_few_pictures_of_many_pieces(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_INTERVAL", 3600)
    reader = Counted(bytes(10_000), Progress("x", 10_000))
    for _ in range(100):
        reader.read(100)
    assert len(cell.settled) == 2  # the first and the last
