"""`PanelBridge`: between a session and the views of its panel, on the I/O thread.

Messages of the page come in checked; changes of the session go out merged (`downlink.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pybase64

from ..audio.clip import Clip
from ..conversation.reducer import Change
from ..errors import ConfigError, StepnbError
from ..session.arguments import LONGEST_CLIP_S
from ..session.audio_input import FRAME_BYTES, AudioInput
from ..session.core import SessionCore
from ..session.status import Notice, Status
from . import messages as m
from .downlink import Downlink, Way
from .info import info_of
from .views import ViewLink, Views

if TYPE_CHECKING:
    from .companion import Companion

logger = logging.getLogger("stepnb")

ACK_INTERVAL = 0.1
# A page that is gone cannot say so. Its microphone counts as closed after so long without a word, s.
OWNER_SILENT = 5.0
FADE_MS = 12
# A frame of the microphone as base64.
FRAME_CHARS = FRAME_BYTES * 4 // 3


class PanelBridge:
    """Connects the views of one panel with one session.

    Parameters
    ----------
    core, audio_input
        The session's I/O side.
    send
        Sends one custom message to the page; thread-safe.
    set_traits
        Sets synced traits; thread-safe.
    export
        Writes the conversation to a file; it may take a while.
    append
        Streams a clip as the microphone does; thread-safe.

    Attributes
    ----------
    counts
        Messages by kind, and ``refused`` and ``unknown``.
    """

    def __init__(
        self,
        core: SessionCore,
        audio_input: AudioInput,
        send: Callable[[dict[str, Any]], None],
        set_traits: Callable[..., None],
        export: Callable[[Path], Path],
        append: Callable[[Clip], object],
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.views = Views(core.loop, self._carry_out)
        self.companion: Companion | None = None
        self._core = core
        self._input = audio_input
        self._down = Downlink(core, send)
        self._set_traits = set_traits
        self._export = export
        self._append = append
        self._sounds: dict[str, asyncio.Task[None]] = {}  # view -> what it is sent to hear
        self._taken_in: tuple[str, int] | None = None  # the view and its last frame that is not acknowledged
        self._ack_timer: asyncio.TimerHandle | None = None
        self._owner_timer: asyncio.TimerHandle | None = None
        self._tab: tuple[str, Way] | None = None  # the companion's view, and the way to it
        audio_input.owner.changed.append(self._on_owner)
        audio_input.owner.levels.append(self._down.levels)

    @property
    def owner(self) -> str | None:
        """Who has microphone and loudspeaker: a view's id, or another name where it is none of ours."""
        return self._input.owner.name

    async def _use_device(self) -> None:
        from ..device.device import SoundDevice

        try:
            await SoundDevice(self._core, self._input).start(None, None)
        except StepnbError as error:
            self._core.notice("warning", error.message, error.fix or "")

    # The companion tab ----------------------------------------------------------------------------------------------

    def join(self, view: str, way: Way) -> None:
        """A companion tab has opened: it has the sound, unless a view takes it, until it leaves."""
        self._tab = view, way
        self._down.ways.append(way)
        self._input.owner.move_in(view, "companion")

    def leave(self, view: str) -> None:
        """The companion tab is gone."""
        if self._tab is None or self._tab[0] != view:
            return
        self._down.ways.remove(self._tab[1])
        self._tab = None
        self.views.pop(view, None)
        self._silence(view)
        self._input.owner.move_out(view)

    async def _open_companion(self, view: str) -> None:
        if self.companion is None:
            return
        try:
            url = await self.companion.start()
        except StepnbError as error:
            self._core.notice("warning", error.message, error.fix or "")
        else:
            self._down.ways[0].send("companion", view=view, url=url)

    # From the page ------------------------------------------------------------------------------------------------

    def refuse(self, content: Any, reason: str) -> None:
        """Count a message that did not pass the checks."""
        fields = content if isinstance(content, dict) else {}
        self._refuse(str(fields.get("k"))[:40], reason)
        self.views.pass_over(fields.get("view"), fields.get("seq"))

    def receive(self, message: m.AnyMessage, received_ns: int) -> None:
        """Carry out a checked message, once those before it were."""
        self.views.receive(message, received_ns)

    def _refuse(self, kind: str, reason: str) -> None:
        self.counts["unknown" if kind not in m.KINDS else "refused"] += 1
        if kind in m.KINDS:
            logger.warning("The page sent a %s message that does not fit: %s", kind, reason)

    def _carry_out(self, link: ViewLink, message: m.AnyMessage, received_ns: int) -> None:
        self.counts[str(message.__struct_config__.tag)] += 1
        match message:
            case m.Mic():
                self._on_microphone(message, link, received_ns)
            case m.Ping():
                link.offset_ms, link.rtt_ms = message.offset, message.rtt
                self._down.send("pong", view=message.view, echo=message.t, kernel=received_ns / 1e6)
            case m.Played():
                self._core.activity(playing=message.playing)
                self._on_player(link, message.underruns, message.buffered_ms)
                if message.items:
                    self._core.played(message.items)
            case m.First():
                if message.item in self._core.conversation.items:
                    at = link.kernel_ns(message.at, received_ns)
                    self._core.local("first", {"item": message.item}, at)
            case m.Flushed():
                self._core.activity(playing=False)
                self._on_player(link, message.underruns, message.unplayed_ms)
                if message.item is not None:
                    asked, at = (link.kernel_ns(t, received_ns) for t in (message.asked, message.at))
                    self._core.bargein.flushed(
                        message.id, message.item, message.heard_ms, message.unplayed_ms, at, asked
                    )
            case m.Hello():
                self._on_hello(message)
            case m.Bye():
                self._release(message.view)
                self.views.pop(message.view, None)
            case m.MicStateChanged():
                self._on_mic_state(message)
            case m.Talk():
                self._on_talk(message)
            case m.Stop():
                self._core.bargein.interrupt()
            case m.Say():
                self._core.asking.say(message.text)
            case m.Approve():
                self._on_approve(message)
            case m.Hear():
                self._hear(message)
            case m.File():
                self._core.spawn(self._speak(message))
            case m.Export():
                self._core.spawn(self._write(message.format))
            case m.Companion():
                if message.on:
                    self._core.spawn(self._open_companion(message.view))
                elif self.companion is not None:
                    self.companion.stop()
            case m.Device():
                if message.on:
                    self._core.spawn(self._use_device())
                elif self._input.owner.place == "device" and self.owner is not None:
                    self._input.talk(False)
                    self._input.owner.release(self.owner)
            case m.Connect():
                self._core.spawn(self._core.connected())
            case m.PageError():
                logger.warning("The page failed: %s\n%s", message.message, message.stack)
                self._core.notice("error", f"The panel's page failed: {message.message}", "Please report it.")

    def _on_hello(self, message: m.Hello) -> None:
        rows = self._down.feed.rows(self._core.conversation.turns.values())
        self._down.send("welcome", view=message.view, rows=rows, **self._ownership)
        if self._core.hub.status.state == "idle":
            self._core.spawn(self._core.connected())

    def _on_microphone(self, message: m.Mic, link: ViewLink, received_ns: int) -> None:
        if link.offset_ms is not None:
            link.lags_ms.append(received_ns / 1e6 - (message.t + link.offset_ms))
        if self.owner is None:
            # Given up because it was held up for so long: what it has to say is still wanted.
            self._own(message.view)
            self._input.talk(True)
        if message.view != self.owner:
            self.counts["refused"] += 1
            return
        try:
            pcm = pybase64.b64decode(message.pcm, validate=True)
        except ValueError:
            pcm = b""
        if len(pcm) != message.frames * FRAME_BYTES or len(message.rms) != message.frames:
            self._refuse("mic", f"{len(pcm)} bytes of audio for {message.frames} frames")
            return
        # The service wants appends of 20 to 30 ms; a frame's base64 text needs no padding, so the text can be cut.
        for n in range(message.frames):
            payload = message.pcm[n * FRAME_CHARS : (n + 1) * FRAME_CHARS]
            self._input.microphone(payload, pcm[n * FRAME_BYTES : (n + 1) * FRAME_BYTES], message.rms[n])
        if self._input.owner.place == "companion":
            self._input.owner.tell_levels(message.rms)
        self._taken_in = (message.view, message.n + message.frames - 1)
        if self._ack_timer is None:
            self._acknowledge()

    def _acknowledge(self) -> None:
        # At once and, for what comes within the interval, after it: the page must not wait for an ack that never comes.
        self._ack_timer = None
        if self._taken_in is not None:
            view, n = self._taken_in
            self._taken_in = None
            self._down.send("ack", view=view, n=n)
            self._ack_timer = self._core.loop.call_later(ACK_INTERVAL, self._acknowledge)

    def _on_player(self, link: ViewLink, underruns: int, buffered_ms: float) -> None:
        link.buffered_ms = buffered_ms
        if underruns > link.underruns:
            self._core.log.append_local("underrun", {"count": underruns - link.underruns})
        link.underruns = underruns

    def _on_mic_state(self, message: m.MicStateChanged) -> None:
        self._core.log.append_local("microphone", {"state": message.state, "rate": message.rate})
        if message.state == "live":
            self._own(message.view)
        elif message.state not in ("muted", "asking") and message.view == self.owner:
            self._release(message.view)

    def _on_talk(self, message: m.Talk) -> None:
        if message.on:
            self._own(message.view)
            self._input.talk(True)
        elif message.view == self.owner:
            self._input.talk(False)

    def _on_approve(self, message: m.Approve) -> None:
        try:
            self._core.tools.approvals.decide(message.call, allow=message.allow, by="panel")
        except ConfigError:
            self.counts["refused"] += 1  # decided by somebody else meanwhile; the row says how

    def _hear(self, message: m.Hear) -> None:
        before = self._sounds.get(message.view)
        if before is not None:
            before.cancel()  # it has begun to play another row
        task = self._core.spawn(self._down.sound(message.view, message.row))
        self._sounds[message.view] = task

        def forget(_: asyncio.Task[None]) -> None:
            if self._sounds.get(message.view) is task:
                del self._sounds[message.view]

        task.add_done_callback(forget)

    async def _speak(self, file: m.File) -> None:
        def read() -> Clip:
            clip = file.clip(LONGEST_CLIP_S + 1)
            self._append(clip)
            return clip

        try:
            clip = await asyncio.to_thread(read)
        except StepnbError as error:
            self._core.notice("warning", error.message, error.fix or "")
        else:
            self._core.notice("info", f"{file.name} is being spoken: {clip.duration:.1f} s.")

    async def _write(self, ending: str) -> None:
        name = f"conversation-{datetime.now():%Y%m%d-%H%M%S}.{ending}"
        try:
            path = await asyncio.to_thread(self._export, Path.cwd() / name)
        except StepnbError as error:
            self._core.notice("warning", error.message, error.fix or "")
        else:
            self._core.notice("info", f"Saved as {path.name}.", f"It is in {path.parent}.")

    def _own(self, view: str) -> None:
        if view != self.owner:
            self._input.owner.take(view)

    def _release(self, view: str) -> None:
        if view == self.owner:
            self._silence(view)
            self._input.owner.release(view)

    def _silence(self, view: str) -> None:
        """What an owner leaves behind: nobody talks, nothing plays."""
        if view == self.owner:
            self._input.talk(False)
            self._core.activity(playing=False)

    @property
    def _ownership(self) -> dict[str, str | None]:
        return {"owner": self.owner, "place": self._input.owner.place}

    def _on_owner(self) -> None:
        owner = self._input.owner
        player: Way | None = self._down.ways[0]
        if owner.place == "companion" and self._tab is not None:
            player = self._tab[1]
        elif owner.place == "device":
            player = None
        if player is not self._down.player:
            if self._core.playing:
                self._core.bargein.interrupt()  # an answer is played whole, in one place
            self._down.player = player
        self._down.send("owner", view=owner.name, place=owner.place)
        if owner.place == "page" and self._owner_timer is None:
            self._owner_timer = self._core.loop.call_later(OWNER_SILENT, self._check_owner)

    def _check_owner(self) -> None:
        self._owner_timer = None
        link = self.views.get(self.owner or "")
        if self.owner is None or self._input.owner.place != "page" or self._core.closed:
            return
        if link is None or self._core.loop.time() - link.heard_at > OWNER_SILENT:
            self._release(self.owner)
        else:
            self._owner_timer = self._core.loop.call_later(OWNER_SILENT, self._check_owner)

    # To the page --------------------------------------------------------------------------------------------------

    def on_change(self, change: Change, pcm: bytes | None) -> None:
        match change.kind:
            case "audio" | "audio_end":
                if self.views:
                    self._down.audio(change, pcm)
            case "speech":
                self._down.send("speech", on=change.on, at_ms=time.monotonic_ns() / 1e6)
            case "turn" | "ended":
                if change.turn is not None:
                    self._down.row(change.turn)

    def on_flush(self, flush_id: int) -> None:
        self._down.drop_audio()
        self._down.send("flush", id=flush_id, fade_ms=FADE_MS)

    def on_status(self, status: Status) -> None:
        since = round(time.time() * 1000)
        self._set_traits(status={"state": status.state, "detail": status.detail, "since": since})

    def on_notice(self, notice: Notice) -> None:
        self._down.send("notice", level=notice.level, text=notice.text, fix=notice.fix)

    def on_config(self) -> None:
        self._set_traits(info=info_of(self._core))
