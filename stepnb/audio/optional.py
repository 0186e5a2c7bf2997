"""Libraries that only some measures need."""

from __future__ import annotations

import importlib
from typing import Any

from stepnb.errors import AudioError


def library(name: str, purpose: str, extra: str = "analysis") -> Any:
    """Import a library of an extra.

    Raises
    ------
    AudioError
        It is not installed; the message says how to.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise AudioError(
            f"{purpose} needs {package}, which is not installed.",
            fix=f"Install it: pip install 'stepnb[{extra}]'",
        ) from None
