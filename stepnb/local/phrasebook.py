"""The phrase book: what a person may say to the local engine, from ``data/phrasebook.toml``.

The ears' language model is trained on its sentences, except for a sixteenth that is kept out by a rule of arithmetic
(`is_held_out`), so that the word error rate can be measured on sentences the model has not seen.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources

from stepnb.local.numbers import say

Template = tuple["str | Choice", ...]
"""A sequence of words and choices."""

MAX_SENTENCES = 200  # of one template; a template that means more is sampled
HELD_OUT_BUCKETS = 16
MIN_HELD_OUT_WORDS = 4  # keeping out "hello" would measure nothing and cost the ears their commonest word

_TOKEN = re.compile(r"[(|)\[\]]|\{\w+\}|[^\s(|)\[\]{}]+")


class Choice(tuple[Template, ...]):
    """One of several sequences; an optional part has an empty one."""


class PhraseBook:
    """The parsed phrase book.

    Parameters
    ----------
    source
        TOML text with ``[slots]``, ``[topics]`` and ``[pronunciations]``.

    Raises
    ------
    ValueError
        A template is malformed or names an unknown slot.
    """

    def __init__(self, source: str) -> None:
        data = tomllib.loads(source)
        self.pronunciations: Mapping[str, str] = data["pronunciations"]
        self._slots: dict[str, Choice] = {"number": Choice(_numbers())}
        # In file order: a slot may use the slots above it.
        for name, options in data["slots"].items():
            self._slots[name] = Choice(self._parse(option) for option in options)
        self.topics: dict[str, tuple[Template, ...]] = {
            topic: tuple(self._parse(template) for template in templates)
            for topic, templates in data["topics"].items()
        }

    def slot(self, name: str) -> list[str]:
        """List every filling of a slot without slots of its own."""
        return [" ".join(words) for words in _expand(self._slots[name])]

    def sentences(self, topic: str) -> Iterator[list[str]]:
        """List the sentences of a topic, one list per template; the same at every call."""
        for number, template in enumerate(self.topics[topic]):
            whole = Choice((template,))
            if _size(whole) <= MAX_SENTENCES:
                found = [" ".join(words) for words in _expand(whole)]
            else:
                chance = random.Random(f"{topic} {number}")
                found = [" ".join(_sample(whole, chance)) for _ in range(MAX_SENTENCES)]
            yield list(dict.fromkeys(found))

    @functools.cached_property
    def training(self) -> list[tuple[str, float]]:
        """What the language model learns: sentences with weights.

        A template's weight is the square root of the number of its sentences: arithmetic is said more often than
        "good night", but not two hundred times as often.
        """
        weighted: dict[str, float] = {}
        kept_out: set[str] = set()
        for topic in self.topics:
            for found in self.sentences(topic):
                for sentence in found:
                    if is_held_out(sentence):
                        kept_out.update(sentence.split())
                    else:
                        weighted[sentence] = weighted.get(sentence, 0.0) + len(found) ** -0.5
        # A word that only kept-out sentences use must still be heard: it is learned alone, out of all context.
        known = {word for sentence in weighted for word in sentence.split()}
        weighted |= dict.fromkeys(sorted(kept_out - known), 0.1)
        return list(weighted.items())

    def held_out(self, count: int) -> list[str]:
        """Choose sentences the language model has never seen, spread over the topics.

        Parameters
        ----------
        count
            How many.

        Returns
        -------
        list of str
            Topic by topic in turn, within a topic in the order of their hashes: nobody chose them.
        """
        queues = []
        for topic in self.topics:
            found = {s for sentences in self.sentences(topic) for s in sentences if is_held_out(s)}
            queues.append(sorted(found, key=_digest))
        in_turn = (s for row in itertools.zip_longest(*queues) for s in row if s is not None)
        return list(itertools.islice(in_turn, count))

    def vocabulary(self) -> set[str]:
        """Collect every word of the training sentences."""
        return {word for sentence, _ in self.training for word in sentence.split()}

    def _parse(self, template: str) -> Template:
        tokens = _TOKEN.findall(template)
        if "".join(tokens) != re.sub(r"\s", "", template):
            raise ValueError(f"stray braces in the template {template!r}")
        sequence = self._sequence(tokens, template)
        if tokens:
            raise ValueError(f"unmatched {tokens[0]!r} in the template {template!r}")
        return sequence

    def _sequence(self, tokens: list[str], template: str) -> Template:
        items: list[str | Choice] = []
        while tokens and tokens[0] not in ("|", ")", "]"):
            token = tokens.pop(0)
            if token in ("(", "["):
                options: list[Template] = [()] if token == "[" else []
                closing = ")" if token == "(" else "]"
                options.append(self._sequence(tokens, template))
                while tokens and tokens[0] == "|":
                    tokens.pop(0)
                    options.append(self._sequence(tokens, template))
                if not tokens or tokens.pop(0) != closing:
                    raise ValueError(f"{closing!r} is missing in the template {template!r}")
                items.append(Choice(options))
            elif token.startswith("{"):
                if token[1:-1] not in self._slots:
                    raise ValueError(f"unknown slot {token} in the template {template!r}")
                items.append(self._slots[token[1:-1]])
            else:
                items.append(token)
        return tuple(items)


@functools.cache
def load() -> PhraseBook:
    """Load the phrase book that comes with stepnb."""
    return PhraseBook((resources.files("stepnb.local") / "data" / "phrasebook.toml").read_text("utf-8"))


def is_held_out(sentence: str) -> bool:
    """Tell whether a sentence is kept out of the language model: by its hash, one in sixteen of four words or more."""
    long_enough = len(sentence.split()) >= MIN_HELD_OUT_WORDS
    return long_enough and int.from_bytes(_digest(sentence)) % HELD_OUT_BUCKETS == 0


def display(sentence: str) -> str:
    """Write a sentence as it is shown: the dictionary's letters ``a.`` without their dots."""
    return re.sub(r"\b([a-z])\.", r"\1", sentence)


def _digest(sentence: str) -> bytes:
    return hashlib.sha256(sentence.encode()).digest()


def _numbers() -> Iterator[tuple[str, ...]]:
    # Small numbers are said more often: they stand in the list more often.
    for value in (*range(1, 13), *range(1, 13), *range(101), 120, 125, 150, 200, 250, 300, 365, 400, 500, 512, 600, 700,
                  750, 800, 900, 999, 1000, 1500, 2000, 5000, 10_000):  # fmt: skip
        yield tuple(say(value).replace("-", " ").split())


def _size(choice: Choice) -> int:
    total = 0
    for sequence in choice:
        size = 1
        for item in sequence:
            size *= _size(item) if isinstance(item, Choice) else 1
        total += size
    return total


def _expand(choice: Choice) -> Iterator[tuple[str, ...]]:
    for sequence in choice:
        parts = [
            list(_expand(item)) if isinstance(item, Choice) else [tuple(item.split())] for item in sequence
        ]
        for combination in itertools.product(*parts):
            yield tuple(itertools.chain.from_iterable(combination))


def _sample(choice: Choice, chance: random.Random) -> tuple[str, ...]:
    words: list[str] = []
    for item in chance.choice(choice):
        words.extend(_sample(item, chance) if isinstance(item, Choice) else (item,))
    return tuple(words)
