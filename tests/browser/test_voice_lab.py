"""The whole way in JupyterLab: record, trim, check, preview, clone, and a session that speaks with the clone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, expect

from stepnb.audio.clip import Clip
from stepnb.local.parts import VoiceSettings
from tests.browser._booth import Booth
from tests.browser._lab import Notebook
from tests.browser._look import SPILLS, THEMES, check_accessible, load_axe
from tests.browser._panel import Panel, evaluate, soon
from tests.browser._sound import Mouth, Recorder
from tests.browser.conftest import OpenNotebook
from tests.engine.rest import HIGH_FAST, LOW_SLOW, clip

PITCH = "(lambda c: __import__('stepnb.local.cloning', fromlist=['x']).measure(c.samples / 32768).pitch)({})"


def pitch(notebook: Notebook, sound: str) -> float:
    return float(evaluate(notebook, PITCH.format(sound)))


def step(booth: Booth, name: str) -> Locator:
    return booth.root.get_by_role("region", name=name, exact=True)


def test_from_a_microphone_to_a_session(
    open_notebook: OpenNotebook, mouth: Mouth, ear: Recorder, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    library = tmp_path / "voices.sqlite"
    notebook = open_notebook(
        f"import stepnb as sn\nlab = sn.VoiceLab('local', library={str(library)!r})\nlab",
    )
    notebook.run(0)
    booth = Booth(notebook)
    booth.wait_for("idle")
    create = step(booth, "Create and use")
    expect(create.get_by_role("button", name="Create the voice")).to_be_disabled()
    notebook.screenshot("lab-empty", booth.root)
    heard: dict[str, list[float]] = {}
    for name, speaker in (("Low", LOW_SLOW), ("High", HIGH_FAST)):
        make(notebook, booth, mouth, ear, name, speaker)
        heard.setdefault("reference", []).append(pitch(notebook, "lab.clip"))
        notebook.run(notebook.add("heard = lab.voices.preview(lab.clip, 'Please bring an umbrella today.')"))
        heard.setdefault("preview", []).append(pitch(notebook, "heard"))
        talk(notebook, create)
        heard.setdefault("session", []).append(pitch(notebook, "lab.session.turns[-1].audio"))
    for way, (low, high) in heard.items():
        assert low < 0.7 * high, (way, heard)
        figure(f"pitch of the {way}, low and high speaker: {low:.0f} and {high:.0f} Hz")
    assert evaluate(notebook, "[v.name for v in lab.voices.list()]") == ["High", "Low"]
    assert evaluate(notebook, "lab.voice.consent").startswith("Ada Example. The speaker has agreed")
    look(notebook, booth)


def make(
    notebook: Notebook, booth: Booth, mouth: Mouth, ear: Recorder, name: str, speaker: VoiceSettings
) -> None:
    """Go through the steps with somebody's voice, by hand."""
    booth.records(mouth, Clip.load(clip(speaker))[0:6.5])
    booth.handle("end").press("ArrowLeft")
    check = step(booth, "Check")
    expect(check.locator("tr")).to_have_count(7)
    for row in ("Duration", "Clipped samples", "Signal to noise"):
        expect(check.get_by_role("row", name=row)).to_contain_text("good")

    preview = step(booth, "Preview")
    before = time.monotonic()
    preview.get_by_role("button", name="Hear it").click()
    started = ear.wait_for_sound(after=before, timeout=20)
    ear.wait_for_silence(after=started + 0.5, hold_ms=900)
    expect(preview.get_by_role("button", name="Hear it")).to_be_enabled()
    expect(preview).to_contain_text("Only the synthesis is charged")

    create = step(booth, "Create and use")
    button = create.get_by_role("button", name="Create the voice")
    # What was read is filled in as what is said.
    expect(create.get_by_label("What is said in the clip")).to_have_value(evaluate(notebook, "lab.script"))
    create.get_by_label("Name of the voice").fill(name)
    create.get_by_label("Who speaks, and has agreed").fill("Ada Example")
    for box in ("The speaker has agreed", "I accept the cost"):
        create.get_by_label(box).uncheck()
    expect(button).to_be_disabled()
    create.get_by_label("The speaker has agreed").check()
    expect(button).to_be_disabled()
    create.get_by_label("I accept the cost").check()
    button.click()
    expect(create.locator(".sn-made")).to_contain_text(f"{name} is ready: voice-tone-")


def talk(notebook: Notebook, create: Locator) -> None:
    """Open a session below the lab, and let it answer with the voice."""
    voice = evaluate(notebook, "lab.voice.id")
    create.get_by_role("button", name="Talk with it").click()
    soon(
        lambda: evaluate(notebook, "lab.session is not None and lab.session.config.voice") == voice, "session"
    )
    panel = Panel(notebook).ready()
    panel.answers("Repeat after me: please bring an umbrella and a warm coat today.", "umbrella")


def look(notebook: Notebook, booth: Booth) -> None:
    """Take pictures of it in both themes and narrow; all of it accessible, nothing beyond its edge."""
    load_axe(notebook)
    for theme in THEMES:
        notebook.theme(theme)
        expect(booth.root).to_have_attribute("data-theme", theme)
        notebook.screenshot(f"lab-{theme}", booth.root)
        check_accessible(notebook, f"lab-{theme}")
    booth.root.evaluate("root => { root.parentElement.style.width = '360px'; }")
    notebook.screenshot("lab-narrow", booth.root)
    assert booth.root.evaluate(SPILLS) == []


def test_what_goes_wrong_is_said_where_it_happened(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    notebook = open_notebook(
        "import stepnb as sn\n"
        "from stepnb.local.engine import LocalEngine\n"
        "engine = LocalEngine().start()\n"
        f"lab = sn.VoiceLab(engine.url, api_key='wrong', library={str(tmp_path / 'v.sqlite')!r})\n"
        "lab.load(sn.Clip.pink_noise(6))\nlab",
    )
    notebook.run(0)
    booth = Booth(notebook)
    expect(step(booth, "Check").locator('[data-verdict="bad"]')).not_to_have_count(0)
    preview = step(booth, "Preview")
    preview.get_by_role("button", name="Hear it").click()
    note = preview.locator(".sn-note")
    expect(note).to_contain_text("refused the key")
    expect(note).to_contain_text("The key is missing or wrong")
    notebook.screenshot("lab-failed", booth.root)
    notebook.restart_kernel()
    expect(booth.part.locator('.sn-note[data-note="kernel"]')).to_be_visible()
    expect(preview.get_by_role("button", name="Hear it")).to_be_disabled()


def test_in_chinese(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(
        "import stepnb as sn\nsn.set_language('zh')\n"
        "lab = sn.VoiceLab('local')\nlab.load(sn.Clip.pink_noise(6))\nlab"
    )
    notebook.run(0)
    booth = Booth(notebook)
    expect(step(booth, "检查")).to_contain_text("信噪比")
    expect(step(booth, "创建并使用")).to_contain_text("说话人已同意克隆该声音。")
    notebook.screenshot("lab-zh", booth.root)
