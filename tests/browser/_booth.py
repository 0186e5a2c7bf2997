"""The recorder as a person meets it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from stepnb.audio.clip import Clip
from tests.browser._lab import Notebook
from tests.browser._signal import Sound
from tests.browser._sound import Mouth, Speech


class Booth:
    """The recording part of a `Recorder` or a `VoiceLab`."""

    def __init__(self, notebook: Notebook, cell: int = 0) -> None:
        self.notebook = notebook
        self.root = notebook.cell(cell).locator(".sn-root").first
        self.part = self.root.locator(".sn-booth")
        self.record = self.part.locator(".sn-primary")
        self.line = self.part.locator(".sn-line")
        self.play = self.part.locator(".sn-dockrow .sn-button").first

    def handle(self, side: str) -> Locator:
        """The handle at the start or the end."""
        return self.part.locator(f'.sn-handle[data-side="{side}"]')

    def wait_for(self, phase: str) -> None:
        """Wait until it is idle, counting, recording or done."""
        expect(self.part).to_have_attribute("data-phase", phase, timeout=20_000)

    def records(self, mouth: Mouth, clip: Clip) -> Speech:
        """Record somebody, and stop when all is said."""
        self.record.click()
        self.wait_for("recording")
        speech = mouth.say(Sound(clip.samples, clip.rate))
        speech.wait()
        if self.part.get_attribute("data-phase") == "recording":
            self.record.click()
        self.wait_for("done")
        return speech
