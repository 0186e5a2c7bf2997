from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

import pytest

from stepnb.local import arpa, phrasebook, sphinx
from stepnb.local.phrasebook import PhraseBook, display, is_held_out

UNSEEN = Path(__file__).parents[2] / "data" / "ears_unseen.txt"


def small(topics: str, slots: str = "") -> PhraseBook:
    return PhraseBook(f"[slots]\n{slots}\n[topics]\n{topics}\n[pronunciations]\n")


def test_templates_are_expanded() -> None:
    book = small('t = ["(hello|hi) [there] {who}"]', 'who = ["ann", "old (ben|bob)"]')
    assert list(book.sentences("t")) == [
        [
            "hello ann", "hello old ben", "hello old bob",
            "hello there ann", "hello there old ben", "hello there old bob",
            "hi ann", "hi old ben", "hi old bob",
            "hi there ann", "hi there old ben", "hi there old bob",
        ]
    ]  # fmt: skip
    assert book.slot("who") == ["ann", "old ben", "old bob"]


def test_large_templates_are_sampled_the_same_way_each_time() -> None:
    topics = 't = ["what is {number} plus {number}"]'
    first, second = (next(small(topics).sentences("t")) for _ in range(2))
    assert first == second
    assert 150 < len(first) <= phrasebook.MAX_SENTENCES


@pytest.mark.parametrize("template", ["(a", "a)", "[a", "{nobody}", "a } b", "(a]"])
def test_malformed_templates(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        small(f't = ["{template}"]')


def test_held_out_sentences_are_not_trained() -> None:
    book = phrasebook.load()
    held_out, trained = book.held_out(30), {sentence for sentence, _ in book.training}
    assert len(set(held_out)) == 30
    assert not trained & set(held_out)
    assert all(is_held_out(sentence) for sentence in held_out)
    # Known words in unknown sentences: otherwise the word error rate would measure the vocabulary.
    everything = {
        word for t in book.topics for found in book.sentences(t) for s in found for word in s.split()
    }
    assert everything == book.vocabulary()


def test_unseen_wordings_are_in_no_template() -> None:
    unseen = {line for line in UNSEEN.read_text("utf-8").splitlines() if line and not line.startswith("#")}
    book = phrasebook.load()
    said = {display(s) for topic in book.topics for sentences in book.sentences(topic) for s in sentences}
    assert len(unseen) == 28
    assert not unseen & said


def test_every_word_can_be_pronounced() -> None:
    book = phrasebook.load()
    pronounced = {line.split()[0] for line in sphinx.pronunciations(book).splitlines()}
    assert book.vocabulary() <= pronounced
    with pytest.raises(ValueError, match="no pronunciation for xyzzy"):
        sphinx.pronunciations(small('t = ["xyzzy"]'))


def test_display() -> None:
    assert display("what does c. a. t. spell") == "what does c a t spell"


def test_the_language_model_is_a_distribution() -> None:
    model = arpa.trigram_model([("a b", 2.0), ("a c", 1.0), ("b", 0.5)])
    tables: list[dict[tuple[str, ...], tuple[float, float]]] = [{}, {}, {}]
    order = 0
    for line in model.splitlines():
        if line.endswith("-grams:"):
            order = int(line[1])
        elif order and line and not line.startswith("\\"):
            fields = line.split()
            backoff = float(fields[order + 1]) if len(fields) > order + 1 else 0.0
            tables[order - 1][tuple(fields[1 : order + 1])] = (float(fields[0]), backoff)
    assert f"ngram 1={len(tables[0])}" in model
    assert f"ngram 3={len(tables[2])}" in model

    def log_probability(history: tuple[str, ...], word: str) -> float:
        gram = (*history, word)
        if gram in tables[len(gram) - 1]:
            return tables[len(gram) - 1][gram][0]
        return tables[len(history) - 1].get(history, (0.0, 0.0))[1] + log_probability(history[1:], word)

    totals: dict[tuple[str, ...], float] = defaultdict(float)
    for history in [(), ("a",), ("b",), ("<s>",), ("<s>", "a"), ("a", "b")]:
        for word in ("a", "b", "c", "</s>"):
            totals[history] += 10 ** log_probability(history, word)
    assert all(math.isclose(total, 1.0, abs_tol=2e-3) for total in totals.values())
