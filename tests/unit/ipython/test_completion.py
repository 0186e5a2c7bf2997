"""Which values are offered between the quotes of an option; in a real kernel: tests/engine/test_ipython.py."""

from __future__ import annotations

from typing import Any

import pytest

import stepnb as sn
from stepnb.ipython.completion import values_at
from stepnb.protocol import catalog

CLUSTERS = ["global", "cn", "cn/step_plan", "local"]


class Trap:
    """Nothing of it may be touched: its properties could do anything."""

    __module__ = "stepnb.trap"

    @property
    def panel(self) -> Any:
        raise AssertionError("a property was read")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return {"sn": sn, "clip": sn.Clip.silence(1), "Session": sn.Session, "trap": Trap(), "print": print}


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("sn.Session(cluster='", CLUSTERS),
        ('sn.Session("', CLUSTERS),
        ("s = Session('c", ["cn", "cn/step_plan"]),
        ("sn.Session(\n    tools=[f(1, 'x)')],\n    keep_audio = 'o", ["output"]),
        ("print(sn.Session(cluster='l", ["local"]),
        ("clip.plot('m", ["mel"]),
        ("sn.Clip.plot(clip, kind='m", ["mel"]),
        ("sn.set_language('", ["en", "zh"]),
        ("sn.style('", ["light", "dark"]),
        ("sn.LocalEngine('", ["live", "docs"]),
        ("sn.LocalEngine(vad='", ["energy", "silero"]),
        ("sn.Knowledge.create(k, 'name', '", ["text", "image"]),
        ("sn.Session.controls(s, 'voice', 't", ["turns", "tools"]),
        ("sn.models('", ["global", "cn", "cn/step_plan"]),
        ("sn.Session.on(s, 'session.", ["session.created", "session.updated"]),
    ],
)
def test_values_that_a_signature_lists(code: str, values: list[str], names: dict[str, Any]) -> None:
    assert values_at(code, names)[1] == values


def test_voices_and_models_come_from_the_catalogue(names: dict[str, Any]) -> None:
    begun, voices = values_at("sn.Session('cn', voice='lin", names)
    assert begun == "lin" and set(voices) == {v.id for v in catalog.voices() if v.id.startswith("lin")}
    assert values_at("sn.Session(model='", names)[1] == [model.id for model in catalog.models()]


@pytest.mark.parametrize(
    "code",
    [
        "sn.Session(cluster='cn'",
        "sn.Session('cn')",
        "sn.Session(instructions='",
        "sn.Session('cn', '",  # all others are named
        "sn.Session(voices='",
        "x = '",
        "open('",
        "print('",
        "nothing.here('",
        "sn.nothing('",
        "trap.panel('",
        "trap.panel.plot('",
        "sn.Session(\"it's (open",
        "sn.Session(cluster=",
        "('",
        "sn.Session)('",
        "  \n )]}'",
        "",
    ],
)
def test_where_nothing_is_known_nothing_is_offered(code: str, names: dict[str, Any]) -> None:
    assert values_at(code, names)[1] == []
