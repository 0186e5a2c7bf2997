"""Text from uploaded documents, and the passages it is cut into. Pure.

Plain text, Markdown, CSV, JSON, HTML and XML. The service reads PDF and office files too; the local engine does not.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import msgspec

from stepnb.local.parts import split_sentences

MAX_BYTES = 16 * 1024 * 1024
"""Of one document: parsing more would keep the engine from its sessions."""

MAX_PASSAGE = 600
"""Characters of a passage: what can be quoted in one answer."""

SUFFIXES = (".txt", ".md", ".csv", ".json", ".html", ".htm", ".xml")

_HEADING = 80  # a shorter paragraph without closing punctuation belongs to the next one
_SENTENCE_MARKS = (".", "!", "?", "…", "。", "！", "？", "；", ":", "：", '"', "”")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_INLINE = re.compile("a|abbr|b|bdi|cite|code|em|i|kbd|mark|q|s|small|span|strong|su[bp]|time|u|var")
_UNSEEN = frozenset({"script", "style", "template"})


class Unreadable(Exception):
    """A document whose text cannot be had; the message is a sentence for the client."""


def extract(filename: str, data: bytes) -> str:
    """Return the text of a document.

    Parameters
    ----------
    filename
        Its suffix says how to read it.
    data
        UTF-8, UTF-16 with a byte order mark, or GB 18030.

    Returns
    -------
    str
        A row of a table or an entry of a JSON list is a paragraph of its own. Not empty.

    Raises
    ------
    Unreadable
        Another kind of file, too large, broken, or without any text.
    """
    suffix = suffix_of(filename)
    if suffix not in SUFFIXES:
        raise Unreadable(
            f"the local engine reads no text from {suffix or 'files without a suffix'}; it reads {', '.join(SUFFIXES)}"
        )
    if len(data) > MAX_BYTES:
        raise Unreadable(f"the local engine reads documents up to {MAX_BYTES // 1024**2} MB")
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    if suffix == ".csv":
        text = _of_csv(text)
    elif suffix == ".json":
        text = _of_json(text)
    elif suffix in (".html", ".htm", ".xml"):
        text = _of_markup(text)
    if not text.strip():
        raise Unreadable("there is no text in the document")
    return text.strip()


def suffix_of(filename: str) -> str:
    """Return the lower-case suffix of a file name with its dot, or an empty string."""
    stem, dot, suffix = filename.rpartition(".")
    return dot + suffix.lower() if stem else ""


def split_passages(text: str) -> list[str]:
    """Cut a text into passages of at most 600 characters.

    Paragraphs stay whole where they fit, else they are cut between sentences; a heading stays with what follows it.
    """
    passages: list[str] = []
    heading = ""
    for raw in _BLANK_LINES.split(text):
        paragraph = raw.strip()
        if not paragraph:
            continue
        if (
            len(heading) + len(paragraph) < _HEADING
            and "\n" not in paragraph
            and not paragraph.endswith(_SENTENCE_MARKS)
        ):
            heading = f"{heading}\n{paragraph}".strip()
            continue
        passages.extend(_cut(f"{heading}\n{paragraph}".strip()))
        heading = ""
    if heading:
        passages.append(heading)
    return passages


def _cut(paragraph: str) -> Iterator[str]:
    if len(paragraph) <= MAX_PASSAGE:
        yield paragraph
        return
    passage = ""
    for sentence in split_sentences(paragraph):
        for start in range(0, len(sentence), MAX_PASSAGE):
            piece = sentence[start : start + MAX_PASSAGE]
            if passage and len(passage) + 1 + len(piece) > MAX_PASSAGE:
                yield passage
                passage = ""
            passage = f"{passage} {piece}".strip()
    if passage:
        yield passage


def _decoded(data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encodings = ["utf-16"] if wide else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable("the document is not text in UTF-8, UTF-16 or GB 18030")


def _of_csv(text: str) -> str:
    """Every row as ``header: value`` pairs, so that it can be understood alone."""
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise Unreadable(f"the CSV is broken: {error}") from None
    if len(rows) < 2:
        return ", ".join(rows[0]) if rows else ""
    header = rows[0]
    return "\n\n".join(
        "; ".join(
            f"{name}: {value}" if name else value
            for name, value in zip(header + [""] * (len(row) - len(header)), row, strict=False)
            if value
        )
        + "."
        for row in rows[1:]
        if any(row)
    )


def _of_json(text: str) -> str:
    try:
        value = msgspec.json.decode(text)
        entries = value if isinstance(value, list) else [value]
        return "\n\n".join("\n".join(_flat(entry, "")) + "." for entry in entries)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(f"the JSON is broken: {error}") from None


def _flat(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner, path)
    elif value is not None:
        yield f"{path}: {value}" if path else str(value)


def _of_markup(text: str) -> str:
    reader = _Markup()
    reader.feed(text)
    reader.close()
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(reader.pieces).split(_BREAK))
    return "\n\n".join(line for line in lines if line)


_BREAK = "\N{INFORMATION SEPARATOR TWO}"


class _Markup(HTMLParser):
    """Collects what a reader would see; also of XML, where every element is a block and no entity is expanded."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0
        self._xml = False

    def handle_pi(self, data: str) -> None:
        self._xml = self._xml or data.startswith("xml")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        self._break_at(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1
        self._break_at(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)

    def _break_at(self, tag: str) -> None:
        if self._xml or not _INLINE.fullmatch(tag):
            self.pieces.append(_BREAK)
