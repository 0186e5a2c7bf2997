"""The brain: a list of rules that looks things up, calculates and remembers the conversation.

It is there so that a session can be practised with no key and no network. It does not reason and has no model of
language: what no rule fits, it says plainly that it does not understand. Rules live in the modules beside this one;
adding one means writing a function from `Context` to an answer or None and naming it in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable

from stepnb.local.brain import conversation, knowledge, numeracy, social
from stepnb.local.brain.context import Context
from stepnb.local.parts import BrainReply, BrainRequest, split_sentences

Rule = Callable[[Context], str | None]

# The first rule with an answer wins: what the user wants done with words comes before what the words mean.
RULES: tuple[Rule, ...] = (
    social.open_conversation,
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


class RuleBrain:
    """Answers in English or Chinese by the first rule that fits."""

    def reply(self, request: BrainRequest) -> BrainReply:
        """Answer the last user message.

        Parameters
        ----------
        request
            The conversation and its circumstances; the same request gives the same reply.

        Returns
        -------
        BrainReply
            Never empty.
        """
        context = Context.of(request)
        _, text = answer(context)
        manner = context.manner
        if manner.brief:
            text = split_sentences(text)[0]
        if (
            manner.opening
            and (manner.opening_always or not context.turns)
            and not text.startswith(manner.opening)
        ):
            stop = "" if manner.opening[-1] in ".!?,。！？，" else context.pick("!", "！")
            text = manner.opening + stop + context.pick(" ", "") + text
        return BrainReply(text=text, language=context.language)


def answer(context: Context) -> tuple[Rule, str]:
    """Find the rule that fits, and what it says."""
    for rule in RULES:
        text = rule(context)
        if text and text.strip():
            return rule, text.strip()
    raise AssertionError("the last rule answers everything")
