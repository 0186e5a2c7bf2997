"""The panel alone in marimo, which takes any anywidget: talked to, answered aloud."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser._lab import OUTPUT, Lab
from tests.browser._panel import QUESTION
from tests.browser._sound import Mouth, Recorder

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import stepnb as sn

    s = sn.Session()
    mo.ui.anywidget(s.panel)
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def marimo(tmp_path: Path) -> Iterator[str]:
    """The address of a marimo server with one notebook."""
    (tmp_path / "notebook.py").write_text(NOTEBOOK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STEP")}
    options = ["--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "marimo", "run", "notebook.py", *options],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            assert server.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except urllib.error.URLError:
                time.sleep(0.1)  # it tells nobody when it listens
        yield url
    finally:
        server.terminate()
        try:
            server.wait(20)
        finally:
            server.kill()
            server.wait(10)


def test_the_panel_talks_in_marimo(lab: Lab, marimo: str, mouth: Mouth, ear: Recorder) -> None:
    with contextlib.closing(lab.page_of(marimo)) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(marimo)
        panel = page.locator(".stepnb")
        expect(panel).to_have_attribute("data-welcome", "true", timeout=60_000)
        panel.get_by_placeholder("Type a message").fill("What is seven times six?")
        page.keyboard.press("Enter")
        answers = panel.locator('[data-who="step"]')
        expect(answers.first).to_contain_text("42", timeout=20_000)
        panel.get_by_role("button", name="Talk", exact=True).click()
        expect(panel).to_have_attribute("data-mic", "live")
        expect(panel).to_have_attribute("data-playing", "false", timeout=20_000)
        begun, ended = mouth.say(QUESTION).wait()
        expect(panel.locator('[data-who="you"]').nth(1)).to_contain_text("joke", timeout=20_000)
        assert ear.wait_for_sound(after=begun) > ended
        expect(answers.nth(1)).to_have_attribute("data-state", "done", timeout=30_000)
        OUTPUT.mkdir(exist_ok=True)
        page.screenshot(path=OUTPUT / "marimo.png")
        assert errors == []
