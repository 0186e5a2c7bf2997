"""What counts as the same when a session is replayed."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.audio.pcm import encode
from stepnb.errors import ReplayMismatch
from stepnb.protocol import codec
from stepnb.protocol import events as ev
from stepnb.recording.log import EventLog
from stepnb.recording.script import Flow, Script

SOUND, OTHER, SILENCE = b"\1\0\2\0" * 240, b"\3\0" * 480, bytes(960)


def sent(*what: ev.Event | bytes) -> list[str]:
    return [
        codec.encode(ev.InputAudioBufferAppend(audio=encode(e)) if isinstance(e, bytes) else e) for e in what
    ]


def text(words: str, **ids: str) -> ev.ConversationItemCreate:
    item = ev.Item(
        type="message", role="user", content=[ev.Part(type="input_text", text=words)], id=ids.get("id")
    )
    return ev.ConversationItemCreate(item=item, event_id=ids.get("event_id"))


def clip(pcm: bytes) -> ev.ConversationItemCreate:
    part = ev.Part(type="input_audio", audio=encode(pcm))
    return ev.ConversationItemCreate(item=ev.Item(type="message", role="user", content=[part]))


def recorded(*what: ev.Event | bytes) -> Script:
    log = EventLog()
    for frame in sent(*what):
        decoded = codec.decode(frame)
        event, audio = decoded.event, decoded.audio
        if isinstance(event, ev.ConversationItemCreate) and event.item.content:
            payload = event.item.content[0].audio
            audio = codec.cut_out(frame, payload, base64.b64decode(payload)) if payload else None
        log.append_frame("out", event.type, frame, 0, audio)
    return Script(log, log)


def play(script: Script, *what: ev.Event | bytes) -> None:
    for frame in sent(*what):
        script.came(frame)


def test_ids_are_not_compared() -> None:
    play(recorded(text("Hi", event_id="t1.item")), text("Hi", event_id="e9", id="mine"))


CUTS: list[Callable[[bytes], list[bytes]]] = [
    lambda pcm: [pcm],
    lambda pcm: [pcm[:2], pcm[2:]],
    lambda pcm: [pcm[i : i + 100] for i in range(0, len(pcm), 100)],
    lambda pcm: [SILENCE, pcm, SILENCE * 7],
    lambda pcm: [pcm[:480], SILENCE, pcm[480:]],
]


@pytest.mark.parametrize("cut", CUTS)
def test_how_audio_is_cut_and_the_silence_in_it_are_not_compared(cut: Callable[[bytes], list[bytes]]) -> None:
    commit = ev.InputAudioBufferCommit()
    play(recorded(SOUND, SILENCE, OTHER, commit), *cut(SOUND + OTHER), commit)
    play(recorded(*cut(SOUND), commit, OTHER), SOUND, commit, OTHER)


def test_audio_may_be_ahead_of_or_behind_other_events() -> None:
    cancel = ev.ResponseCancel()
    play(recorded(SOUND, cancel, OTHER), cancel, SOUND, OTHER)
    play(recorded(SOUND, cancel, OTHER), SOUND, OTHER, cancel)


def test_how_far_a_player_came_is_not_compared() -> None:
    truncate = ev.ConversationItemTruncate(item_id="i", content_index=0, audio_end_ms=7)
    play(recorded(text("a"), truncate, text("b")), text("a"), text("b"))
    play(recorded(text("a"), text("b")), text("a"), truncate, text("b"))


@pytest.mark.parametrize(
    ("then", "now", "message"),
    [
        ([text("Hi")], [text("Ho")], r"something else.*\n.*Hi.*\n.*Ho"),
        ([text("Hi")], [ev.ResponseCancel()], r"something else.*\n.*Hi.*\n.*response\.cancel"),
        ([text("Hi")], [text("Hi"), text("Hi")], r"more than the recorded.*\n.*nothing more.*\n.*Hi"),
        ([SOUND], [OTHER], "other audio"),
        ([SOUND], [SOUND + OTHER], "more audio"),
        ([SOUND, ev.InputAudioBufferCommit()], [SOUND, OTHER], "more audio"),
        ([SOUND, ev.InputAudioBufferCommit()], [SOUND[:480], ev.InputAudioBufferCommit()], "less audio"),
        ([clip(SOUND)], [clip(OTHER)], "other audio"),
    ],
)
def test_the_first_difference_is_shown_from_both_sides(
    then: list[ev.Event | bytes], now: list[ev.Event | bytes], message: str
) -> None:
    with pytest.raises(ReplayMismatch, match=message) as caught:
        play(recorded(*then), *now)
    assert caught.value.got is not None


def test_the_same_clip_is_the_same() -> None:
    script = recorded(clip(SOUND))
    play(script, clip(SOUND))
    assert script.controls == 1


@given(st.lists(st.lists(st.sampled_from([0, 0, 1, -1]), max_size=10), max_size=10))
def test_a_flow_knows_where_the_sound_ends(chunks: list[list[int]]) -> None:
    flow = Flow()
    whole = [sample for chunk in chunks for sample in chunk]
    for chunk in chunks:
        flow.add(b"".join(sample.to_bytes(2, "little", signed=True) for sample in chunk))
    loud = [n for n, sample in enumerate(whole) if sample]
    assert flow.sound == len(loud)
    assert flow.last_sound == (loud[-1] + 1 if loud else 0)
    assert flow.last_sound + flow.silence == len(whole)
    assert [flow.end_of(n) for n in range(len(loud) + 1)] == [0, *(place + 1 for place in loud)]
