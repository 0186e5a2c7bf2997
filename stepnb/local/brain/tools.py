"""Tools: which function a sentence wants, with which arguments, and what is still missing.

It goes by words, not by understanding: the words of a function's name, description and parameters, and words of the
same meaning (``data/tools.toml``), weighed against what was said. `match` is for one sentence; `decide` looks at the
conversation too, because the user may be answering a question about a missing argument.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stepnb.local.brain.arguments import fill, fill_answer
from stepnb.local.brain.context import Context
from stepnb.local.brain.phrases import unexplained
from stepnb.local.brain.schema import Filled, Parameter, Tool
from stepnb.local.brain.words import Said, Span, word_set
from stepnb.local.parts import ToolCall

MAX_CALLS = 8
CALL_SCORE = 0.9
"""What a function needs to be called: one word of its own name's matter, or weaker words with arguments that fit."""

ASK_SCORE = 1.3
"""What it needs to be asked about: more, because a wrong question is worse than an honest "I do not understand"."""

_MAX_QUESTIONS = 6
_LONGEST_NAME = 6  # words
_COMPLETE = 0.4  # what it adds that no argument is missing
_TELLING = 1.2  # arguments that make up for words: "100 pounds in yen"
_MOST_EVIDENCE = 1.2
_LEAST_WORDS = 0.3
_BARE = 0.4  # what the words of a request without arguments have to say at least
_SHORT_ZH = 12  # characters of a Chinese request without arguments
_EXPLAINED = 0.8  # what a question that asks for an explanation needs on top

_STATES = "|".join(
    (
        r"\byesterday\b|\bago\b|\blast (?:week|night|month|year|time|summer|winter)\b|昨天|前天|上周|去年",
        r"^\W*(?:i|we|he|she|they|it) (?:was|were|had|did|went|saw|sent|flew|made|played|heard|bought|booked)\b",
        r"^\W*(?:i|we|he|she|they) (?:like|love|hate|think)\b",
        r"^\W*(?:the|my|our|that|this|his|her) [\w' ]+? (?:was|were|had been)\b",
    )
)
_ASKS = r"^\W*(?:what|which|who|how|when|where|will|is|are|was|can|could|do|does|did)\b|吗|什么|怎么|多少|几"
_EXPLAINS = "|".join(
    (
        r"^\W*(?:why|who|whose)\b",
        r"^\W*(?:what|which) (?:\w+ )?(?:does|did|do|is an?|is the meaning|wrote|made|won|has|had)\b",
        r"^\W*what (?:is|are) (?:an? )?\w+\W*$",
        r"^\W*how (?:do|does|did) (?:you |one |i )?(?:spell|work|pronounce|make|know)\b",
        r"^\W*how many \w+ (?:did|does|are)\b",
        r"\btell me (?:something |more |all )?about\b|\b(?:invented|mean|means|meaning)\b|为什么|是什么意思|发明",
    )
)
_DENIES = r"\b(?:do not|don't|never|no need to|must not|shouldn't|stop)\b(?!.*\bforget\b)|不要|别|不用|不想"
_CANCELS = (
    r"^\W*(?:never ?mind|cancel|forget (?:it|that)|stop|no thanks?|no|nothing|算了|取消|不用了?|不要了?)"
    r"\W*(?:thank you|thanks|谢谢)?\W*$"
)
_JOINTS = re.compile(
    r",? and (?:then |also )?|, then |; |[，；]?(?:然后|还有|并且|另外|同时)|[，；](?=再|把|给|帮|开|关|放|查|定|订)"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A function that fits, and how well.

    Attributes
    ----------
    arguments
        By name, as far as they are known.
    missing
        The required parameters that are not.
    score
        How much speaks for it.
    """

    tool: Tool
    arguments: dict[str, Any]
    missing: tuple[Parameter, ...]
    score: float

    def call(self) -> ToolCall:
        """Make the call, with the arguments in the order of the schema."""
        order = [parameter.name for parameter in self.tool.parameters]
        known = {name: self.arguments[name] for name in order if name in self.arguments}
        return ToolCall(self.tool.name, json.dumps(known, ensure_ascii=False))


def match(tools: Sequence[Tool], text: str, now: datetime) -> Match | None:
    """Find the function that one sentence wants.

    Returns
    -------
    Match or None
        The best one, perhaps with arguments missing; None when none fits.
    """
    said = Said(text)
    if not said.raw or _is_no_request(said):
        return None
    found = [one for tool in tools if (one := _matched(tool, said, now)) is not None]
    return max(found, key=lambda one: (one.score, -len(one.missing)), default=None)


def _is_no_request(said: Said) -> bool:
    return bool(said.find(_DENIES) or (said.find(_STATES) and not said.find(_ASKS)))


def _matched(tool: Tool, said: Said, now: datetime) -> Match | None:
    meanings = said.meanings()
    hits = {name: meanings[name] for name in tool.meanings if name in meanings}
    words, anchors = _lexical(tool, hits)
    filled = fill(tool, said, now, anchors)
    missing = tuple(parameter for parameter in tool.required if parameter.name not in filled.arguments)
    if words < _LEAST_WORDS and (missing or filled.evidence < _TELLING):
        return None
    score = words + min(filled.evidence, _MOST_EVIDENCE)
    if not missing and filled.arguments.keys() - filled.guessed:
        score += _COMPLETE
    # Nothing but the function in it: "Set a timer" may be asked about, "What does a light year measure" may not.
    named = any(strength == 1.0 for strength, _ in hits.values()) or filled.arguments
    bare = named and not filled.guessed and _is_all(said, filled, anchors)
    needed = CALL_SCORE if not missing else _BARE if bare else ASK_SCORE
    if said.find(_EXPLAINS):
        needed += _EXPLAINED
    return Match(tool, filled.arguments, missing, score) if score >= needed else None


def _is_all(said: Said, filled: Filled, anchors: Sequence[Span]) -> bool:
    """Tell whether the sentence holds nothing but the function and its arguments."""
    return not unexplained(said, filled, anchors) and (bool(said.tokens) or len(said.raw) <= _SHORT_ZH)


def _lexical(tool: Tool, hits: dict[str, tuple[float, Span]]) -> tuple[float, list[Span]]:
    """Add up what the words say; one word counts once, however many meanings it has."""
    by_word: dict[Span, float] = {}
    for meaning, (strength, span) in hits.items():
        by_word[span] = max(by_word.get(span, 0.0), tool.meanings[meaning] * strength)
    anchors = [span for span, weight in by_word.items() if weight >= 0.4]
    return sum(by_word.values()), anchors


def match_all(tools: Sequence[Tool], text: str, now: datetime) -> list[Match]:
    """Find all functions a message wants: one, or one for each of its parts.

    "The weather in Paris and in London" is two calls of the same function; a message is only cut where every part
    makes a whole call.
    """
    whole = match(tools, text, now)
    parts = [part for part in _JOINTS.split(text[:2000]) if part and part.strip()]
    if 1 < len(parts) <= MAX_CALLS:
        found: list[Match] = []
        for part in parts:
            one = match(tools, part, now)
            if one is None or one.missing:
                one = _again(found[-1], part, now) if found else None
            if one is None:
                break
            found.append(one)
        if len(found) == len(parts) and len({one.call() for one in found}) == len(parts):
            return found
    return [whole] if whole is not None else []


def _again(before: Match, part: str, now: datetime) -> Match | None:
    """Read "and in London" as the call before it with another argument."""
    said = Said(part)
    if len(said.tokens) > 5 or len(said.raw) > 40:
        return None
    filled = fill(before.tool, said, now)
    fresh = {name: value for name, value in filled.arguments.items() if before.arguments.get(name) != value}
    typed = {p.name for p in before.tool.parameters if p.kind not in ("text", "list", "number")}
    if not set(fresh) & typed or any(
        filled.free((t.start, t.end)) and t.text not in _LINKS for t in said.tokens
    ):
        return None
    return Match(before.tool, before.arguments | fresh, (), before.score)


_LINKS = word_set("links")


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a message: make calls, ask for an argument, or neither."""

    calls: tuple[ToolCall, ...] = ()
    question: str = ""


def decide(tools: Sequence[Tool], context: Context) -> Decision:
    """Decide what the last message of a conversation wants.

    A question that was asked about a missing argument is found again by asking it again: nothing is kept between two
    answers but the conversation itself.
    """
    pending: Match | None = None
    turns = [*context.turns[-_MAX_QUESTIONS:]]
    for turn in turns:
        pending = _continued(tools, pending, turn.question, context)
        if pending is not None and ask(pending.missing[0], context) not in turn.answer:
            pending = None
    if context.raw is None:
        return Decision()
    if pending is not None:
        if Said(context.raw).find(_CANCELS):
            return Decision(question=context.pick("All right, I leave it.", "好的，那就算了。"))
        answered = _answered(pending, context.raw, context.now)
        fresh = match_all(tools, context.raw, context.now)
        # Another request instead of an answer is followed, and the old one forgotten.
        other = fresh and not fresh[0].missing and fresh[0].tool is not pending.tool
        if answered is not None and not other:
            return _decision([answered], context)
    return _decision(match_all(tools, context.raw, context.now), context)


def _continued(tools: Sequence[Tool], pending: Match | None, text: str, context: Context) -> Match | None:
    """Return what is still missing after a message, if anything is."""
    after = _answered(pending, text, context.now) if pending is not None else None
    after = after or match(tools, text, context.now)
    return after if after is not None and after.missing else None


def _answered(pending: Match, text: str, now: datetime) -> Match | None:
    """Fill what is missing from an answer; None when it holds nothing of it."""
    said = Said(text)
    wanted = pending.missing[0]
    if wanted.kind in ("text", "place", "person", "list"):
        if wanted.kind != "text" and (said.find(_ASKS) or len(said.tokens) > _LONGEST_NAME):
            return None
        got = fill_answer(wanted, said, now).arguments
    else:  # the number in "tomorrow at seven" is no number of people: all that is missing gets its turn
        typed = tuple(one for one in pending.missing if one.kind not in ("text", "place", "person", "list"))
        got = fill(Tool(name="", description="", parameters=typed), said, now).arguments
    if not got:
        return None
    missing = tuple(parameter for parameter in pending.missing if parameter.name not in got)
    return Match(pending.tool, pending.arguments | got, missing, pending.score)


def _decision(found: Sequence[Match], context: Context) -> Decision:
    if not found:
        return Decision()
    if found[0].missing:
        return Decision(question=ask(found[0].missing[0], context))
    return Decision(calls=tuple(one.call() for one in found[:MAX_CALLS]))


def ask(parameter: Parameter, context: Context) -> str:
    """Ask for an argument, in the language of the answer."""
    title = parameter.title
    if parameter.choices:
        shown = [str(choice).replace("_", " ") for choice in parameter.choices[:8]]
        listed = ", ".join(shown[:-1]) + (f" or {shown[-1]}" if len(shown) > 1 else shown[0])
        return context.pick(f"Which {title}: {listed}?", f"请选择{_zh(title)}：{'、'.join(shown)}。")
    by_kind = {
        "date": ("For which day?", "哪一天？"),
        "time": ("At what time?", "几点？"),
        "datetime": ("When?", "什么时候？"),
        "place": (f"Which {title}?", f"请问{_zh(title)}是哪里？"),
        "person": ("To whom?" if title == "recipient" else f"Who is the {title}?", f"请问{_zh(title)}是谁？"),
        "number": (
            f"How many {title}?" if title.endswith("s") else f"What is the {title}?",
            f"{_zh(title)}是多少？",
        ),
    }
    english, chinese = by_kind.get(parameter.kind, (f"What is the {title}?", f"请问{_zh(title)}是什么？"))
    return context.pick(english, chinese)


def _zh(title: str) -> str:
    return {
        "city": "城市",
        "location": "地点",
        "date": "日期",
        "time": "时间",
        "recipient": "收件人",
        "text": "内容",
        "message": "内容",
        "minutes": "分钟数",
        "origin": "出发地",
        "destination": "目的地",
        "room": "房间",
        "amount": "金额",
        "state": "状态",
    }.get(title, title)
