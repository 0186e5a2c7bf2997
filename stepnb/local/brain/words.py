"""What words mean to the tool matcher: stems, words of the same meaning, and where they stand in a sentence."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from itertools import zip_longest
from typing import Any

from stepnb.local.brain.context import MAX_TEXT, is_chinese
from stepnb.local.brain.knowledge import book

_TOKEN = re.compile(r"[^\W\d_\u3400-\u9fff]+(?:['-][^\W\d_\u3400-\u9fff]+)*|\d+(?:[.,:]\d+)*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
Span = tuple[int, int]


@functools.cache
def lexicon() -> dict[str, Any]:
    """Read ``data/tools.toml``."""
    return tomllib.loads((resources.files("stepnb.local") / "data" / "tools.toml").read_text("utf-8"))


def word_list(name: str) -> list[str]:
    """Return a list of words of ``data/tools.toml``, in its order."""
    words: str = lexicon()["lists"][name]
    return words.split()


def word_set(name: str) -> frozenset[str]:
    """Return a list of words of ``data/tools.toml`` as a set."""
    return frozenset(word_list(name))


def stem(word: str) -> str:
    """Take the plural, -ing and -ed off an English word, roughly."""
    word = word.removesuffix("'s")
    for suffix, least, instead in (
        ("ies", 3, "y"),
        ("sses", 2, "ss"),
        ("ing", 4, ""),
        ("ed", 4, ""),
        ("s", 3, ""),
    ):
        if word.endswith(suffix) and len(word) - len(suffix) >= least and not word.endswith("ss"):
            return word[: -len(suffix)] + instead
    return word


def name_words(name: str) -> list[str]:
    """Cut a name such as ``getWeather`` or ``party_size`` into lower-case words."""
    return [part.lower() for piece in re.split(r"[\W_]+", name) for part in _CAMEL.split(piece) if part]


@functools.cache
def _meanings() -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """Return what each stem or Chinese word means, with the strength; and the Chinese words, longest first."""
    known: dict[str, dict[str, float]] = {}
    for meaning, words in lexicon()["meanings"].items():
        for strength, kind in ((1.0, "same"), (0.5, "near")):
            for word in words[kind]:
                known.setdefault(word if is_chinese(word) else stem(word), {})[meaning] = strength
    return known, tuple(sorted(filter(is_chinese, known), key=len, reverse=True))


def meanings_of(word: str) -> dict[str, float]:
    """Return the meanings of a lower-case word, with their strength; an unknown word means itself."""
    root = stem(word)
    return _meanings()[0].get(root, {}) or {root: 1.0}


@functools.cache
def places() -> frozenset[str]:
    """Return cities in lower-case English and in Chinese; other places are found by where they stand."""
    rows = [row.split("|") for row in book()["capitals"]["rows"].split("\n") if row]
    return frozenset(
        [row[2].lower() for row in rows]
        + [row[3] for row in rows]
        + list(book()["cities"])
        + lexicon()["places"]["en"]
        + lexicon()["places"]["zh"]
    )


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number of a sentence.

    Attributes
    ----------
    text
        In lower case.
    start, end
        Where it stands.
    """

    text: str
    start: int
    end: int


class Said:
    """Something the user said, ready to be searched.

    Attributes
    ----------
    raw
        The text as it came, at most `MAX_TEXT` characters.
    low
        The same in lower case, character by character.
    tokens
        Its Latin words and its numbers.
    cased
        Whether it tells names by capitals, as written text does and a transcript does not.
    """

    def __init__(self, text: str) -> None:
        self.raw = text[:MAX_TEXT].replace("’", "'").strip()
        self.low = "".join(char.lower() if len(char.lower()) == 1 else char for char in self.raw)
        self.chinese = is_chinese(self.raw)
        self.tokens = [Token(found[0], *found.span()) for found in _TOKEN.finditer(self.low)]
        self.cased = any(char.isupper() for char in self.raw)

    def find(self, pattern: str) -> re.Match[str] | None:
        """Search the lower-case text."""
        return re.search(pattern, self.low)

    def capitalised(self, token: Token) -> bool:
        """Tell whether a word is written as a name."""
        return self.raw[token.start].isupper()

    def meanings(self) -> dict[str, tuple[float, Span]]:
        """Return what its words mean, with the strength and where the word stands."""
        found: dict[str, tuple[float, Span]] = {}

        def note(meanings: dict[str, float], span: Span) -> None:
            for meaning, strength in meanings.items():
                if strength > found.get(meaning, (0.0, span))[0]:
                    found[meaning] = strength, span

        for token, after in zip_longest(self.tokens, self.tokens[1:]):
            note(meanings_of(token.text), (token.start, token.end))
            if after is not None:  # "count down", "e mail"
                joined = stem(token.text + after.text)
                note(_meanings()[0].get(joined, {}), (token.start, after.end))
        if self.chinese:
            known, words = _meanings()
            for word in words:
                at = self.low.find(word)
                if at >= 0:
                    note(known[word], (at, at + len(word)))
        return found
