"""The queue before a loudspeaker: every sample once, what was heard of each item, and silence on demand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.audio.pcm import RATE
from stepnb.device.playout import AHEAD_S, FADE, RESERVE_MS, Playout
from stepnb.device.ring import Ring

BLOCK = RATE // 50
LATENCY = 0.04


class Speaker:
    """A loudspeaker with a clock: takes 20 ms at a time, which are heard a while later."""

    def __init__(self, playout: Playout) -> None:
        self.playout = playout
        self.now = 10.0
        self.sound = np.zeros(0, np.int16)

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            out = np.ones(BLOCK, np.int16)
            self.playout.render(out, self.now + LATENCY)
            self.sound = np.append(self.sound, out)
            self.now += BLOCK / RATE
            self.playout.pump()


def speech(seconds: float, value: int = 1000) -> np.ndarray:
    return np.full(round(seconds * RATE), value, np.int16)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=60))
def test_a_ring_gives_back_what_it_took_in_order(steps: list[tuple[bool, int]]) -> None:
    ring, given_in, got = Ring(16), 0, []
    for write, count in steps:
        if write:
            room = ring.room
            accepted = ring.write(np.arange(given_in, given_in + count, dtype=np.int16))
            assert accepted == min(count, room)
            given_in += accepted
        else:
            into = np.zeros(count, np.int16)
            got += list(into[: ring.read(into)])
        assert 0 <= ring.waiting <= 16
    assert got == list(range(len(got)))


def test_every_sample_is_played_once_and_counted_when_it_is_heard() -> None:
    playout = Playout()
    speaker = Speaker(playout)
    first, second = speech(1.3, 1000), speech(0.2, 2000)
    playout.push("a", first)
    playout.end("a")
    playout.push("b", second)
    playout.end("b")
    speaker.play(0.5)
    assert dict(playout.begun(speaker.now)) == {"a": pytest.approx(10.0 + LATENCY)}
    heard, ended = playout.playheads(speaker.now)
    assert heard == {"a": pytest.approx(460)} and not ended
    speaker.play(0.9)
    assert list(dict(playout.begun(speaker.now))) == ["b"]
    heard, ended = playout.playheads(speaker.now)
    assert heard["a"] == pytest.approx(1300) and ended
    speaker.play(0.5)
    assert playout.playheads(speaker.now) == ({"b": pytest.approx(200)}, True)
    assert not playout.playing and playout.underruns == 0
    np.testing.assert_array_equal(speaker.sound[: len(first) + len(second)], np.append(first, second))
    assert not speaker.sound[len(first) + len(second) :].any()


def test_an_item_waits_for_its_reserve_and_running_dry_is_counted() -> None:
    playout = Playout()
    speaker = Speaker(playout)
    playout.push("a", speech(RESERVE_MS / 1000 - 0.02))
    speaker.play(0.1)
    assert not speaker.sound.any()
    playout.push("a", speech(0.02))
    speaker.play(0.2)
    assert playout.underruns == 0, "it may have been over"
    playout.push("a", speech(0.5))
    playout.end("a")
    assert playout.underruns == 1
    speaker.play(1)
    list(playout.begun(speaker.now))
    assert playout.playheads(speaker.now)[0] == {"a": pytest.approx(RESERVE_MS + 500)}


def test_a_flush_fades_drops_and_tells_how_far_it_came() -> None:
    playout = Playout()
    speaker = Speaker(playout)
    playout.push("a", speech(5))
    playout.push("b", speech(1))
    speaker.play(0.4)
    playout.flush()
    assert playout.cut() is None
    playout.push("c", speech(0.3, 500))  # the next answer is not dropped with it
    playout.end("c")
    speaker.play(0.02)
    cut = playout.cut()
    assert cut is not None and cut.item == "a"
    assert cut.heard_ms == pytest.approx(400 + FADE * 1000 / RATE)
    assert cut.unheard_ms == pytest.approx(6000 - cut.heard_ms)
    assert cut.at == pytest.approx(10.4 + LATENCY + FADE / RATE)
    faded = speaker.sound[round(0.4 * RATE) :][:BLOCK].astype(int)
    assert (np.diff(faded[:FADE]) <= 0).all() and not faded[FADE:].any()
    speaker.play(AHEAD_S)
    assert set(speaker.sound[round(0.42 * RATE) :]) == {0, 500}
    assert playout.cut() is None
    list(playout.begun(speaker.now))
    assert playout.playheads(speaker.now) == ({"c": pytest.approx(300)}, True)


def test_a_flush_before_anything_sounded_says_so() -> None:
    playout = Playout()
    speaker = Speaker(playout)
    playout.push("a", speech(0.05))
    playout.flush()
    speaker.play(0.02)
    cut = playout.cut()
    assert cut is not None and (cut.heard_ms, cut.unheard_ms) == (0, 50)
