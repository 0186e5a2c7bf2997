"""Turns and transcripts as plain HTML: what a saved notebook shows without a kernel."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..session.session import Session
    from ..session.turn import Turn

YOU, STEP, RED = "#0b7a75", "#6a63d6", "#d0453a"
# Turns kept in the static form of a session, newest last.
_SHOWN_TURNS = 30


def turn_html(turn: Turn, *, player: bool = True) -> str:
    """Return a turn as HTML: both sides, figures, and the answer's audio as a player."""
    asked = turn.user if isinstance(turn.user, str) else (turn.user_transcript or "")
    rows = [_line("You", YOU, html.escape(asked) or "<i>(audio)</i>")]
    answer = html.escape(turn.transcript)
    if turn.status == "interrupted":
        answer += f" <b style='color:{RED};font-size:11px'>interrupted</b>"
    if turn.error is not None:
        answer += f" <b style='color:{RED}'>{html.escape(str(turn.error))}</b>"
    rows.append(_line("Step", STEP, answer or f"<i>{turn.status}</i>"))
    heard = turn.audio if player and turn.status not in ("pending", "active") else None
    sound = heard._repr_html_() if heard is not None and heard.duration else ""
    return f"<div style='max-width:62em;font-size:14px;line-height:1.5'>{''.join(rows)}{_figures(turn)}{sound}</div>"


def _figures(turn: Turn) -> str:
    figures: list[str] = [turn.status]
    latency = turn.latency
    if latency.first_audio is not None:
        figures.append(f"first audio after {latency.first_audio / 1000:.2f} s")
    return f"<div style='font-size:11px;opacity:.7;margin-left:4em'>{' · '.join(figures)}</div>"


def _line(who: str, colour: str, text: str) -> str:
    name = (
        f"<b style='color:{colour};font-size:11px;display:inline-block;width:3em;margin-right:1em'>{who}</b>"
    )
    return f"<div style='display:flex'>{name}<span>{text}</span></div>"


def session_html(session: Session) -> str:
    """Return the transcript of a session as HTML without players, bounded to its last turns."""
    turns = session.turns
    left_out = f"<i>{len(turns) - _SHOWN_TURNS} earlier turns</i>" if len(turns) > _SHOWN_TURNS else ""
    body = "".join(turn_html(turn, player=False) for turn in turns[-_SHOWN_TURNS:])
    return f"<div class='stepnb-static'>{left_out}{body}</div>"
