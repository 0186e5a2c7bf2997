"""The doctor's table as text."""

from __future__ import annotations

from stepnb.checkup.row import Row, lines, table


def test_a_row_says_what_was_found_and_below_it_what_to_do() -> None:
    rows = [Row("python", "ok", "3.13.1"), Row("engine", "fails", "It is gone.", "Install it again.")]
    assert table(rows) == (
        "OK     Python            3.13.1\n"
        "FAILS  Local engine      It is gone.\n"
        "                         → Install it again."
    )


def test_long_sentences_are_wrapped_and_addresses_and_commands_are_not_broken() -> None:
    path = "/a" * 60
    shown = lines(Row("clock", "note", f"It is {'very ' * 20}slow, {path}", "Set it " * 20), 60).split("\n")
    assert path in [line.strip() for line in shown]
    assert all(len(line) <= 60 for line in shown if path not in line)
    assert [line[:25].strip() for line in shown[1:]] == [""] * (len(shown) - 1)


def test_a_terminal_that_is_too_narrow_gets_readable_lines() -> None:
    shown = lines(Row("clock", "open", "No cluster was reached to compare with."), 10).split("\n")
    assert max(map(len, shown)) <= 55
