"""What tools returned, in a notebook's output and in the panel's rows."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure

from stepnb.conversation.state import ToolCallState
from stepnb.plots.figure import PlotFigure
from stepnb.widgets import results
from stepnb.widgets.results import result_html
from stepnb.widgets.rows import rows_of
from stepnb.widgets.static_html import turn_html
from tests.unit.conversation.test_calls import DONE, story


class Table:
    def _repr_html_(self) -> str:
        return "<table><tr><td>21</td></tr></table>"


class Drawing:
    def _repr_svg_(self) -> str:
        return "<svg></svg>"


def figure(kind: type[Figure], *size: float) -> Figure:
    made = kind(*size)
    made.add_subplot().plot([1, 2])
    return made


def test_objects_show_themselves() -> None:
    assert Table()._repr_html_() in result_html(Table())
    assert "<svg></svg>" in result_html(Drawing())


@pytest.mark.parametrize("made", [(Figure,), (PlotFigure, 3, 2)], ids=["plain", "own"])
def test_figures_are_pictures_without_any_backend(made: Any) -> None:
    page = result_html(figure(*made))
    assert "src='data:image/png;base64,iVBOR" in page
    assert ("width='300'" in page) == (made[0] is PlotFigure)


@pytest.mark.parametrize("value", [None, "<b>text</b>", 3, [1], {"a": 1}, object()])
def test_what_text_tells_as_well_is_not_shown(value: object) -> None:
    assert result_html(value) == ""


def test_what_is_too_large_is_left_out_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_LARGEST", 10)
    assert "<table>" not in result_html(Table()) and "The Table is too large" in result_html(Table())


class Exchange:
    """Enough of a turn for its HTML: a real conversation's calls, and a result."""

    def __init__(self, status: str, output: str) -> None:
        from stepnb.audio.clip import Clip
        from stepnb.conversation.timing import Latency
        from stepnb.session.dispatch import view_of

        self.user, self.user_transcript, self.transcript, self.status, self.error = (
            "Hi",
            None,
            "",
            status,
            None,
        )
        self.latency, self.audio = Latency(), Clip.silence(0)
        self.kind, self.finish_reason, self.cost = "text", None, None
        call = ToolCallState(
            "c1", "look<script>", final_arguments='{"a":"<b>"}', status="completed", output=output
        )
        self.tool_calls = [view_of(call, Table())]


def test_a_turn_shows_calls_as_text_and_results_as_they_show_themselves() -> None:
    page = turn_html(Exchange("completed", "<i>" + "x" * 1000))  # type: ignore[arg-type]
    assert "look&lt;script&gt;(a=&quot;&lt;b&gt;&quot;)" in page
    assert "&lt;i&gt;xxx" in page and "x" * 400 not in page
    assert Table()._repr_html_() in page


def test_results_are_shown_at_the_end_of_the_turn_and_not_in_the_transcript() -> None:
    assert "<table>" not in turn_html(Exchange("active", "x"))  # type: ignore[arg-type]
    assert "<table>" not in turn_html(Exchange("completed", "x"), player=False)  # type: ignore[arg-type]


def test_the_panel_gets_calls_as_bounded_text() -> None:
    told = story()
    told.came(DONE)
    told.end("r1")
    told.local("tool_call", response="r1", call="c1", name="look", status="running")
    told.local(
        "tool_result", response="r1", call="c1", status="completed", output="<p>" + "x" * 5000, error=None
    )
    person, answer = rows_of(told.conversation, told.conversation.turns[1])
    assert person["tools"] == []
    (tool,) = answer["tools"]
    assert tool | {"output": ""} == {
        "call": "c1", "name": "look", "arguments": '{"city":"Oslo"}', "output": "", "status": "completed", "ms": 1000.0,
    }  # fmt: skip
    assert tool["output"].startswith("<p>xxx") and len(tool["output"]) == 2000
