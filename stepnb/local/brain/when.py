"""Dates, times of day, durations and numbers in what was said, each with the place where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stepnb.local import numbers
from stepnb.local.brain.knowledge import MONTHS, WEEKDAYS
from stepnb.local.brain.words import Said, Span, word_list

_MONTHS = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()}
_DAYS = {name.lower(): number for number, name in enumerate(WEEKDAYS)}
_ZH_DAYS = {char: number for number, char in enumerate("一二三四五六日")} | {"天": 6}
_UNITS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86400, "week": 604800}
_ZH_UNITS = {"秒": 1, "分钟": 60, "小时": 3600, "钟头": 3600, "天": 86400, "周": 604800}
_ORDINALS = {word: value for value, word in enumerate(word_list("ordinals"), 1)} | {"thirtieth": 30}
_ZH_NUMBER = r"[零〇一二两三四五六七八九十百千万\d]+(?:[.点][零〇一二三四五六七八九\d]+)?"
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ORDINAL = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|(?:twenty[ -]|thirty[ -])?(?:{'|'.join(_ORDINALS)}))"
_HOUR = r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_PART = r"(?:\s*(?P<part>a\.?m\b\.?|p\.?m\b\.?|in the (?:morning|afternoon|evening)|at night|tonight))?"
_OF_DAY = r"(?: in the (?:morning|afternoon|evening))?"
_MINUTE = (
    r"(?:[0-5]\d|oh (?:one|two|three|four|five|six|seven|eight|nine)|ten|fifteen|twenty|thirty|forty|fifty)"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the word after it."""

    value: float
    unit: str
    span: Span


def find_date(said: Said, now: datetime) -> tuple[date, Span] | None:
    """Find a day: today, on Friday, March 28th, 2026-03-28, 明天, 下周一, 3月28日."""
    today = now.date()
    for pattern, read in _DATES:
        if found := said.find(pattern):
            try:
                return read(found, today), found.span()
            except (ValueError, OverflowError):
                continue
    return None


def _iso(found: re.Match[str], _today: date) -> date:
    return date(int(found["y"]), int(found["m"]), int(found["d"]))


def _in_days(found: re.Match[str], today: date) -> date:
    count = numbers.read_english(found["n"].split())
    return today + timedelta(days=int(count or 0) * (7 if found["u"] == "week" else 1))


def _named_day(found: re.Match[str], today: date) -> date:
    return today + timedelta(days=((_DAYS[found["day"]] - today.weekday() - 1) % 7) + 1)


def _ordinal(text: str) -> int:
    digits = re.match(r"\d+", text)
    if digits:
        return int(digits[0])
    tens, _, unit = text.replace("-", " ").rpartition(" ")
    return {"": 0, "twenty": 20, "thirty": 30}[tens] + _ORDINALS[unit]


def _month_day(found: re.Match[str], today: date) -> date:
    return _coming(_MONTHS[found["month"]], _ordinal(found["nth"]), today)


def _coming(month: int, day: int, today: date) -> date:
    this_year = date(today.year, month, day)
    return this_year if this_year >= today else date(today.year + 1, month, day)


def _zh_day(found: re.Match[str], today: date) -> date:
    day = today + timedelta(days=((_ZH_DAYS[found["day"]] - today.weekday() - 1) % 7) + 1)
    # 下周一 is Monday of the week that begins next Monday.
    if found["next"]:
        day = today - timedelta(days=today.weekday()) + timedelta(days=7 + _ZH_DAYS[found["day"]])
    return day


def _zh_month_day(found: re.Match[str], today: date) -> date:
    month, day = (numbers.read_chinese(found[name]) or 0 for name in ("m", "d"))
    return _coming(int(month), int(day), today)


_DATES = (
    (r"\b(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b", _iso),
    (r"\b(?:the )?day after tomorrow\b|后天", lambda _, today: today + timedelta(days=2)),
    (
        r"\btomorrow\b(?: (?:morning|evening|night|afternoon))?|明天",
        lambda _, today: today + timedelta(days=1),
    ),
    (r"\b(?:today|tonight|this (?:morning|afternoon|evening))\b|今[天晚]", lambda _, today: today),
    (r"\bin (?P<n>[a-z]+|\d+) (?P<u>day|week)s?\b", _in_days),
    (rf"\b(?:on )?(?:the )?(?P<nth>{_ORDINAL}) (?:of )?(?P<month>{_MONTH})\b", _month_day),
    (rf"\b(?:on )?(?P<month>{_MONTH})\.? (?:the )?(?P<nth>{_ORDINAL})\b", _month_day),
    (rf"\b(?:on |next |this |coming )*(?P<day>{'|'.join(_DAYS)})\b", _named_day),
    (rf"(?P<m>{_ZH_NUMBER})月(?P<d>{_ZH_NUMBER})[日号]", _zh_month_day),
    (r"(?P<next>下个?)?(?:周|星期|礼拜)(?P<day>[一二三四五六日天])", _zh_day),
)


def find_time(said: Said) -> tuple[str, Span] | None:
    """Find a time of day as HH:MM: 7 pm, half past six, 20:15, noon, 晚上七点半.

    A bare hour from 1 to 11 is after noon when the sentence says afternoon, evening, night or tonight.
    """
    if found := said.find(r"\b(?:at )?(?:noon|midday)\b|中午(?![零〇一二两三四五六七八九十\d])"):
        return "12:00", found.span()
    if found := said.find(r"\b(?:at )?midnight\b|午夜"):
        return "00:00", found.span()
    for pattern in (
        rf"(?:\bat )?\b(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)\b{_PART}",
        rf"(?:\bat )?\b(?P<rel>half|quarter|ten|five|twenty) (?P<side>past|to) (?P<h>{_HOUR})\b{_PART}",
        rf"\bat (?P<h>{_HOUR}) (?P<m>{_MINUTE})\b{_PART}",
        rf"(?:\bat )?\b(?P<h>{_HOUR})\s*(?P<part>a\.?m\b\.?|p\.?m\b\.?|o'?clock){_OF_DAY}",
        rf"\bat (?P<h>{_HOUR})\b{_PART}",
    ):
        if found := said.find(pattern):
            return _clock(said, found)
    zh = rf"(?P<part>早上|上午|中午|下午|晚上|今晚)?(?P<h>{_ZH_NUMBER})[点时](?:(?P<half>半)|(?P<m>{_ZH_NUMBER})分?)?"
    if found := said.find(zh):
        hour = int(numbers.read_chinese(found["h"]) or 0)
        minute = 30 if found["half"] else int(numbers.read_chinese(found["m"] or "零") or 0)
        if said.find("下午|晚上|今晚") and hour < 12:
            hour += 12
        if hour < 24 and minute < 60:
            return f"{hour:02d}:{minute:02d}", found.span()
    return None


def _clock(said: Said, found: re.Match[str]) -> tuple[str, Span] | None:
    groups = found.groupdict()
    hour = int(numbers.read_english([groups["h"]]) or 0)
    minute = 0
    if words := groups.get("m"):
        minute = int(numbers.read_english([words.removeprefix("oh ")]) or 0)
    if relative := groups.get("rel"):
        minute = {"half": 30, "quarter": 15}.get(relative) or int(numbers.read_english([relative]) or 0)
        if groups["side"] == "to":
            hour, minute = hour - 1, 60 - minute
    part = (groups.get("part") or "").replace(".", "")
    if part == "am":
        hour %= 12
    elif (
        part in ("pm", "in the afternoon", "in the evening", "at night", "tonight")
        or (part != "in the morning" and said.find(r"\b(?:afternoon|evening|tonight|night)\b"))
    ) and hour < 12:
        hour += 12
    return (f"{hour:02d}:{minute:02d}", found.span()) if 0 <= hour < 24 and minute < 60 else None


def find_duration(said: Said) -> tuple[float, Span] | None:
    """Find a length of time in seconds: half an hour, two hours and ten minutes, 90 second, 五分钟."""
    text = said.low
    if found := said.find(
        r"\b(?P<w>half an?|a quarter of an|three quarters of an|an?|one) hours?\b(?P<half> and a half)?"
    ):
        share = {"half a": 0.5, "half an": 0.5, "a quarter of an": 0.25, "three quarters of an": 0.75}
        if found["w"] in share or found["half"] or found["w"] in ("a", "an"):
            return 3600 * (share.get(found["w"], 1.0) + (0.5 if found["half"] else 0)), found.span()
    if found := said.find(r"半个?小时|(?P<n>一)个半小时"):
        return 5400.0 if found["n"] else 1800.0, found.span()
    total, start, end = 0.0, -1, -1
    for number in find_numbers(said):
        unit = number.unit.rstrip("s") if number.unit not in _ZH_UNITS else number.unit
        seconds = _UNITS.get(unit) or _ZH_UNITS.get(unit)
        if seconds is None:
            continue
        total += number.value * seconds
        start = number.span[0] if start < 0 else start
        end = text.index(number.unit, number.span[1]) + len(number.unit)
    if start < 0:
        found = said.find(r"\ban? (?P<u>minute|day|week)\b")
        return (float(_UNITS[found["u"]]), found.span()) if found else None
    return total, (start, end)


def find_numbers(said: Said) -> list[Number]:
    """Find the numbers, in order, with the word each counts."""
    return sorted([*_latin_numbers(said), *_chinese_numbers(said)], key=lambda number: number.span)


def _latin_numbers(said: Said) -> Iterator[Number]:
    tokens, at = said.tokens, 0
    while at < len(tokens):
        value, end = None, at + 1
        for until in range(min(len(tokens), at + 12), at, -1):
            words = [part for token in tokens[at:until] for part in token.text.replace(",", "").split("-")]
            value = numbers.read_english(words)
            if value is not None:
                end = until
                break
        if value is None:
            at += 1
            continue
        if said.low[: tokens[at].start].endswith("-") and tokens[at].start == 1:
            value = -value
        after = tokens[end] if end < len(tokens) else None
        rest = said.low[tokens[end - 1].end :].lstrip()
        unit = after.text if after is not None else ""
        if not unit and (found := re.match(r"[%\u3400-\u9fff]{1,2}", rest)):
            unit = _zh_unit(found[0])
        yield Number(value, unit, (tokens[at].start, tokens[end - 1].end))
        at = end


def _chinese_numbers(said: Said) -> Iterator[Number]:
    if said.chinese:
        for found in re.finditer(
            r"[零〇一二两三四五六七八九十百千万]+(?:点[零〇一二三四五六七八九]+)?", said.low
        ):
            value = numbers.read_chinese(found[0])
            if value is not None:
                yield Number(value, _zh_unit(said.low[found.end() : found.end() + 3]), found.span())


def _zh_unit(after: str) -> str:
    after = after.removeprefix("个")
    return next((unit for unit in _ZH_UNITS if after.startswith(unit)), after[:2])
