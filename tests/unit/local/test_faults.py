"""Faults as values, and when they strike."""

from __future__ import annotations

import asyncio
import functools
import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.errors import ConfigError
from stepnb.local.faults import (
    KINDS,
    Close,
    Fault,
    Faults,
    HandshakeStatus,
    InternalError,
    LateTranscript,
    SlowFirstAudio,
    TooManyConnections,
    UnknownType,
    named,
)
from stepnb.local.faults.frames import TRANSCRIPT, FrameFault
from stepnb.local.faults.line import Line
from stepnb.local.outbox import Entry, Hangup, Pause
from tests.engine.desk import Desk, run, silence, tone


def test_reprs_say_what_differs() -> None:
    fault = Close(code=4000, times=1)
    assert repr(fault) == "Close(times=1, code=4000)"
    assert repr(SlowFirstAudio()) == "SlowFirstAudio()" and str(SlowFirstAudio()) == "slow_first_audio"
    faults = Faults([fault, "jitter"])
    assert repr(faults) == f"<Faults: {fault!r} (struck 0), Jitter() (struck 0)>"
    assert repr(Faults()) == "<Faults: none>"


@pytest.mark.parametrize("name", KINDS)
def test_text_and_back(name: str) -> None:
    fault = KINDS[name](after=2, times=1, chance=0.25)
    assert named(str(fault)) == fault
    assert named(name.replace("_", "-")) == KINDS[name]()
    assert KINDS[name].__doc__ and fault.name() == name


def test_text_with_spaces_and_numbers() -> None:
    assert named(" close : code = 1013 , nth=1 ") == Close(code=1013, nth=1)
    assert named("late_transcript:seconds=0.5") == LateTranscript(seconds=0.5)
    assert named("handshake_status:status=401,message=who are you") == HandshakeStatus(
        status=401, message="who are you"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is no fault ''"),
        ("hiccup", "There is no fault 'hiccup'"),
        ("close:colour=red", "There is no 'colour' in the fault close"),
        ("close:code=red", "code of the fault close cannot be 'red'"),
        ("close:code=1005", "cannot have the code 1005"),
        ("close:at=response.audio.dleta", "sends no event 'response.audio.dleta'"),
        ("close:nth=0", "nth of the fault close cannot be"),
        ("handshake_status:status=200", "status of the fault handshake_status cannot be"),
        ("jitter:chance=2", "chance of the fault jitter cannot be"),
        ("stall:seconds=-1", "seconds of the fault stall cannot be"),
        ("fast_clock:factor=0", "factor of the fault fast_clock cannot be"),
    ],
)
def test_wrong_text(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")) as caught:
        named(text)
    assert caught.value.fix


def test_wrong_values() -> None:
    with pytest.raises(ConfigError, match="after of the fault close cannot be"):
        Close(after=-1)
    with pytest.raises(ConfigError, match="short reason"):
        Close(reason="x" * 124)
    with pytest.raises(ConfigError, match="is no fault"):
        Faults([7])  # type: ignore[list-item]


@given(after=st.integers(0, 5), times=st.none() | st.integers(0, 5))
def test_after_and_times(after: int, times: int | None) -> None:
    faults = Faults([InternalError(after=after, times=times)])
    struck = [faults.strike(InternalError) is not None for _ in range(20)]
    until = 20 if times is None else min(20, after + times)
    assert struck == [after <= number < until for number in range(20)]


def test_chance_follows_from_the_seed() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults([SlowFirstAudio(chance=0.3)], seed)
        return [faults.strike(SlowFirstAudio) is not None for _ in range(300)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 50 < sum(strikes(1)) < 130


def test_all_of_a_kind_count_until_one_strikes() -> None:
    once = HandshakeStatus(status=500, times=1)
    faults = Faults([TooManyConnections(after=1, times=1), once])
    assert [faults.strike(HandshakeStatus) for _ in range(3)] == [
        once,
        TooManyConnections(after=1, times=1),
        None,
    ]
    assert faults.struck(once) == 1


def test_planted_and_removed() -> None:
    faults = Faults()
    first = faults.add("jitter")
    faults.add("jitter")
    assert len(faults) == 2 and list(faults) == [first, first]
    faults.remove("jitter")
    assert len(faults) == 1
    faults.clear()
    assert len(faults) == 0
    with pytest.raises(ConfigError, match="not planted"):
        faults.remove(first)


def test_many_threads() -> None:
    faults = Faults([InternalError(times=500)])
    struck: list[Fault] = []

    def work() -> None:
        for _ in range(400):
            faults.add("jitter")
            if (fault := faults.strike(InternalError)) is not None:
                struck.append(fault)
            faults.remove("jitter")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(struck) == 500 and len(faults) == 1


# On the way out ----------------------------------------------------------------------------------------------------


@functools.cache
def frames() -> tuple[str, ...]:
    """What a session sends in a spoken and a written turn."""

    async def script(desk: Desk) -> None:
        desk.vad()
        desk.append(silence(300) + tone(600) + silence(300))
        await desk.until("response.done")
        await desk.ask(response={"modalities": ["text"]})

    return tuple(json.dumps(event) for event in run(script).events)


def through(faults: Faults, repeat: int = 1) -> list[Entry]:
    """What becomes of the frames, late ones at the end."""
    coming = frames() * repeat

    async def main() -> list[Entry]:
        sent: list[Entry] = []
        nothing_held = asyncio.Event()

        def put(entry: Entry) -> None:
            sent.append(entry)
            if not line._held:
                nothing_held.set()

        line = Line(faults, put)
        for frame in coming:
            line.put(frame)
        if line._held:
            nothing_held.clear()
            await nothing_held.wait()
        assert not line._transcripts and not line._response
        return sent

    return asyncio.run(main())


def test_without_faults_everything_passes_as_it_is() -> None:
    faults = Faults(["request_status", "internal_error"])
    assert through(faults) == list(frames())


FRAME_FAULTS = [kind for kind in KINDS.values() if issubclass(kind, FrameFault)]
SMALL = {"seconds": 0.0, "bytes": 70_000}


@settings(deadline=None, max_examples=60)
@given(
    kinds=st.lists(st.sampled_from(FRAME_FAULTS), max_size=5),
    chance=st.sampled_from([1.0, 0.5]),
    times=st.sampled_from([None, 1, 2]),
    seed=st.integers(0, 9),
)
def test_composed_in_any_way_they_send_events(
    kinds: list[type[Fault]], chance: float, times: int | None, seed: int
) -> None:
    planted = [
        kind(**{key: SMALL[key] for key in kind.fields() if key in SMALL}, chance=chance, times=times)
        for kind in kinds
    ]
    faults = Faults(planted, seed)
    sent = through(faults, repeat=2)
    types = {json.loads(frame)["type"] for frame in frames()} | {UnknownType().type, f"{TRANSCRIPT}failed"}
    for entry in sent:
        assert isinstance(entry, Pause | Hangup) or json.loads(entry)["type"] in types
    if not planted:
        assert sent == list(frames()) * 2
    again = Faults(planted, seed)
    assert through(again, repeat=2) == sent or any(isinstance(entry, Hangup) for entry in sent)


@pytest.mark.parametrize("kind", FRAME_FAULTS)
def test_each_strikes_once(kind: type[Fault]) -> None:
    fault = kind(**{key: SMALL[key] for key in kind.fields() if key in SMALL}, times=1)
    faults = Faults([fault])
    once = through(faults, repeat=3)
    assert faults.struck(fault) == 1
    assert once != list(frames()) * 3
    assert once[-len(frames()) :] == list(frames()) or kind is LateTranscript
