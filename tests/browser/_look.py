"""How a widget has to look: whole, in both themes, wide and narrow, and accessible."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Locator

from tests.browser._lab import Notebook

THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => {
    const { violations } = await axe.run('.sn-root', { resultTypes: ['violations'] });
    return violations.map(({ id, impact, help, nodes }) => [
        impact, id, help, ...nodes.map((n) => `${n.target} ${n.failureSummary}`),
    ]);
}"""
# The panel lies within the visible part of its output, borders included.
CUT_OFF = """panel => {
    const [inner, outer] = [panel, panel.closest('.jp-OutputArea-output')].map((e) => e.getBoundingClientRect());
    return [inner.left < outer.left, inner.right > outer.right, inner.top < outer.top, inner.bottom > outer.bottom,
        panel.closest('.jp-OutputArea-output').scrollWidth > panel.closest('.jp-OutputArea-output').clientWidth];
}"""
SPILLS = """panel => {
    const edge = panel.getBoundingClientRect();
    return [...panel.querySelectorAll('*')]
        .filter((e) => e.checkVisibility() && !e.closest('.sn-hidden, svg, .sn-what'))
        .filter((e) => e.getBoundingClientRect().right > edge.right + 0.5)
        .map((e) => e.className);
}"""
FOREIGN_SCROLL_BARS = """widget => [...widget.querySelectorAll('*')]
    .filter((e) => e.checkVisibility() && e.scrollHeight > e.clientHeight)
    .filter((e) => getComputedStyle(e).overflowY !== 'visible' && getComputedStyle(e).scrollbarColor === 'auto')
    .map((e) => e.className)"""
UNTITLED = """widget => [...widget.querySelectorAll('button, input, select, textarea')]
    .filter((e) => e.checkVisibility() && !e.title && !e.closest('[title]'))
    .map((e) => e.outerHTML.slice(0, 200))"""


def load_axe(notebook: Notebook) -> None:
    """Put axe-core into the page."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run npm ci in js")
    notebook.page.add_script_tag(path=AXE)


def check(notebook: Notebook, widget: Locator, name: str) -> None:
    """Take a picture of a widget, which must be whole, and accessible, as all of ours on the page must be."""
    widget.scroll_into_view_if_needed()
    notebook.screenshot(name)
    assert widget.evaluate(CUT_OFF) == [False] * 5, name
    assert widget.evaluate(SPILLS) == [], name
    assert widget.evaluate(FOREIGN_SCROLL_BARS) == [], f"{name}: scroll bars in the browser's colours"
    assert widget.evaluate(UNTITLED) == [], f"{name}: controls without a tooltip"
    check_accessible(notebook, name)


def check_accessible(notebook: Notebook, name: str) -> None:
    """All widgets of ours on the page are accessible."""
    found = notebook.page.evaluate(VIOLATIONS)
    assert [v for v in found if v[0] in ("serious", "critical")] == [], name


def take(notebook: Notebook, name: str, what: Locator) -> None:
    """Take a picture for the documentation; `make pictures` puts it there."""
    path = notebook.screenshot(f"docs-{name}", what)
    # Flat colours, few of them: a third of the size.
    Image.open(path).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
