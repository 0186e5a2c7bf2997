"""Every environment variable of the package is on the page about them."""

from __future__ import annotations

import re
from pathlib import Path

import stepnb
from stepnb.service.endpoint import KEY_NAMES

PACKAGE = Path(stepnb.__file__).parent
PAGE = PACKAGE.parent / "docs" / "howto" / "environment.md"


def test_the_page_has_every_variable() -> None:
    source = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    read = {*re.findall(r'"(STEPNB_[A-Z]+)"', source), *KEY_NAMES}
    told = set(re.findall(r"`(STEP(?:NB|FUN)?_[A-Z_]+)`", PAGE.read_text("utf-8")))
    assert read == told
