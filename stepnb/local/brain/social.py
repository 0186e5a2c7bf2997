"""Rules for company: greetings, thanks, who it is, what it can and cannot do."""

from __future__ import annotations

import re

from stepnb.local.brain.context import Context
from stepnb.local.brain.conversation import known_name
from stepnb.local.brain.knowledge import book


def open_conversation(context: Context) -> str | None:
    """Speak first, or after silence."""
    if context.raw is None:
        return _hello(context)
    if not context.text:
        return context.pick("I did not catch that.", "我没有听清。")
    return None


def say_opening(context: Context) -> str | None:
    """Open with the words that a note of the application gives, as stepnb's ``greeting`` does."""
    note = re.match(
        r"\[Note of the application[^\]]*words[^\]]*\]\s*(?P<line>\S.*)", context.raw or "", re.DOTALL
    )
    return note["line"].strip() if note else None


def _hello(context: Context) -> str:
    name = context.manner.name
    if name:
        return context.pick(f"Hello, I am {name}. How can I help you?", f"你好，我是{name}。有什么可以帮你？")
    return context.pick("Hello! How can I help you?", "你好！有什么可以帮你？")


def joke(context: Context) -> str | None:
    """Tell a joke, or why there is no song."""
    english = (
        r"\bjokes?\b|\bmake me laugh\b|\b(?:say|tell me) something funny\b|\briddle\b|"
        r"^(?:another|one more)(?: joke| one)?(?: please)?$|\bstory\b"
    )
    if context.find(english, r"笑话|逗我笑|谜语|^再来一个$|故事"):
        return context.choose(book()["jokes"][context.language])
    if context.find(r"\bsing\b", r"唱"):
        return context.pick("I cannot sing, my voice is not made for it.", "我不会唱歌。")
    if context.find(r"^that (?:was|is) (?:not |very )*funny$", "好笑"):
        return context.pick("I have others. Ask me for another joke.", "我还有别的笑话。")
    return None


def introduce(context: Context) -> str | None:
    """Say who and what it is."""
    name = context.manner.name
    if context.find(
        r"\b(?:what is|tell me|know|have|what was) your name\b|\bwho are you\b|"
        r"\bwhat should i call you\b|\bintroduce yourself\b|\babout yourself\b|"
        r"\byour name please\b",
        r"你(?:叫什么|是谁|的名字)|介绍一下你?自己|怎么称呼",
    ):
        if name:
            return context.pick(f"I am {name}.", f"我是{name}。") + context.pick(
                " I run on stepnb's offline practice engine.", "我运行在 stepnb 的离线练习引擎上。"
            )
        return context.pick(
            "I am Step, the offline practice engine of stepnb.", "我是 Step，stepnb 的离线练习引擎。"
        )
    if context.find(
        r"\bare you (?:an? )?(?:real |human|real|robot|computer|person|machine|program|ai)|"
        r"\bwhat are you$|\bwhat (?:model|engine) are you\b",
        r"你是(?:不是)?(?:真?人|机器人|电脑|程序|什么)",
    ):
        return context.pick(
            "I am a computer program: a list of rules, not a language model.",
            "我是一个电脑程序：一组规则，不是语言模型。",
        )
    if context.find(r"\bwho (?:made|built|created) you\b", r"谁(?:做|造|创造|开发)了?你"):
        return context.pick("The stepnb developers made me.", "stepnb 的开发者做了我。")
    if context.find(r"\bhow old are you\b", r"你(?:多大|几岁)"):
        return context.pick("I am a program, so I have no age.", "我是程序，没有年龄。")
    if context.find(
        r"\bwhere (?:are you|do you (?:live|come from))\b|\bdo you live\b", r"你(?:在哪|住哪|来自)"
    ):
        return context.pick("I run on this computer.", "我就在这台电脑上运行。")
    if context.find(r"\b(?:online|offline|the internet)\b", r"联网|离线|上网"):
        return context.pick("I work offline, with no internet.", "我离线工作，不需要网络。")
    if context.find(r"\blanguages do you\b", r"什么语言|哪些语言"):
        return context.pick(
            "I speak English and Chinese. Spoken Chinese I do not understand; type it.",
            "我会中文和英文。我听不懂中文语音，请打字。",
        )
    if context.find(
        r"\bdo you (?:sleep|eat|dream|love|like|think|feel)\b|\bwhat do you think\b|\bmeaning of life\b",
        r"你(?:睡觉|吃|做梦|爱我|喜欢)|人生的意义",
    ):
        return context.pick(
            "I am a program, so I have no feelings or opinions.", "我是程序，没有感情和看法。"
        )
    return None


def help_out(context: Context) -> str | None:
    """Say what it can do."""
    english = (
        r"^(?:please )?help\b|\bhelp me\b|\bwhat (?:else )?(?:can|could) (?:you|i) (?:do|ask|"
        r"say)\b|\bkind of things\b|\bwhat do you know\b|\byou help\b"
        r"|\bhow does (?:this|it) work\b|\bhow do i use\b|\bgive me an example\b|\bgood at\b|"
        r"\bable to do\b|\bwhat (?:cannot|can not) you do\b|\bwhat you can do\b|"
        r"\bwhat can you not do\b"
    )
    if not context.find(english, r"你(?:会|能|可以)(?:做|干)?(?:什么|啥)|帮(?:助|帮我|我)|怎么用"):
        return None
    return context.pick(
        "I can tell the time and the date, calculate, spell, repeat after you, tell jokes "
        "and a few facts, and remember "
        "your name. I am the offline practice engine: I do not reason and cannot look anything up.",
        "我可以报时间和日期、算算术、讲笑话、说一些常识、记住你的名字。我是离线练习引擎：不会推理，也不能查资料。",
    )


def admit_limits(context: Context) -> str | None:
    """Say plainly what needs the network or hands."""
    if context.find(
        r"\bweather\b|\bwill it rain\b|\btemperature (?:is it )?(?:outside|in)\b|"
        r"\bis the temperature\b|\bthe news\b",
        r"天气|下雨|气温|新闻",
    ):
        return context.pick(
            "I am the offline practice engine, so I cannot look that up.", "我是离线练习引擎，查不到这个。"
        )
    hands = (
        r"^(?:please )?(?:play|open|search|call|send)\b|\b(?:set|start) (?:a |an )?(?:timer|"
        r"alarm)\b|\bwake me up\b|\bturn (?:on|off)\b|\bremind me\b|\bset an alarm\b"
    )
    if context.find(hands, r"播放|打开|定时|闹钟|提醒我|打电话|关灯|开灯"):
        return context.pick("I can only talk, so I cannot do that.", "我只会说话，做不了这个。")
    return None


def mood(context: Context) -> str | None:
    """Say how it is, and hear how the user is."""
    if context.find(
        r"\bhow are you\b|\bhow is it going\b|\bwhat is up\b|\bhow do you do\b",
        r"你好吗|最近怎么样|过得怎么样",
    ):
        return context.pick("I am fine, thank you. How are you?", "我很好，谢谢。你呢？")
    if context.find(
        r"\bi am (?:very |so )?(?:sad|hungry|tired|bored|sick)\b", r"我(?:很|好|有点)?(?:难过|饿|累|无聊)"
    ):
        return context.pick("I am sorry to hear that. Would you like a joke?", "真抱歉。想听个笑话吗？")
    if context.find(
        r"\bi am (?:very |so )?(?:fine|good|happy|okay|ok|great|well)\b", r"我(?:很|好)?(?:好|开心|高兴)$"
    ):
        return context.pick("I am glad to hear that.", "很高兴听到这个。")
    return None


def check_line(context: Context) -> str | None:
    """Answer "Can you hear me"."""
    if context.find(
        r"\bhear me\b|\bare you there\b|\bis (?:anybody|anyone) there\b|^(?:this is a )?test(?:ing)?\b",
        r"听得[到见]|能听[到见]|在吗|^测试",
    ):
        return context.pick("Yes, I can hear you.", "我听得到。")
    return None


def greet(context: Context) -> str | None:
    """Answer "Hello"."""
    if context.find(r"\bgood night\b", "晚安"):
        return part(context)
    if not context.find(
        r"^(?:hello|hi|hey|greetings|ahoy)\b|\bgood (?:morning|afternoon|evening|day)\b|"
        r"\bnice to (?:meet|talk to) you\b",
        r"你好|您好|嗨|哈喽|早上好|下午好|晚上好|早安",
    ):
        return None
    name = known_name(context)
    if context.turns and name:
        return context.pick(f"Hello, {name}! How can I help you?", f"你好，{name}！有什么可以帮你？")
    return _hello(context)


def thank(context: Context) -> str | None:
    """Answer "Thank you", and praise."""
    if context.find(
        r"\bthanks?\b|\byou are (?:very |so )?(?:good|funny|nice|smart|helpful|great)\b|"
        r"\bi (?:like|love) \w+|\bwell done\b|^(?:very )?(?:great|good|nice|okay|ok)$",
        r"谢|你真(?:好|棒|聪明)",
    ):
        return context.pick("You are welcome.", "不客气。")
    return None


def part(context: Context) -> str | None:
    """Answer "Goodbye"."""
    if context.find(
        r"\b(?:goodbye|bye|good night|see you|farewell)\b|\btalk to you\b|\bhave a (?:nice|"
        r"good)\b|\bthat is all\b|\bi have to go\b|\bis all for\b",
        r"再见|拜拜|晚安|回头见|明天见",
    ):
        name = known_name(context)
        return context.pick(f"Goodbye{', ' + name if name else ''}!", f"再见{'，' + name if name else ''}！")
    return None


def acknowledge(context: Context) -> str | None:
    """Acknowledge yes, no and other words that ask nothing."""
    if context.find(
        r"^(?:you too|me too|yes|no|okay|maybe|sure|right|correct|fine|alright|all right)\b",
        r"^(?:是的?|不|不是|好的?|好吧|对|可以|行|嗯)$",
    ):
        return context.pick("All right. What would you like next?", "好的。接下来呢？")
    if context.find(r"^that is (?:not )?(?:right|correct|wrong)$|\bare you sure\b", r"确定吗|不对|错了"):
        return context.pick(
            "I calculate and look up by fixed rules. If I heard you wrong, please say it again.",
            "我按固定的规则回答。如果听错了，请再说一遍。",
        )
    if context.find(r"^i do not (?:know|understand)$", r"^我不(?:知道|懂|明白)$"):
        return context.pick("Ask me what I can do.", "可以问我会做什么。")
    return None


def give_up(context: Context) -> str:
    """Say plainly that nothing fits: the last rule."""
    return context.pick(
        "I do not understand that. I am the offline practice engine and do not reason. Ask me what I can do.",
        "我不明白。我是离线练习引擎，不会推理。可以问我会做什么。",
    )
