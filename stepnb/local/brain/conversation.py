"""Rules about the conversation itself: how to speak, repeating, spelling, remembering."""

from __future__ import annotations

import re

from stepnb.local.brain.context import Context, is_chinese, plain
from stepnb.local.brain.manner import Manner

_NOT_NAMES = frozenset(
    [
        "a",
        "an",
        "the",
        "not",
        "so",
        "very",
        "fine",
        "good",
        "okay",
        "ok",
        "well",
        "here",
        "there",
        "happy",
        "sad",
        "hungry",
        "tired",
        "bored",
        "sorry",
        "sure",
        "back",
        "ready",
        "done",
        "going",
        "from",
        "in",
        "at",
        "on",
        "glad",
        "just",
        "also",
        "too",
        "afraid",
        "cold",
        "hot",
        "late",
        "lost",
        "sick",
        "busy",
        "alone",
        "new",
        "looking",
        "trying",
        "asking",
        "talking",
    ]
)
_KINDS = {"color": "颜色", "colour": "颜色", "animal": "动物", "city": "城市", "number": "数字", "word": "词"}
_KINDS_ZH = {zh: en for en, zh in _KINDS.items() if en != "colour"}
MAX_SPELLED = 40


def follow_style(context: Context) -> str | None:
    """Acknowledge an instruction about how to speak; the manner itself already follows it."""
    if context.raw is None:
        return None
    before, after = Manner(), Manner().asked(context.raw)
    if context.find(
        r"\b(?:do|can|could) you (?:speak|talk|understand)\b.*\b(?:chinese|mandarin|english)\b",
        r"(?:会|能).*(?:说|讲).*(?:中文|英文|英语|汉语)",
    ):
        return context.pick(
            "I speak English and Chinese, but with no network I only understand spoken English. "
            "Type Chinese to me.",
            "我会说中文和英文，但离线时只能听懂英语；中文请打字。",
        )
    if after.name != before.name:
        return context.pick(f"All right, call me {after.name}.", f"好的，我叫{after.name}。")
    if after.opening != before.opening:
        return context.pick("All right, I will start like that.", "好的，我会这样开头。")
    if after.language != before.language and after.language is not None:
        return context.pick("All right, I will speak English.", "好的，我说中文。")
    if after.brief != before.brief:
        return context.pick("All right, I will be brief.", "好的，我会简短回答。")
    if context.find(r"\b(?:slower|faster|louder|slowly|quieter)\b", r"(?:慢|快|大声|小声)一?点"):
        return context.pick(
            "I cannot change my pace or volume myself. Choose another voice for that.",
            "我不能自己改变语速和音量，请换一个声音。",
        )
    if context.find(r"\b(?:longer|long|one sentence|short) answers?\b|\banswer\b.*\bsentence\b"):
        return context.pick("All right.", "好的。")
    if context.find(
        r"^(?:stop|be quiet|silence|wait|never mind|cancel)$", r"^(?:停|停下|安静|别说了|等一下|算了)$"
    ):
        return context.pick("All right.", "好的。")
    return None


def repeat_after(context: Context) -> str | None:
    """Answer "Repeat after me ..." and "say hello to Ben"."""
    if (
        found := context.find(
            r"^(?:please )?(?:say|tell) (?:(?P<what>hello|hi|goodbye|good morning|"
            r"good night) to )?(?P<who>\w+)(?: hello)?$"
        )
    ) and (found["what"] or context.text.endswith(" hello")):
        return f"{(found['what'] or 'hello').capitalize()}, {found['who'].capitalize()}!"
    if found := context.find(r"^(?:please )?tell (?P<who>(?!me\b)\w+) that (?P<what>.+)$"):
        return f"{found['who'].capitalize()}, {found['what']}."
    if context.raw is None or _asks_again(context):
        return None
    english = (
        r"^\W*(?:(?:please|can you|could you)\W+)*(?:repeat(?: after me)?|"
        r"say)(?:\s+after me)?(?:\W+the (?:words?|sentence))?"
        r"[\s:,]+(?P<line>\S.*)$"
    )
    chinese = r"^\W*(?:请)?(?:跟我说|跟我读|重复(?:一下|一遍)?(?!刚才)|请说)[\s：:，,]*(?P<line>\S.*)$"
    raw = context.raw.strip()[:300]
    found = re.search(chinese if is_chinese(raw) else english, raw, re.IGNORECASE | re.DOTALL)
    if not found or re.match(r"(?:that|it)\W*$", found["line"], re.IGNORECASE):
        return None
    # "Say something", "say what you can do": no words to repeat, unless it says "after me".
    wish = r"something\b|what\b|(?:a|another|one more) (?:joke|story|fact|number)\b"
    if not re.search(r"\bafter me\b", raw, re.IGNORECASE) and re.match(wish, found["line"], re.IGNORECASE):
        return None
    line = found["line"].strip(" \"'“”‘’「」")
    if not re.search(r"\w", line):
        return None
    line = line[0].upper() + line[1:]
    return line if line[-1] in ".!?。！？" else line + ("。" if is_chinese(line) else ".")


def known_name(context: Context) -> str:
    """Find the user's name, as last said; empty when it was not."""
    for turn in reversed(context.turns):
        if name := _name_in(turn.question):
            return name
    return ""


def _name_in(text: str) -> str:
    words = plain(text)
    if is_chinese(words):
        found = re.search(
            r"(?:我叫|我的名字(?:是|叫))(?!什么|你)([A-Za-z\u3400-\u9fff]{1,8}?)(?:吧|了)?$", words
        )
        return found[1] if found else ""
    found = re.search(r"\bmy name is (?!what\b)([a-z][\w'-]*)|\bcall me ([a-z][\w'-]*)", words)
    found = found or re.search(r"(?:^|^(?:hello|hi|hey) )i am ([a-z][\w'-]*)$", words)
    name = next(filter(None, found.groups()), "") if found else ""
    return "" if name in _NOT_NAMES else name.capitalize()


def learn_name(context: Context) -> str | None:
    """Answer "My name is Ben"."""
    name = _name_in(context.text) if context.text else ""
    if not name:
        return None
    return context.pick(f"Nice to meet you, {name}.", f"很高兴认识你，{name}。")


def recall_name(context: Context) -> str | None:
    """Answer "What is my name"."""
    asked = (
        r"\b(?:what (?:is|was)|know|remember|tell me|tell you) my name\b|\bwho am i\b|"
        r"\bwhat my name (?:is|was)\b|\bdid i tell you my name\b"
    )
    if not context.find(asked, r"我(?:叫什么|的名字(?:是什么|叫什么|呢)|是谁)|记得我的名字"):
        return None
    name = known_name(context)
    if not name:
        return context.pick("You have not told me your name yet.", "你还没有告诉我你的名字。")
    return context.pick(f"Your name is {name}.", f"你叫{name}。")


def favourite(context: Context) -> str | None:
    """Answer "My favourite colour is blue", and later "what is my favourite colour"."""
    told = r"\bmy favou?rite (?P<kind>color|colour|animal|city|number|word) is (?P<what>.+)$"
    told_zh = r"我最喜欢的(?P<kind>颜色|动物|城市|数字|词)是(?!什么)(?P<what>.+)$"
    asked = r"\b(?:what is|remember|know) my favou?rite (?P<kind>color|colour|animal|city|number|word)\b"
    if found := context.find(asked, r"我最喜欢的(?P<kind>颜色|动物|城市|数字|词)是什么"):
        kind = _KINDS_ZH.get(found["kind"], found["kind"]).replace("colour", "color")
        for turn in reversed(context.turns):
            words = plain(turn.question)
            earlier = re.search(told_zh if is_chinese(words) else told, words)
            if earlier and _KINDS_ZH.get(earlier["kind"], earlier["kind"]).replace("colour", "color") == kind:
                return context.pick(
                    f"Your favorite {kind} is {earlier['what']}.",
                    f"你最喜欢的{_KINDS[kind]}是{earlier['what']}。",
                )
        return context.pick(
            f"You have not told me your favorite {kind}.", f"你还没有告诉我你最喜欢的{_KINDS[kind]}。"
        )
    if found := context.find(told, told_zh):
        return context.pick(f"I will remember that: {found['what']}.", f"我记住了：{found['what']}。")
    if context.find(r"\bwhat is your favou?rite\b", r"你最喜欢"):
        return context.pick("I am a program, so I have no favorites.", "我是程序，没有最喜欢的东西。")
    return None


def _asks_again(context: Context) -> bool:
    english = (
        r"^(?:please |sorry |can you |could you )*(?:say|repeat) (?:that|it|again|"
        r"yourself)(?: again| please| once more)*$|\bsay (?:it|that) (?:again|one more time)\b"
        r"|^(?:please )?repeat$"
        r"|^(?:please )?(?:again|once more|one more time)(?: please)?$|"
        r"\bwhat did you (?:just )?say\b|^(?:pardon|sorry|excuse me)(?: me)?$"
        r"|\bwhat was your (?:last )?answer\b|\bi (?:did|do|could) not (?:hear|get|catch|"
        r"understand) (?:you|that)\b"
    )
    return bool(
        context.find(
            english, r"再说一[遍次]|重复一[遍次]?$|重复一下$|你刚才说(?:了)?什么|没听清|^(?:什么|再来一遍)$"
        )
    )


def say_again(context: Context) -> str | None:
    """Answer "Say that again"."""
    if not _asks_again(context):
        return None
    for turn in reversed(context.turns):
        if turn.answer:
            return turn.answer
    return context.pick("I have not said anything yet.", "我还没有说过什么。")


def recall_question(context: Context) -> str | None:
    """Answer "What did I just ask"."""
    if context.find(r"\bwhat did we (?:talk|speak) about\b", r"我们(?:刚才)?(?:聊|谈|说)了?什么"):
        asked = [turn.question for turn in context.turns if turn.question]
        if not asked:
            return context.pick("We have only just begun.", "我们才刚刚开始。")
        listed = "; ".join(f'"{_shorten(question)}"' for question in asked[-5:])
        return context.pick(f"You said: {listed}.", f"你说了：{listed}。")
    just = (
        r"\bwhat (?:did i|was it (?:that )?i|have i) (?:just |last )?(?:ask|say|asked|said)|"
        r"\bwhat was my (?:last |first )?question\b"
    )
    if not context.find(just, r"我(?:刚才|刚刚)?(?:问|说)了?(?:你)?(?:什么|啥)|我(?:的)?上一?个问题"):
        return None
    asked = [turn.question for turn in context.turns if turn.question]
    back = 2 if context.find(r"\bbefore that\b", r"再之前") else 1
    if len(asked) < back:
        return context.pick("You have not asked me anything before.", "你之前还没有问过我。")
    question = asked[0] if context.find(r"\bfirst\b", "第一") else asked[-back]
    return context.pick(f'You said: "{_shorten(question)}".', f"你说的是：“{_shorten(question)}”。")


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 120 else text[:119] + "…"


def spell(context: Context) -> str | None:
    """Answer "Spell banana", "how many letters are in banana"."""
    word = ""
    if context.find(r"\b(?:spell|write) my name\b"):
        word = known_name(context)
        if not word:
            return context.pick("You have not told me your name yet.", "你还没有告诉我你的名字。")
    elif context.find(r"\b(?:spell|write) your name\b"):
        word = context.manner.name or "Step"
    elif found := context.find(
        r"\bspell (?:out )?(?:the (?:word|name) )?(?P<w>[^\W\d_]+)|\bhow is (?:the (?:word|"
        r"name) )?(?P<v>[^\W\d_]+) (?:spelled|spelt|written)\b",
        r"(?:拼写|怎么拼|拼一下)(?:单词)?(?P<w>[a-z]+)|(?P<v>[a-z]+)(?:怎么拼|如何拼写)",
    ):
        word = found["w"] or found["v"]
    elif found := context.find(
        r"\bhow many letters (?:are (?:there )?in|does) (?:the word )?(?P<w>[^\W\d_]+)"
    ):
        number = len(found["w"])
        return context.pick(f"The word {found['w']} has {number} letters.", f"{found['w']}有{number}个字母。")
    if not word:
        return None
    letters = ", ".join(word[:MAX_SPELLED].upper())
    return f"{word[:MAX_SPELLED]}: {letters}."


def unspell(context: Context) -> str | None:
    """Answer "What does c a t spell", and the neighbours of a letter."""
    if found := context.find(r"\bletter (?:comes |is )?(?P<side>after|before) (?P<l>[a-z])$"):
        place = ord(found["l"]) - ord("a") + (1 if found["side"] == "after" else -1)
        if 0 <= place < 26:
            return f"{chr(place + ord('A'))} comes {found['side']} {found['l'].upper()}."
        return f"No letter comes {found['side']} {found['l'].upper()}."
    if found := context.find(r"^(?:what does )?(?P<l>[a-z](?: [a-z]){1,30})(?: spell)?$"):
        return f"{', '.join(found['l'].upper().split())} spells {found['l'].replace(' ', '')}."
    return None
