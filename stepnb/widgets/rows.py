"""Transcript rows for the page, from the conversation."""

from __future__ import annotations

from typing import Any

from ..conversation.finish import in_words
from ..conversation.reducer import Conversation
from ..conversation.state import BYTES_PER_MS, ItemState, ToolCallState, TurnState
from ..conversation.timing import Latency

Row = dict[str, Any]

# What the page gets of a tool's arguments and output, and of thoughts, characters.
_LONGEST = 2000
_LONGEST_THOUGHT = 8000


def rows_of(conversation: Conversation, turn: TurnState) -> list[Row]:
    """Return the rows of a turn: what the person said, and the answer once there is one."""
    rows = [] if turn.kind in ("unasked", "greeting") else [_person(conversation, turn)]
    if turn.responses or turn.error is not None:
        rows.append(_answer(conversation, turn))
    return rows


def _person(conversation: Conversation, turn: TurnState) -> Row:
    text = turn.text if turn.text is not None else (turn.user_transcript or "")
    size = sum(ref.length for ref in turn.input_audio)
    speaking = conversation.speaking and conversation.spoken == turn.id
    silent = not text and turn.kind != "text" and (turn.transcript_final or turn.ended)
    return _row(
        turn,
        "you",
        text=text,
        state="live" if speaking else "done",
        duration_ms=size / BYTES_PER_MS if size else None,
        note="no words were recognised" if silent else None,
    )


def _answer(conversation: Conversation, turn: TurnState) -> Row:
    items = conversation.answer(turn)
    text, heard, spoken = _said(items)
    latency = Latency.of(turn.stamps)
    states = {"completed": "done", "pending": "live", "active": "live"}
    silent = bool(text) and not any(item.audio_bytes for item in items)
    finish = conversation.responses[turn.responses[-1]].finish_reason if turn.responses else None
    return _row(
        turn,
        "step",
        text=text,
        state=states.get(turn.status, turn.status),
        heard=heard,
        spoken=[] if turn.status in ("interrupted", "failed") else spoken,
        cut_ms=turn.cut_ms,
        latency_ms=latency.first_heard if latency.first_heard is not None else latency.first_audio,
        duration_ms=sum(item.audio_ms for item in items) or None,
        finish=finish,
        note=str(turn.error) if turn.error is not None else in_words(finish, silent=silent),
        tools=[_tool(call) for call in conversation.calls(turn)],
        thinking=_cut("".join(item.thinking for item in items).strip(), _LONGEST_THOUGHT),
    )


def _said(items: list[ItemState]) -> tuple[str, int | None, list[dict[str, Any]]]:
    """Return an answer's text, how much of it was heard, and when its other words will have been spoken."""
    text = ""
    heard: int | None = None
    spoken: list[dict[str, Any]] = []
    for item in items:
        said = item.text.strip()
        if not said:
            continue
        text = f"{text} " if text else ""
        # From characters of the item to characters of the row.
        shift = len(text) - (len(item.text) - len(item.text.lstrip()))
        text += said
        chars = item.heard_chars()
        if chars is not None:
            heard = max(heard or 0, min(shift + chars, len(text)))
        words = [[min(shift + end, len(text)), round(ms)] for end, ms in item.words() if end > (chars or 0)]
        if words and item.audio_bytes:
            spoken.append({"item": item.id, "words": words})
    return text, heard, spoken


def _tool(call: ToolCallState) -> dict[str, Any]:
    output = _cut(call.output) if call.output is not None else None
    return {
        "call": call.call_id,
        "name": call.name,
        "arguments": _cut(call.arguments),
        "output": output,
        "status": call.status,
        "ms": call.duration_ms,
    }


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _row(turn: TurnState, who: str, **values: Any) -> Row:
    empty: Row = {
        "heard": None,
        "cut_ms": None,
        "latency_ms": None,
        "duration_ms": None,
        "finish": None,
        "note": None,
        "spoken": [],
        "tools": [],
        "thinking": "",
        "usage": None,
        "cost": None,
        "wave": None,
    }
    return {"id": f"{turn.id}-{who}", "order": turn.id * 2 + (who == "step"), "who": who} | empty | values
