"""What a session keeps is bounded, however long it lasts and whatever it is sent."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from stepnb.local.conversation import MAX_ITEMS, MAX_MEMORY, MAX_TEXT
from tests.engine.desk import Desk, run, silence, tone

TURN_MS = 20_000  # half of it speech
TURNS = 30  # ten minutes
KEPT = 30_000
"""Bytes of a turn: its words, with the times at which they begin. Its audio is 960,000."""


def test_ten_minutes_of_speech() -> None:
    async def script(desk: Desk) -> None:
        desk.vad()
        desk.brain.text = "One two three four five six seven eight nine ten. " * 10

        async def talk(turns: int) -> int:
            for _ in range(turns):
                for _ in range(TURN_MS // 2 // 100):
                    desk.append(tone(100))
                desk.append(silence(500))
                await desk.until("response.done")
                for _ in range(TURN_MS // 2 // 100):
                    desk.append(silence(100))
                desk.events.clear()
                desk.ears.heard.clear()
                desk.brain.requests.clear()
                desk.mouth.spoken.clear()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        await talk(2)  # what is loaded and cached once
        tracemalloc.start()
        try:
            first = await talk(1)
            last = await talk(TURNS)
        finally:
            tracemalloc.stop()
        assert last - first < TURNS * KEPT, "more than the text of the conversation was kept"

    run(script, orderly=False)


def test_the_oldest_items_are_forgotten() -> None:
    async def script(desk: Desk) -> None:
        first = desk.say("x")["id"]
        for _ in range(MAX_ITEMS):
            desk.say("y")
        assert "cannot find item" in desk.refused("conversation.item.delete", item_id=first)["message"]

    run(script)


@pytest.mark.parametrize("letter", ["a", "永"])
def test_long_items_are_forgotten_sooner(letter: str) -> None:
    async def script(desk: Desk) -> None:
        ids = [desk.say(letter * MAX_TEXT)["id"] for _ in range(MAX_MEMORY // MAX_TEXT + 3)]
        known = [
            item_id
            for item_id in ids
            if [desk.send("conversation.item.delete", item_id=item_id)]
            and desk.types[-1] == "conversation.item.deleted"
        ]
        assert known == ids[-(MAX_MEMORY // MAX_TEXT) :]

    run(script)


def test_the_newest_item_is_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepnb.local.conversation.MAX_MEMORY", 10)

    async def script(desk: Desk) -> None:
        desk.say("x" * 20)
        done = await desk.ask("y" * 20)
        assert done["response"]["status"] == "completed"
        assert desk.brain.requests[0].history[-1].text == "y" * 20

    run(script)
