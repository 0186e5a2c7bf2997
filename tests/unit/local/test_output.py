"""Words and where in the audio they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepnb.local.output import place_words, split_words
from stepnb.local.parts import join_sentences, split_sentences

texts = st.text(alphabet="ab, .!?你好。，！“”1", max_size=60)


def test_split_words() -> None:
    assert split_words("It is 3.5, I think.") == ["It ", "is ", "3.5, ", "I ", "think."]
    assert split_words("你好，Step 小姐。") == ["你", "好，", "Step ", "小", "姐。"]


@given(texts)
def test_words_make_up_the_text(text: str) -> None:
    assert "".join(split_words(text)) == text


@given(texts, st.integers(0, 10**6), st.integers(0, 10**6))
def test_words_lie_in_their_audio_in_order(text: str, begin: int, size: int) -> None:
    placed = place_words(text, begin, size)
    starts = [start for start, _ in placed]
    assert starts == sorted(starts)
    assert all(begin <= start <= begin + size for start in starts)
    assert not placed or starts[0] == begin


def test_a_long_word_takes_longer() -> None:
    assert place_words("a extraordinary b", 100, 1700) == [(100, "a "), (300, "extraordinary "), (1700, "b")]


def test_sentences_are_put_together_again() -> None:
    for text in ("One. Two! Three?", "你好。我是阶跃。再见！", "Hello there."):
        assert join_sentences(split_sentences(text)) == text
