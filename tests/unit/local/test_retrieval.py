"""Ranking passages, what counts as an answer, and the prompt template."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepnb.local.brain.retrieval import (
    Index,
    Retriever,
    answer_from,
    fill_template,
    search_collection,
    terms,
)
from stepnb.local.library import Passage

PASSAGES = [
    Passage("The pump needs oil every month. Use grade seven.", "pump.md"),
    Passage("The filter is changed once a year. Order it by number 88.", "filter.md"),
    Passage("Call the service when the red lamp is on.", "faults.md"),
    Passage("水泵每个月需要加油一次。", "水泵.md"),
]


def best(question: str) -> str | None:
    found = Index(PASSAGES).best(question)
    return found.passage.source if found else None


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("How often is the filter changed?", "filter.md"),
        ("which oil does the pump need", "pump.md"),
        ("what do I do about the red lamp", "faults.md"),
        ("水泵多久加油？", "水泵.md"),
        ("what is the capital of France", None),
        ("who is the president of the pump club of Denmark", None),
        ("what is this", None),
        ("", None),
    ],
)
def test_the_best_passage_or_none(question: str, source: str | None) -> None:
    assert best(question) == source


def test_an_index_of_nothing() -> None:
    assert Index([]).best("oil") is None
    assert Index([Passage("", "")]).best("oil") is None


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=5), st.text(max_size=80))
def test_any_text(texts: list[str], question: str) -> None:
    found = Index([Passage(text, "a.txt") for text in texts]).best(question)
    assert found is None or 0 < found.coverage <= 1.0001


def test_terms() -> None:
    assert terms("The pumps are pumping 3 times") == ["pump", "pump", "3", "time"]
    assert terms("水泵的油") == ["水泵", "泵油"]
    assert terms("油") == ["油"]


def test_the_sentence_that_answers() -> None:
    text = "Doors open at nine. The filter is changed once a year. Order it by number 88. Goodbye."
    assert answer_from(text, "When is the filter changed?") == (
        "The filter is changed once a year. Order it by number 88."
    )


def test_the_template_is_filled_once() -> None:
    filled = fill_template("K: {{ knowledge }} Q: {{query}} {{other}}", "{{query}}", "what?")
    assert filled == "K: {{query}} Q: what? {{other}}", "text from a document is no template"


class Library:
    def passages(self, vector_store_id: str) -> list[Passage] | None:
        return {"vs_1": PASSAGES[:1], "vs_2": PASSAGES[1:], "empty": []}.get(vector_store_id)


def test_all_stores_are_asked() -> None:
    def tool(store: object) -> dict[str, object]:
        return {"type": "retrieval", "function": {"options": {"vector_store_id": store}}}

    found = Retriever(Library()).ask(
        [tool("vs_1"), tool("nowhere"), tool("empty"), tool(5), {"type": "retrieval"}, tool("vs_2")],
        "How often is the filter changed?",
    )
    assert found is not None and found.source == "filter.md"
    assert found.prompt == f"从文档 {PASSAGES[1].text} 中找到问题 How often is the filter changed? 的答案。"


def test_the_bundled_collection() -> None:
    page = search_collection("How high is Mount Everest?")
    assert page is not None and page.source == "Mount Everest"
    assert search_collection("Who won the game last night?") is None
