"""The guard against ipykernel's re-routing of comm messages."""

from __future__ import annotations

from typing import Any

from ipykernel.comm.comm import BaseComm
from ipykernel.kernelbase import Kernel

from stepnb.widgets.comm_guard import keep_requested_subshell


def test_this_ipykernel_has_the_hook_and_asks_for_it_the_way_we_rely_on() -> None:
    """The probe: when an ipykernel changes it, this says so before a user finds frames waiting for a cell."""
    import inspect

    assert callable(BaseComm._reply_subshell_for)
    source = inspect.getsource(Kernel.shell_channel_thread_main)
    assert 'getattr(comm, "_reply_subshell_for", None)' in source
    assert "if route is not None" in source


def test_the_guard_takes_the_hook_from_one_comm_only() -> None:
    ours, other = BaseComm.__new__(BaseComm), BaseComm.__new__(BaseComm)
    assert keep_requested_subshell(ours)
    assert getattr(ours, "_reply_subshell_for", None) is None
    assert callable(other._reply_subshell_for)


def test_without_the_hook_nothing_is_touched() -> None:
    class OlderComm:
        pass

    comm: Any = OlderComm()
    assert not keep_requested_subshell(comm)
    assert vars(comm) == {}
