"""The bridge between a session and the page: what comes in is carried out once, what goes out is merged."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from stepnb.audio.clip import Clip
from stepnb.conversation.reducer import Change
from stepnb.errors import AudioError, RecordingError
from stepnb.protocol.config import SessionConfig
from stepnb.recording.log import EventLog
from stepnb.service.endpoint import Endpoint, Secret
from stepnb.session.audio_input import AudioInput
from stepnb.session.core import SessionCore
from stepnb.widgets import messages as m
from stepnb.widgets.bridge import PanelBridge
from stepnb.widgets.downlink import AUDIO_INTERVAL
from stepnb.widgets.row_feed import BARS

FRAME = base64.b64encode(bytes(960)).decode()


class Page:
    """The other end: sends checked messages and keeps what it gets."""

    def __init__(self, core: SessionCore) -> None:
        self.got: list[dict[str, Any]] = []
        self.traits: dict[str, Any] = {}
        self.exported: list[Path] = []
        self.refusal: RecordingError | None = None
        self.spoken: list[Clip] = []
        self.refused_clip: AudioError | None = None
        self._news = asyncio.Event()
        self._seq: dict[str, int] = {}
        self.core = core
        self.bridge = PanelBridge(
            core,
            AudioInput(core),
            self._take,
            lambda **values: self.traits.update(values),
            self._export,
            self._append,
        )
        core.hub.listeners.append(self.bridge)

    def _export(self, path: Path) -> Path:
        self.exported.append(path)
        if self.refusal is not None:
            raise self.refusal
        return path

    def _append(self, clip: Clip) -> None:
        if self.refused_clip is not None:
            raise self.refused_clip
        self.spoken.append(clip)

    def _take(self, message: dict[str, Any]) -> None:
        self.got.append(message)
        self._news.set()

    def send(self, kind: str, view: str = "v1", skip: int = 0, **fields: Any) -> None:
        seq = self._seq.get(view, 0) + skip
        self._seq[view] = seq + 1
        envelope = {"v": 1, "k": kind, "seq": seq, "t": 1000.0, "view": view}
        self.bridge.receive(m.parse(envelope | fields), 5_000_000_000)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.got if message["k"] == kind]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                await self._news.wait()


def with_page(story: Callable[[Page], Awaitable[None]]) -> None:
    async def main() -> None:
        endpoint = Endpoint("custom", "ws://127.0.0.1:9/v1/realtime", Secret("k"))
        loop = asyncio.get_running_loop()
        core = SessionCore(endpoint, "stepaudio-2.5-realtime", SessionConfig(), loop, log=EventLog())
        try:
            await story(Page(core))
        finally:
            await core.close()

    asyncio.run(main())


def test_a_new_view_is_welcomed_with_the_transcript() -> None:
    async def story(page: Page) -> None:
        page.core.asking.open_turn("text", asyncio.Future(), text="Hello")  # type: ignore[arg-type]
        page.send("hello")
        (welcome,) = page.of("welcome")
        assert welcome["view"] == "v1" and welcome["owner"] is None
        assert [row["text"] for row in welcome["rows"]] == ["Hello"]

    with_page(story)


def test_the_envelope_counts_and_a_ping_is_answered_with_both_clocks() -> None:
    async def story(page: Page) -> None:
        page.send("ping", rtt=4.0, offset=100.0)
        page.send("ping", skip=3)
        await page.until(lambda: len(page.of("pong")) == 2)
        first, second = page.of("pong")
        assert first["echo"] == 1000.0 and first["kernel"] == 5000.0 and first["v"] == 1
        assert second["seq"] == first["seq"] + 1
        assert page.bridge.views.gaps == 3

    with_page(story)


def test_frames_of_a_wrong_size_are_refused_and_counted() -> None:
    async def story(page: Page) -> None:
        page.send("talk", on=True)
        page.send("mic", n=0, frames=2, pcm=FRAME, rms=[0, 0])
        page.send("mic", n=2, frames=1, pcm="@@@@", rms=[0])
        assert page.bridge.counts["refused"] == 2 and not page.of("ack")

    with_page(story)


def test_the_microphone_belongs_to_one_view_and_moves_with_talk() -> None:
    async def story(page: Page) -> None:
        page.send("talk", on=True)
        page.send("mic", n=0, frames=1, pcm=FRAME, rms=[0])
        page.send("talk", view="v2", on=True)
        page.send("mic", n=1, frames=1, pcm=FRAME, rms=[0])
        assert [message["view"] for message in page.of("owner")] == ["v1", "v2"]
        assert page.bridge.counts["refused"] == 1
        page.send("bye", view="v2")
        assert page.of("owner")[-1]["view"] is None

    with_page(story)


def test_a_microphone_that_nobody_owns_any_more_is_taken_in() -> None:
    async def story(page: Page) -> None:
        page.send("ping", rtt=4.0, offset=3_990.0)
        page.send("talk", on=True)
        page.bridge._release("v1")  # as after a stall of the page
        page.send("mic", n=0, frames=1, pcm=FRAME, rms=[0])
        assert page.bridge.owner == "v1" and page.core.mic_live
        assert page.bridge.counts["refused"] == 0
        assert list(page.bridge.views["v1"].lags_ms) == [10.0]

    with_page(story)


def test_what_the_checks_refuse_is_told_apart_from_what_is_unknown() -> None:
    async def story(page: Page) -> None:
        page.send("hello")
        page.bridge.refuse({"k": "mic", "view": "v1", "seq": 1}, "bad")
        page.bridge.refuse({"k": "from the future", "view": "v1", "seq": 2}, "?")
        assert page.bridge.counts["refused"] == 1 and page.bridge.counts["unknown"] == 1
        # What was refused holds nothing up.
        page.send("ping", skip=2)
        assert page.of("pong") and page.bridge.views.gaps == 0

    with_page(story)


def test_a_message_is_cut_into_frames_as_the_service_wants_them() -> None:
    async def story(page: Page) -> None:
        page.send("talk", on=True)
        frames = [bytes([n]) * 960 for n in range(3)]
        pcm = base64.b64encode(b"".join(frames)).decode()
        page.send("mic", n=0, frames=3, pcm=pcm, rms=[0, 0, 0])
        held = [(base64.b64decode(payload), pcm) for payload, pcm in page.bridge._input._pre_roll]
        assert held == [(frame, frame) for frame in frames]

    with_page(story)


def test_the_last_frame_is_acknowledged_too() -> None:
    async def story(page: Page) -> None:
        page.send("talk", on=True)
        for n in range(20):
            page.send("mic", n=n, frames=1, pcm=FRAME, rms=[0])
        assert [ack["n"] for ack in page.of("ack")] == [0]
        await page.until(lambda: len(page.of("ack")) == 2)
        assert page.of("ack")[-1]["n"] == 19

    with_page(story)


def test_what_was_sent_first_is_carried_out_first() -> None:
    async def story(page: Page) -> None:
        page.send("hello")
        page.send("mic", skip=1, n=0, frames=1, pcm=FRAME, rms=[0])
        assert not page.of("owner")
        page._seq["v1"] = 1
        page.send("talk", on=True)
        assert page.bridge.counts["mic"] == 1 and [o["view"] for o in page.of("owner")] == ["v1"]

    with_page(story)


def test_audio_goes_at_once_and_is_merged_afterwards_without_losing_a_byte() -> None:
    async def story(page: Page) -> None:
        page.send("hello")
        for n in range(50):
            page.bridge.on_change(Change("audio", 1, "a1"), bytes([n, 0]))
        page.bridge.on_change(Change("audio_end", 1, "a1"), None)
        assert len(page.of("audio")) == 1
        start = asyncio.get_running_loop().time()
        await page.until(lambda: bool(page.of("audio_end")))
        assert asyncio.get_running_loop().time() - start >= AUDIO_INTERVAL / 2
        pieces = [base64.b64decode(message["pcm"]) for message in page.of("audio")]
        assert len(pieces) == 2
        assert b"".join(pieces) == b"".join(bytes([n, 0]) for n in range(50))
        assert page.got.index(page.of("audio_end")[0]) > page.got.index(page.of("audio")[-1])

    with_page(story)


def test_a_flush_drops_what_was_not_sent_yet() -> None:
    async def story(page: Page) -> None:
        page.send("hello")
        for _ in range(5):
            page.bridge.on_change(Change("audio", 1, "a1"), bytes(2))
        page.core.bargein.interrupt()
        (flush,) = page.of("flush")
        assert flush["fade_ms"] == 12
        page.bridge.on_change(Change("audio", 2, "a2"), b"\1\0")
        await page.until(lambda: len(page.of("audio")) == 2)
        assert page.of("audio")[1]["item"] == "a2"

    with_page(story)


def test_rows_are_sent_at_most_ten_times_a_second_and_the_last_state_arrives() -> None:
    async def story(page: Page) -> None:
        number = page.core.asking.open_turn("text", asyncio.Future(), text="Hello")  # type: ignore[arg-type]
        for _ in range(100):
            page.bridge.on_change(Change("turn", number), None)
        page.core.asking.fail_turn(number, "no reason")
        assert len(page.of("row")) == 1
        await page.until(lambda: page.of("row")[-1]["row"]["state"] == "failed")
        assert len(page.of("row")) <= 4

    with_page(story)


def test_a_row_that_has_not_changed_is_not_sent_again() -> None:
    async def story(page: Page) -> None:
        first = page.core.asking.open_turn("text", asyncio.Future(), text="Hello")  # type: ignore[arg-type]
        second = page.core.asking.open_turn("text", asyncio.Future(), text="Bye")  # type: ignore[arg-type]
        for _ in range(3):
            page.bridge.on_change(Change("turn", first), None)
        page.core.asking.fail_turn(second, "no reason")
        await page.until(lambda: page.of("row")[-1]["row"]["state"] == "failed")
        assert [message["row"]["text"] for message in page.of("row")] == ["Hello", "Bye", ""]

    with_page(story)


def test_no_audio_is_sent_before_a_view_exists() -> None:
    async def story(page: Page) -> None:
        page.bridge.on_change(Change("audio", 1, "a1"), bytes(2))
        assert page.got == []

    with_page(story)


def test_an_error_of_the_page_becomes_a_notice() -> None:
    async def story(page: Page) -> None:
        page.send("error", message="x is undefined", stack="")
        assert "x is undefined" in page.core.hub.notices[-1].text
        assert page.of("notice")[-1]["level"] == "error"

    with_page(story)


def test_the_sound_of_a_row_comes_in_pieces_and_its_waveform_with_the_row() -> None:
    async def story(page: Page) -> None:
        number = page.core.asking.open_turn("clip", asyncio.Future())  # type: ignore[arg-type]
        pcm = (b"\x00\x10" * 24_000 + bytes(48_000)) * 5  # 10 s: every other second is loud
        turn = page.core.conversation.turns[number]
        turn.input_audio.append(page.core.log.audio.append(pcm, "input"))
        page.core.asking.fail_turn(number, "no")
        await page.until(lambda: any(m["row"]["wave"] for m in page.of("row")))
        wave = page.of("row")[-1]["row"]["wave"] or page.of("row")[-2]["row"]["wave"]
        assert len(wave) == BARS and wave[0] > 50 and 0 in wave
        page.send("hear", row=f"{number}-you")
        await page.until(lambda: len(page.of("sound")) == 3)
        pieces = page.of("sound")
        assert [(piece["n"], piece["of"], piece["view"]) for piece in pieces] == [
            (n, 3, "v1") for n in range(3)
        ]
        assert b"".join(base64.b64decode(piece["pcm"]) for piece in pieces) == pcm
        for row in ("99-you", "x-you", f"{number}-step"):
            page.send("hear", row=row)
            await page.until(lambda row=row: page.of("sound")[-1]["row"] == row)  # type: ignore[misc]
            assert page.of("sound")[-1]["pcm"] == ""

    with_page(story)


def test_an_export_is_written_beside_the_notebook_and_said() -> None:
    async def story(page: Page) -> None:
        page.send("export", format="md")
        await page.until(lambda: bool(page.of("notice")))
        (path,) = page.exported
        assert path.parent == Path.cwd() and path.suffix == ".md"
        assert path.name in page.of("notice")[0]["text"]
        page.refusal = RecordingError("There is no sound to write.", fix="Speak first.")
        page.send("export", format="wav")
        await page.until(lambda: len(page.of("notice")) == 2)
        assert page.of("notice")[1]["fix"] == "Speak first."

    with_page(story)


def test_a_file_is_spoken_and_one_that_is_none_is_a_sentence() -> None:
    clip = Clip.silence(0.5)

    async def story(page: Page) -> None:
        data = base64.b64encode(clip.encoded("FLAC")).decode()
        page.send("file", name="question.flac", data=data)
        await page.until(lambda: bool(page.of("notice")))
        assert page.spoken == [clip]
        assert page.of("notice")[0]["text"] == "question.flac is being spoken: 0.5 s."
        page.send("file", name="<notes>.txt", data=base64.b64encode(b"no audio").decode())
        await page.until(lambda: len(page.of("notice")) == 2)
        assert page.of("notice")[1]["text"] == "'<notes>.txt' is not audio that can be read here."
        page.send("file", name="broken", data="%%%")
        await page.until(lambda: len(page.of("notice")) == 3)
        page.refused_clip = AudioError("The clip is empty.", fix="Record one.")
        page.send("file", name="question.flac", data=data)
        await page.until(lambda: len(page.of("notice")) == 4)
        assert page.of("notice")[3]["fix"] == "Record one."
        assert page.spoken == [clip]

    with_page(story)


def test_what_another_place_plays_is_not_sent_to_the_page() -> None:
    async def story(page: Page) -> None:
        page.send("hello")
        page.send("talk", on=True)
        page.bridge.on_change(Change("audio", 1, "a1"), bytes(2))
        assert len(page.of("audio")) == 1
        owner = page.bridge._input.owner
        owner.take("device-1", "device")
        assert (page.of("owner")[-1]["view"], page.of("owner")[-1]["place"]) == ("device-1", "device")
        page.bridge.on_change(Change("audio", 1, "a1"), bytes(2))
        page.bridge.on_change(Change("audio_end", 1, "a1"), None)
        await page.until(lambda: bool(page.of("audio_end")))
        assert len(page.of("audio")) == 1
        owner.tell_levels([100.4])
        assert page.of("level")[-1]["rms"] == [100]
        assert page.bridge._core.mic_live
        page.send("device", on=False)
        assert page.bridge.owner is None and page.of("owner")[-1]["view"] is None
        assert not page.bridge._core.mic_live, "nobody talks any more"

    with_page(story)
