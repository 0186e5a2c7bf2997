"""Keeping the page's messages flowing while a cell is busy.

JupyterLab sends widget messages to a subshell of the kernel, which runs beside the user's cell. ipykernel 7.4 routes
them back to the shell that last published on the comm, which is usually the main one, and there they wait for the cell
(``BaseComm._reply_subshell_for``, measured: 1590 ms instead of 4.6 ms at the median). The hook is private, so it is
looked for before it is touched; without it nothing changes.
"""

from __future__ import annotations

from typing import Any


def keep_requested_subshell(comm: Any) -> bool:
    """Let messages on this comm go to the subshell the page asked for.

    Parameters
    ----------
    comm
        The comm of one widget; no other comm is changed.

    Returns
    -------
    bool
        Whether the kernel has the hook. Without it a busy cell may hold messages back, and the panel says so.
    """
    if not callable(getattr(comm, "_reply_subshell_for", None)):
        return False
    # The kernel asks `getattr(comm, "_reply_subshell_for", None)` and keeps the requested subshell when there is none.
    comm._reply_subshell_for = None
    return True
