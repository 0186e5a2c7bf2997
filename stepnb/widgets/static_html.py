"""Turns and transcripts as plain HTML: what a saved notebook shows without a kernel."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import msgspec

from ..conversation.finish import in_words
from .results import result_html

if TYPE_CHECKING:
    from ..recording.recording import Recording
    from ..session.session import Session
    from ..session.tools import ToolCall
    from ..session.turn import Turn

# Drawn towards the page's own text colour: darker on a light page, lighter on a dark one.
YOU, STEP, RED = (
    f"color-mix(in srgb, {colour} 75%, currentColor)" for colour in ("#0b7a75", "#6a63d6", "#d0453a")
)
# Turns kept in the static form of a session, newest last.
_SHOWN_TURNS = 30
# Bytes of that form at most.
_LONGEST_PAGE = 60_000
# Without a kernel JupyterLab says "Loading widget..." for ever, where the live panel would be. (It takes styles from
# trusted notebooks only, and those are one's own.)
_NO_WIDGET = (
    "<style>.jp-OutputArea:has(.stepnb-static) > .jp-OutputArea-child"
    ":has(> [data-mime-type='application/vnd.jupyter.widget-view+json']:not(:has(*))) { display: none; }</style>"
)
# Of a tool's arguments and output, characters.
_LONGEST = 300


def turn_html(turn: Turn, *, player: bool = True) -> str:
    """Return a turn as HTML: both sides, figures, and the answer's audio as a player."""
    asked = turn.user if isinstance(turn.user, str) else (turn.user_transcript or "")
    nobody = turn.kind in ("unasked", "greeting")
    rows = [] if nobody else [_line("You", YOU, html.escape(asked) or "<i>(audio)</i>")]
    answer = html.escape(turn.transcript)
    if turn.status == "interrupted":
        answer += f" <b style='color:{RED};font-size:11px'>interrupted</b>"
    if turn.error is not None:
        answer += f" <b style='color:{RED}'>{html.escape(str(turn.error))}</b>"
    rows.append(_line("Step", STEP, answer or f"<i>{turn.status}</i>"))
    calls = turn.tool_calls
    rows += [_tool_line(call) for call in calls]
    heard = turn.audio if player and turn.status not in ("pending", "active") else None
    sound = heard._repr_html_() if heard is not None and heard.duration else ""
    shown = "".join(result_html(call.result) for call in calls) if heard is not None else ""
    page = "".join(rows) + _figures(turn) + sound + shown
    return f"<div style='max-width:62em;font-size:14px;line-height:1.5'>{page}</div>"


def _tool_line(call: ToolCall) -> str:
    arguments = call.arguments
    if isinstance(arguments, dict):
        arguments = ", ".join(
            f"{name}={msgspec.json.encode(value).decode()}" for name, value in arguments.items()
        )
    took = f" · {call.duration_ms / 1000:.2f} s" if call.duration_ms is not None else ""
    came = call.status if call.output is None else call.output
    if call.status == "awaiting approval":
        came += f": session.approve({call.call_id!r}) or session.deny({call.call_id!r})"
    mark = (
        ""
        if call.output is None or call.status == "completed"
        else f" <b style='color:{RED}'>{call.status}</b>"
    )
    text = f"<code>{html.escape(_cut(f'{call.name}({arguments})'))}</code>{mark} → {html.escape(_cut(came))}{took}"
    return f"<div style='font-size:12px;opacity:.85;margin-left:5em'>{text}</div>"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _figures(turn: Turn) -> str:
    figures: list[str] = [turn.status]
    latency = turn.latency
    if latency.first_audio is not None:
        figures.append(f"first audio after {latency.first_audio / 1000:.2f} s")
    ended = in_words(turn.finish_reason, silent=bool(turn.transcript) and not turn.audio.duration)
    if ended is not None:
        figures.append(ended.rstrip("."))
    cost = turn.cost
    if cost is not None and (cost.cny or cost.usd):
        figures.append(str(cost))
    return f"<div style='font-size:11px;opacity:.7;margin-left:4em'>{' · '.join(figures)}</div>"


def _line(who: str, colour: str, text: str) -> str:
    name = f"<b style='color:{colour};font-size:11px;flex:none;width:3em;margin-right:1em'>{who}</b>"
    return f"<div style='display:flex'>{name}<span>{text}</span></div>"


def session_html(session: Session | Recording) -> str:
    """Return the transcript of a session as HTML without players: its last turns, at most 60 kB of them."""
    turns = session.turns
    shown: list[str] = []
    room = _LONGEST_PAGE
    for turn in reversed(turns[-_SHOWN_TURNS:]):
        text = turn_html(turn, player=False)
        room -= len(text.encode())
        if room < 0:
            break
        shown.insert(0, text)
    left_out = f"<i>{len(turns) - len(shown)} earlier turns</i>" if len(turns) > len(shown) else ""
    return f"{_NO_WIDGET}<div class='stepnb-static'>{left_out}{''.join(shown)}</div>"
