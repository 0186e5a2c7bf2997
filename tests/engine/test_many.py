"""Twenty sessions in one process, on its one I/O thread: each is complete and in order."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.protocol import events as ev

SESSIONS, TURNS = 20, 3
TIMEOUT = 60


@pytest.fixture
def sessions(engine: LocalEngine) -> Iterator[list[sn.Session]]:
    made = [sn.Session(engine.url, api_key=engine.key) for _ in range(SESSIONS)]
    yield made
    for session in made:
        session.close()


def test_twenty_at_once(sessions: list[sn.Session]) -> None:
    # All questions at once, session by session and turn by turn, so that everything overlaps.
    asked = [
        [session.ask(f"What is {n} plus {10 * turn}?") for n, session in enumerate(sessions, start=1)]
        for turn in range(TURNS)
    ]
    for turn, row in enumerate(asked):
        for n, question in enumerate(row, start=1):
            assert question.wait(TIMEOUT).status == "completed", question.error
            assert str(n + 10 * turn) in question.transcript, "the answer is to this question of this session"
            assert question.audio.duration > 0.3 and question.usage is not None
    names = Counter(thread.name for thread in threading.enumerate())
    assert names["stepnb-io"] == 1
    for session in sessions:
        assert [turn.id for turn in session.turns] == list(range(1, TURNS + 1)) and not session.notices
        complete_and_in_order(session)


def complete_and_in_order(session: sn.Session) -> None:
    """Every frame is there, in the order in which it was sent and came, and adds up to what the turns say."""
    records = list(session.events)
    assert [record.n for record in records] == list(range(len(records)))
    assert all(before.t <= after.t for before, after in itertools.pairwise(records))
    responses = [record.event.response.id for record in records if isinstance(record.event, ev.ResponseDone)]
    for turn, response in zip(session.turns, responses, strict=True):
        events = [
            record
            for record in records
            if isinstance(record.event, ev.PartEvent) and record.event.response_id == response
        ]
        text = "".join(r.event.delta or "" for r in events if isinstance(r.event, ev.AudioTranscriptDelta))
        audio = sum(r.audio.length for r in events if isinstance(r.event, ev.AudioDelta) and r.audio)
        assert text.strip() == turn.transcript
        assert audio == len(turn.audio.pcm)
        first, last = (
            next(i for i, r in enumerate(records) if r is event) for event in (events[0], events[-1])
        )
        between = {getattr(record.event, "response_id", response) for record in records[first:last]}
        assert between <= {response, None}, "one answer after the other"
