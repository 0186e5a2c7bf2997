"""Turn detection is switched on or off while somebody speaks: what was said gets its answer all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

import stepnb as sn
from stepnb.local.engine import LocalEngine
from stepnb.session.audio_input import FRAME_BYTES
from tests.engine.person import Person, answered

TIMEOUT = 30
QUESTION = "What is two plus two?"
HEARD = "what is two plus two"


@pytest.fixture
def session(engine: LocalEngine) -> Iterator[sn.Session]:
    with sn.Session(engine.url, api_key=engine.key) as session:
        yield session


@pytest.fixture
def happens(session: sn.Session) -> Callable[..., threading.Event]:
    """Makes a flag that is set when an event has come."""

    def make(kind: str) -> threading.Event:
        flag = threading.Event()
        session.on(kind, lambda _: flag.set())
        return flag

    return make


def test_a_clip_whose_end_nobody_detects_any_more_is_committed(
    session: sn.Session, speech: Callable[[str], bytes], happens: Callable[..., threading.Event]
) -> None:
    started = happens("input_audio_buffer.speech_started")
    turn = session.append(sn.Clip.from_pcm(speech(QUESTION)))
    assert started.wait(TIMEOUT)
    session.update(vad=None)
    assert turn.wait(TIMEOUT).user_transcript == HEARD
    assert "4" in turn.transcript or "four" in turn.transcript
    assert isinstance(turn.user, sn.Clip) and turn.user.duration > 0.8
    # Nothing is left over that the next turn could be taken for.
    after = session.append(sn.Clip.from_pcm(speech("What is your name?"))).wait(TIMEOUT)
    assert after.user_transcript == "what is your name" and len(session.turns) == 2


def test_a_clip_in_which_speech_has_not_begun_yet_is_committed_too(
    session: sn.Session, speech: Callable[[str], bytes], happens: Callable[..., threading.Event]
) -> None:
    session.connect()
    off = happens("session.updated")
    turn = session.append(sn.Clip.silence(1.0) + sn.Clip.from_pcm(speech(QUESTION)))
    session.update(vad=None)
    assert off.wait(TIMEOUT)
    assert turn.wait(TIMEOUT).user_transcript == HEARD
    after = session.append(sn.Clip.from_pcm(speech("What is your name?"))).wait(TIMEOUT)
    assert after.user_transcript == "what is your name" and len(session.turns) == 2


def test_a_clip_is_heard_by_the_turn_detection_that_is_switched_on(
    engine: LocalEngine, speech: Callable[[str], bytes]
) -> None:
    with sn.Session(engine.url, api_key=engine.key, vad=None) as session:
        session.connect()
        turn = session.append(sn.Clip.silence(1.0) + sn.Clip.from_pcm(speech(QUESTION)))
        session.update(vad=sn.ServerVAD())
        assert turn.wait(TIMEOUT).user_transcript == HEARD
        assert len(session.turns) == 1
        assert "input_audio_buffer.commit" not in [record.kind for record in session.events]


def test_an_open_microphone_becomes_a_held_one(
    session: sn.Session, speech: Callable[[str], bytes], happens: Callable[..., threading.Event]
) -> None:
    session.connect()
    started, off = happens("input_audio_buffer.speech_started"), happens("session.updated")
    person, pcm = Person(session), speech(QUESTION)
    half = len(pcm) // 2 // FRAME_BYTES * FRAME_BYTES
    person.talk(True)
    person.say(pcm[:half])
    assert started.wait(TIMEOUT)
    session.update(vad=None)
    assert off.wait(TIMEOUT)
    person.say(pcm[half:])
    person.talk(False)
    answered(session, HEARD)
    # And from silence, in the next one.
    person.talk(True)
    person.say(speech("What is your name?"))
    person.talk(False)
    answered(session, HEARD, "what is your name")


def test_a_microphone_that_was_open_in_silence_becomes_a_held_one(
    session: sn.Session, speech: Callable[[str], bytes], happens: Callable[..., threading.Event]
) -> None:
    session.connect()
    off = happens("session.updated")
    person = Person(session)
    person.talk(True)
    person.say(bytes(24_000))
    session.update(vad=None)
    assert off.wait(TIMEOUT)
    person.say(speech(QUESTION))
    person.talk(False)
    answered(session, HEARD)


def test_a_held_microphone_becomes_an_open_one(engine: LocalEngine, speech: Callable[[str], bytes]) -> None:
    with sn.Session(engine.url, api_key=engine.key, vad=None) as session:
        session.connect()
        on = threading.Event()
        session.on("session.updated", lambda _: on.set())
        person = Person(session)
        person.talk(True)
        person.say(bytes(24_000))
        session.update(vad=sn.ServerVAD())
        assert on.wait(TIMEOUT)
        person.say(speech(QUESTION))
        person.talk(False)
        answered(session, HEARD)


def test_the_end_of_speech_is_not_waited_for_in_vain(
    session: sn.Session, speech: Callable[[str], bytes], happens: Callable[..., threading.Event]
) -> None:
    """Switched off just after the microphone was closed, before the service found the end."""
    session.connect()
    started = happens("input_audio_buffer.speech_started")
    person = Person(session)
    person.talk(True)
    person.say(speech(QUESTION))
    assert started.wait(TIMEOUT)
    person.talk(False)
    session.update(vad=None)
    answered(session, HEARD)
