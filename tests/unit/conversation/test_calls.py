"""Function calls, from whichever events carry them, in whatever order they come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.conversation.reducer import turn_event_id
from stepnb.conversation.state import ToolCallState
from stepnb.protocol import events as ev
from tests.unit.conversation.test_conversation import Story

ARGUMENTS = '{"city":"Oslo"}'


def item(**fields: Any) -> ev.Item:
    return ev.Item(**{"id": "f1", "type": "function_call", "call_id": "c1"} | fields)


ADDED = ev.OutputItemAdded(response_id="r1", item=item(name="look", status="in_progress"))
CREATED = ev.ConversationItemCreated(item=item(name="look", status="incomplete"))
DELTA = ev.FunctionCallArgumentsDelta(call_id="c1", delta='{"ci')
DELTA_OF_THE_GUIDE = ev.FunctionCallArgumentsDelta(call_id="c1", arguments='ty"')
DONE = ev.FunctionCallArgumentsDone(call_id="c1", name="look", arguments=ARGUMENTS)
DONE_WITHOUT_NAME = ev.FunctionCallArgumentsDone(call_id="c1", arguments=ARGUMENTS)
DONE_BY_ITEM = ev.FunctionCallArgumentsDone(item_id="f1", arguments=ARGUMENTS)
DONE_WITHOUT_ARGUMENTS = ev.FunctionCallArgumentsDone(call_id="c1", name="look")
ITEM_DONE = ev.OutputItemDone(
    response_id="r1", item=item(name="look", arguments=ARGUMENTS, status="completed")
)
FULL = item(name="look", arguments=ARGUMENTS)


def story() -> Story:
    made = Story()
    made.ask()
    made.came(ev.ResponseCreated(response=ev.ResponseInfo(id="r1", status="in_progress")))
    return made


def call(of: Story) -> ToolCallState:
    (only,) = of.conversation.calls(of.conversation.turns[1])
    return only


def result(of: Story, call_id: str = "c1", status: str = "completed") -> None:
    of.local("tool_result", response="r1", call=call_id, status=status, output="found", error=None)


@pytest.mark.parametrize(
    ("events", "output"),
    [
        ([ADDED, CREATED, DELTA, DONE, ITEM_DONE], [FULL]),
        ([DONE], []),
        ([ADDED, DONE_WITHOUT_NAME], []),
        ([ADDED, DONE_BY_ITEM], []),
        ([DELTA, DELTA_OF_THE_GUIDE, ITEM_DONE], []),
        ([CREATED, DONE_WITHOUT_ARGUMENTS, ITEM_DONE], []),
        ([DONE_WITHOUT_NAME], [FULL]),
        ([DONE_WITHOUT_NAME, ITEM_DONE], []),
        ([], [FULL]),
    ],
    ids=["live", "docs", "name from the item", "by item", "item done", "done without arguments", "name at the end",
         "name from the finished item", "only the summary"],
)  # fmt: skip
def test_a_call_is_found_in_whatever_carries_it(events: list[ev.Event], output: list[ev.Item]) -> None:
    told = story()
    told.came(*events)
    told.end("r1", output=output)
    assert (call(told).name, call(told).arguments) == ("look", ARGUMENTS)
    assert told.kinds().count("call") == 1 and "ended" not in told.kinds()
    assert told.conversation.turns[1].status == "active"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from([ADDED, CREATED, DELTA, DONE, DONE_WITHOUT_NAME, DONE_BY_ITEM, ITEM_DONE]),
        max_size=10,
    ),
    st.booleans(),
    st.booleans(),
)
def test_in_any_order_a_call_is_made_once_and_answered_once(
    events: list[ev.Event], early: bool, again: bool
) -> None:
    told = story()
    told.came(*events)
    if early and "call" in told.kinds():
        result(told)
    told.end("r1", output=[FULL])
    told.came(*events)
    if again:
        told.end("r1", output=[FULL])
    if not call(told).ended:
        result(told)
    result(told, status="failed")
    assert told.kinds().count("call") == 1 and told.kinds().count("outputs") == 1
    assert call(told).status == "completed" and call(told).arguments == ARGUMENTS
    assert told.conversation.turns[1].status == "active"


def test_arguments_are_shown_while_they_come() -> None:
    told = story()
    told.came(ADDED, DELTA, DELTA_OF_THE_GUIDE)
    assert call(told).status == "arriving" and call(told).arguments == '{"city"'
    assert told.kinds()[-1] == "turn"


def test_a_call_without_arguments() -> None:
    told = story()
    told.came(ADDED, ev.FunctionCallArgumentsDone(call_id="c1", arguments=""))
    told.end("r1")
    assert call(told).status == "ready" and call(told).arguments == ""


def test_the_turn_ends_with_the_follow_up() -> None:
    told = story()
    told.came(DONE)
    told.end("r1")
    told.local("tool_call", response="r1", call="c1", name="look", status="running")
    assert call(told).status == "running" and call(told).duration_ms is None
    result(told)
    assert told.changes[-1].kind == "outputs" and told.changes[-1].turn == 1
    assert call(told).duration_ms == 1000
    output = ev.Item(type="function_call_output", call_id="c1", output="found")
    told.sent(ev.ConversationItemCreate(item=output, event_id=turn_event_id(1, "output1")))
    told.sent(ev.ResponseCreate(event_id=turn_event_id(1, "create")))
    assert call(told).sent
    told.came(ev.ConversationItemCreated(item=ev.Item(id="o1", type="function_call_output", role="user")))
    told.begin("r2", "a2")
    told.say("a2", "Found.")
    told.end("r2")
    turn = told.conversation.turns[1]
    assert turn.status == "completed" and turn.responses == ["r1", "r2"] and turn.item is None
    assert [change.kind for change in told.changes].count("ended") == 1


def test_the_results_wait_for_each_other_and_for_the_end_of_the_response() -> None:
    told = story()
    told.came(DONE, ev.FunctionCallArgumentsDone(call_id="c2", name="look", arguments="{}"))
    result(told, "c2")
    told.end("r1")
    assert "outputs" not in told.kinds()
    result(told, "c1")
    assert told.kinds()[-1] == "outputs"


def test_an_interrupted_answer_calls_nothing_more_and_cancels_what_runs() -> None:
    told = story()
    told.came(DONE)
    told.local("discard", response="r1")
    told.came(ev.FunctionCallArgumentsDone(call_id="c2", name="look", arguments="{}"))
    told.end("r1", status="incomplete")
    assert told.kinds().count("call") == 1 and told.kinds()[-1] == "ended"
    result(told)
    calls = told.conversation.calls(told.conversation.turns[1])
    assert [(call.status, call.output) for call in calls] == [("cancelled", None), ("cancelled", None)]


@pytest.mark.parametrize("ending", ["turn_interrupted", "disconnected", "turn_failed"])
def test_a_turn_that_ends_while_tools_run_cancels_them(ending: str) -> None:
    told = story()
    told.came(DONE)
    told.end("r1")
    assert told.conversation.between_responses() == [1]
    told.local(ending, turn=1, reason="The end.")
    result(told)
    assert call(told).status == "cancelled" and told.kinds().count("ended") == 1
    assert "outputs" not in told.kinds() and told.conversation.between_responses() == []


def test_a_turn_whose_follow_up_was_asked_for_is_not_between_responses() -> None:
    told = story()
    told.came(DONE)
    assert told.conversation.between_responses() == []
    told.end("r1")
    result(told)
    told.sent(ev.ResponseCreate(event_id=turn_event_id(1, "create")))
    assert told.conversation.between_responses() == []


def test_a_refused_output_is_told_and_ends_nothing() -> None:
    told = story()
    told.came(DONE)
    told.end("r1")
    told.came(ev.ErrorEvent(error=ev.ErrorInfo(message="unknown call_id", event_id="t1.output1")))
    assert told.changes[-1].kind == "notice" and told.conversation.turns[1].status == "active"


def test_a_call_of_a_response_nobody_knows_changes_nothing() -> None:
    told = Story()
    told.came(ADDED, DELTA, DONE, ITEM_DONE)
    told.end("r9", output=[FULL])
    assert told.conversation.turns == {} and "call" not in told.kinds()
