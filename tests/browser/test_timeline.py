"""The interactive timeline and the VAD lab's sliders, as a person meets them in JupyterLab."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from scripts.example_conversation import weather
from tests.browser._lab import Notebook
from tests.browser._sound import Recorder
from tests.browser.conftest import OpenNotebook


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weather().save(tmp_path_factory.mktemp("timeline") / "weather.stepnb")


def shown(open_notebook: OpenNotebook, recording: Path) -> tuple[Notebook, Locator]:
    notebook = open_notebook(f"import stepnb as sn\nr = sn.Recording.load({str(recording)!r})\nr.timeline()")
    notebook.run(0)
    timeline = notebook.page.locator(".stepnb-timeline")
    expect(timeline).to_have_attribute("data-ready", "true")
    return notebook, timeline


def test_what_was_said_is_read_and_heard_by_a_click(
    open_notebook: OpenNotebook, recording: Path, ear: Recorder
) -> None:
    notebook, timeline = shown(open_notebook, recording)
    canvas, caption = timeline.locator("canvas"), timeline.locator(".sn-caption")
    box = canvas.bounding_box()
    assert box is not None
    # Step speaks from 5.7 s to 13.7 s of 32 s; the names of the rows take 58 px, the right margin 10.
    x = 58 + (box["width"] - 68) * 8.0 / 32.0
    asked = time.monotonic()
    canvas.click(position={"x": x, "y": 85})
    expect(caption).to_contain_text("Step: It is 21 degrees and dry")
    expect(caption).to_contain_text("cut off at 5.7 s")
    expect(timeline).to_have_attribute("data-playing", "true")
    ear.wait_for_sound(after=asked)
    timeline.get_by_role("button", name="Stop").click()
    expect(timeline).to_have_attribute("data-playing", "false")
    canvas.click(position={"x": x, "y": 160})
    expect(caption).to_contain_text("Click what was said")
    for theme in ("light", "dark"):
        notebook.theme(theme)
        expect(timeline).to_have_attribute("data-theme", theme)
        canvas.click(position={"x": x, "y": 85})
        notebook.screenshot(f"timeline-{theme}", timeline)
        canvas.click(position={"x": x, "y": 160})


def test_it_is_zoomed_and_walked_through_by_keys_and_survives_a_narrow_page(
    open_notebook: OpenNotebook, recording: Path
) -> None:
    notebook, timeline = shown(open_notebook, recording)
    dark = notebook.page.evaluate("document.body.dataset.jpThemeLight === 'false'")
    expect(timeline).to_have_attribute("data-theme", "dark" if dark else "light")
    canvas, caption = timeline.locator("canvas"), timeline.locator(".sn-caption")
    whole = canvas.evaluate("c => c.toDataURL()")
    canvas.focus()
    for text in (
        "You: What is the weather",
        "Step: It is 21 degrees",
        "You: Wait, and in Lyon?",
        "Step: Lyon will see",
    ):
        canvas.press("ArrowDown")
        expect(caption).to_contain_text(text)
    canvas.press("+")
    canvas.press("+")
    notebook.screenshot("timeline-zoomed", timeline)
    zoomed = canvas.evaluate("c => c.toDataURL()")
    assert zoomed != whole
    timeline.evaluate("element => { element.style.width = '360px'; }")
    expect(caption).to_contain_text("Step: Lyon will see")
    notebook.screenshot("timeline-narrow", timeline)
    assert timeline.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_saved_notebook_has_the_static_pictures(open_notebook: OpenNotebook, recording: Path) -> None:
    notebook = open_notebook(
        f"import stepnb as sn\nr = sn.Recording.load({str(recording)!r})\nr.timeline()", "sn.vad_lab(r)"
    )
    notebook.run(0)
    notebook.run(1)
    for cell, name in ((0, "Timeline(Recording("), (1, "VadLab(32.0 s")):
        (output,) = notebook.outputs(cell)
        assert output["data"]["image/png"]
        assert "".join(output["data"]["text/plain"]).startswith(name)
    picture = notebook.cell(1).locator(".widget-image")
    before = picture.get_attribute("src")
    slider = notebook.cell(1).get_by_role("slider").first
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
    notebook.page.wait_for_function(
        "([image, before]) => image.src !== before", arg=[picture.element_handle(), before]
    )
    notebook.screenshot("vad-lab", notebook.cell(1))
