"""The table of sentences that want a tool, and of those that want none (tests/data/tool_calls.toml)."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepnb.local.brain import tools
from stepnb.local.brain.schema import read_tools

TABLE = tomllib.loads((Path(__file__).parents[2] / "data" / "tool_calls.toml").read_text("utf-8"))
NOW = TABLE["now"]


def specifications(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "function", "function": tool} for tool in part["tools"]]


def called(part: dict[str, Any], text: str) -> list[tuple[str, dict[str, Any]]]:
    found = tools.match_all(read_tools(specifications(part)), text, NOW)
    return [(one.tool.name, json.loads(one.call().arguments)) for one in found if not one.missing]


def is_same(got: Any, wanted: Any) -> bool:
    if not isinstance(wanted, str):
        return bool(got == wanted)
    plain = re.sub(r"^the ", "", str(got).casefold()).strip(" .!?。！？")
    return any(plain == re.sub(r"^the ", "", one.casefold()) for one in wanted.split("|"))


def is_right(part: dict[str, Any], case: dict[str, Any]) -> bool:
    (wanted,) = ((name, value) for name, value in case.items() if name not in ("part", "say"))
    got = called(part, case["say"])
    if len(got) != 1 or got[0][0] != wanted[0] or got[0][1].keys() != wanted[1].keys():
        return False
    return all(is_same(got[0][1][name], value) for name, value in wanted[1].items())


def wrong(part: dict[str, Any], which: str) -> list[str]:
    return [case["say"] for case in part["calls"] if case["part"] == which and not is_right(part, case)]


def false(part: dict[str, Any], which: str) -> list[str]:
    """Sentences that want no tool but get one called or asked about."""
    known = read_tools(specifications(part))
    return [text for text in part["none"].get(which, []) if tools.match_all(known, text, NOW)]


def test_the_table_is_what_it_says() -> None:
    assert len(TABLE["tools"]) == 8 and len(TABLE["calls"]) == 40
    assert sum(map(len, TABLE["none"].values())) == 20
    assert [len(wrong(TABLE, "nothing")), len(false(TABLE, "nothing"))] == [0, 0]
    names = {tool["name"] for tool in TABLE["tools"]}
    assert all(len(names & case.keys()) == 1 for case in TABLE["calls"])


def test_calls_and_false_calls(figure: Callable[[str], None]) -> None:
    wrong_ones = {which: wrong(TABLE, which) for which in ("tuning", "unseen")}
    false_ones = [text for which in ("tuning", "unseen") for text in false(TABLE, which)]
    right = 40 - sum(map(len, wrong_ones.values()))
    figure(
        f"tool calls: {right} of 40 right ({20 - len(wrong_ones['tuning'])} of 20 tuned on, "
        f"{20 - len(wrong_ones['unseen'])} of 20 not), {len(false_ones)} false of 20"
    )
    assert right >= 36
    assert not false_ones


def test_other_tools(figure: Callable[[str], None]) -> None:
    """Four tools and sentences of other matters, only counted: how far the matcher is fitted to the eight."""
    other = TABLE["other"]
    missed, false_ones = wrong(other, "unseen"), false(other, "unseen")
    figure(
        f"tool calls, other tools: {len(other['calls']) - len(missed)} of {len(other['calls'])} right, "
        f"{len(false_ones)} false of {len(other['none']['unseen'])}"
    )
    assert len(missed) <= len(other["calls"]) // 3
    assert not false_ones


@pytest.mark.parametrize("which", ["tuning"])
def test_tuned_sentences(which: str) -> None:
    assert wrong(TABLE, which) == []
