"""``%load_ext stepnb``: the magics ``%%say`` and ``%voice``, and completion of the values an option may have."""

from __future__ import annotations

from typing import Any

from .completion import OptionValues
from .magics import VoiceMagics

_ATTRIBUTE = "_stepnb_option_values"


def load(shell: Any) -> None:
    """Put magics and completion into an IPython shell; a second time does nothing more."""
    shell.register_magics(VoiceMagics)
    if getattr(shell, _ATTRIBUTE, None) is None:
        values = OptionValues(shell)
        setattr(shell, _ATTRIBUTE, values)
        shell.Completer.custom_matchers.insert(0, values.matcher)


def unload(shell: Any) -> None:
    """Take both out again."""
    values = getattr(shell, _ATTRIBUTE, None)
    if values is not None:
        shell.Completer.custom_matchers.remove(values.matcher)
        setattr(shell, _ATTRIBUTE, None)
    for kind, name in (("cell", "say"), ("line", "voice")):
        shell.magics_manager.magics[kind].pop(name, None)
