"""Rules that look things up: the clock, the calendar, facts."""

from __future__ import annotations

import functools
import re
import tomllib
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from stepnb.local.brain.context import Context

# Not strftime's: those follow the machine's locale.
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_ZH_WEEKDAYS = "一二三四五六日"


@functools.cache
def book() -> dict[str, Any]:
    """Read ``data/knowledge.toml``."""
    return tomllib.loads((resources.files("stepnb.local") / "data" / "knowledge.toml").read_text("utf-8"))


@functools.cache
def _capitals() -> list[list[str]]:
    return [row.split("|") for row in book()["capitals"]["rows"].split("\n") if row]


def tell_time(context: Context) -> str | None:
    """Answer "What time is it"."""
    now = context.now
    if context.find(
        r"\bis it (?:morning|afternoon|evening|night|late|early)\b|\bmorning or afternoon\b",
        r"现在是(?:早上|下午|晚上|上午)吗",
    ):
        part, zh = _part_of_day(now)
        return context.pick(f"It is {part}: {_clock(now)}.", f"现在是{zh}{_zh_clock(now)}。")
    english = (
        r"\b(?:what|the|current|have the|which) (?:time|hour)\b(?! (?:zone|machine))|"
        r"\bhow late is it\b|\bwhat time it is\b"
    )
    if context.find(english, r"几点|什么时间|什么时候了|现在时间"):
        return context.pick(f"It is {_clock(now)}.", f"现在是{_zh_clock(now)}。")
    return None


def _clock(now: datetime) -> str:
    return f"{now.hour % 12 or 12}:{now.minute:02d} {'AM' if now.hour < 12 else 'PM'}"


def _zh_clock(now: datetime) -> str:
    return f"{now.hour}点" + (f"{now.minute}分" if now.minute else "整")


def _part_of_day(now: datetime) -> tuple[str, str]:
    if 5 <= now.hour < 12:
        return "morning", "上午"
    if 12 <= now.hour < 18:
        return "afternoon", "下午"
    return ("evening", "晚上") if 18 <= now.hour < 22 else ("night", "夜里")


def tell_date(context: Context) -> str | None:
    """Tell the date: today, tomorrow and yesterday, the month and the year."""
    if found := context.find(
        r"\bis (?:it|today) (?P<day>monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
        r"今天是(?:星期|周)(?P<day>[一二三四五六日天])吗",
    ):
        right = (
            found["day"].capitalize() == WEEKDAYS[context.now.weekday()]
            or found["day"].replace("天", "日") == _ZH_WEEKDAYS[context.now.weekday()]
        )
        today = _day(context, 0)
        return context.pick(
            f"{'Yes' if right else 'No'}, {today[0].lower()}{today[1:]}",
            f"{'对' if right else '不是'}，{today}",
        )
    if context.find(r"\b(?:what|which) year\b", r"(?:哪|几几|什么)年|今年是"):
        return context.pick(f"It is {context.now.year}.", f"今年是{context.now.year}年。")
    if context.find(r"\b(?:what|which) month (?:is|are)\b", r"几月(?!几)|哪个月"):
        return context.pick(f"It is {MONTHS[context.now.month - 1]}.", f"现在是{context.now.month}月。")
    english = (
        r"\b(?:what|which) day\b(?! (?:comes|is the))|\b(?:what|today's|tomorrow's|"
        r"yesterday's|the|current) date\b|\bday of the week\b|\bwhat day it is\b"
        r"|\btell me the day\b|\bwhat is today\b"
    )
    if context.find(english, r"几号|星期几|周几|礼拜几|什么日子|今天日期|日期是|几月几"):
        days = 1 if context.find(r"\btomorrow", "明天") else -1 if context.find(r"\byesterday", "昨天") else 0
        return _day(context, days)
    return None


def _day(context: Context, days: int) -> str:
    try:
        day = context.now + timedelta(days=days)
    except OverflowError:
        return context.pick("That is beyond my calendar.", "这超出了我的日历。")
    name, zh = {0: ("Today is", "今天是"), 1: ("Tomorrow is", "明天是"), -1: ("Yesterday was", "昨天是")}[
        days
    ]
    english = f"{name} {WEEKDAYS[day.weekday()]}, {MONTHS[day.month - 1]} {day.day}, {day.year}."
    return context.pick(
        english, f"{zh}{day.year}年{day.month}月{day.day}日，星期{_ZH_WEEKDAYS[day.weekday()]}。"
    )


def calendar(context: Context) -> str | None:
    """Say what comes after March and how many days it is until Sunday."""
    if found := context.find(r"\bcomes (?P<side>after|before) (?P<what>\w+)"):
        for names in (WEEKDAYS, MONTHS):
            if found["what"].capitalize() in names:
                step = 1 if found["side"] == "after" else -1
                at = (names.index(found["what"].capitalize()) + step) % len(names)
                return f"{names[at]} comes {found['side']} {found['what'].capitalize()}."
    if found := context.find(
        r"\bhow many days (?:until|till|to) (?P<what>christmas|new year|\w+day)\b",
        r"(?:离|到)(?P<what>圣诞|元旦)",
    ):
        what, today = found["what"], context.now.date()
        if what.capitalize() in WEEKDAYS:
            days = (WEEKDAYS.index(what.capitalize()) - today.weekday()) % 7
        else:
            month, day = (12, 25) if what in ("christmas", "圣诞") else (1, 1)
            goal = today.replace(month=month, day=day)
            if goal < today:
                if today.year == 9999:
                    return context.pick("That is beyond my calendar.", "这超出了我的日历。")
                goal = goal.replace(year=today.year + 1)
            days = (goal - today).days
        title = what.title()
        if days == 0:
            return context.pick(f"Today is {title}.", "就是今天。")
        return context.pick(f"{title} is {days} day{'s' if days > 1 else ''} away.", f"还有{days}天。")
    return None


def capital(context: Context) -> str | None:
    """Answer "What is the capital of Spain", "where is Boston"."""
    if found := context.find(
        r"\bcapital(?: city)? (?:of|is) (?:the )?(?P<where>[\w ]+?)$|"
        r"\bwhat is (?P<other>[\w ]+?)'s capital\b",
        r"(?P<where>\w+?)的?首都",
    ):
        where = found["where"] or found["other"]
        for country, zh, city, zh_city in _capitals():
            if where == country.removeprefix("the ") or where.removeprefix("请问") == zh:
                title = country if country.startswith("the ") else country.title()
                title = re.sub(r"(?<=the )\w+(?: \w+)*", lambda words: words[0].title(), title)
                return context.pick(f"The capital of {title} is {city}.", f"{zh}的首都是{zh_city}。")
        return context.pick("I do not know that capital.", "我不知道这个首都。")
    if found := context.find(
        r"\bcountry is (?P<city>[\w ]+?) in$|^where is (?P<place>[\w ]+)$",
        r"(?P<city>\w+?)在哪(?:里|儿|个国家)?",
    ):
        wanted = (found["city"] or found.groupdict().get("place") or "").strip()
        for country, zh, city, zh_city in _capitals():
            if wanted in (city.lower(), zh_city):
                name = country.title().replace("The ", "the ")
                return context.pick(f"{city} is the capital of {name}.", f"{zh_city}是{zh}的首都。")
        if wanted in book()["cities"]:
            name, zh = book()["cities"][wanted]
            return context.pick(f"{wanted.title()} is in {name}.", f"在{zh}。")
    return None


def fact(context: Context) -> str | None:
    """Tell a fact from the book, about an animal, or any."""
    for entry in book()["facts"]:
        if context.find(entry["en"], entry.get("zh", "")):
            return context.pick(entry["say"], entry["zh_say"])
    if found := context.find(
        r"\b(?:legs does|legs has|does) an? (?P<animal>\w+) (?P<what>have|say)\b|"
        r"\b(?P<plural>\w+?)s have how many legs\b"
    ):
        name = found["animal"] or found["plural"]
        if name in book()["animals"]:
            legs, sound, zh = book()["animals"][name]
            article = "An" if name[0] in "aeiou" else "A"
            if found["what"] == "say":
                said = f"says {sound}" if sound else "says nothing that I could repeat"
                return context.pick(f"{article} {name} {said}.", f"{zh}叫：{sound or '没有声音'}。")
            return context.pick(f"{article} {name} has {legs or 'no'} legs.", f"{zh}有{legs}条腿。")
    any_fact = (
        r"\b(?:a|an|another|one|any|interesting) (?:interesting |fun )?fact\b|"
        r"\btell me something (?:interesting|new)\b"
    )
    if context.find(any_fact, r"冷知识|有趣的(?:事|知识)"):
        return context.choose(book()["trivia"][context.language])
    return None
