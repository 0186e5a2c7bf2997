"""Libraries that only some of it needs: each comes with an extra."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import MissingLibrary


def library(name: str, purpose: str, extra: str = "analysis") -> Any:
    """Import a library of an extra.

    Parameters
    ----------
    name
        The module: "scipy.signal".
    purpose
        What needs it, as the beginning of a sentence: "A spectrogram".
    extra
        The extra of this package that brings it.

    Raises
    ------
    MissingLibrary
        It is not installed; the message says how to.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise MissingLibrary(
            f"{purpose} needs {package}, which is not installed.",
            fix=f"Install it: pip install 'stepnb[{extra}]'",
        ) from None
