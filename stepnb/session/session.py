"""`Session`: the public object. It validates, hands over to the I/O thread and returns at once."""

from __future__ import annotations

import dataclasses
import os
import weakref
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Self

from ..audio.clip import Clip
from ..conversation.history import Message
from ..conversation.state import TurnKind
from ..errors import ConfigError
from ..protocol.catalog import Cluster, Voice
from ..protocol.config import ServerVAD
from ..recording.recording import Recording
from ..recording.store import KeepAudio
from ..rest.owned import ClonedVoice
from ..service.loop import wait_on_io
from .arguments import (
    DEFAULT_VAD,
    UNCHANGED,
    Unchanged,
    changes_of,
    pcm_of,
    question_of,
)
from .audio_input import AudioInput
from .budget import limit_of
from .by_hand import checked
from .cells import replace_predecessors
from .core import SessionCore
from .lifetimes import CLOSE_TIMEOUT, close_soon, open_cores
from .opening import core_of
from .shown import ShownSession
from .tools import AnyTool, Approve, ToolCall
from .turn import Turn

DECIDE_TIMEOUT = 10.0
SEND_TIMEOUT = 30.0  # connecting included


class Session(ShownSession):
    """A conversation with a realtime voice model.

    Making one does no I/O: it connects with its first use, when it is displayed, or by `connect`. As the last line of a
    cell it shows the voice panel.

    Parameters
    ----------
    cluster
        "global", "cn", "cn/step_plan", "local" or a ws:// or wss:// URL. None: STEPNB_CLUSTER, else "global" when
        there is a key and the local practice engine when there is none.
    model
        A model id; None for the cluster's recommended one.
    voice
        A voice id, a cloned or an official voice (see `Voices`); None for the model's usual one.
    instructions
        The system prompt; None for the service's own.
    vad
        `ServerVAD`: the service finds the turns. None: push-to-talk.
    tools
        What the model may call: functions (plain or async, see `stepnb.tool`), `WebSearch`, `Retrieval`.
    approve
        Who says whether a function may be called. A function or coroutine function of a `ToolCall`, asked first; only
        True lets it be. True: you do, by the buttons in the panel or by `approve` and `deny`. None: you do so for
        tools made with ``@sn.tool(approve=True)``, and no other needs it. After two minutes the call is denied.
    greeting
        The words the model opens the conversation with, once, before anything is asked. A person who speaks first goes
        first.
    budget
        The most the session may cost by the published prices, in the cluster's currency: 2.5 or "2.5 CNY". Then no new
        turn begins; what runs ends as usual. The local engine, Step Plan and free models cost 0. See `cost`.
    transcription
        A model that writes down what you say, sent as ``input_audio_transcription``. None is usual: the service
        transcribes anyway, and some servers ignore it under VAD, which is told in `notices`.
    record
        A folder, new or empty, to keep the recording in; it grows as the session goes on, and a killed kernel loses no
        more than the last second of it. None: a private temporary folder, deleted at close. `save` packs either.
    keep_audio
        Which audio the recording keeps: "all", "output" (the service's), "input" (yours) or "none". All else about a
        turn is kept; its audio is empty then. An hour of both takes about 350 MB of disk; memory hardly grows, because
        only the last second is in it (when the disk fails, at most 32 MB of events and of each side's audio).
    history
        A `Recording`, or messages such as ``[("user", "Hello"), ("assistant", "Hi!")]``, told to the service as text
        before the first turn.
    api_key
        None: STEPFUN_API_KEY or STEP_API_KEY, Colab secrets, keyring, .env.

    Raises
    ------
    ConfigError
        A wrong argument; the message says what to write instead.
    RecordingError
        The folder holds something already, or cannot be made.
    """

    def __init__(
        self,
        cluster: Cluster | str | None = None,
        *,
        model: str | None = None,
        voice: str | ClonedVoice | Voice | None = None,
        instructions: str | None = None,
        vad: ServerVAD | None = DEFAULT_VAD,
        tools: Sequence[AnyTool] | None = None,
        approve: Approve | bool | None = None,
        greeting: str | None = None,
        budget: float | str | None = None,
        transcription: str | None = None,
        record: str | os.PathLike[str] | None = None,
        keep_audio: KeepAudio = "all",
        history: Recording | Sequence[Message] = (),
        api_key: str | None = None,
    ) -> None:
        core = core_of(
            cluster,
            model=model,
            voice=voice,
            instructions=instructions,
            vad=vad,
            tools=tools,
            approve=approve,
            greeting=greeting,
            budget=budget,
            transcription=transcription,
            record=record,
            keep_audio=keep_audio,
            history=history,
            api_key=api_key,
        )
        self._begin(core)

    @classmethod
    def _of(cls, core: SessionCore) -> Self:
        """Make a session of a core of another kind."""
        session = cls.__new__(cls)
        session._begin(core)
        return session

    def _begin(self, core: SessionCore) -> None:
        ShownSession.__init__(self, core)
        self._input = AudioInput(core)
        self._finalizer = weakref.finalize(self, close_soon, self._core)
        self._finalizer.atexit = False  # `_close_all` waits, a finalizer could not
        open_cores.add(self._core)
        replace_predecessors(self)

    # Asking -------------------------------------------------------------------------------------------------------

    def ask(self, what: str | Clip) -> Turn:
        """Send a complete message and get its turn at once.

        Parameters
        ----------
        what
            Text, or a Clip of at most five minutes, sent as one audio message.

        Raises
        ------
        ConfigError, AudioError
            Empty text, an empty or too long clip, or something else altogether.
        SessionClosed
            The session is closed.
        BudgetExhausted
            It has cost what its budget allows.
        """
        if isinstance(what, Clip):
            pcm = pcm_of(what)
            return self._new_turn("clip", lambda number: self._core.asking.ask_audio(number, pcm))
        text = question_of(what)
        return self._new_turn("text", lambda number: self._core.asking.ask_text(number, text), text=text)

    def append(self, clip: Clip) -> Turn:
        """Stream a clip in real time, as the microphone does.

        With VAD on, silence follows until the service has noticed the end of speech; with push-to-talk the clip is one
        turn, padded to a second. Clips are streamed one after the other, and the microphone waits meanwhile.

        Parameters
        ----------
        clip
            Any rate; it is resampled to 24 kHz.
        """
        if not isinstance(clip, Clip):
            raise ConfigError(
                f"append() takes a Clip, not {type(clip).__name__}.",
                fix="Load audio with sn.Clip.load(path).",
            )
        pcm = pcm_of(clip)
        return self._new_turn("speech", lambda number: self._input.stream(number, pcm))

    def _new_turn(
        self, how: TurnKind, work: Callable[[int], Coroutine[Any, Any, None]], *, text: str | None = None
    ) -> Turn:
        self._check_open()
        exhausted = self._core.budget.exhausted
        if exhausted is not None:
            raise exhausted
        ending: Future[None] = Future()
        turn = Turn(self, None, ending)

        def begin() -> None:
            number = self._core.asking.open_turn(how, ending, text=text)
            turn._bind(self._core.conversation.turns[number])
            self._turns[number] = turn
            self._core.spawn(work(number))

        self._core.loop.call_soon_threadsafe(begin)
        return turn

    # Steering -----------------------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Stop the running answer: cancel it and silence the loudspeaker."""
        self._check_open()
        self._core.loop.call_soon_threadsafe(self._core.bargein.interrupt)

    def update(
        self,
        *,
        voice: str | ClonedVoice | Voice | None | Unchanged = UNCHANGED,
        instructions: str | None | Unchanged = UNCHANGED,
        vad: ServerVAD | None | Unchanged = UNCHANGED,
        tools: Sequence[AnyTool] | None | Unchanged = UNCHANGED,
        budget: float | str | None | Unchanged = UNCHANGED,
    ) -> None:
        """Change settings of the running session.

        Parameters
        ----------
        voice
            Only before the first audio of the session.
        instructions, vad, tools
            At any time. Left out: unchanged. ``vad=None``: push-to-talk. ``tools=None``: none any more.
        budget
            The most the session may cost, with what it has cost so far; None: no limit any more.

        Raises
        ------
        ConfigError
            A wrong value, or a voice after the first audio.
        """
        self._check_open()
        config = self._core.settings.config
        given = {"voice": voice, "instructions": instructions, "vad": vad, "tools": tools}
        changes = changes_of(given, self.model, self._core.endpoint.cluster)
        if changes.get("voice", config.voice) != config.voice and self._core.settings.voice_locked:
            raise ConfigError(
                "The voice is fixed since the first audio of the session.",
                fix="Write s.restart(voice=...): a new session with the same conversation.",
            )

        if not isinstance(budget, Unchanged):
            limit = limit_of(budget, self.model, self._core.endpoint.cluster)
            self._core.loop.call_soon_threadsafe(self._core.budget.set, limit)

        def apply() -> None:
            self._core.update(dataclasses.replace(self._core.settings.config, **changes))

        self._core.loop.call_soon_threadsafe(apply)

    def send_event(self, event: dict[str, Any] | str) -> str:
        """Send an event as you write it, to see what the service makes of it; it connects first.

        Parameters
        ----------
        event
            A JSON object, or its text. It is sent as it is; only an ``event_id`` is added where there is none.

        Returns
        -------
        str
            Its ``event_id``: an error that answers it names it, and ends no turn.

        Raises
        ------
        ConfigError
            It is no JSON object with a type.
        """
        self._check_open()
        if self._core.budget.exhausted is not None:
            raise self._core.budget.exhausted
        return wait_on_io(self._core.send_by_hand(checked(event)), SEND_TIMEOUT, "sending")

    def restart(self, *, voice: str | ClonedVoice | Voice | None | Unchanged = UNCHANGED) -> None:
        """Begin a new session at the service, with another voice, and tell it the conversation so far as text.

        This object, its panel and its turns stay what they are. An answer that is being given is cut off; what could
        not be told is in `restored`.

        Parameters
        ----------
        voice
            A voice or its id; None for the model's usual one. Left out: the same.

        Raises
        ------
        ConfigError
            A wrong value.
        """
        self._check_open()
        changes = changes_of({"voice": voice}, self.model, self._core.endpoint.cluster)
        self._core.loop.call_soon_threadsafe(self._core.renew, changes)

    def approve(self, call: ToolCall | str) -> None:
        """Let a call be made that awaits approval.

        Parameters
        ----------
        call
            The call, for example ``turn.tool_calls[0]``, or its ``call_id``.

        Raises
        ------
        ConfigError
            It does not await approval: it was decided already, its time ran out, or its turn has ended.
        """
        self._decide(call, allow=True)

    def deny(self, call: ToolCall | str) -> None:
        """Refuse a call that awaits approval; the model is told. See `approve`."""
        self._decide(call, allow=False)

    def _decide(self, call: ToolCall | str, *, allow: bool) -> None:
        self._check_open()
        call_id = call.call_id if isinstance(call, ToolCall) else call

        async def decide() -> None:
            self._core.tools.approvals.decide(call_id, allow=allow, by="session")

        wait_on_io(decide(), DECIDE_TIMEOUT, "deciding")

    def connect(self, timeout: float | None = 30.0) -> Session:
        """Connect now and wait until the session is ready.

        Raises
        ------
        ConnectError
            Its subclasses name the cause and the fix.
        """
        self._check_open()
        wait_on_io(self._core.connected(), timeout, "connecting")
        return self

    def close(self) -> None:
        """Close the connection; what was said stays readable. Closing twice does nothing."""
        if self._finalizer.detach() is None:
            return
        wait_on_io(self._core.close(), CLOSE_TIMEOUT, "closing")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
