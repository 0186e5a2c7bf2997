"""The gallery of an experiment in real JupyterLab: listened through, sorted, filtered, rated blind; and its report."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser._lab import OUTPUT, Notebook
from tests.browser._look import AXE, THEMES, VIOLATIONS, load_axe
from tests.browser._sound import Recorder
from tests.browser.conftest import OpenNotebook

EXPERIMENT = """
import tempfile
import stepnb as sn
folder = tempfile.mkdtemp()
x = sn.Experiment(
    "greeting",
    grid={"instructions": {"plain": None, "nova": "Your name is Nova. Answer briefly.",
                           "<img src=x onerror=alert(1)>": "Your name is Iris. Answer briefly."}},
    inputs=["What is your name?", "What is seven times six?", "Tell me a joke."],
    fixed={"cluster": "local"},
    scorers=[sn.scorers.Contains("Nova", name="nova"), sn.scorers.Duration(), sn.scorers.WordsPerMinute(),
             sn.scorers.Latency()],
    folder=folder,
)
x.run();
"""


def gallery(notebook: Notebook) -> Locator:
    root = notebook.page.locator(".stepnb-gallery")
    expect(root.locator(".sn-line:not(.sn-top)").first.locator(".sn-answer").first).to_be_visible(
        timeout=30_000
    )
    return root


def answers(root: Locator, line: int) -> list[str]:
    return root.locator(".sn-line:not(.sn-top)").nth(line).locator(".sn-answer").all_inner_texts()


def check(notebook: Notebook, root: Locator, name: str) -> None:
    root.scroll_into_view_if_needed()
    notebook.screenshot(name)
    found = notebook.page.evaluate(VIOLATIONS)
    assert [v for v in found if v[0] in ("serious", "critical")] == [], name


def test_a_gallery_is_listened_through_and_rated_blind(open_notebook: OpenNotebook, ear: Recorder) -> None:
    notebook = open_notebook(EXPERIMENT, "x.gallery()", "x.ratings().to_dict('records')")
    load_axe(notebook)
    notebook.run(0)
    notebook.run(1)
    root = gallery(notebook)
    heads = root.locator(".sn-variant")
    assert heads.all_inner_texts() == ["plain", "nova", "<img src=x onerror=alert(1)>"], "text, never HTML"
    assert "I am Nova." in answers(root, 0)[1]
    root.get_by_label("Mark against").select_option(label="nova")
    expect(root.locator("ins", has_text="Iris.").first).to_be_visible()  # what differs from that variant
    for theme in THEMES:
        notebook.theme(theme)
        expect(root).to_have_attribute("data-theme", theme)
        check(notebook, root, f"gallery-{theme}")

    # By keyboard: to the second variant, play it, go on in the third from where it is.
    root.locator(".sn-cell").first.focus()
    notebook.page.keyboard.press("ArrowRight")
    pressed = time.monotonic()
    notebook.page.keyboard.press("Enter")
    expect(root.locator('.sn-cell[data-playing="true"]')).to_have_count(1)
    expect(root.locator(".sn-now")).to_have_text("nova · What is your name?")
    ear.wait_for_sound(after=pressed)
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.keyboard.press(" ")
    expect(root.locator(".sn-now")).to_contain_text("onerror")

    root.get_by_placeholder("Filter inputs and answers").fill("42")
    expect(root.locator(".sn-line:not(.sn-top)")).to_have_count(1)
    expect(root.locator(".sn-input-name")).to_have_text("What is seven times six?")
    root.get_by_placeholder("Filter inputs and answers").fill("")
    expect(root.locator(".sn-line:not(.sn-top)")).to_have_count(3)
    root.get_by_label("Order").select_option(label="nova: highest of nova")
    expect(root.locator(".sn-input-name").first).to_have_text("What is your name?")

    root.get_by_label("Blind").check()
    expect(heads.first).to_have_text("A")
    assert heads.all_inner_texts() == ["A", "B", "C"]
    first = root.locator(".sn-line:not(.sn-top)").first
    expect(first.locator(".sn-answer")).to_have_count(3)
    assert root.locator("ins, del").count() == 0, "marks would give the variants away"
    nova = next(n for n, text in enumerate(answers(root, 0)) if "Nova" in text)
    first.locator(".sn-cell").nth(nova).focus()
    notebook.page.keyboard.press("5")
    expect(first.locator(".sn-cell").nth(nova).get_by_label("Rate 5 of 5")).to_have_attribute(
        "aria-pressed", "true"
    )
    notebook.page.keyboard.press("n")
    notebook.page.keyboard.type("<i>clear</i>")
    notebook.page.keyboard.press("Enter")
    notebook.screenshot("gallery-blind")
    # The page's messages and the cells have channels of their own: the last word may still be on its way.
    deadline = time.monotonic() + 10
    while "clear" not in (kept := notebook.run(2)) and time.monotonic() < deadline:
        pass
    assert "'rating': 5" in kept, kept
    assert "'variant': 'nova'" in kept
    assert "'note': '<i>clear</i>'" in kept and "'blind': True" in kept, kept


def test_the_report_opens_from_disk_and_asks_for_nothing(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    path = tmp_path / "greeting.html"
    notebook = open_notebook(EXPERIMENT, f"print(x.report({str(path)!r}))")
    notebook.run(0)
    notebook.run(1)
    page = notebook.page.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    expect(page.get_by_role("heading", name="greeting", exact=True)).to_be_visible()
    player = page.locator("audio").first
    played = player.evaluate(
        """async (audio) => {
            await audio.play();
            await new Promise((resolve) => audio.addEventListener('ended', resolve));
            return audio.currentTime;
        }"""
    )
    assert played > 0.5
    assert page.locator("img").count() >= 1
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0, "text, never HTML"
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert errors == []
    page.close()
    # Its own policy keeps axe-core out: a page where that is lifted.
    context = notebook.page.context.browser.new_context(bypass_csp=True, color_scheme="dark")  # type: ignore[union-attr]
    page = context.new_page()
    page.goto(path.as_uri())
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run().then(({violations}) => violations.map(({id, impact}) => [impact, id]))")
    assert [v for v in found if v[0] in ("serious", "critical")] == []
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / "report-dark.png")
    context.close()
    assert path.stat().st_size < 3_000_000


def test_a_thousand_inputs_scroll(open_notebook: OpenNotebook) -> None:
    """The store is filled by hand: what is tested is that the page holds 10,000 runs."""
    inputs = 1000
    notebook = open_notebook(BIG.format(inputs=inputs), "g = x.gallery(); g")
    notebook.run(0, timeout=90)
    notebook.run(1)
    root = gallery(notebook)
    lines = root.locator(".sn-line:not(.sn-top)")
    expect(lines).to_have_count(inputs)
    filled = root.locator(".sn-cell[data-key]")
    assert filled.count() < 2000, "only rows near the screen have content"
    lines.last.scroll_into_view_if_needed()
    expect(lines.last.locator(".sn-answer").first).to_be_visible()
    notebook.screenshot("gallery-big")


BIG = """
import tempfile, time
import stepnb as sn
from stepnb.experiments.perform import Outcome
from stepnb.experiments.summary import TurnSummary
from stepnb.experiments.store import ScoreRow
x = sn.Experiment(
    "big", grid={{"voice": [f"v{{n}}" for n in range(10)]}}, inputs=[f"Question {{n}}" for n in range({inputs})],
    fixed={{"cluster": "local"}}, scorers=[sn.scorers.Duration()], folder=tempfile.mkdtemp(),
)
import io, zipfile
buffer = io.BytesIO()
zipfile.ZipFile(buffer, "w").close()
with x.store.writing() as db:
    for case in x._cases:
        answer = f"{{case.variant.name}} says {{case.input.name}}"
        turn = TurnSummary(said=case.input.name, spoken=False, answer=answer, status="completed", audio_ms=900)
        outcome = Outcome(key=case.key, recording=buffer.getvalue(), started=time.time(), seconds=1)
        score = ScoreRow(key=case.key, scorer=x.scorers[0].id, name="duration", value=0.9)
        x.store.put(db, case, outcome, [turn], [score])
"""
