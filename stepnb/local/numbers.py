"""Numbers as English and Chinese speech writes them."""

from __future__ import annotations

import re

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_VALUES = {word: value for value, word in enumerate(_UNITS)}
_VALUES |= {word: value * 10 for value, word in enumerate(_TENS) if value > 1}
_MULTIPLIERS = {word: value for value, word in _SCALES}

_ZH_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ZH_SCALES = {"十": 10, "百": 100, "千": 1000}
_MAX_ZH = 40  # characters; digit by digit, more would not fit a float
_ZH_NUMBER = re.compile(r"负?[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")


def say(value: int) -> str:
    """Spell a whole number in English words, as it is spoken: ``42`` is "forty-two".

    Raises
    ------
    ValueError
        The number has more than twelve digits.
    """
    if abs(value) >= 10**12:
        raise ValueError("numbers of more than twelve digits are not spelled out")
    if value < 0:
        return f"minus {say(-value)}"
    if value < 20:
        return _UNITS[value]
    if value < 100:
        tens, units = divmod(value, 10)
        return _TENS[tens] + (f"-{_UNITS[units]}" if units else "")
    scale, name = next((scale, name) for scale, name in _SCALES if value >= scale)
    count, rest = divmod(value, scale)
    return f"{say(count)} {name}" + (f" {say(rest)}" if rest else "")


def read_english(words: list[str]) -> float | None:
    """Read lower-case English words as a number; None when they are not exactly one.

    Digits, "a hundred", "and" ("one hundred and five"), "point" ("two point five") and a leading "minus" are
    understood.
    """
    if len(words) > 1 and words[0] in ("minus", "negative"):
        value = read_english(words[1:])
        return None if value is None else -value
    if len(words) == 1 and re.fullmatch(r"\d{1,15}(\.\d{1,15})?", words[0]):
        return float(words[0])
    if "point" in words:
        at = words.index("point")
        digits = [_VALUES.get(word, -1) for word in words[at + 1 :]]
        whole = read_english(words[:at]) if at else 0.0
        if whole is None or not digits or not all(0 <= digit <= 9 for digit in digits):
            return None
        return float(f"{int(whole)}.{''.join(map(str, digits))}")
    total = current = 0
    seen = previous = ""
    for number, word in enumerate(words):
        if word in ("a", "an") and number == 0 and len(words) > 1 and words[1] in _MULTIPLIERS:
            current = 1
        elif word == "and" and previous in _MULTIPLIERS and number + 1 < len(words):
            pass
        elif word in _VALUES:
            # "twenty five" is one number, "five twenty" and "two three" are two.
            joins = not previous or previous in _MULTIPLIERS or previous == "and"
            if not joins and not (
                _VALUES[word] in range(1, 10) and _VALUES.get(previous, 0) in range(20, 100, 10)
            ):
                return None
            current += _VALUES[word]
            seen = word
        elif word in _MULTIPLIERS and current:
            scale = _MULTIPLIERS[word]
            if scale == 100:
                current *= 100
            else:
                total += current * scale
                current = 0
            seen = word
        else:
            return None
        previous = word
    return float(total + current) if seen else None


def read_chinese(text: str) -> float | None:
    """Read Chinese numerals or digits as a number; None when they are not exactly one."""
    if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text):
        return float(text)
    if len(text) > _MAX_ZH or not _ZH_NUMBER.fullmatch(text):
        return None
    sign, text = (-1, text[1:]) if text[0] == "负" else (1, text)
    whole, _, decimals = text.partition("点")
    if not whole:
        return None
    if len(whole) > 1 and all(char in _ZH_DIGITS for char in whole):
        value: float = int("".join(str(_ZH_DIGITS[char]) for char in whole))  # digit by digit: 一二三
    else:
        total = section = digit = 0
        for char in whole:
            if char in _ZH_DIGITS:
                digit = _ZH_DIGITS[char]
            elif char in _ZH_SCALES:
                section += (digit or 1) * _ZH_SCALES[char]
                digit = 0
            else:
                total = (total + section + digit) * (10_000 if char == "万" else 100_000_000)
                section = digit = 0
        value = total + section + digit
    if decimals:
        value = float(f"{int(value)}.{''.join(str(_ZH_DIGITS[char]) for char in decimals)}")
    return sign * float(value)


def show(value: float) -> str:
    """Write a number in digits: at most four decimals, none that say nothing."""
    if abs(value) >= 1e15:
        return f"{value:.4g}"
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
