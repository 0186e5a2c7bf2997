"""How the brain was told to speak: name, language, brevity, opening line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from stepnb.local.parts import Language

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_QUOTED = r"""["'“‘「『](?P<quoted>[^"”’」』\n]{1,200}?)["'”’」』]"""
_BARE = r"(?P<bare>[\w-]+)"

_NAMES = (
    (
        r"(?i:\byour name is|\byou are (?:called|named)|\bcall yourself|\b(?:named|called)|"
        r"\bi(?: wi|')ll call you) (?P<n>[A-Z][\w'-]*)"
    ),
    r"(?i:\byou are|\byou're|\bact as|\bplay) (?P<n>[A-Z][\w'-]*)",
    rf"你(?:的名字)?(?:叫|名叫|是叫)(?:做)?(?P<n>[A-Za-z{_HAN}]{{1,8}}?)(?=[，。,.！!；;\s]|$)",
    rf"你是(?!一|个|位|谁|不|什么|真|人|机器)(?P<n>[A-Za-z{_HAN}]{{1,6}}?)(?=[，。,.！!；;\s]|$)",
)
# What a speaker says about the other's name; "you are funny" in speech, without capitals, is no name.
_SPOKEN_NAME = (
    r"\b(?:your name is|i (?:wi)?ll call you|i'll call you|i will call you) (?!what|my|"
    r"your|the)(?P<n>[a-z][\w'-]*)(?: now)?[.!]?$"
)

_LANGUAGE = (
    r"\b(?:answer|reply|respond|speak|talk|write|"
    r"converse)\b[^.!?\n]{0,40}?\b(?:in )?(?P<l>english|chinese|mandarin)\b"
    r"|\b(?:only|always)\b[^.!?\n]{0,20}\bin (?P<l2>english|chinese|mandarin)\b"
    r"|(?:用|说|讲|使用)(?P<l3>中文|汉语|普通话|英文|英语)"
)
_BRIEF = (
    r"\b(?:one|a single|1)(?: short)? sentence\b|\b(?:be|keep it|"
    r"keep (?:your )?(?:answers|replies|responses)|answer|reply|respond|speak)"
    r"\b[^.!?\n]{0,20}\b(?:brief|briefly|short|shortly|concise|concisely|terse)\b|"
    r"\b(?:brief|short|concise) (?:answers?|replies|responses)\b"
    r"|简短|简洁|一句话|简单回答"
)
_LONG = r"\b(?:longer|long|detailed) (?:answers?|replies|responses)\b|\bin (?:more )?detail\b|详细"
_OPENING = (
    rf"\b(?:start|begin|open)\b(?P<how>[^.!?\n\"'“‘]{{0,40}}?)\b(?:with|"
    rf"by saying)(?: the words?| the line)?[:,]? (?:{_QUOTED}|{_BARE})"
    rf"|\bgreet\b[^.!?\n\"'“‘]{{0,40}}?\b(?:with|by saying)[:,]? {_QUOTED.replace('quoted', 'greeting')}"
    rf"|(?P<zh>每|总是|都)?[^。！？\n]{{0,12}}以{_QUOTED.replace('quoted', 'zh_line')}(?:开头|开始)"
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak.

    Attributes
    ----------
    name
        The persona's name; empty when none was given.
    language
        The language to answer in; None: the one spoken to it.
    brief
        Answer in one sentence.
    opening
        The words an answer starts with; empty for none.
    opening_always
        Every answer starts so, not only the first.
    """

    name: str = ""
    language: Language | None = None
    brief: bool = False
    opening: str = ""
    opening_always: bool = False

    def told(self, text: str) -> Manner:
        """Follow written instructions."""
        manner = self._told_style(text)
        for pattern in _NAMES:
            if found := re.search(pattern, text):
                return replace(manner, name=found["n"])
        return manner

    def asked(self, text: str) -> Manner:
        """Follow something the user said, which may be an instruction."""
        manner = self._told_style(text)
        if found := re.search(_SPOKEN_NAME, text.lower()):
            manner = replace(manner, name=found["n"].capitalize())
        elif found := re.search(
            rf"(?:你叫|你的名字是|你的名字叫|我叫你)(?!什么)(?P<n>[A-Za-z{_HAN}]{{1,8}}?)(?:吧|了)?[。！!.]?$",
            text,
        ):
            manner = replace(manner, name=found["n"])
        return manner

    def _told_style(self, text: str) -> Manner:
        manner = self
        # "Can you speak Chinese?" is a question about it; the answer is all it changes.
        for found in re.finditer(_LANGUAGE, text, re.IGNORECASE):
            if re.search(
                r"\b(?:do|can|could) (?:you|i)\b[^.!?\n]*$|你?(?:会|能)$",
                text[: found.start()],
                re.IGNORECASE,
            ):
                continue
            word = next(filter(None, found.groups())).lower()
            manner = replace(manner, language="en" if word in ("english", "英文", "英语") else "zh")
        if re.search(_LONG, text, re.IGNORECASE):
            manner = replace(manner, brief=False)
        elif re.search(_BRIEF, text, re.IGNORECASE):
            manner = replace(manner, brief=True)
        if opening := re.search(_OPENING, text, re.IGNORECASE):
            line = opening["quoted"] or opening["bare"] or opening["greeting"] or opening["zh_line"]
            always = bool(
                opening["zh"]
                or re.search(r"\b(?:every|each|all|always|any|your answers|replies)\b", opening["how"] or "")
            )
            manner = replace(manner, opening=line[0].upper() + line[1:], opening_always=always)
        return manner
