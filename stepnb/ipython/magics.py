"""``%%say`` and ``%voice``."""

# IPython's decorators have no types.
# mypy: disable-error-code="no-untyped-call, untyped-decorator"
from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from ..errors import StepnbError
from ..session.cells import open_sessions
from ..session.session import Session
from ..session.turn import Turn


def _text(value: str) -> str:
    """IPython leaves the quotes of an argument on it."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


@magics_class
class VoiceMagics(Magics):
    """The magics of ``%load_ext stepnb``."""

    @magic_arguments()
    @argument(
        "--to",
        metavar="NAME",
        help="The variable with the session; else the newest open one, or a new one.",
    )
    @argument(
        "--voice", type=_text, help="A voice id. After the first audio the session begins anew with it."
    )
    @argument("--instructions", type=_text, help="The system prompt from now on, in quotes.")
    @argument("--no-wait", action="store_true", help="Return at once; the turn is shown live.")
    @argument(
        "--timeout", type=float, default=60.0, help="How long to wait for the end of the answer, s (60)."
    )
    @no_var_expand
    @cell_magic
    def say(self, line: str, cell: str) -> Turn:
        """Say the cell's text to a session, wait for the answer, and return the turn."""
        options = parse_argstring(self.say, line)
        try:
            session = self._session(options.to) or Session()
            if options.voice is not None and options.voice != session.config.voice:
                _speak_as(session, options.voice)
            if options.instructions is not None:
                session.update(instructions=options.instructions)
            turn = session.ask(cell.strip())
            return turn if options.no_wait else turn.wait(options.timeout)
        except StepnbError as error:
            raise UsageError(str(error)) from error

    @magic_arguments()
    @argument("name", nargs="?", help="The variable with the session. Left out: the newest open one.")
    @line_magic
    def voice(self, line: str) -> None:
        """Say how a session is doing: its settings, its last turn, its cost and its notices."""
        options = parse_argstring(self.voice, line)
        session = self._session(options.name)
        if session is None:
            print("No session is open. Make one: s = sn.Session().")  # noqa: T201 - a magic speaks by printing
            return
        print("\n".join(_lines(session)))  # noqa: T201

    def _session(self, name: str | None) -> Session | None:
        """Return the session of a variable; without a name the newest open one, None when there is none."""
        if name is None:
            return next(reversed(open_sessions()), None)
        names: dict[str, Any] = self.shell.user_ns if self.shell is not None else {}
        found = names.get(name)
        if not isinstance(found, Session):
            kind = f"is a {type(found).__name__}" if name in names else "does not exist"
            raise UsageError(f"{name} {kind}, and not a session. Name a variable that holds a sn.Session.")
        return found


def _speak_as(session: Session, voice: str) -> None:
    """Change the voice; once it is fixed that takes a new session at the service, which is told the conversation."""
    if session._core.settings.voice_locked:
        session.restart(voice=voice)
    else:
        session.update(voice=voice)


def _lines(session: Session) -> list[str]:
    config, vad = session.config, session.config.vad
    turns = (
        "push to talk"
        if vad is None
        else f"VAD {vad.prefix_padding_ms}/{vad.silence_duration_ms} ms, threshold {vad.energy_awakeness_threshold}"
    )
    tools = f"{len(config.tools)} tools"
    said = [repr(session), f"{config.voice or 'the usual voice'}, {turns}, {tools}, cost {session.cost}"]
    if session.status.detail:
        said.append(session.status.detail)
    if session.turns:
        said.append(f"last: {session.turns[-1]!r}")
    said += [f"{notice.level}: {notice.text} {notice.fix}".rstrip() for notice in session.notices[-3:]]
    others = len([other for other in open_sessions() if other is not session])
    if others:
        said.append(f"{others} more open; %voice NAME tells of another.")
    return said
