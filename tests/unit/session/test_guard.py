"""Short noises do not interrupt an answer, and no word is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepnb.session.guard import Frame, SpeechGuard

SILENCE = ("silence", b"")


def run(guard: SpeechGuard, levels: list[int], playing: bool = True, first: int = 0) -> list[list[str]]:
    """Push frames named by their number; return the names that came out with each."""
    frames: list[Frame] = [(str(first + n), b"") for n in range(len(levels))]
    return [
        [name for name, _ in guard.push(frame, level * 100.0, 100.0, SILENCE, playing=playing)]
        for frame, level in zip(frames, levels, strict=True)
    ]


def guard_of(ms: int) -> SpeechGuard:
    guard = SpeechGuard()
    guard.min_ms = ms
    return guard


def test_without_a_minimum_everything_passes_at_once() -> None:
    assert run(guard_of(0), [0, 1, 1]) == [["0"], ["1"], ["2"]]


def test_while_nothing_plays_everything_passes_at_once() -> None:
    assert run(guard_of(200), [0, 1, 1], playing=False) == [["0"], ["1"], ["2"]]


def test_speech_goes_out_whole_once_it_has_lasted() -> None:
    out = run(guard_of(100), [0, 1, 1, 0, 1, 1, 1, 1, 0])
    assert out == [["0"], [], [], [], [], [], ["1", "2", "3", "4", "5", "6"], ["7"], ["8"]]


def test_a_cough_becomes_silence_of_the_same_length() -> None:
    guard = guard_of(100)
    out = run(guard, [1, 1] + [0] * 12 + [0])
    assert out[:13] == [[]] * 13
    assert out[13] == ["silence"] * 14
    assert out[14] == ["14"]


def test_what_is_held_goes_out_when_the_answer_ends() -> None:
    guard = guard_of(500)
    assert run(guard, [1, 1, 1]) == [[], [], []]
    assert run(guard, [1], playing=False, first=3) == [["0", "1", "2", "3"]]


def test_after_a_pause_sound_has_to_last_anew() -> None:
    guard = guard_of(40)
    assert run(guard, [1, 1])[-1] == ["0", "1"]
    assert run(guard, [0] * 12 + [1], first=2)[-2:] == [["13"], []]


@given(
    st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=200), st.sampled_from([0, 20, 100, 500])
)
def test_no_frame_is_lost_or_moved(steps: list[tuple[int, bool]], ms: int) -> None:
    guard = guard_of(ms)
    out: list[str] = []
    for n, (level, playing) in enumerate(steps):
        out += [name for name, _ in guard.push((str(n), b""), level * 100, 100, SILENCE, playing=playing)]
        assert len(guard._held) <= (ms / 20) * 12
    out += [name for name, _ in guard.push(("end", b""), 0, 100, SILENCE, playing=False)]
    names = [*(str(n) for n in range(len(steps))), "end"]
    assert len(out) == len(names)
    assert all(got in (wanted, "silence") for got, wanted in zip(out, names, strict=True))
