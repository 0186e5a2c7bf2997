"""`Recording`: a conversation of the past, as the same objects a live session gives."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..conversation.cost import Cost, Ledger
from ..conversation.reducer import Conversation
from ..conversation.state import ToolCallState, TurnState
from ..conversation.usage import Usage, tools_text
from ..errors import RecordingError, TurnError
from ..session.dispatch import view_of
from ..session.pictures import Pictures
from ..session.tools import ToolCall
from ..session.turn import Turn
from .about import About, Settings
from .archive import pack, unpack
from .export import export
from .log import Log
from .records import Index
from .spool import EVENTS, pcm_name
from .store import LANES, AudioStore, Blob

if TYPE_CHECKING:
    from ..session.core import SessionCore
    from ..session.session import Session

# A line holds a frame without its audio; the longest hold instructions, tools or a text.
_LONGEST_LINE = 64 << 20


class Recording(Pictures):
    """What a session recorded, from a ``.stepnb`` file or from the folder of ``Session(record=...)``.

    Turns, events and conversation are the same objects as those of a live session, made from the log by the same code.

    Attributes
    ----------
    events
        Everything that happened, in order.
    conversation
        Items, responses and turns.
    notices
        What is wrong with the recording, as sentences; empty when all is well.
    settings
        What the session was set to when it began.
    """

    def __init__(self, events: Log, name: str, notices: list[str]) -> None:
        self.events = events
        self.notices = notices
        self.settings: Settings = events.about.config
        self.conversation = _conversation_of(events, notices)
        self._name = name
        self._turns = [self._turn(state) for state in self.conversation.turns.values()]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recording:
        """Open a recording.

        A folder may be one whose kernel was killed: what is missing at its end is said in `notices`.

        Parameters
        ----------
        path
            A ``.stepnb`` file, or the folder of ``Session(record=...)``.

        Raises
        ------
        RecordingError
            There is nothing there, it is no recording, damaged, too large, or of a newer format.
        """
        source = Path(path).expanduser()
        notices: list[str] = []
        try:
            if source.is_dir():
                return cls(_open(source, notices), source.name, notices)
            # On disk only while it is opened: open files outlive their names, except on Windows.
            folder = Path(tempfile.mkdtemp(prefix="stepnb-"))
            try:
                unpack(source, folder)
                log = _open(folder, notices)
                weakref.finalize(log, shutil.rmtree, folder, ignore_errors=True)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return cls(log, source.name, notices)
        except FileNotFoundError:
            raise RecordingError(
                f"There is no recording {str(source)!r}.", fix=f"Relative paths start at {str(Path.cwd())!r}."
            ) from None
        except OSError as error:
            raise RecordingError(f"{str(source)!r} cannot be read: {error.strerror or error}.") from None

    @property
    def turns(self) -> list[Turn]:
        """Every exchange, in order."""
        return list(self._turns)

    @property
    def name(self) -> str:
        """The name of its file or folder."""
        return self._name

    @property
    def started(self) -> datetime:
        """When it began, wall-clock time."""
        return self.events.started

    @property
    def model(self) -> str:
        """What the session talked to."""
        return self.events.about.header.model

    @property
    def usage(self) -> Usage:
        """Tokens of all responses."""
        return self.ledger.usage()

    @property
    def cost(self) -> Cost:
        """What the session cost, by the prices of today's catalogue."""
        return self.ledger.cost()

    @property
    def ledger(self) -> Ledger:
        """What the turns used and cost; `usage` and `cost` are its sums."""
        header, settings = self.events.about.header, self.settings
        return Ledger(
            self.conversation,
            header.model,
            header.cluster,
            preface=(settings.instructions or "") + tools_text(settings.tools),
            web_search=any(tool.get("type") == "web_search" for tool in settings.tools),
        )

    @property
    def live(self) -> SessionCore | None:
        """Nothing changes any more."""
        return None

    def tool_call(self, response: str, call: ToolCallState) -> ToolCall:
        """Return a call as the user sees it; what the function returned, beyond its text, is not recorded."""
        return view_of(call, None)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Pack the recording into one file; see `Session.save`."""
        return pack(self.events, Path(path).expanduser())

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the conversation as Markdown, JSON or stereo WAV; see `Session.export`."""
        return export(self, path)

    def replay(self, speed: float = 0.0) -> Session:
        """Return a session that talks to this recording instead of a service.

        No network is needed and nothing is left to chance: what the session sends is compared with what was sent
        then, and the service's frames follow as they were recorded. Ask what was asked then. Ids and the cutting of
        audio into events may differ, and so may the silence around it; the first other difference ends the session
        with `ReplayMismatch`, which ``turn.wait()`` raises. Functions are not called again: their recorded results are
        sent. Audio that was not kept is not compared, and served as silence. Clips are streamed in real time at any
        speed.

        Parameters
        ----------
        speed
            1 keeps the recorded pauses of the service, 2 halves them; 0 leaves them out.

        Raises
        ------
        ConfigError
            The speed is negative.
        """
        from .replay import replay

        return replay(self, speed)

    def _turn(self, state: TurnState) -> Turn:
        ending: Future[None] = Future()
        if state.ended:
            ending.set_result(None)
        else:
            ending.set_exception(TurnError("The recording ends before this turn does."))
        return Turn(self, state, ending)

    def __repr__(self) -> str:
        date = f"{self.started:%Y-%m-%d %H:%M}"
        damaged = f", {len(self.notices)} notices" if self.notices else ""
        return f"Recording({self._name}, {self.model}, {date}, {len(self._turns)} turns{damaged})"

    def _repr_html_(self) -> str:
        from ..widgets.static_html import session_html

        return session_html(self)


def _open(folder: Path, notices: list[str]) -> Log:
    """Open the files of a recording for reading."""
    about = About.read({path.name: path.read_bytes() for path in folder.glob("*.json")})
    audio = AudioStore(about.header.keep_audio)
    lines = Blob()
    for name, blob in [(EVENTS, lines), *((pcm_name(lane), audio.lanes[lane]) for lane in LANES)]:
        if (folder / name).exists():
            file = os.open(folder / name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            weakref.finalize(blob, os.close, file)
            size = os.fstat(file).st_size
            blob.attach(file, size if blob is lines else size - size % 2)
    index = Index(lines)
    _fill(index, folder / EVENTS, audio, notices)
    return Log(index, audio, about)


def _fill(index: Index, path: Path, audio: AudioStore, notices: list[str]) -> None:
    damaged, start = 0, 0
    missing = dict.fromkeys(LANES, 0)
    with path.open("rb") as lines:
        while line := lines.readline(_LONGEST_LINE):
            if not line.endswith(b"\n") and not lines.peek(1):
                notices.append(
                    "The last record is incomplete: the session ended in the middle of writing it."
                )
                break
            try:
                record = index.add(line, start)
            except (msgspec.DecodeError, UnicodeDecodeError):
                damaged += 1
            else:
                if record.audio is not None and record.audio.kept:
                    end = record.audio.offset + record.audio.length
                    beyond = end - audio.lanes[record.audio.lane].size
                    missing[record.audio.lane] = max(missing[record.audio.lane], beyond)
            start += len(line)
    if damaged:
        notices.append(f"{damaged} records cannot be read and are left out.")
    for lane, size in missing.items():
        if size:
            notices.append(f"The last {size / 48000:.2f} s of the {lane} audio are missing.")


def _conversation_of(events: Log, notices: list[str]) -> Conversation:
    conversation = Conversation()
    odd = 0
    for record in events:
        try:
            conversation.apply(record, record.event)
        except (LookupError, TypeError, ValueError, AttributeError):
            odd += 1  # damaged, or written by somebody else: never by a session
    if odd:
        notices.append(f"{odd} records do not fit the conversation and are left out of it.")
    return conversation
