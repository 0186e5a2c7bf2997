"""Arguments out of what was said: every parameter takes what fits it, and what it has taken no other gets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from stepnb.local.brain import when
from stepnb.local.brain.phrases import take_phrase
from stepnb.local.brain.schema import Filled, Parameter, Tool
from stepnb.local.brain.words import Said, Span, Token, lexicon, meanings_of, name_words, places, word_set

_PREPOSITIONS = {
    "from": ("from", "out of", "从", "由"),
    "to": ("to", "into", "in", "for", "towards", "成", "为", "到", "去"),
    "at": ("in", "at", "for", "near", "around", "of", "to", "from"),
}
# Where a name or a phrase ends.
_ENDS = word_set("ends")
_NOBODY = word_set("nobody")
_KIN = word_set("kin")
_EMAIL = r"[\w.+-]+@[\w-]+\.[\w.-]*\w"
_URL = r"https?://[^\s<>\"]+"


_ORDER = (
    "choice",
    "flag",
    "email",
    "url",
    "datetime",
    "date",
    "time",
    "number",
    "place",
    "person",
    "list",
    "text",
)


def fill(tool: Tool, said: Said, now: datetime, anchors: Sequence[Span] = ()) -> Filled:
    """Fill a function's parameters from a sentence.

    Parameters
    ----------
    tool
        The function.
    said
        The sentence.
    now
        What "tomorrow" counts from.
    anchors
        Where the words stand that mean the function itself; they are no arguments.
    """
    filled = Filled()
    for kind in _ORDER:
        # Of two values that are said equally well, where it comes from is said first.
        for parameter in sorted(tool.parameters, key=lambda one: one.direction == "to"):
            if parameter.kind == kind:
                _FINDERS[kind](parameter, said, now, filled, [*anchors])
    return filled


def fill_answer(parameter: Parameter, said: Said, now: datetime) -> Filled:
    """Fill one parameter from the answer to a question that asked for it: the whole answer may be the value."""
    filled = Filled()
    if parameter.kind in _ORDER:
        _FINDERS[parameter.kind](parameter, said, now, filled, [])
    if parameter.name not in filled.arguments and parameter.kind in ("text", "place", "person"):
        prefix = r"^\W*(?:(?:please|it is|it's|in|at|to|for|from|say|that|the one in|make it|去|在|是|给)\s*)+(?=\S)"
        start = found.end() if (found := said.find(prefix)) and parameter.kind != "text" else 0
        end = found.start() if (found := said.find(r"[\W_]*(?:\bplease\b)?[\W_]*$")) else len(said.raw)
        value = said.raw[start:end].strip()
        if value:
            filled.take(
                parameter, value if said.cased or parameter.kind == "text" else value.title(), (start, end)
            )
    return filled


# Finders: one for each kind of parameter ------------------------------------------------------------------------------


def _choice(parameter: Parameter, said: Said, _: datetime, filled: Filled, __: list[Span]) -> None:
    best: tuple[tuple[int, int, int], Any, Span] | None = None
    for value in parameter.choices:
        for span in _mentions(value, said):
            if not filled.free(span):
                continue
            before = said.low[: span[0]].rstrip()
            right_side = bool(parameter.direction) and before.endswith(_PREPOSITIONS[parameter.direction])
            wrong_side = any(
                side != parameter.direction and before.endswith(_PREPOSITIONS[side])
                for side in ("from", "to")
            ) and bool(parameter.direction)
            rank = (2 if right_side else 0 if wrong_side else 1, -span[0], span[1] - span[0])
            if best is None or rank > best[0]:
                best = rank, value, span
    if best is not None:
        filled.take(parameter, best[1], best[2], 0.6)


def _mentions(value: Any, said: Said) -> Iterable[Span]:
    """Find where a value of an enumeration is said, in one of its ways."""
    words = name_words(str(value)) if not str(value).isupper() else [str(value).lower()]
    ways = [" ".join(words), *lexicon()["values"].get("_".join(words), [])]
    for way in ways:
        if re.fullmatch(r"[\w' -]+", way) and way.isascii():
            for found in re.finditer(rf"\b{re.escape(way)}(?:s|es)?\b", said.low):
                yield found.span()
        elif (at := said.low.find(way)) >= 0:
            yield at, at + len(way)


def _flag(parameter: Parameter, said: Said, _: datetime, filled: Filled, __: list[Span]) -> None:
    meanings = said.meanings()
    for word in name_words(parameter.name):
        for meaning in meanings_of(word):
            if meaning in meanings and meanings[meaning][0] == 1.0:
                span = meanings[meaning][1]
                denied = re.search(r"\b(?:no|not|without|don't)(?: \w+)?\s*$|[不别无]$", said.low[: span[0]])
                filled.take(parameter, not denied, span)
                return


def _pattern(pattern: str) -> Any:
    def finder(parameter: Parameter, said: Said, _: datetime, filled: Filled, __: list[Span]) -> None:
        if found := said.find(pattern):
            filled.take(parameter, said.raw[slice(*found.span())], found.span(), 0.3)

    return finder


def _date(parameter: Parameter, said: Said, now: datetime, filled: Filled, _: list[Span]) -> None:
    found = when.find_date(said, now)
    if found and filled.free(found[1]):
        filled.take(parameter, found[0].isoformat(), found[1], 0.2)


def _time(parameter: Parameter, said: Said, _: datetime, filled: Filled, __: list[Span]) -> None:
    found = when.find_time(said)
    if found and filled.free(found[1]):
        filled.take(parameter, found[0], found[1], 0.2)


def _datetime(parameter: Parameter, said: Said, now: datetime, filled: Filled, _: list[Span]) -> None:
    day, time = when.find_date(said, now), when.find_time(said)
    if time is not None:
        date = day[0] if day else now.date()
        filled.take(parameter, f"{date.isoformat()}T{time[0]}:00", time[1], 0.2)
        if day is not None:
            filled.taken.append(day[1])


def _number(parameter: Parameter, said: Said, _: datetime, filled: Filled, __: list[Span]) -> None:
    if parameter.unit_s and (duration := when.find_duration(said)) and filled.free(duration[1]):
        _take_number(parameter, duration[0] / parameter.unit_s, duration[1], filled, 0.4)
        return
    found = [number for number in when.find_numbers(said) if filled.free(number.span)]
    mine = {meaning for word in parameter.words for meaning in meanings_of(word)}
    counted = [number for number in found if number.unit and mine & set(meanings_of(number.unit))]
    for number in [*counted, *found]:
        if _take_number(parameter, number.value, number.span, filled, 0.4 if number in counted else 0.1):
            return


def _take_number(parameter: Parameter, value: float, span: Span, filled: Filled, evidence: float) -> bool:
    if not parameter.least <= value <= parameter.most or (parameter.whole and value != int(value)):
        return False
    filled.take(parameter, int(value) if value == int(value) else round(value, 6), span, evidence)
    return True


def _place(parameter: Parameter, said: Said, _: datetime, filled: Filled, anchors: list[Span]) -> None:
    if said.chinese:
        pattern = {
            "from": r"从(?P<x>[^从到去的]{2,8}?)(?=到|去|飞|出发|$)",
            "to": r"(?:到|去|飞往|飞)(?P<x>[^从到去的]{2,8}?)(?=的|[，。？！]|$)",
        }
        if (found := said.find(pattern.get(parameter.direction, r"(?!)"))) and filled.free(found.span("x")):
            filled.take(parameter, said.raw[slice(*found.span("x"))], found.span("x"), 0.2)
            return
    for wanted in filter(str.isascii, _PREPOSITIONS[parameter.direction or "at"]):
        for found in re.finditer(rf"\b{wanted} (?:the (?:city|town) of )?", said.low):
            if (name := _name_at(said, found.end(), filled, anchors)) is not None:
                filled.take(parameter, _titled(said, name), name, 0.2)
                return
    for place in sorted(places(), key=lambda name: (-len(name), name)):  # "the Paris weather", 北京天气
        at = said.low.find(place)
        if at >= 0 and filled.free((at, at + len(place))) and _whole_word(said, at, at + len(place)):
            side = next(
                (side for side in ("from", "to") if said.low[:at].rstrip().endswith(_PREPOSITIONS[side])), ""
            )
            if not (side and parameter.direction and side != parameter.direction):
                filled.take(parameter, _titled(said, (at, at + len(place))), (at, at + len(place)), 0.2)
                return


def _whole_word(said: Said, start: int, end: int) -> bool:
    return said.chinese or not (said.low[:start][-1:].isalpha() or said.low[end : end + 1].isalpha())


def _name_at(said: Said, start: int, filled: Filled, anchors: Sequence[Span]) -> Span | None:
    """Return the place of the name that begins here: capitalised words, or in a transcript all up to an end."""
    words: list[Token] = []
    for token in said.tokens:
        if token.start < start:
            continue
        joined = not words or not re.search(r"[^\s'.-]", said.raw[words[-1].end : token.start])
        if not joined or token.text in _ENDS or token.text[0].isdigit() or len(words) == 4:
            break
        if not filled.free((token.start, token.end)) or (token.start, token.end) in anchors:
            break
        if said.cased and not said.capitalised(token):
            break
        words.append(token)
    if not words or words[0].start - start > 1:
        return None
    span = words[0].start, words[-1].end
    for count in range(len(words), 0, -1):  # "new york please" is New York when that is known
        if said.low[words[0].start : words[count - 1].end] in places():
            return words[0].start, words[count - 1].end
    return span if when.find_date(Said(said.raw[slice(*span)]), datetime(2000, 1, 1)) is None else None


def _titled(said: Said, span: Span) -> str:
    text = said.raw[slice(*span)]
    return text if said.cased else " ".join(word[:1].upper() + word[1:] for word in text.split())


def _person(parameter: Parameter, said: Said, _: datetime, filled: Filled, anchors: list[Span]) -> None:
    if said.chinese:
        found = said.find(r"(?:给|跟|告诉|叫|通知)(?P<x>[^，。\s]{1,6}?)(?=发|打|说|写|转|[，。：]|$)")
        if found and filled.free(found.span("x")):
            filled.take(parameter, said.raw[slice(*found.span("x"))], found.span("x"))
        return
    verbs = (
        r"\b(?:tell|text|message|messages?|call|phone|ring|ask|send|invite|remind|pay|email|to|for|with)\s+"
    )
    for found in re.finditer(verbs, said.low):
        kin = re.match(rf"(?:my|our) (?:{'|'.join(_KIN)})\b", said.low[found.end() :])
        if kin:
            span: Span | None = (found.end(), found.end() + kin.end())
        else:
            token = next((one for one in said.tokens if one.start >= found.end()), None)
            if token is None or token.text in _NOBODY or token.text[0].isdigit():
                continue
            span = _name_at(said, found.end(), filled, anchors) if said.cased else (token.start, token.end)
        if span is not None and filled.free(span) and span not in anchors:
            text = said.raw[slice(*span)]
            filled.take(parameter, text if kin else _titled(said, span), span)
            return


def _list(parameter: Parameter, said: Said, now: datetime, filled: Filled, anchors: list[Span]) -> None:
    if parameter.items is None:
        return
    if parameter.items.kind == "choice":
        spans = [(span, value) for value in parameter.items.choices for span in _mentions(value, said)]
        if spans:
            filled.arguments[parameter.name] = [value for _, value in sorted(spans, key=lambda one: one[0])]
            filled.taken += [span for span, _ in spans]
        return
    if parameter.items.kind == "number":
        free = [number for number in when.find_numbers(said) if filled.free(number.span)]
        if free:
            values = [int(number.value) if parameter.items.whole else number.value for number in free]
            filled.arguments[parameter.name] = values
            filled.taken += [number.span for number in free]
        return
    start = max((end for _, end in anchors), default=0)
    found = re.compile(r"\W*(?:(?:with|of|for|to|are|is|named|called)\b\W*)*(?P<items>.*?)\W*$").match(
        said.low, start
    )
    if found and found["items"]:
        span = found.span("items")
        pieces = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+|[、和]", said.raw[slice(*span)])
        filled.take(parameter, [piece for piece in pieces if piece], span)


def _text(parameter: Parameter, said: Said, _: datetime, filled: Filled, anchors: list[Span]) -> None:
    take_phrase(parameter, said, filled, anchors)


_FINDERS: dict[str, Any] = {
    "choice": _choice,
    "flag": _flag,
    "email": _pattern(_EMAIL),
    "url": _pattern(_URL),
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "number": _number,
    "place": _place,
    "person": _person,
    "list": _list,
    "text": _text,
}
