"""The tutorials as a reader meets them: opened in JupyterLab, "Run All", every widget alive, and looked at.

The notebooks as they are then are left in `test-output/notebooks`; `make tutorials` stores them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from scripts.tutorials import NOTEBOOKS, RUN, WIDGET
from tests.browser._lab import Notebook
from tests.browser._look import THEMES
from tests.browser.conftest import OpenNotebook

DRAWN = ".sn-root, .jupyter-widgets"
RUN_ALL = """() => {
    for (const { model } of lab.panel().content.widgets) if (model.type === 'code') model.executionCount = null;
    const done = jupyterapp.commands.execute('notebook:run-all-cells');
    return lab.within(done, 90000, 'running all cells');
}"""
CELLS = """() => lab.panel().content.widgets.map(({ model }) => ({
    type: model.type, source: model.sharedModel.source,
    count: model.executionCount ?? null, outputs: model.outputs?.toJSON() ?? [],
}))"""
# What is out of sight is not rendered, and then not alive.
HIGH = 16_000
# Where the notebook ends. JupyterLab's list of files only takes room.
END = """() => {
    jupyterapp.shell.collapseLeft();
    return lab.panel().content.widgets.at(-1).node.getBoundingClientRect().bottom;
}"""
TOP = "() => { lab.panel().content.node.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; }"


def blind(root: Locator) -> None:
    root.get_by_role("tab", name="Blind").click()
    expect(root.locator(".sn-blind")).to_contain_text("1 of")
    root.get_by_role("tab").first.click()
    expect(root.locator(".sn-grid")).to_be_visible()


def fold(root: Locator) -> None:
    tab = root.locator("[data-section]").first
    was = tab.get_attribute("aria-expanded")
    tab.click()
    expect(tab).not_to_have_attribute("aria-expanded", str(was))
    tab.click()


def slide(cell: Locator) -> None:
    """Move a slider of the VAD lab, and back: the picture is drawn anew."""
    slider, picture = cell.get_by_role("slider").first, cell.locator(".widget-image")
    for key in ("ArrowRight", "ArrowLeft"):
        before = picture.get_attribute("src") or ""
        slider.press(key)
        expect(picture).not_to_have_attribute("src", before)


# What shows that a widget is alive: something its page has only when the kernel has answered it, or that it does.
ALIVE: dict[str, Callable[[Locator], None]] = {
    "stepnb": lambda root: expect(root).to_have_attribute("data-welcome", "true"),
    "stepnb-compare": blind,
    "stepnb-controls": fold,
    "stepnb-gallery": lambda root: expect(root.locator(".sn-answer").first).to_be_visible(),
    "stepnb-inspector": lambda root: expect(root).to_have_attribute("data-ready", "true"),
    "stepnb-lab": lambda root: expect(root.locator(".sn-booth .sn-primary")).to_be_enabled(),
    "stepnb-recorder": lambda root: expect(root.locator(".sn-booth .sn-primary")).to_be_enabled(),
    "stepnb-timeline": lambda root: expect(root).to_have_attribute("data-ready", "true"),
}


@pytest.mark.parametrize("file", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda file: file.stem)
def test_run_all(open_notebook: OpenNotebook, file: Path) -> None:
    notebook = open_notebook(file=file)
    notebook.page.set_viewport_size({"width": 1280, "height": HIGH})  # only what is in view is rendered
    notebook.cell(0).click()  # browsers keep pages silent that nobody has touched
    notebook.page.evaluate(RUN_ALL)
    shown = [index for index, cell in enumerate(finished(notebook)) if widgets_of(cell)]
    pictures = {}
    for index in shown:
        notebook.page.evaluate("index => lab.panel().content.scrollToItem(index, 'start')", index)
        alive(notebook.cell(index))
        pictures[index] = taken(notebook.cell(index))
    whole(notebook, file.stem)
    finished(notebook)  # what comes late, from threads and widgets
    notebook.save()
    RUN.mkdir(parents=True, exist_ok=True)
    saved = nbformat.read(notebook.path, as_version=4)
    for index, views in pictures.items():
        for output, view in zip(widgets_of(saved.cells[index]), views, strict=True):
            output["data"]["image/png"] = base64.b64encode(view).decode()
    nbformat.write(saved, RUN / notebook.path.name)


def finished(notebook: Notebook) -> list[dict[str, Any]]:
    """The cells, all of which have run without an error and without a warning."""
    cells: list[dict[str, Any]] = notebook.page.evaluate(CELLS)
    for number, cell in enumerate(cells):
        for output in cell["outputs"]:
            assert output["output_type"] != "error", f"cell {number}: {output['ename']}: {output['evalue']}"
            assert output.get("name") != "stderr", f"cell {number} warns: {output['text']}"
        if cell["type"] == "code":
            assert cell["count"] is not None, f"cell {number} did not run: {cell['source']}"
    return cells


def widgets_of(cell: dict[str, Any]) -> list[dict[str, Any]]:
    return [output for output in cell["outputs"] if WIDGET in output.get("data", {})]


def alive(cell: Locator) -> None:
    """All widgets of a cell are there and answer."""
    expect(cell.locator(DRAWN).first).to_be_visible()
    expect(cell).not_to_contain_text("Error displaying widget")
    if cell.locator(".widget-image").count():
        slide(cell)
    for root in cell.locator(".sn-root").all():
        kind = next(name for name in (root.get_attribute("class") or "").split() if name.startswith("stepnb"))
        ALIVE[kind](root)


def taken(cell: Locator) -> list[bytes]:
    """Take a picture of each widget that a cell shows: what its stored output shows instead, where no kernel runs."""
    outputs = cell.locator(".jp-OutputArea-output").filter(has=cell.page.locator(DRAWN))
    return [output.screenshot(animations="disabled") for output in outputs.all()]


def whole(notebook: Notebook, name: str) -> None:
    """Take pictures of the whole notebook, in both themes."""
    notebook.page.evaluate(TOP)
    end = notebook.page.evaluate(END)
    notebook.page.set_viewport_size({"width": 1280, "height": min(round(end) + 60, HIGH)})
    for theme in THEMES:
        notebook.theme(theme)
        notebook.page.evaluate(TOP)
        notebook.screenshot(f"notebook-{name}-{theme}")
