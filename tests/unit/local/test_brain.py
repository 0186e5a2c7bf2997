from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stepnb.local import phrasebook
from stepnb.local.brain import RuleBrain, answer, social
from stepnb.local.brain.context import Context, plain
from stepnb.local.numbers import read_chinese, read_english, say
from stepnb.local.parts import BrainRequest, Message, split_sentences

NOW = datetime(2026, 11, 22, 15, 4)  # a Sunday


def talk(*questions: str, instructions: str = "", seed: int = 0, now: datetime = NOW) -> list[str]:
    """Ask one question after the other; the answers."""
    history: list[Message] = []
    answers = []
    for question in questions:
        history.append(Message("user", question))
        reply = RuleBrain().reply(
            BrainRequest(history=tuple(history), now=now, instructions=instructions, seed=seed)
        )
        history.append(Message("assistant", reply.text))
        answers.append(reply.text)
    return answers


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Hello!", "Hello! How can I help you?"),
        ("What time is it?", "It is 3:04 PM."),
        ("what is the time now please", "It is 3:04 PM."),
        ("Is it morning or afternoon now?", "It is afternoon: 3:04 PM."),
        ("What day is it today?", "Today is Sunday, November 22, 2026."),
        ("what is tomorrow's date", "Tomorrow is Monday, November 23, 2026."),
        ("What day was it yesterday?", "Yesterday was Saturday, November 21, 2026."),
        ("is it Monday today", "No, today is Sunday, November 22, 2026."),
        ("what year is it", "It is 2026."),
        ("which month comes after march", "April comes after March."),
        ("how many days until christmas", "Christmas is 33 days away."),
        ("what is seventeen times three", "That is 51."),
        ("What's 17 * 3?", "That is 51."),
        ("what is 20-5", "That is 15."),
        ("what is two plus three times four", "That is 14."),
        ("what is seven divided by two", "That is 3.5."),
        ("what is one hundred and five minus twenty-five", "That is 80."),
        ("take four away from thirty", "That is 26."),
        ("subtract ten from three", "That is -7."),
        ("what is the square root of eighty one", "That is 9."),
        ("what is ten percent of two hundred", "That is 20."),
        ("what is nine squared", "That is 81."),
        ("what is 1,000 plus 1", "That is 1001."),
        ("what is 0.1 plus 0.2", "That is 0.3."),
        ("divide five by zero", "I cannot divide by zero."),
        ("count to five", "1, 2, 3, 4, 5."),
        ("count down from three", "3, 2, 1."),
        ("is seventeen a prime number", "17 is a prime number."),
        ("what is bigger nine or twelve", "12 is larger than 9."),
        ("spell banana", "banana: B, A, N, A, N, A."),
        ("How do you spell the word rhythm?", "rhythm: R, H, Y, T, H, M."),
        ("what does c a t spell", "C, A, T spells cat."),
        ("Repeat after me: the sky is green", "The sky is green."),
        ("please say it is a cold day", "It is a cold day."),
        ("say hello to ben", "Hello, Ben!"),
        ("what is the capital of France?", "The capital of France is Paris."),
        ("what is the capital of the United States", "The capital of the United States is Washington."),
        ("where is boston", "Boston is in the United States."),
        ("how many legs does a spider have", "A spider has 8 legs."),
        ("who wrote hamlet", "William Shakespeare wrote it."),
        ("How many days are there in a week?", "There are seven days in a week."),
        ("thank you very much", "You are welcome."),
        ("Goodbye", "Goodbye!"),
        ("will it rain tomorrow", "I am the offline practice engine, so I cannot look that up."),
        ("你好", "你好！有什么可以帮你？"),
        ("现在几点？", "现在是15点4分。"),
        ("今天星期几？", "今天是2026年11月22日，星期日。"),
        ("十七乘以三等于多少？", "等于51。"),
        ("一百二十除以四是多少", "等于30。"),
        ("12加30等于几", "等于42。"),
        ("法国的首都是哪里？", "法国的首都是巴黎。"),
        ("你叫什么名字？", "我是 Step，stepnb 的离线练习引擎。"),
        ("谢谢你", "不客气。"),
        ("再见", "再见！"),
    ],
)
def test_answers(question: str, expected: str) -> None:
    assert talk(question) == [expected]


@pytest.mark.parametrize(
    ("questions", "last"),
    [
        (("what is two plus two", "and times three"), "That is 12."),
        (
            ("what is two plus two", "double that", "now add five", "and what is that divided by two"),
            "That is 6.5.",
        ),
        (("what is ten minus four", "hello", "plus one"), "That is 7."),
        (("三加四等于几", "再乘以二"), "等于14。"),
        (("my name is Anna", "what is my name"), "Your name is Anna."),
        (("call me ben", "no, my name is Leo", "who am i"), "Your name is Leo."),
        (("what is my name",), "You have not told me your name yet."),
        (("my name is anna", "goodbye"), "Goodbye, Anna!"),
        (("my name is ben", "spell my name"), "Ben: B, E, N."),
        (("我叫小明", "我叫什么名字"), "你叫小明。"),
        (("what time is it", "say that again"), "It is 3:04 PM."),
        (("what time is it", "what did I just ask?"), 'You said: "what time is it".'),
        (("hello", "what time is it", "what was my first question"), 'You said: "hello".'),
        (("what did i just ask",), "You have not asked me anything before."),
        (("现在几点", "我刚才问了什么"), "你说的是：“现在几点”。"),
        (("my favorite color is blue", "what is my favorite color"), "Your favorite color is blue."),
        (
            ("your name is michael now", "what is your name"),
            "I am Michael. I run on stepnb's offline practice engine.",
        ),
        (("answer in chinese please", "what time is it"), "现在是15点4分。"),
        (("Please start every answer with 'Ahoy'", "what time is it"), "Ahoy! It is 3:04 PM."),
    ],
)
def test_follow_ups(questions: tuple[str, ...], last: str) -> None:
    assert talk(*questions)[-1] == last


@pytest.mark.parametrize(
    ("instructions", "question", "expected"),
    [
        (
            "You are Ada, a friendly guide.",
            "who are you",
            "I am Ada. I run on stepnb's offline practice engine.",
        ),
        ("You are a pirate named Jack.", "hello", "Hello, I am Jack. How can I help you?"),
        ("You are a helpful assistant.", "hello", "Hello! How can I help you?"),
        ("Your name is Ada. Answer in one short sentence.", "what is your name", "I am Ada."),
        ("Be concise.", "how are you", "I am fine, thank you."),
        ("Always answer in Chinese.", "what is two plus two", "等于4。"),
        ("Please reply in English.", "现在几点", "It is 3:04 PM."),
        ('Start every answer with "Ahoy".', "what time is it", "Ahoy! It is 3:04 PM."),
        ("Begin each reply with Ahoy.", "what time is it", "Ahoy! It is 3:04 PM."),
        ('Greet the user with "Welcome aboard!"', "what time is it", "Welcome aboard! It is 3:04 PM."),
        ("你是小雪，用中文回答。", "hello", "你好，我是小雪。有什么可以帮你？"),
        ("你叫小步。请简短回答。", "你是谁", "我是小步。"),
        ("每次回答都以“喵”开头。", "现在几点", "喵！现在是15点4分。"),
    ],
)
def test_instructions(instructions: str, question: str, expected: str) -> None:
    assert talk(question, instructions=instructions) == [expected]


def test_a_greeting_line_is_said_once() -> None:
    first, second = talk("hi", "what time is it", instructions='Greet the user with "Welcome aboard!"')
    assert first.startswith("Welcome aboard!")
    assert second == "It is 3:04 PM."


def test_it_speaks_first_when_asked_to_answer_nothing() -> None:
    reply = RuleBrain().reply(BrainRequest(history=(), now=NOW, instructions="You are Ada."))
    assert reply.text == "Hello, I am Ada. How can I help you?"
    chinese = RuleBrain().reply(BrainRequest(history=(), now=NOW, instructions="你叫小步。"))
    assert chinese.language == "zh"


def test_it_says_plainly_what_it_does_not_understand() -> None:
    for nonsense in ("colorless green ideas", "why does the stock market fall", "量子色动力学"):
        context = Context.of(BrainRequest(history=(Message("user", nonsense),), now=NOW))
        assert answer(context)[0] is social.give_up
    assert "do not reason" in talk("colorless green ideas")[0]


def test_jokes_depend_on_the_seed_and_do_not_repeat() -> None:
    questions = ["tell me a joke", *["another joke"] * 5]
    assert len(set(talk(*questions))) == 6
    assert talk(*questions, seed=4) == talk(*questions, seed=4)
    assert len({talk("tell me a joke", seed=seed)[0] for seed in range(20)}) > 1


def test_it_understands_its_whole_phrase_book() -> None:
    book = phrasebook.load()
    before = (Message("user", "what is two plus two"), Message("assistant", "That is 4."))
    missed = []
    for topic in book.topics:
        for sentences in book.sentences(topic):
            for sentence in sentences[:: max(1, len(sentences) // 25)]:
                history = (*before, Message("user", phrasebook.display(sentence)))
                if answer(Context.of(BrainRequest(history=history, now=NOW)))[0] is social.give_up:
                    missed.append(sentence)
    assert missed == []


WORDS = st.sampled_from(
    re.findall(
        r"\S+",
        "what is my name your plus times divided by zero hundred and point minus add spell say repeat that again to "
        "the capital of joke day time you are called in chinese start with every 你 是 叫 什么 几点 加 乘以 再 三 十 "
        "万 点 \" “ ” - . , ? 3 0 9999999999999999 * / '",
    )
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "assistant", "tool"]),
            st.lists(WORDS, max_size=10).map(" ".join) | st.text(max_size=40),
        ),
        max_size=6,
    ),
    st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=60),
    st.integers(0, 3),
    st.datetimes(),
)
@example([("tool", "\r")], "", 0, datetime(2000, 1, 1))
def test_it_always_answers(
    history: list[tuple[str, str]], instructions: str, seed: int, now: datetime
) -> None:
    request = BrainRequest(
        history=tuple(Message(role, text) for role, text in history),  # type: ignore[arg-type]
        now=now,
        instructions=instructions,
        seed=seed,
    )
    reply = RuleBrain().reply(request)
    assert reply.text.strip()
    assert reply.sentences
    assert reply.language in ("en", "zh")
    assert RuleBrain().reply(request) == reply


def test_long_messages_take_no_long_time() -> None:
    for unit in ("what is one plus ", "a ", "say ", "三加", "9", "my name is ", '"'):
        assert talk(unit * 20_000, instructions=unit * 20_000)


@given(st.integers(-999_999, 999_999_999))
def test_numbers_are_read_as_they_are_said(value: int) -> None:
    assert read_english(say(value).replace("-", " ").split()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十", 10), ("十七", 17), ("二十", 20), ("一百零五", 105), ("两千三百", 2300), ("一万二千", 12000),
        ("三点一四", 3.14), ("负五", -5), ("一二三", 123), ("三亿", 3e8), ("42", 42), ("点", None), ("猫", None),
    ],
)  # fmt: skip
def test_chinese_numbers(text: str, value: float | None) -> None:
    assert read_chinese(text) == value


@pytest.mark.parametrize(
    "words", ["", "and", "hundred", "two three", "five twenty", "cat", "twenty ten", "minus"]
)
def test_what_is_no_number(words: str) -> None:
    assert read_english(words.split()) is None


def test_plain_text() -> None:
    assert plain("What's  twenty-five, please?") == "what is twenty five please"
    assert plain("I’m 3.5 years") == "i am 3.5 years"
    assert plain("你 好！") == "你好"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ("One.", "Two!", "Three?")),
        ("It is 3.5. Yes.", ("It is 3.5.", "Yes.")),
        ("你好！现在几点？", ("你好！", "现在几点？")),
        ('He said "no." Then he left.', ('He said "no."', "Then he left.")),
        ("no end", ("no end",)),
        ("  ", ()),
    ],
)
def test_sentences(text: str, sentences: tuple[str, ...]) -> None:
    assert split_sentences(text) == sentences
