"""The brain: a list of rules that looks things up, calculates, calls tools and remembers the conversation.

It is there so that a session can be practised with no key and no network. It does not reason and has no model of
language: what no rule fits, it says plainly that it does not understand. Rules live in the modules beside this one;
adding one means writing a function from `Context` to an answer or None and naming it in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stepnb.local.brain import conversation, knowledge, numeracy, results, social, tools
from stepnb.local.brain.context import Context
from stepnb.local.brain.retrieval import Retriever, search_collection
from stepnb.local.brain.schema import read_tools
from stepnb.local.library import Library
from stepnb.local.parts import BrainReply, BrainRequest, join_sentences, split_sentences

Rule = Callable[[Context], str | None]

# The first rule with an answer wins: what the user wants done with words comes before what the words mean.
RULES: tuple[Rule, ...] = (
    social.open_conversation,
    social.say_opening,
    conversation.follow_style,
    conversation.repeat_after,
    conversation.recall_name,
    conversation.learn_name,
    conversation.favourite,
    conversation.say_again,
    conversation.recall_question,
    conversation.spell,
    conversation.unspell,
    numeracy.calculate,
    numeracy.count,
    numeracy.chance,
    numeracy.judge_number,
    knowledge.tell_time,
    knowledge.tell_date,
    knowledge.calendar,
    social.admit_limits,
    social.joke,
    knowledge.capital,
    knowledge.fact,
    social.introduce,
    social.help_out,
    social.mood,
    social.check_line,
    social.greet,
    social.thank,
    social.part,
    social.acknowledge,
    social.give_up,
)

_AT_A_LOSS: tuple[Rule, ...] = (social.admit_limits, social.give_up)


class RuleBrain:
    """Answers in English or Chinese: by a tool that fits, from the documents, or by the first rule that fits.

    Parameters
    ----------
    library
        The documents for ``retrieval`` tools; None: there are none.
    """

    def __init__(self, library: Library | None = None) -> None:
        self._retriever = Retriever(library) if library is not None else None

    def reply(self, request: BrainRequest) -> BrainReply:
        """Answer the end of a conversation.

        Parameters
        ----------
        request
            The conversation and its circumstances; the same request (and library) gives the same reply.

        Returns
        -------
        BrainReply
            With a text, or calls, or both.
        """
        context = Context.of(request)
        reply = self._answer(request, context)
        manner = context.manner
        text = reply.text
        if manner.brief and not reply.calls:
            text = split_sentences(text)[0]
        if (
            manner.opening
            and (manner.opening_always or not context.turns)
            and not text.startswith(manner.opening)
        ):
            stop = "" if manner.opening[-1] in ".!?,。！？，" else context.pick("!", "！")
            text = manner.opening + stop + context.pick(" ", "") + text
        return replace(reply, text=text, thinking=reply.thinking if request.thinking else "")

    def _answer(self, request: BrainRequest, context: Context) -> BrainReply:
        """Find the answer, in the order: outputs of tools, a tool, the documents, the rules, the search."""

        def say(text: str, thinking: str) -> BrainReply:
            said = (
                context.pick(f'The user said: "{context.raw}". ', f"用户说：“{context.raw}”。")
                if context.raw
                else ""
            )
            return BrainReply(text=text, language=context.language, thinking=said + thinking)

        if outputs := results.outputs(request.history):
            back = context.pick("The tool has answered, so I say what came back.", "工具有结果了，我来转述。")
            return say(results.tell(outputs, context), back)
        decision = tools.decide(read_tools(request.tools), context)
        if decision.calls:
            named = ", ".join(f"{call.name}({call.arguments})" for call in decision.calls)
            why = context.pick(f"The tool for that: {named}.", f"适合的工具：{named}。")
            return replace(say(_filler(context), why), calls=decision.calls)
        if decision.question:
            why = context.pick(
                "A tool fits, but an argument is missing; I ask.", "有合适的工具，但缺少参数，先问一下。"
            )
            return say(decision.question, why)
        of_type = {
            kind: [tool for tool in request.tools if tool.get("type") == kind]
            for kind in ("retrieval", "web_search")
        }
        if self._retriever and context.raw and of_type["retrieval"]:
            found = self._retriever.ask(of_type["retrieval"], context.raw)
            if found is not None:
                lead = context.pick(f"According to {found.source}: ", f"根据{found.source}：")
                return say(lead + found.answer, found.prompt)
        rule, text = answer(context)
        if rule in _AT_A_LOSS and context.raw and of_type["web_search"]:
            return say(
                _search(context), context.pick("No rule fits, so I search.", "没有合适的规则，我来搜索。")
            )
        return say(text, context.pick("No tool fits; I answer by rule.", "没有合适的工具，按规则回答。"))


def answer(context: Context) -> tuple[Rule, str]:
    """Find the rule that fits, and what it says."""
    for rule in RULES:
        text = rule(context)
        if text and text.strip():
            return rule, text.strip()
    raise AssertionError("the last rule answers everything")


def _filler(context: Context) -> str:
    return context.choose(
        ["好的，稍等。", "我来看看。", "请稍等一下。"]
        if context.language == "zh"
        else ["One moment, please.", "Let me check.", "Let me see."]
    )


def _search(context: Context) -> str:
    """Answer from the bundled collection, and say that it is no web."""
    page = search_collection(context.raw or "")
    if page is None:
        return context.pick(
            "I searched my small offline collection and found nothing. I cannot reach the web.",
            "我搜索了自带的离线资料，没有找到。我不能上网。",
        )
    text = join_sentences(split_sentences(page.text)[:2])
    return context.pick(
        f"From my small offline collection, not the web: {text}", f"来自自带的离线资料，不是网络：{text}"
    )
