"""A real kernel, driven as JupyterLab drives it: cells with ids, subshells, and messages of widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

TIMEOUT = 60.0

Message = dict[str, Any]


class CellFailed(AssertionError):
    """A cell raised."""


class Kernel:
    """An ipykernel in a process of its own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=environment, cwd=str(folder))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(TIMEOUT)

    def cell(
        self, code: str, cell: str = "other", on_message: Callable[[Message], None] | None = None
    ) -> str:
        """Run a cell and return what it printed; on_message sees what the kernel publishes meanwhile.

        Raises
        ------
        CellFailed
            With the cell's traceback.
        """
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        request = self.client.session.msg(
            "execute_request",
            content | {"allow_stdin": False, "stop_on_error": True},
            metadata={"cellId": cell},
        )
        self.client.shell_channel.send(request)
        printed, raised = "", ""
        while True:
            news = self.client.get_iopub_msg(timeout=TIMEOUT)
            if on_message is not None:
                on_message(news)
            if news["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            content = news["content"]
            if news["msg_type"] == "error":
                raised = "\n".join(content["traceback"])
            if news["msg_type"] == "stream" and content["name"] == "stdout":
                printed += content["text"]
            if news["msg_type"] == "status" and content["execution_state"] == "idle":
                if raised:
                    raise CellFailed(raised)
                return printed

    def subshell(self) -> str:
        """Make a shell that runs beside the cells, and return its id."""
        request = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(request)
        reply = self.client.get_control_msg(timeout=TIMEOUT)
        subshell: str = reply["content"]["subshell_id"]
        return subshell

    def press(self, comm: str, content: Message, subshell: str | None) -> None:
        """Send a message of a widget's page."""
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)

    def close(self) -> None:
        """End it at once."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def page(kind: str, seq: int, **fields: Any) -> Message:
    """A message of the panel's page."""
    return {"v": 1, "k": kind, "seq": seq, "t": 0.0, "view": "v1", **fields}


def told(message: Message, kind: str) -> Message | None:
    """What the kernel tells a page with a message of this kind, None for any other message."""
    data = message["content"].get("data", {}) if message["msg_type"] == "comm_msg" else {}
    content: Message = data.get("content", {}) if data.get("method") == "custom" else {}
    return content if content.get("k") == kind else None
