"""The browser fixtures, for the figures that need a page."""

from __future__ import annotations

from tests.browser.conftest import (  # noqa: F401 - fixtures
    ear,
    lab,
    lab_server,
    mouth,
    open_notebook,
    playwright,
    pulse,
    recorder,
    speaker,
)
