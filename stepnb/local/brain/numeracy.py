"""Rules about numbers: arithmetic with follow-ups, counting, chance, comparing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from stepnb.local.brain.context import Context, is_chinese, plain
from stepnb.local.numbers import read_chinese, read_english, show

MAX_COUNT = 20
_LIMIT = 1e15  # beyond it a float no longer holds every whole number


class Impossible(ArithmeticError):
    """Asked for what has no value."""


_WORD_OPERATORS = (
    (r"\bmultiplied (?:by|with)\b|\btimes\b|(?<=\w) x (?=\w)|\*|×|乘以|乘", " * "),
    (r"\bdivided by\b|\bover\b|/|÷|除以|除", " / "),
    (r"\bplus\b|\+|加上|加", " + "),
    (r"\bminus\b|\bless\b|(?<=\s)-(?=\s)|(?<=\w)-(?=\w)|减去|减", " - "),
)
_EDGES = re.compile(r"^(?:the )?|(?: (?:please|now|is|make|equal|equals|for me|do|together|again))+$")
_SPECIAL: tuple[tuple[str, Callable[..., float]], ...] = (
    (r"\badd (?P<a>.+?) (?:and|to) (?P<b>.+)", lambda a, b: a + b),
    (r"\b(?:the )?sum of (?P<a>.+?) and (?P<b>.+)", lambda a, b: a + b),
    (r"\bsubtract (?P<b>.+?) from (?P<a>.+)", lambda a, b: a - b),
    (r"\btake (?P<b>.+?) (?:away )?from (?P<a>.+)", lambda a, b: a - b),
    (r"\bdifference (?:of|between) (?P<a>.+?) and (?P<b>.+)", lambda a, b: abs(a - b)),
    (r"\bmultiply (?P<a>.+?) (?:by|with|and) (?P<b>.+)", lambda a, b: a * b),
    (r"\bproduct of (?P<a>.+?) and (?P<b>.+)", lambda a, b: a * b),
    (r"\bdivide (?P<a>.+?) by (?P<b>.+)", lambda a, b: _divide(a, b)),
    (r"\bget (?:for|when you) (?P<a>.+?) by (?P<b>.+)", lambda a, b: a * b),
    (r"\b(?P<a>[\w ]+?) percent of (?P<b>.+)", lambda a, b: a * b / 100),
    (r"\bsquare root of (?P<a>.+)", lambda a: _root(a)),
    (r"\b(?P<a>[\w ]+?) squared\b", lambda a: a * a),
    (r"\bsquare of (?P<a>.+)", lambda a: a * a),
    (r"\b(?:half of|half|halve) (?P<a>.+)", lambda a: a / 2),
    (r"\b(?:twice|double) (?P<a>.+)", lambda a: a * 2),
    (r"^(?:and |now |please )*add (?P<b>[\w ]+)", lambda a, b: a + b),
    (r"^(?:and |now |please )*subtract (?P<b>[\w ]+)", lambda a, b: a - b),
    (r"(?P<a>.+)的平方根", lambda a: _root(a)),
    (r"(?P<a>.+)的平方", lambda a: a * a),
    (r"(?P<a>.+)的一半", lambda a: a / 2),
    (r"(?P<a>.+)的两倍", lambda a: a * 2),
)
_ANAPHORA = {
    "that",
    "it",
    "this",
    "the result",
    "the answer",
    "那",
    "它",
    "结果",
    "这个数",
    "再",
    "然后",
    "那再",
}


def calculate(context: Context) -> str | None:
    """Answer "What is seventeen times three", and then "and plus four"."""
    previous: float | None = None
    for turn in context.turns:
        try:
            value = evaluate(plain(turn.question), previous)
        except Impossible:
            value = None
        previous = previous if value is None else value
    try:
        value = evaluate(context.text, previous)
    except Impossible as error:
        return str(error) if context.language == "en" else "这个算式没有结果。"
    if value is None:
        return None
    if abs(value) >= _LIMIT:
        return context.pick("That number is too large for me to be exact.", "这个数太大了，我算不准。")
    return context.pick(f"That is {show(value)}.", f"等于{show(value)}。")


def evaluate(text: str, previous: float | None = None) -> float | None:
    """Work out the calculation in a sentence.

    Parameters
    ----------
    text
        A `plain` sentence.
    previous
        What "that" and a calculation without a beginning refer to.

    Returns
    -------
    float or None
        None when the sentence asks for no calculation.

    Raises
    ------
    Impossible
        It has no value, such as a division by zero.
    """
    for pattern, function in _SPECIAL:
        if found := re.search(pattern, text):
            operands = {name: _operand(words, previous) for name, words in found.groupdict().items()}
            if re.search(r"\(\?P<b>", pattern) and "a" not in operands:
                operands["a"] = previous  # "add five": to what came before
            if all(value is not None for value in operands.values()):
                return function(**operands)
    for pattern, sign in _WORD_OPERATORS:
        text = re.sub(pattern, sign, text)
    first, *rest = re.split(r" ([+\-*/]) ", f" {text} ")
    if not rest:
        return None
    left = _last_number(first, previous)
    if left is None:
        return None
    values, signs = [left], rest[::2]
    for index, words in enumerate(rest[1::2]):
        last = index == len(signs) - 1
        value = _first_number(words) if last else _operand(words, None)
        if value is None:
            return None
        values.append(value)
    return _combine(values, signs)


def _combine(values: list[float], signs: list[str]) -> float:
    terms = [values[0]]
    for sign, value in zip(signs, values[1:], strict=True):
        match sign:
            case "*":
                terms[-1] *= value
            case "/":
                terms[-1] = _divide(terms[-1], value)
            case "+":
                terms.append(value)
            case _:
                terms.append(-value)
    return math.fsum(terms)


def _divide(a: float, b: float) -> float:
    if b == 0:
        raise Impossible("I cannot divide by zero.")
    return a / b


def _root(a: float) -> float:
    if a < 0:
        raise Impossible("A negative number has no square root that I know.")
    return math.sqrt(a)


def _operand(words: str, previous: float | None) -> float | None:
    words = _EDGES.sub("", words.strip())
    if words in _ANAPHORA:
        return previous
    if is_chinese(words):
        return _last_number(words, previous)
    value = _first_number(words)
    return _last_number(words, previous) if value is None else value


def _first_number(words: str) -> float | None:
    """Read the longest number at the beginning."""
    if is_chinese(words):
        found = re.match(r"\s*(-?[\d.]+|负?[零〇一二两三四五六七八九十百千万亿点]+)", words)
        return read_chinese(found[1]) if found else None
    split = words.split()
    for end in range(min(len(split), 14), 0, -1):
        if (value := read_english(split[:end])) is not None:
            return value
    return None


def _last_number(words: str, previous: float | None) -> float | None:
    """Read the longest number at the end; without one, the previous result if the sentence builds on it."""
    words = words.strip()
    if is_chinese(words):
        found = re.search(r"(-?[\d.]+|负?[零〇一二两三四五六七八九十百千万亿点]+)\s*$", words)
        if found and (value := read_chinese(found[1])) is not None:
            return value
        return previous if re.search(r"(?:再|那|然后|结果|它)$", words) else None
    split = words.split()
    for start in range(max(0, len(split) - 14), len(split)):
        if (value := read_english(split[start:])) is not None:
            return value
    builds_on = r"(?:^|.*\b(?:that|it|this|and|now|then|about|the result|the answer|what is|ok|okay))$"
    return previous if re.match(builds_on, words) else None


def count(context: Context) -> str | None:
    """Answer "Count to ten"."""
    found = context.find(
        r"\bcount\b(?P<down> down)?.*\b(?:to|from) (?P<n>[\w ]+?)(?: please)?$",
        r"数到(?P<n>[\d一二三四五六七八九十百]+)",
    )
    if not found:
        return None
    down = "down" in found.groupdict() and bool(found["down"])
    value = _first_number(found["n"])
    if value is None or value != int(value) or value < 1:
        return None
    end = min(int(value), MAX_COUNT)
    numbers = [str(n) for n in range(1, end + 1)]
    listed = context.pick(", ", "，").join(reversed(numbers) if down else numbers)
    if value > MAX_COUNT:
        return context.pick(
            f"{listed}, and so on. I stop at {MAX_COUNT}.", f"{listed}，等等。我只数到{MAX_COUNT}。"
        )
    return listed + context.pick(".", "。")


def chance(context: Context) -> str | None:
    """Flip a coin, roll a die or pick a number."""
    draw = context.chance()
    if context.find(r"\b(?:flip|toss)\b.*\bcoin\b", r"(?:抛|掷|扔).*硬币"):
        return context.pick(draw.choice(("Heads.", "Tails.")), draw.choice(("正面。", "反面。")))
    if context.find(r"\broll\b.*\b(?:die|dice)\b", r"(?:掷|扔|摇).*(?:骰子|色子)"):
        value = draw.randint(1, 6)
        return context.pick(f"You rolled a {value}.", f"你掷出了{value}点。")
    asked = (
        r"\b(?:give|tell|pick|choose|say)\b.*\b(?:a|"
        r"any)(?: random)? number\b(?: between (?P<a>.+) and (?P<b>.+))?"
    )
    if found := context.find(asked, r"(?:随机|随便).*(?:数|号码)"):
        named = found.groupdict()
        low = _first_number(named.get("a") or "1")
        high = _first_number(named.get("b") or "100")
        if low is None or high is None:
            return None
        value = draw.randint(*sorted((int(low), int(high))))
        return context.pick(f"I pick {value}.", f"我选{value}。")
    return None


def judge_number(context: Context) -> str | None:
    """Judge numbers: even, odd, prime; which of two is larger."""
    if found := context.find(
        r"\bis (?P<n>[\w ]+?) (?:an? )?(?P<kind>even|odd|prime)\b",
        r"(?P<n>[\d零一二两三四五六七八九十百千万]+)是(?P<kind>偶|奇|质|素)数",
    ):
        value = _first_number(found["n"])
        if value is None or value != int(value):
            return None
        n, kind = int(value), found["kind"]
        if kind in ("even", "偶", "odd", "奇"):
            return context.pick(
                f"{n} is {'odd' if n % 2 else 'even'}.", f"{n}是{'奇' if n % 2 else '偶'}数。"
            )
        if n > 10**9:
            return context.pick("That number is too large for me to test.", "这个数太大了，我没法检验。")
        prime = n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1))
        return context.pick(
            f"{n} is {'' if prime else 'not '}a prime number.", f"{n}{'是' if prime else '不是'}质数。"
        )
    either = r"\b(?P<how>bigger|larger|greater|smaller|less) (?P<a>[\w ]+?) or (?P<b>[\w ]+)"
    if found := context.find(either):
        a, b = _first_number(found["a"]), _first_number(found["b"])
        if a is None or b is None:
            return None
        if a == b:
            return context.pick("They are equal.", "它们一样大。")
        smaller = found["how"] in ("smaller", "less")
        wanted, other = (min(a, b), max(a, b)) if smaller else (max(a, b), min(a, b))
        word = "smaller" if smaller else "larger"
        return context.pick(
            f"{show(wanted)} is {word} than {show(other)}.",
            f"{show(wanted)}比{show(other)}{'小' if smaller else '大'}。",
        )
    than = r"\bis (?P<a>[\w ]+?) (?P<how>bigger|larger|greater|smaller|less) than (?P<b>[\w ]+)"
    if found := context.find(than):
        a, b = _first_number(found["a"]), _first_number(found["b"])
        if a is None or b is None:
            return None
        right = a < b if found["how"] in ("smaller", "less") else a > b
        if a == b:
            return context.pick(
                f"No, {show(a)} and {show(b)} are equal.", f"不，{show(a)}和{show(b)}一样大。"
            )
        relation, zh = ("larger", "大") if a > b else ("smaller", "小")
        answer = context.pick("Yes" if right else "No", "对" if right else "不对")
        return context.pick(
            f"{answer}, {show(a)} is {relation} than {show(b)}.", f"{answer}，{show(a)}比{show(b)}{zh}。"
        )
    return None
