"""What a saved notebook shows without a kernel: bounded, newest last."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stepnb.widgets import static_html


def session(turns: int) -> Any:
    return SimpleNamespace(turns=[SimpleNamespace(number=n) for n in range(turns)])


@pytest.fixture
def long_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_html, "turn_html", lambda turn, player: f"<p>{turn.number}{'字' * 3000}</p>")


@pytest.mark.usefixtures("long_turns")
def test_long_answers_make_no_large_page() -> None:
    page = static_html.session_html(session(50))
    assert len(page.encode()) < 62_000
    assert "<i>44 earlier turns</i>" in page
    assert page.index("<p>44") < page.index("<p>49")


@pytest.mark.usefixtures("long_turns")
def test_what_fits_is_shown_whole() -> None:
    page = static_html.session_html(session(3))
    assert "earlier" not in page and page.count("<p>") == 3
