"""The checks together: one that hangs or breaks is a row, and the others go on."""

from __future__ import annotations

import threading

import pytest

from stepnb.checkup import network, run
from stepnb.checkup.row import Row


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both clusters answer at once, with clocks that agree with ours."""
    monkeypatch.setattr(
        network,
        "cluster",
        lambda name: network.Reached(Row(name, "ok", "answers"), 0.3 if name == "cn" else None),
    )


@pytest.mark.usefixtures("reached")
def test_a_check_that_breaks_is_a_row() -> None:
    def breaks() -> Row:
        raise KeyError("a bug")

    def many() -> list[Row]:
        return [Row("kernel", "ok", "up"), Row("busy", "ok", "quick")]

    rows = list(run._rows([("audio", breaks), ("kernel", many)]))
    assert [row.check for row in rows] == ["audio", "kernel", "busy", "key", "global", "cn", "clock"]
    assert rows[0].state == "fails" and "KeyError: 'a bug'" in rows[0].text
    assert {row.state for row in rows[1:]} == {"ok"}


def test_a_check_that_hangs_costs_its_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WITHIN_S", 0.2)
    go = threading.Event()

    def hangs(*_: object) -> Row:
        go.wait(60)
        return Row("engine", "ok", "at last")

    monkeypatch.setattr(network, "cluster", hangs)
    try:
        rows = {row.check: row for row in run._rows([("engine", hangs)])}
    finally:
        go.set()
    assert rows["engine"].state == "fails" and rows["engine"].text == "No result within 0 s."
    assert {rows[name].state for name in ("global", "cn")} == {"note"}, "offline, voice works"
    assert rows["clock"].state == "open"
