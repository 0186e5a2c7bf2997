"""Free text among the arguments: what is to be said, looked for or bought, in the user's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from stepnb.local.brain.schema import Filled, Parameter
from stepnb.local.brain.words import Said, Span, Token, lexicon, word_set

_LEADING = re.compile(
    r"^\W*(?:(?:please|hey|hi|hello|ok|okay|could you|can you|would you|will you|i would like(?: you)? to|i'd like"
    r"(?: you)? to|i would like|i'd like|i want(?: you)? to|i want|"
    r"i need(?: you)? to|we need(?: to)?|i need|let us|let's|"
    r"how do you say|how do i say|what is|what's|what are|how are|how is|tell me|show me|give me|get me|find me|"
    r"请|麻烦|帮我|给我|我想|我要)\W*)+"
)
_FILLERS = word_set("fillers")
_QUOTED = re.compile(r"[\"“「『](?P<words>[^\"”」』]+)[\"”」』]")
_MARKED = re.compile(
    r"\b(?:saying that|saying|that says|which says|that reads|to say|to tell \w+ that|that|"
    r"with the (?:text|words|message|title|subject))\b[:,]?\s*"
    r"|:\s+|(?:说|内容是|内容为|告诉(?:他|她))[：:，,]?|[：:]"
)
_MAX_PLACES = 8  # of one preposition that are looked at
_EDGES = word_set("edges")
_SAYINGS = word_set("sayings")
_CREATORS = word_set("creators")


def take_phrase(parameter: Parameter, said: Said, filled: Filled, anchors: Sequence[Span]) -> None:
    """Give a parameter the words that are meant for it: quoted, after a marker, or left over."""
    span = _marked(said, filled) if set(parameter.words) & _SAYINGS else None
    if found := _QUOTED.search(said.raw):
        span = found.span("words")
    span = span or _by_preposition(parameter, said, filled, anchors)
    if span is None:
        span = _remainder(said, filled, anchors)
        if span is not None and not (span[0] > 0 and said.raw[span[0]].isupper()):
            filled.guessed.add(parameter.name)
    if span is not None:
        text = said.raw[slice(*span)].strip(" .!?。！？,，")
        if text:
            filled.take(parameter, text, span)


def unexplained(said: Said, filled: Filled, anchors: Sequence[Span]) -> list[Span]:
    """Return the runs of words that are neither arguments nor about the function, nor mere form."""
    weak = lexicon()["verbs"]["weak"]
    leading = _LEADING.match(said.low)
    start = leading.end() if leading else 0
    tokens = [
        token
        for token in said.tokens
        # A number that did not fit is no reason not to ask for one that does.
        if token.start >= start and token.text not in weak and not token.text[0].isdigit()
    ]
    return _runs(tokens, said, filled, anchors)


def _marked(said: Said, filled: Filled) -> Span | None:
    """Return everything after "saying", a colon or 说."""
    for found in _MARKED.finditer(said.low):
        if found.start() and found.end() < len(said.raw) and filled.free(found.span()):
            return found.end(), len(said.raw)
    return None


def _by_preposition(parameter: Parameter, said: Said, filled: Filled, anchors: Sequence[Span]) -> Span | None:
    """Return what follows "by" for a creator, "about" for a topic, "for" and "of" for anything."""
    if set(parameter.words) & _CREATORS:
        zh = said.find(
            r"(?:播放|放|听|来)(?:一首|一下|一些|点|些|首)?(?P<x>[^，。]{1,12}?)的(?=歌|音乐|曲|专辑)"
        )
        found = zh or said.find(r"\bby (?P<x>(?:the )?[^,.?!]+?)(?= please| now|[,.?!]|$)")
        return found.span("x") if found and filled.free(found.span("x")) else None
    for preposition in ("about", "called", "named", "for", "of"):
        for found in islice(re.finditer(rf"\b{preposition} (?:the |an? |my )?", said.low), _MAX_PLACES):
            run = _runs([token for token in said.tokens if token.start >= found.end()], said, filled, anchors)
            if run and run[0][0] == found.end():
                return run[0]
    return None


def _remainder(said: Said, filled: Filled, anchors: Sequence[Span]) -> Span | None:
    """Return the longest run of words that nothing else accounts for."""
    leading = _LEADING.match(said.low)
    start = leading.end() if leading else 0
    runs = _runs([token for token in said.tokens if token.start >= start], said, filled, anchors)
    return max(runs, key=lambda run: run[1] - run[0], default=None)


def _runs(tokens: Sequence[Token], said: Said, filled: Filled, anchors: Sequence[Span]) -> list[Span]:
    runs: list[list[Token]] = [[]]
    for token in tokens:
        span = (token.start, token.end)
        used = not filled.free(span) or any(a <= token.start and token.end <= b for a, b in anchors)
        apart = runs[-1] and re.search(r"[^\s'-]", said.raw[runs[-1][-1].end : token.start])
        if used or apart:
            runs.append([])
        if not used:
            runs[-1].append(token)
    spans = []
    for run in runs:
        while run and (run[0].text in _FILLERS or run[0].text in _EDGES):
            run = run[1:]
        while run and (run[-1].text in _FILLERS or run[-1].text in _EDGES):
            run = run[:-1]
        if run:
            spans.append((run[0].start, run[-1].end))
    return spans
