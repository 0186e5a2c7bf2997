"""Sound on one clock: what was sent and what was heard, where it was sent and heard."""

from __future__ import annotations

import json

import numpy as np

from stepnb.audio.pcm import encode
from stepnb.conversation.reducer import Conversation
from stepnb.protocol import codec
from stepnb.protocol.codec import cut_out
from stepnb.recording.log import EventLog
from stepnb.recording.tracks import Stretch, mixed, tracks

SECOND = 10**9


class Story:
    """A log with times of one's own."""

    def __init__(self) -> None:
        self.log = EventLog()
        self.conversation = Conversation()

    def begin(self) -> None:
        frame = '{"type":"response.created","response":{"id":"r","status":"in_progress","output":[]}}'
        record = self.log.append_frame("in", "response.created", frame, self.log.anchor)
        self.conversation.apply(record, codec.decode(frame).event)

    def frame(self, side: str, at: float, pcm: bytes, **body: object) -> None:
        key = "audio" if side == "out" else "delta"
        payload = encode(pcm)
        frame = json.dumps({**body, key: payload})
        t = self.log.anchor + round(at * SECOND)
        record = self.log.append_frame(side, str(body["type"]), frame, t, cut_out(frame, payload, pcm))  # type: ignore[arg-type]
        self.conversation.apply(record, codec.decode(frame).event)

    def append(self, at: float, seconds: float, level: int = 1) -> None:
        self.frame("out", at, pcm(seconds, level), type="input_audio_buffer.append")

    def answer(self, at: float, item: str, seconds: float, level: int = 9) -> None:
        ids = {"response_id": "r", "item_id": item, "output_index": 0, "content_index": 0}
        self.frame("in", at, pcm(seconds, level), type="response.audio.delta", **ids)

    def local(self, kind: str, at: float, **data: object) -> None:
        record = self.log.append_local(kind, data, self.log.anchor + round(at * SECOND))
        self.conversation.apply(record, None)

    def lanes(self) -> dict[str, list[tuple[float, float]]]:
        found = tracks(list(self.log), self.conversation, self.log.anchor)
        return {
            lane: [(round(s.start, 3), round(s.end, 3)) for s in stretches]
            for lane, stretches in found.items()
        }


def pcm(seconds: float, level: int) -> bytes:
    return np.full(round(seconds * 24_000), level, "<i2").tobytes()


def test_microphone_pieces_are_one_stretch_in_spite_of_jitter_and_a_pause_is_a_pause() -> None:
    story = Story()
    for n, late in enumerate((0, 0.08, -0.01, 0.02)):
        story.append(1.04 + 0.04 * n + late, 0.04)
    story.append(3.0, 0.04)
    assert story.lanes()["input"] == [(1.0, 1.16), (2.96, 3.0)]


def test_a_complete_message_ends_where_it_was_sent() -> None:
    story = Story()
    story.frame("out", 2.0, pcm(3, 1), type="conversation.item.create")
    assert story.lanes()["input"] == [(-1.0, 2.0)]


def test_an_answer_begins_where_it_was_heard_and_none_lies_over_another() -> None:
    story = Story()
    story.answer(1.0, "a", 0.5)
    story.answer(1.1, "a", 1.5)
    story.answer(1.2, "b", 1.0)
    assert story.lanes()["output"] == [(1.0, 4.0)]
    story.local("first", 1.4, item="a")
    story.local("first", 5.0, item="b")
    assert story.lanes()["output"] == [(1.4, 3.4), (5.0, 6.0)]


def test_of_an_interrupted_answer_only_what_was_heard_is_there() -> None:
    story = Story()
    story.begin()
    story.answer(1.0, "a", 0.5)
    story.answer(1.1, "a", 1.5)
    story.local("playhead", 1.9, items={"a": 700.0})
    assert story.lanes()["output"] == [(1.0, 1.7)]


def test_a_piece_of_the_mixture_has_silence_where_nothing_was() -> None:
    story = Story()
    story.append(1.5, 0.5, level=7)
    found = tracks(list(story.log), story.conversation, story.log.anchor)["input"]
    piece = mixed(found, story.log.audio, 0.75, 24_000)
    assert piece.tolist() == [0] * 6000 + [7] * 12_000 + [0] * 6000
    assert mixed(found, story.log.audio, 1.25, 3).tolist() == [7, 7, 7]
    assert not mixed(found, story.log.audio, 5.0, 3).any()


def test_audio_that_was_not_kept_is_left_out() -> None:
    story = Story()
    story.log = EventLog(keep_audio="output")
    story.append(1.0, 0.04)
    story.answer(1.0, "a", 0.5)
    assert story.lanes() == {"input": [], "output": [(1.0, 1.5)]}
    assert Stretch(1.0, next(iter(story.log)).audio).end > 1.0  # type: ignore[arg-type]
