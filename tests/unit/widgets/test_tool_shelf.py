"""Tools as entries with switches, and back."""

from __future__ import annotations

from typing import Any

import pytest

import stepnb as sn
from stepnb.session.tools import tool
from stepnb.widgets.tool_shelf import ToolShelf

MODEL = "stepaudio-2.5-realtime"


@tool(approve=True)
def web_search(query: str) -> str:
    """Search, but here."""
    return query


def names(entries: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    return [(entry["kind"], entry["name"], entry["on"]) for entry in entries]


def test_what_was_there_stays_with_its_values() -> None:
    shelf = ToolShelf(MODEL)
    entries = shelf.entries([sn.WebSearch(top_k=9), web_search])
    assert names(entries) == [
        ("web_search", "web_search", True),
        ("retrieval", "retrieval", False),
        ("function", "web_search", True),
    ]
    entries = shelf.entries([])
    assert [entry["on"] for entry in entries] == [False] * 3
    assert (entries[0]["top_k"], entries[2]["approval"]) == (9, "ask")
    assert shelf.specs([entry | {"on": True} for entry in entries if entry["kind"] != "retrieval"]) == [
        sn.WebSearch(top_k=9),
        web_search,
    ]


def test_several_retrievals_keep_their_descriptions() -> None:
    stores = [sn.Retrieval("a", description="Of cats."), sn.Retrieval("b", prompt_template="{{knowledge}}")]
    shelf = ToolShelf(MODEL)
    entries = [entry for entry in shelf.entries(stores) if entry["kind"] == "retrieval"]
    assert [(entry["name"], entry["vector_store_id"]) for entry in entries] == [
        ("retrieval", "a"),
        ("retrieval 2", "b"),
    ]
    assert shelf.specs(entries) == stores
    entries[0]["vector_store_id"] = "c"
    assert shelf.specs(entries)[0] == sn.Retrieval("c", description="Of cats.")


def test_values_of_what_is_off_are_kept_and_not_checked() -> None:
    shelf = ToolShelf(MODEL)
    (entry,) = [entry for entry in shelf.entries([]) if entry["kind"] == "retrieval"]
    assert shelf.specs([entry | {"vector_store_id": "1646", "prompt_template": "no place for it"}]) == []
    assert shelf.entries([])[1]["vector_store_id"] == "1646"
    with pytest.raises(sn.ConfigError, match="knowledge"):
        shelf.specs([shelf.entries([])[1] | {"on": True}])


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ("all", "not a list"),
        (["web_search"], "no tool's entry"),
        ([{"kind": "web_search", "name": "web_search", "on": "yes"}], "no tool's entry"),
        ([{"kind": "function", "name": "os.system", "on": True}], "no tool called 'os.system'"),
        ([{"kind": "web_search", "name": "web_search", "on": True, "top_k": 0}], "top_k is 0"),
        ([{"kind": "web_search", "name": "web_search", "on": True, "timeout_seconds": "3"}], "timeout_seconds"),
        ([{"kind": "function", "name": "web_search", "on": True, "approval": "whatever"}], "approval"),
    ],
)  # fmt: skip
def test_a_page_cannot_put_anything_else_in(entries: Any, reason: str) -> None:
    shelf = ToolShelf(MODEL)
    shelf.entries([web_search])
    with pytest.raises(sn.ConfigError, match=reason):
        shelf.specs(entries)
