"""A judge: a language model that says how good an answer is, by a question of yours."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

import httpx
import msgspec

from ..errors import ConfigError, ExperimentError
from ..session.turn import Turn
from .scoring import Context, Found, Over

PROMPT = """You judge one answer of a voice assistant.

Question: {question}
Expected, if anything: {expected}
Answer: {answer}

{criterion}

Reply with JSON alone: {{"score": <a number from {low} to {high}>, "reason": "<one sentence>"}}"""
"""What the judge is told; a change of it is another judge, and scores anew."""

_TIMEOUT = 60.0


@dataclasses.dataclass(frozen=True)
class Judge:
    """Asks a chat server with OpenAI's HTTP shape how good an answer is.

    A judge is a measuring instrument to be tested itself: let it score answers you have scored.

    Parameters
    ----------
    criterion
        What to judge: "Is it friendly without being wordy?"
    url
        The server's base, such as "http://127.0.0.1:11434/v1".
    model
        The model's name there. With `criterion`, `prompt` and scale it identifies the scores.
    low, high
        The scale.
    key_name
        The environment variable that holds the server's key, None for none. It is read when the judge is asked.
    prompt
        With ``{question}``, ``{expected}``, ``{answer}``, ``{criterion}``, ``{low}`` and ``{high}``.

    Raises
    ------
    ConfigError
        A scale that is none, or a prompt without the answer.
    """

    criterion: str
    url: str
    model: str
    low: float = 1
    high: float = 5
    key_name: str | None = None
    prompt: str = PROMPT
    name: str = "judge"
    over: Over = "last"
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ConfigError(
                f"The scale goes from {self.low:g} to {self.high:g}.", fix="Write Judge(low=1, high=5)."
            )
        if "{answer}" not in self.prompt:
            raise ConfigError("The judge's prompt has no {answer}.", fix="Put it where the answer belongs.")

    def __call__(self, turn: Turn, context: Context) -> Found:
        """Return the score; None where there was no answer to judge.

        Raises
        ------
        ExperimentError
            The server cannot be reached, refuses, or does not reply with a score.
        """
        if not turn.transcript.strip():
            return None
        asked = (
            turn.user if isinstance(turn.user, str) else (context.input.said or turn.user_transcript or "")
        )
        words = {
            "question": asked,
            "expected": context.input.expect or "nothing in particular",
            "answer": turn.transcript,
            "criterion": self.criterion,
            "low": f"{self.low:g}",
            "high": f"{self.high:g}",
        }
        return self._score(self._reply(self.prompt.format(**words)))

    def _reply(self, text: str) -> str:
        key = os.environ.get(self.key_name or "")
        body = {"model": self.model, "temperature": 0, "messages": [{"role": "user", "content": text}]}
        try:
            answer = httpx.post(
                f"{self.url.rstrip('/')}/chat/completions",
                json=body,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=_TIMEOUT,
            )
            answer.raise_for_status()
            content: Any = answer.json()["choices"][0]["message"]["content"]
        except httpx.HTTPStatusError as error:
            raise ExperimentError(f"The judge's server answered HTTP {error.response.status_code}.") from None
        except httpx.HTTPError as error:
            raise ExperimentError(
                f"The judge's server cannot be reached: {type(error).__name__}.", fix="Check the URL."
            ) from None
        except (LookupError, TypeError, ValueError):
            raise ExperimentError("The judge's server answered in another shape than OpenAI's.") from None
        return str(content)

    def _score(self, reply: str) -> float:
        # Models like to put a fence or a sentence around what they were asked for.
        found = re.search(r"\{.*\}", reply, re.DOTALL)
        try:
            score = msgspec.json.decode(found[0] if found else reply, type=_Verdict).score
        except msgspec.DecodeError:
            raise ExperimentError(f"The judge did not reply with a score: {reply[:80]!r}.") from None
        if not self.low <= score <= self.high:
            raise ExperimentError(f"The judge gave {score:g} on a scale from {self.low:g} to {self.high:g}.")
        return score


class _Verdict(msgspec.Struct):
    score: float
