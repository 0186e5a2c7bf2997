"""The browsers: Chromium, and the Firefox that Debian has, driven over WebDriver BiDi as any Firefox can be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Playwright

Launch = Callable[..., Browser]
"""Starts the browser; `env` is its environment."""
CHROMIUM_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--force-color-profile=srgb",
]
FIREFOX = Path("/usr/bin/firefox-esr")
# Nobody could answer its question for the microphone, and WebDriver BiDi cannot do so in advance.
FIREFOX_PREFERENCES = {"media.navigator.permission.disabled": True}


def find_chromium(playwright: Playwright) -> Launch | None:
    """Debian's, else the one Playwright has downloaded, else None."""
    for path in ("/usr/bin/chromium", playwright.chromium.executable_path):
        if Path(path).exists():
            return partial(
                playwright.chromium.launch,
                executable_path=path,
                args=CHROMIUM_FLAGS,
                ignore_default_args=["--mute-audio"],
            )
    return None


def find_firefox(playwright: Playwright) -> Launch | None:
    """Debian's, or None; Playwright's own one is another program, patched for it."""
    if not FIREFOX.exists():
        return None
    return partial(
        playwright.firefox.launch,
        channel="moz-firefox",
        executable_path=FIREFOX,
        firefox_user_prefs=FIREFOX_PREFERENCES,
    )
