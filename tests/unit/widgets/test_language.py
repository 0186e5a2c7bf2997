"""The language of the labels: chosen in Python, drawn by the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import stepnb as sn
from stepnb.widgets import language


@pytest.fixture(autouse=True)
def page_language() -> Iterator[None]:
    yield
    sn.set_language(None)


def test_a_language_is_chosen_for_the_panels_to_come() -> None:
    assert language.chosen() == ""
    sn.set_language("zh")
    session = sn.Session("local")
    assert (session.panel.lang, session.controls().lang) == ("zh", "zh")
    sn.set_language(None)
    assert session.panel.lang == "zh" and sn.Session("local").panel.lang == ""
    session.close()


def test_a_language_without_labels_is_refused() -> None:
    with pytest.raises(sn.ConfigError, match=r"'fr'.*en, zh"):
        sn.set_language("fr")
