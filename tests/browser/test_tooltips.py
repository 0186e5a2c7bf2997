"""Every control of every widget says what it does when the pointer rests on it, in the language that was chosen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from stepnb.protocol import catalog
from tests.browser.conftest import OpenNotebook

SHOW_ALL = """
import tempfile
import stepnb as sn
from IPython.display import display
sn.set_language('zh')

@sn.tool(approve=True)
def weather(city: str) -> str:
    "Look up the weather."
    return "dry"

s = sn.Session(tools=[weather])
s.ask("What is seven times six?").wait(60)
x = sn.Experiment("tips", grid={"instructions": {"plain": None, "nova": "Your name is Nova."}},
                  inputs=["What is your name?"], fixed={"cluster": "local"}, folder=tempfile.mkdtemp())
x.run()
voices = ["linjiajiejie", "ruyananshi"]
display(s, s.timeline(), s.inspector(), sn.Recorder(), sn.VoiceLab(), x.gallery(), sn.doctor(),
        sn.compare_voices(voices, ["Good morning."], cluster="local"), sn.vad_lab(sn.Clip.babble(3)));
"""
WIDGETS = {
    "stepnb", "stepnb-controls", "stepnb-timeline", "stepnb-inspector", "stepnb-recorder", "stepnb-lab",
    "stepnb-gallery", "stepnb-doctor", "stepnb-compare", "slider",
}  # fmt: skip
# Shown or folded away: all that can be pressed, written into or moved, with what its tooltip says. ipywidgets' sliders
# have it on the label before them.
CONTROLS = """() => {
    const controls = 'button, input:not([type="file"]), select, textarea, summary, [role="slider"], [role="tab"], '
        + '[role="radio"], [role="switch"]';
    const ours = [...document.querySelectorAll('.sn-root')].flatMap((root) =>
        [...root.querySelectorAll(controls)].map((control) => ({
            widget: [...root.classList].find((name) => name.startsWith('stepnb')),
            control: control.outerHTML.slice(0, 160),
            title: control.title || control.closest('[title]:not([title=""])')?.title || '',
        })));
    const sliders = [...document.querySelectorAll('.widget-slider')].map((slider) => ({
        widget: 'slider', control: slider.innerText, title: slider.querySelector('.widget-label')?.title ?? '',
    }));
    return [...ours, ...sliders];
}"""


def test_every_control_has_a_tooltip(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(SHOW_ALL)
    notebook.run(0, timeout=120)
    for name in WIDGETS - {"slider"}:
        expect(notebook.page.locator(f".{name}").first).to_be_attached(timeout=30_000)
    expect(notebook.page.locator(".stepnb-compare tbody td")).to_have_count(2)
    notebook.page.locator(
        ".stepnb-gallery"
    ).scroll_into_view_if_needed()  # it asks for the rows that are seen
    expect(notebook.page.locator(".stepnb-gallery .sn-answer").first).to_be_attached(timeout=30_000)
    found: list[dict[str, Any]] = notebook.page.evaluate(CONTROLS)
    assert {one["widget"] for one in found} >= WIDGETS
    without = [f"{one['widget']}: {one['control']}" for one in found if not one["title"].strip()]
    assert not without, "\n".join(without)
    ids = {voice.id for voice in catalog.voices()}
    ours = {
        one["title"] for one in found if one["widget"] != "slider"
    }  # those are named in English, as pictures are
    english = sorted(title for title in ours - ids if not any("\u4e00" <= c <= "\u9fff" for c in title))
    assert not english, f"in another language than the one chosen: {english}"
