"""Approval by a person: who decides, how long it takes, and where no button can be heard."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import stepnb as sn
from stepnb.service.loop import io_thread
from stepnb.session import approval
from stepnb.widgets import messages as m
from stepnb.widgets.bridge import PanelBridge
from stepnb.widgets.rows import rows_of
from tests.engine.kernel import CellFailed, Kernel, page, told
from tests.engine.scripted import ScriptedServer
from tests.engine.test_session_tools import USER, Waiter, answer, call_of, output

CALL = call_of(("c1", "delete", '{"path":"/tmp/x"}'))
STEPS = (USER, CALL, output("c1"), answer())
deleted: list[str] = []


@sn.tool(approve=True)
def delete(path: str) -> str:
    """Delete a file."""
    deleted.append(path)
    return "deleted"


@sn.tool(approve=False)
def look(path: str) -> str:
    """Look at a file."""
    return "seen"


@pytest.fixture(autouse=True)
def nothing_deleted() -> Iterator[None]:
    yield
    deleted.clear()


class Story:
    """A session whose model calls one tool, and waits for somebody to decide."""

    def __init__(self, *tools: Any, steps: tuple[Any, ...] = STEPS, **options: Any) -> None:
        self.server = ScriptedServer(*steps)
        self.session = sn.Session(self.server.url, api_key="k", tools=tools or [delete], **options)

    def __enter__(self) -> Story:
        self.server.__enter__()
        self.waiter = Waiter(self.session)
        self.turn = self.session.ask("Delete it.")
        return self

    def __exit__(self, *error: Any) -> None:
        self.session.close()
        self.server.__exit__(*error)

    def until_asked(self) -> sn.ToolCall:
        calls = lambda: [call for call in self.turn.tool_calls if call.status == "awaiting approval"]  # noqa: E731
        self.waiter.until(lambda: bool(calls()))
        return calls()[0]

    def decisions(self) -> list[dict[str, Any]]:
        return [record.data for record in self.session.events if record.kind == "approval" and record.data]


@pytest.mark.parametrize("verdict", [True, False])
@pytest.mark.parametrize("by", ["call", "id"])
def test_a_person_decides_from_another_cell(verdict: bool, by: str) -> None:
    with Story() as story:
        call = story.until_asked()
        decide = story.session.approve if verdict else story.session.deny
        decide(call if by == "call" else call.call_id)
        story.turn.wait(10)
        assert deleted == (["/tmp/x"] if verdict else [])
        assert story.turn.tool_calls[0].status == ("completed" if verdict else "denied")
        assert story.decisions() == [{"response": "r1", "call": "c1", "allow": verdict, "by": "session"}]
        with pytest.raises(sn.ConfigError, match="No call 'c1' awaits approval"):
            decide(call)


def test_approve_true_asks_for_every_tool_that_does_not_say_otherwise() -> None:
    def plain(path: str) -> str:
        """Do something."""
        return "done"

    steps = (
        USER,
        call_of(("c1", "plain", '{"path":"a"}'), ("c2", "look", '{"path":"b"}')),
        output("c1", "done"),
        output("c2", "seen"),
        answer(),
    )
    with Story(plain, look, steps=steps, approve=True) as story:
        assert story.until_asked().name == "plain"
        story.waiter.until(lambda: [call.status for call in story.turn.tool_calls[1:]] == ["completed"])
        story.session.approve("c1")
        assert story.turn.wait(10).tool_calls[0].status == "completed"


def test_whoever_decides_first_decides() -> None:
    release, asked = threading.Event(), threading.Event()

    def slow_callback(call: sn.ToolCall) -> bool:
        asked.set()
        return release.wait(10)

    with Story(approve=slow_callback) as story:
        assert asked.wait(10)
        story.session.deny(story.until_asked())
        release.set()
        story.turn.wait(10)
        assert story.turn.tool_calls[0].status == "denied" and not deleted
        assert [decision["by"] for decision in story.decisions()] == ["session"]


def test_nobody_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approval, "APPROVAL_TIMEOUT", 0.05)
    with Story() as story:
        call = story.turn.wait(10).tool_calls[0]
        assert call.status == "denied" and "nobody approved it" in str(call.error) and not deleted


def test_a_turn_that_ends_takes_its_question_with_it() -> None:
    with Story(steps=(USER, CALL)) as story:
        call = story.until_asked()
        story.waiter.until(lambda: story.session._core.conversation.active is None)
        story.session.interrupt()
        assert story.turn.wait(10).status == "interrupted"
        with pytest.raises(sn.ConfigError, match="awaits approval"):
            story.session.approve(call)
        assert story.turn.tool_calls[0].status == "cancelled" and not deleted


@pytest.mark.parametrize("allow", [True, False])
def test_the_panels_button_decides(allow: bool) -> None:
    with Story() as story:
        story.until_asked()
        core = story.session._core
        parts = (
            story.session._input,
            lambda _: None,
            lambda **_: None,
            lambda path: path,
            story.session.append,
        )
        bridge = PanelBridge(core, *parts)
        row = rows_of(core.conversation, core.conversation.turns[1])[-1]
        (tool,) = row["tools"]
        assert tool["status"] == "awaiting approval"
        press = {
            "v": 1,
            "k": "approve",
            "seq": 0,
            "t": 0.0,
            "view": "v1",
            "call": tool["call"],
            "allow": allow,
        }
        for _ in range(2):  # the second one comes too late, and harms nothing
            core.loop.call_soon_threadsafe(bridge.receive, m.parse(press), 0)
        story.turn.wait(10)
        assert story.turn.tool_calls[0].status == ("completed" if allow else "denied")
        assert bridge.counts["approve"] == 2 and bridge.counts["refused"] == 1
        assert [decision["by"] for decision in story.decisions()] == ["panel"]


# Where no button can be heard ----------------------------------------------------------------------------------------


@pytest.fixture
def in_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the test run as a cell of a kernel does."""
    monkeypatch.setattr("stepnb.session.cells._shell", lambda: SimpleNamespace(kernel=object()))


def test_waiting_in_a_cell_that_holds_up_the_button_says_so(in_a_cell: None) -> None:
    with Story() as story:
        with pytest.raises(sn.ApprovalBlocked, match="delete awaits your approval") as caught:
            story.turn.wait(10)
        assert caught.value.fix and "Session(approve=callback)" in caught.value.fix
        with pytest.raises(sn.ApprovalBlocked):
            story.turn.wait(10)
        story.session.approve("c1")
        assert story.turn.wait(10).status == "completed"
        io_thread.submit(asyncio.sleep(0)).result(10)  # what the wait left to do there is done
        assert not story.session._core.tools.approvals._alarms


@pytest.mark.parametrize("how", ["callback", "page"])
def test_waiting_in_a_cell_is_fine_where_somebody_can_decide(in_a_cell: None, how: str) -> None:
    callback = (lambda _: True) if how == "callback" else None
    with Story(approve=callback) as story:
        if how == "page":
            story.session._core.tools.approvals.page_beside_cells = True
            threading.Thread(target=lambda: story.session.approve(story.until_asked())).start()
        assert story.turn.wait(10).status == "completed" and deleted == ["/tmp/x"]


def test_a_turn_of_its_own_is_not_held_up_by_another(in_a_cell: None) -> None:
    with Story(steps=(USER, CALL, USER, answer("Hi.", "r9"))) as story:
        story.until_asked()
        assert story.session.ask("Hello").wait(10).transcript == "Hi."


# In a real kernel -----------------------------------------------------------------------------------------------------

SETUP = """
import stepnb as sn

@sn.tool(approve=True)
def get_weather(city: str) -> str:
    '''Look up the weather.'''
    return "sunny"

session = sn.Session(tools=[get_weather])
session.connect()
print(session.panel.comm.comm_id)
"""
ASK = "turn = session.ask('What is the weather in Paris?'); print(turn.wait(30).status)"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("API_KEY")}
    kernel = Kernel(environment | {"STEPNB_CLUSTER": "local"}, tmp_path)
    yield kernel
    kernel.close()


@pytest.mark.parametrize("beside", [True, False], ids=["beside the cell", "after the cell"])
def test_a_button_while_a_cell_waits(kernel: Kernel, beside: bool) -> None:
    comm = kernel.cell(SETUP).split()[-1]
    subshell = kernel.subshell() if beside else None
    pressed: list[str] = []

    def approve(call: str) -> None:
        kernel.press(comm, page("approve", 1, call=call, allow=True), subshell)

    def follow(message: dict[str, Any]) -> None:
        """The page: it presses the button as soon as it is drawn."""
        row = (told(message, "row") or {}).get("row", {})
        for tool in row.get("tools", []):
            if tool["status"] == "awaiting approval" and not pressed:
                pressed.append(tool["call"])
                approve(tool["call"])

    kernel.press(comm, page("hello", 0, visible=True, lang="en"), subshell)
    if beside:
        assert kernel.cell(ASK, on_message=follow).strip() == "completed"
    else:
        with pytest.raises(CellFailed, match=r"ApprovalBlocked.*get_weather awaits your approval"):
            kernel.cell(ASK, on_message=follow)
        # The button may be drawn only now; a cell that waits for nothing lets the kernel say so.
        until = time.monotonic() + 30
        while not pressed and time.monotonic() < until:
            kernel.cell("pass", on_message=follow)
        # The cell has ended, so the button that was pressed is heard.
        assert kernel.cell("print(turn.wait(30).status)").strip() == "completed"
    assert pressed
    assert (
        kernel.cell("print(turn.tool_calls[0].status, turn.tool_calls[0].result)").strip()
        == "completed sunny"
    )
