"""The recorder in JupyterLab, with a microphone into which somebody speaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from stepnb.audio.clip import Clip
from tests.browser._booth import Booth
from tests.browser._lab import Lab, Notebook
from tests.browser._look import SPILLS, THEMES, check_accessible, load_axe
from tests.browser._panel import evaluate, live_microphones, soon, watch_microphones
from tests.browser._signal import Sound
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook
from tests.browser.test_ladder import without_microphone
from tests.engine.rest import LOW_SLOW, clip

CELL = "import stepnb as sn\nr = sn.Recorder()\nr"


@pytest.fixture(scope="module")
def voice() -> Clip:
    return Clip.load(clip(LOW_SLOW))[0:6]


def test_record_trim_play_again(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder, voice: Clip, tmp_path: Path
) -> None:
    notebook = open_notebook(CELL)
    watch_microphones(notebook.page)
    notebook.run(0)
    booth = Booth(notebook)
    booth.wait_for("idle")
    expect(booth.line).to_have_text("5 to 10 s of one speaker")
    assert live_microphones(notebook.page) == 0
    notebook.screenshot("recorder-empty", booth.root)
    booth.record.click()
    booth.wait_for("counting")
    booth.root.screenshot(path="test-output/recorder-counting.png")
    booth.wait_for("recording")
    speech = mouth.say(_sound(voice))
    speech.started()
    expect(booth.line).to_contain_text("to go")
    time.sleep(2)  # so that there is something in the picture
    booth.root.screenshot(path="test-output/recorder-recording.png")
    speech.wait()
    if booth.part.get_attribute("data-phase") == "recording":
        booth.record.click()
    booth.wait_for("done")
    assert live_microphones(notebook.page) == 0
    duration = soon_value(notebook, "r.clip.duration", lambda value: value > 5)
    assert duration <= 10.01
    assert evaluate(notebook, "r.clip.rate") == 24_000
    # What was said is what was recorded: all but the silence around it.
    said = evaluate(notebook, "r.clip.trim_silence().duration")
    assert said == pytest.approx(voice.trim_silence().duration, abs=0.5)

    # Trim by keyboard and by pointer.
    booth.handle("start").press("Shift+ArrowRight")
    booth.handle("end").press("ArrowLeft")
    assert soon_value(notebook, "r.trim[0]", lambda value: value > 0) == pytest.approx(0.5)
    cut = soon_value(notebook, "r.clip.duration", lambda value: value < duration - 0.5)
    assert cut == pytest.approx(duration - 0.6, abs=0.05)
    box = booth.handle("end").bounding_box()
    assert box is not None
    notebook.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    notebook.page.mouse.down()
    notebook.page.mouse.move(box["x"] + box["width"] / 2 - 150, box["y"] + 20, steps=4)
    notebook.page.mouse.up()
    cut = soon_value(notebook, "r.clip.duration", lambda value: value < cut - 0.5)

    before = time.monotonic()
    booth.play.click()
    heard = ear.wait_for_sound(after=before)
    ended = ear.wait_for_silence(after=heard + 0.5, hold_ms=900)
    assert ended - heard < cut + 1
    expect(booth.play).to_have_text("Play")

    # A file in its place.
    path = tmp_path / "me.mp3"
    path.write_bytes(clip(LOW_SLOW, "MP3"))
    booth.part.locator("input[type=file]").set_input_files(path)
    assert soon_value(notebook, "r.clip.duration", lambda value: value > 7.5) == pytest.approx(8.1, abs=0.2)
    expect(booth.line).to_contain_text("selected")
    path.write_bytes(b"not a song at all")
    booth.part.locator("input[type=file]").set_input_files(path)
    expect(booth.part.locator('.sn-note[data-note="file"]')).to_contain_text("'me.mp3' is not audio")
    booth.part.locator('.sn-note[data-note="file"] .sn-ghost').click()

    load_axe(notebook)
    for theme in THEMES:
        notebook.theme(theme)
        expect(booth.root).to_have_attribute("data-theme", theme)
        notebook.screenshot(f"recorder-{theme}", booth.root)
        check_accessible(notebook, f"recorder-{theme}")
    booth.root.evaluate("root => { root.parentElement.style.width = '360px'; }")
    notebook.screenshot("recorder-narrow", booth.root)
    assert booth.root.evaluate(SPILLS) == []

    # The page is made again, as by a reload: the kernel still has it.
    again = notebook.add("r")
    notebook.run(again)
    expect(Booth(notebook, again).line).to_contain_text("selected")


def test_it_ends_by_itself_and_says_when_it_is_too_loud(
    open_notebook: OpenNotebook, mouth: Mouth, voice: Clip
) -> None:
    notebook = open_notebook("import stepnb as sn\nr = sn.Recorder('Say ah.', seconds=(1, 3))\nr")
    notebook.run(0)
    booth = Booth(notebook)
    expect(booth.part.locator(".sn-script")).to_have_text("Say ah.")
    loud = Clip((voice.samples.astype(float) * 20).clip(-32768, 32767).astype("int16"), voice.rate)
    booth.record.click()
    booth.wait_for("recording")
    mouth.say(_sound(loud))
    booth.wait_for("done")
    assert soon_value(notebook, "r.clip.duration", lambda value: value > 0) == pytest.approx(3.0)
    expect(booth.part.locator('.sn-note[data-note="clipped"]')).to_contain_text("clipped")
    assert evaluate(notebook, "r.clip.quality()['clipping'].verdict") != "good"


def test_one_microphone_on_a_page(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook("import stepnb as sn\ns = sn.Session()\ns", "r = sn.Recorder()\nr")
    watch_microphones(notebook.page)
    notebook.run(0)
    notebook.run(1)
    booth = Booth(notebook, 1)
    booth.record.click()
    booth.wait_for("recording")
    notebook.cell(0).locator(".sn-talk").click()
    booth.wait_for("done")  # what was recorded until then is kept
    expect(booth.part.locator('.sn-note[data-note="owner"]')).to_be_visible()
    soon(lambda: live_microphones(notebook.page) == 1, "one live microphone")


def test_a_microphone_that_is_refused(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(CELL)
    notebook.run(0)
    lab.allow_microphone(False)
    booth = Booth(notebook)
    booth.record.click()
    note = booth.part.locator('.sn-note[data-note="mic"]')
    expect(note).to_contain_text("or load a file")
    booth.wait_for("idle")


def test_a_page_without_a_microphone_records_with_the_kernels(
    open_notebook: OpenNotebook,
    lab: Lab,
    device_environment: dict[str, str],
    mouth: Mouth,
    voice: Clip,
) -> None:
    # The tests may run in a container, and the browser with them.
    here = {"STEPNB_LOCAL": "1", "PULSE_SERVER": device_environment["PULSE_SERVER"]}
    notebook = open_notebook(f"import os\nos.environ.update({here!r})\n{CELL}")
    without_microphone(notebook, lab)
    notebook.run(0)
    booth = Booth(notebook)
    booth.wait_for("idle")
    booth.record.click()
    note = booth.part.locator('.sn-note[data-note="mic"]')
    expect(note).to_contain_text("passes no microphone on")
    notebook.screenshot("recorder-no-microphone", booth.root)
    use = note.get_by_role("button", name="Use the kernel's microphone")
    use.click()
    booth.wait_for("counting")
    expect(note).to_have_count(0)
    booth.record.click()  # not yet
    booth.wait_for("idle")
    assert soon_value(notebook, "r._over.is_set()", bool) and evaluate(notebook, "r.takes") == 0

    booth.record.click()
    use.click()
    booth.wait_for("recording")
    mouth.say(_sound(voice)).wait()
    booth.record.click()
    booth.wait_for("done")
    assert soon_value(notebook, "r.takes", lambda takes: takes == 1)
    said = evaluate(notebook, "r.clip.trim_silence().duration")
    assert said == pytest.approx(voice.trim_silence().duration, abs=0.5)

    # No sound server any more: it says so, and what was recorded stays.
    evaluate(notebook, "__import__('os').environ.update(PULSE_SERVER='unix:/nowhere')")
    booth.record.click()
    use.click()
    expect(note).to_contain_text("The sound device cannot be opened")
    booth.wait_for("done")


def _sound(voice: Clip) -> Sound:
    return Sound(voice.samples, voice.rate)


def soon_value(notebook: Notebook, expression: str, good: Callable[[Any], bool]) -> Any:
    """Wait until an expression in the kernel has a value that will do."""
    values: list[Any] = []

    def reached() -> bool:
        values.append(evaluate(notebook, expression))
        return bool(good(values[-1]))

    soon(reached, expression)
    return values[-1]
