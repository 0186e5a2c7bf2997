"""Retrieval: the passage that answers a question best, by BM25, and the sentence in it that does.

Documents come from the engine's library for ``retrieval`` tools, and from a small collection that comes with stepnb for
``web_search``, which searches no web.
"""

from __future__ import annotations

import functools
import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from stepnb.local.brain.words import stem, word_set
from stepnb.local.library import Library, Passage
from stepnb.local.parts import join_sentences, split_sentences

DEFAULT_TEMPLATE = "从文档 {{knowledge}} 中找到问题 {{query}} 的答案。"
"""What the service puts around a passage when a tool brings no template of its own."""

MIN_COVERAGE = 0.5
"""How much of a question's words, each weighed by how rare it is, a passage must hold to be an answer."""

_TERMS = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
_STOP = word_set("search_stop")
_ZH_STOP = frozenset("的了吗呢是在有和与我你他她它们这那什么怎么请问一个多少吧啊为要几")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that answers a question.

    Attributes
    ----------
    coverage
        How much of the question it holds, from 0 to 1.
    """

    passage: Passage
    coverage: float


def terms(text: str) -> list[str]:
    """Cut a text into what is compared: stems of Latin words, and pairs of neighbouring Chinese characters."""
    found: list[str] = []
    for run in _TERMS.findall(text.lower()):
        if "\u3400" <= run[0] <= "\u9fff":
            kept = "".join(char for char in run if char not in _ZH_STOP)
            found += [kept[at : at + 2] for at in range(max(len(kept) - 1, min(len(kept), 1)))]
        elif run not in _STOP:
            found.append(stem(run))
    return found


class Index:
    """Passages, ready to be asked.

    Parameters
    ----------
    passages
        What can be found.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        import bm25s  # brings SciPy, for which an engine without documents should not wait

        self._passages = passages
        documents = [
            terms(f"{passage.source.rpartition('.')[0] or passage.source} {passage.text}")
            for passage in passages
        ]
        self._terms = [frozenset(document) for document in documents]
        self._known = Counter(term for document in self._terms for term in document)
        self._bm25 = bm25s.BM25()
        if self._known:
            self._bm25.index(documents, show_progress=False)

    def best(self, question: str) -> Found | None:
        """Return the passage that fits best; None when none holds enough of the question's words."""
        asked = list(dict.fromkeys(terms(question)))
        known = [term for term in asked if term in self._known]
        if not known:
            return None
        scores = self._bm25.get_scores(known)
        at = int(scores.argmax())
        weights = {term: self._rarity(term) for term in asked}
        coverage = sum(weights[term] for term in asked if term in self._terms[at]) / sum(weights.values())
        return Found(self._passages[at], coverage) if coverage >= MIN_COVERAGE else None

    def _rarity(self, term: str) -> float:
        count = max(self._known[term], 1)  # a word no passage has weighs as much as one that one has
        return math.log(1 + (len(self._passages) - count + 0.5) / (count + 0.5))


def answer_from(text: str, question: str) -> str:
    """Return the sentence of a passage that holds most of the question, with the one after it if there is one."""
    sentences = split_sentences(text)
    asked = set(terms(question))
    hits = [len(asked & set(terms(sentence))) for sentence in sentences]
    at = hits.index(max(hits)) if hits else 0
    return join_sentences(sentences[at : at + 2])


def fill_template(template: str, knowledge: str, question: str) -> str:
    """Put a passage and a question into a prompt template."""
    parts = re.split(r"(\{\{\s*(?:knowledge|query)\s*\}\})", template)
    values = {"knowledge": knowledge, "query": question}
    return "".join(values[part.strip("{} ")] if number % 2 else part for number, part in enumerate(parts))


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a retrieval tool found.

    Attributes
    ----------
    prompt
        The passage in the tool's template, as a language model would read it.
    answer
        What of the passage answers the question.
    source
        The document.
    """

    prompt: str
    answer: str
    source: str


class Retriever:
    """Answers from the documents that ``retrieval`` tools name.

    Parameters
    ----------
    library
        Where the documents are.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._index = functools.lru_cache(maxsize=8)(Index)

    def ask(self, tools: Sequence[Mapping[str, Any]], question: str) -> Retrieved | None:
        """Return the best answer among all stores; None when no document has one."""
        best: tuple[Found, str] | None = None
        for tool in tools:
            options = _options(tool)
            store, template = options.get("vector_store_id"), options.get("prompt_template")
            passages = self._library.passages(store) if isinstance(store, str) else None
            if not passages:
                continue
            found = self._index(tuple(passages)).best(question)
            if found is not None and (best is None or found.coverage > best[0].coverage):
                best = found, template if isinstance(template, str) and template else DEFAULT_TEMPLATE
        if best is None:
            return None
        passage = best[0].passage
        return Retrieved(
            prompt=fill_template(best[1], passage.text, question),
            answer=answer_from(passage.text, question),
            source=passage.source,
        )


def _options(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    function = tool.get("function")
    options = function.get("options") if isinstance(function, Mapping) else None
    return options if isinstance(options, Mapping) else {}


@functools.cache
def _collection() -> Index:
    data = (resources.files("stepnb.local") / "data" / "search.toml").read_text("utf-8")
    return Index([Passage(page["text"], page["title"]) for page in tomllib.loads(data)["pages"]])


def search_collection(question: str) -> Passage | None:
    """Return the page of the bundled collection that answers a question."""
    found = _collection().best(question)
    return found.passage if found is not None else None
