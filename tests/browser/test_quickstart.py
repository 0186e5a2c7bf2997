"""The quickstart notebook in real JupyterLab."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser._panel import Panel
from tests.browser.conftest import OpenNotebook

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"


def test_quickstart_runs_from_top_to_bottom(open_notebook: OpenNotebook) -> None:
    if not QUICKSTART.exists():
        pytest.skip("notebooks/01_quickstart.ipynb does not exist yet")
    notebook = open_notebook(file=QUICKSTART)
    notebook.page.evaluate(
        "() => lab.within(jupyterapp.commands.execute('notebook:run-all-cells'), 90000, 'the quickstart')"
    )
    cells = notebook.page.evaluate(
        """() => lab.panel().content.widgets.map(({ model }) => [
            model.type, model.executionCount ?? null, model.outputs?.toJSON() ?? [],
        ])"""
    )
    code = {index: (count, outputs) for index, (kind, count, outputs) in enumerate(cells) if kind == "code"}
    assert [index for index, (count, _) in code.items() if count is None] == [], "cells that did not run"
    errors = {
        i: o["ename"] for i, (_, outputs) in code.items() for o in outputs if o["output_type"] == "error"
    }
    assert errors == {}
    shown = next(i for i, (_, outputs) in code.items() for o in outputs if WIDGET in o.get("data", {}))
    notebook.page.evaluate("index => lab.panel().content.scrollToItem(index, 'start')", shown)
    expect(Panel(notebook, notebook.cell(shown)).root).to_be_in_viewport()
    notebook.screenshot("quickstart")
