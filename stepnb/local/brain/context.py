"""What a rule sees: the question made plain, the conversation before it, and how to answer."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stepnb.local.brain.manner import Manner
from stepnb.local.parts import BrainRequest, Language

MAX_TEXT = 2000
"""Characters of a message that are looked at: rules search with patterns, whose time grows with the text."""

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_CONTRACTIONS = (
    (r"\b(what|who|where|when|how|that|it|there|here|he|she)'s\b", r"\1 is"),
    (r"\b(i)'m\b", r"\1 am"),
    (r"\b(you|we|they)'re\b", r"\1 are"),
    (r"\b(i|you|we|they|it)'ll\b", r"\1 will"),
    (r"\b(i|you|we|they)'ve\b", r"\1 have"),
    (r"\b(i|you|we|they)'d\b", r"\1 would"),
    (r"\bcan't\b", "cannot"),
    (r"\bwon't\b", "will not"),
    (r"n't\b", " not"),
)


def is_chinese(text: str) -> bool:
    """Tell whether a text is written in Chinese characters, at least in part."""
    return bool(_HAN.search(text))


def plain(text: str) -> str:
    """Make a message easy to match.

    English: lower case, contractions written out, no punctuation but signs of arithmetic, apostrophes and decimal
    points. Chinese: no white space and no punctuation.
    """
    text = text[:MAX_TEXT].lower().replace("’", "'").replace("‘", "'")
    if is_chinese(text):
        return re.sub(r"[^\w+\-*/×÷.%]|(?<!\d)\.|\.(?!\d)", "", text)
    for pattern, written_out in _CONTRACTIONS:
        text = re.sub(pattern, written_out, text)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"[^\w\s'+\-*/×÷.%]|(?<!\d)\.|\.(?!\d)|(?<!\w)'|'(?!\w)", " ", text)
    text = re.sub(r"(?<=[^\W\d])-(?=[^\W\d])", " ", text)  # twenty-five, but not 20-5
    return " ".join(re.sub(r"(?<=\d|\s)([+\-*/×÷%])", r" \1 ", " " + text).split())


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and the answer it got (empty when it got none)."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Context:
    """One question with all that may matter for its answer.

    Attributes
    ----------
    raw
        The last user message as it came; None when the user has said nothing since the last answer.
    text
        The same made `plain`.
    turns
        What was said before, oldest first.
    manner
        How to speak.
    language
        The language of the answer.
    now
        The moment of the question.
    seed
        Decides between equally good answers.
    """

    raw: str | None
    text: str
    turns: tuple[Turn, ...]
    manner: Manner
    language: Language
    now: datetime
    seed: int

    @classmethod
    def of(cls, request: BrainRequest) -> Context:
        """Read a request."""
        manner = Manner().told(request.instructions[:20_000])
        turns: list[Turn] = []
        question: str | None = None
        heard = ""
        for message in request.history:
            if message.role == "user":
                manner = manner.asked(message.text[:MAX_TEXT])
                if question is not None:
                    turns.append(Turn(question, ""))
                question = heard = message.text
            elif message.role == "assistant" and message.text:
                turns.append(Turn(question or "", message.text))
                question = None
        spoken: Language = "zh" if is_chinese(heard or request.instructions) else "en"
        return cls(
            raw=question,
            text=plain(question or ""),
            turns=tuple(turns),
            manner=manner,
            language=manner.language or spoken,
            now=request.now,
            seed=request.seed,
        )

    def find(self, english: str, chinese: str = "") -> re.Match[str] | None:
        """Search the question with the pattern of its language; ``^`` and ``$`` are its beginning and end."""
        pattern = chinese if is_chinese(self.text) else english
        return re.search(pattern, self.text) if pattern else None

    def pick(self, english: str, chinese: str) -> str:
        """Pick the text in the language of the answer."""
        return chinese if self.language == "zh" else english

    def choose(self, options: Sequence[str]) -> str:
        """One of several equally good answers, another one each time until all were given."""
        order = list(options)
        random.Random(self.seed).shuffle(order)
        given = [option for option in order if any(option in turn.answer for turn in self.turns)]
        fresh = [option for option in order if option not in given]
        return fresh[0] if fresh else order[len(self.turns) % len(order)]

    def chance(self) -> random.Random:
        """Make a source of chance that differs from turn to turn, but not from run to run."""
        return random.Random(f"{self.seed} {len(self.turns)} {self.text}")
