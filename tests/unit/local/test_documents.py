"""Text from documents, and passages from text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepnb.local import documents
from stepnb.local.documents import MAX_PASSAGE, Unreadable, extract, split_passages, suffix_of


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.txt", b"plain\r\ntext\r", "plain\ntext"),
        ("A.MD", "# Überschrift\n\nText".encode(), "# Überschrift\n\nText"),
        ("a.txt", b"\xef\xbb\xbfwith a mark", "with a mark"),
        ("a.txt", "今天天气很好".encode("gb18030"), "今天天气很好"),
        ("a.txt", "今天 day".encode("utf-16"), "今天 day"),
        ("a.csv", b"name,price\nTea,3\nCake,\n", "name: Tea; price: 3.\n\nname: Cake."),
        ("a.csv", b'name\n"two, three",4\n', "name: two, three; 4."),
        ("a.csv", b"only,headers\n", "only, headers"),
        ("a.json", b'[{"a": {"b": 1}, "c": [true, "x"], "d": null}, "e"]', "a.b: 1\nc: True\nc: x.\n\ne."),
        (
            "a.html",
            b"<title>T</title><style>p{}</style><p>One <b>bold</b>\n word &amp; more<p>Two<script>x</script>",
            "T\n\nOne bold word & more\n\nTwo",
        ),
        ("a.xml", b"<?xml version='1.0'?><r><a>One</a><b>Two</b></r>", "One\n\nTwo"),
        ("a.htm", b"<table><tr><td>x<td>y</table>", "x\n\ny"),
    ],
)
def test_extract(name: str, data: bytes, text: str) -> None:
    assert extract(name, data) == text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.pdf", b"%PDF", "reads no text from .pdf"),
        ("readme", b"text", "files without a suffix"),
        ("a.txt", b"\xff\xff\xff", "is not text"),
        ("a.txt", b"a\0b", "is not text"),
        ("a.txt", b" \n ", "no text in"),
        ("a.json", b"{", "JSON is broken"),
        ("a.json", b"[" * 100_000 + b"]" * 100_000, "JSON is broken"),
        ("a.csv", b'a,b\n"' + b"x" * 200_000, "CSV is broken"),
        ("a.html", b"<script>only</script>", "no text in"),
    ],
)
def test_unreadable(name: str, data: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        extract(name, data)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    assert extract("a.txt", b"x" * 10)
    with pytest.raises(Unreadable, match="up to"):
        extract("a.txt", b"x" * 11)


def test_xml_entities_are_not_expanded() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><r>x&b;</r>'
    assert "aaaa" not in extract("a.xml", bomb)


def test_headings_stay_with_their_text() -> None:
    text = "# Manual\n\n## Battery\n\nCharge it at night.\n\nIt lasts two days.\n\n# The end"
    assert split_passages(text) == [
        "# Manual\n## Battery\nCharge it at night.",
        "It lasts two days.",
        "# The end",
    ]


def test_long_paragraphs_are_cut_between_sentences() -> None:
    sentence = "This sentence has exactly fifty characters, count. "
    passages = split_passages(sentence * 30)
    assert len(passages) == 3 and all(passage.endswith("count.") for passage in passages)


@given(st.text(alphabet=st.sampled_from("ab .!?\n。，é中"), max_size=3000))
def test_passages_are_short_and_lose_nothing(text: str) -> None:
    passages = split_passages(text)
    assert all(0 < len(passage) <= MAX_PASSAGE + documents._HEADING for passage in passages)
    assert "".join("".join(passages).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.TXT", ".txt"), ("a.b.wav", ".wav"), (".txt", ""), ("txt", ""), ("a.", ".")]
)
def test_suffix(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix
