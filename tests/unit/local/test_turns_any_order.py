"""Whatever a client does in whatever order, whichever part is slow or fails: order rules hold, and it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.errors import EngineError
from stepnb.local.parts import ToolCall
from stepnb.local.profile import PROFILES
from tests.engine.desk import VAD, Desk, run, silence, tone

CALL = ToolCall(name="look", arguments='{"at": "the very long way to the sea"}')
FAILURE = EngineError("It is broken.")


def last_item(desk: Desk) -> str:
    created = desk.all("conversation.item.created")
    return created[-1]["item"]["id"] if created else "nobody"


def ears(desk: Desk, hears: bool) -> None:
    (desk.ears.gate.set if hears else desk.ears.gate.clear)()


def failing(desk: Desk, part: str, on: bool) -> None:
    getattr(desk, part).failure = FAILURE if on else None


ACTIONS: dict[str, Callable[[Desk], Any]] = {
    "say": lambda desk: desk.say("hi"),
    "create": lambda desk: desk.send("response.create"),
    "create text": lambda desk: desk.send("response.create", response={"modalities": ["text"]}),
    "cancel": lambda desk: desk.send("response.cancel"),
    "vad": lambda desk: desk.send("session.update", session={"turn_detection": VAD}),
    "push to talk": lambda desk: desk.send("session.update", session={"turn_detection": None}),
    "speech": lambda desk: desk.append(tone(500)),
    "silence": lambda desk: desk.append(silence(500)),
    "commit": lambda desk: desk.send("input_audio_buffer.commit"),
    "clear": lambda desk: desk.send("input_audio_buffer.clear"),
    "delete": lambda desk: desk.send("conversation.item.delete", item_id=last_item(desk)),
    "truncate": lambda desk: desk.send(
        "conversation.item.truncate", item_id=last_item(desk), content_index=0, audio_end_ms=50
    ),
    "output": lambda desk: desk.send(
        "conversation.item.create", item={"type": "function_call_output", "call_id": "c", "output": "1"}
    ),
    "ears wait": lambda desk: ears(desk, hears=False),
    "ears go on": lambda desk: ears(desk, hears=True),
    "mouth fails": lambda desk: failing(desk, "mouth", on=True),
    "mouth works": lambda desk: failing(desk, "mouth", on=False),
    "ears fail": lambda desk: failing(desk, "ears", on=True),
    "ears work": lambda desk: failing(desk, "ears", on=False),
    "brain calls": lambda desk: setattr(desk.brain, "calls", (CALL, CALL)),
    "brain speaks": lambda desk: setattr(desk.brain, "calls", ()),
    "brain thinks": lambda desk: setattr(desk.brain, "thinking", "Hm. What was that?"),
}
STEPS = st.lists(st.tuples(st.sampled_from(sorted(ACTIONS)), st.integers(0, 12)), max_size=30)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=str)
@settings(max_examples=120, deadline=None)
@given(steps=STEPS)
def test_any_order(profile: Any, steps: list[tuple[str, int]]) -> None:
    async def script(desk: Desk) -> None:
        for action, turns in steps:
            ACTIONS[action](desk)
            for _ in range(turns):  # of the event loop
                await asyncio.sleep(0)
        for back in ("ears go on", "ears work", "mouth works", "push to talk"):
            ACTIONS[back](desk)
        if desk.order.open:
            await desk.until("response.done", len(desk.all("response.created")))
        done = await desk.ask("hello")
        # What could not be heard before cannot be answered now either, unless something was said since.
        assert done["response"]["status"] == "completed"

    run(script, profile, model="stepaudio-3-realtime-preview")
