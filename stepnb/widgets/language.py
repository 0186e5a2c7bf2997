"""The language of the widgets' labels. The catalogue itself is the page's: js/src/ui/labels."""

from __future__ import annotations

from typing import Literal

from ..errors import ConfigError

LANGUAGES = ("en", "zh")

_chosen = ""


def set_language(language: Literal["en", "zh"] | None) -> None:
    """Choose the language of the panels and controls that are made from now on.

    Parameters
    ----------
    language
        "en" or "zh"; None for the language of the page.

    Raises
    ------
    ConfigError
        Another language.
    """
    global _chosen
    if language is not None and language not in LANGUAGES:
        raise ConfigError(
            f"There are no labels in {language!r}.", fix=f"Write one of {', '.join(LANGUAGES)}."
        )
    _chosen = language or ""


def chosen() -> str:
    """Return the language that was chosen, "" when none was."""
    return _chosen
