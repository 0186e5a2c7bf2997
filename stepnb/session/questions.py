"""`Questions`: the messages of turns that have no answer yet. I/O thread only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..conversation.reducer import Conversation, turn_event_id
from ..protocol import events as ev


@dataclass
class _Question:
    part: ev.Part
    pcm: bytes | None
    sent: bool = False


class Send(Protocol):
    """Sends an event; payload is base64 audio in it, pcm what it stands for."""

    def __call__(self, event: ev.Event, *, payload: str | None = None, pcm: bytes | None = None) -> None: ...


class Questions:
    """Keeps each message until its turn has ended, so that it can be sent again on another connection.

    A message goes out together with the request for its answer: an answer to an earlier question must not see it.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._questions: dict[int, _Question] = {}

    def add(self, turn: int, part: ev.Part, pcm: bytes | None) -> None:
        """Keep the message of a turn; pcm is the audio of an audio part."""
        self._questions[turn] = _Question(part, pcm)

    def send(self, turn: int) -> None:
        """Send the message of a turn, unless it has been."""
        question = self._questions.get(turn)
        if question is None or question.sent:
            return
        question.sent = True
        item = ev.Item(type="message", role="user", content=[question.part])
        event = ev.ConversationItemCreate(item=item, event_id=turn_event_id(turn, "item"))
        self._send(event, payload=question.part.audio, pcm=question.pcm)

    def unanswered(self, conversation: Conversation) -> list[int]:
        """The connection is gone: return the turns without an answer, to be asked again, and forget the others."""
        turns = conversation.turns
        self._questions = {
            number: _Question(question.part, question.pcm)
            for number, question in self._questions.items()
            if not turns[number].ended and not conversation.begun(turns[number])
        }
        return list(self._questions)

    def has(self, turn: int) -> bool:
        """Whether the message of a turn is kept."""
        return turn in self._questions

    def drop(self, turn: int) -> None:
        """A turn has ended."""
        self._questions.pop(turn, None)

    def clear(self) -> None:
        """Forget everything."""
        self._questions.clear()
