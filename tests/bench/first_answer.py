"""From a clean clone to the first spoken answer: the first command, then the same again.

Clones the repository into an empty folder with an empty home, runs ``make lab`` there, opens the printed address in
Chromium, runs the quickstart's cells up to the panel, presses Talk, asks aloud, and waits for the answer at the
loudspeaker. Goals: 120 s the first time, installation included, and 20 s the second time.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Playwright, expect, sync_playwright

from tests.browser._browsers import find_chromium
from tests.browser._sound import Mouth, PulseServer, Recorder, missing_programs

GOALS = {"first": 120.0, "second": 20.0}
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/lab\S*token=\w+")


@contextmanager
def lab(clone: Path, environment: dict[str, str]) -> Iterator[str]:
    """`make lab` in the clone, once it has printed its address."""
    process = subprocess.Popen(
        ["make", "lab"],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := ADDRESS.search(line):
                break
        else:
            raise RuntimeError("`make lab` ended:\n" + "".join(said[-30:]))
        yield found[0]
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def answer(playwright: Playwright, address: str, sound: PulseServer, ear: Recorder, mouth: Mouth) -> None:
    """Ask the quickstart's panel aloud, and return when the answer is heard."""
    launch = find_chromium(playwright)
    if launch is None:
        raise RuntimeError("There is no Chromium here: run `make browser`.")
    browser = launch(env=sound.client_env)
    try:
        context = browser.new_context(permissions=["microphone"])
        page = context.new_page()
        page.set_default_timeout(60_000)
        # JupyterLab calls a kernel idle before it is connected, and loses what is run then.
        with page.expect_websocket(lambda socket: "/channels" in socket.url) as connected:
            page.goto(address)
        connected.value.wait_for_event("framereceived")
        page.locator(".jp-Notebook h1").click()
        panel = page.locator(".stepnb")
        for _ in range(4):  # as the quickstart says: Shift+Enter, up to the cell of the panel
            page.keyboard.press("Shift+Enter")
        expect(panel).to_have_attribute("data-state", "ready", timeout=60_000)
        panel.locator(".sn-talk").click()
        expect(panel).to_have_attribute("data-mic", "live", timeout=15_000)
        before = time.monotonic()
        mouth.say("can you tell me a joke").wait()
        ear.wait_for_sound(after=before, timeout=30)
    finally:
        browser.close()


def main() -> int:
    """Measure, print, and say by the exit status whether the goals were met."""
    if missing := missing_programs():
        sys.stderr.write(f"no sound here: install {', '.join(missing)}\n")
        return 1
    root = Path(__file__).parents[2]
    missed = False
    with tempfile.TemporaryDirectory(prefix="stepnb-first-") as folder, sync_playwright() as playwright:
        home = Path(folder, "home")
        home.mkdir()
        clone = Path(folder, "stepnb")
        # No key, no settings and no caches of the person who measures.
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("STEP", "JUPYTER", "IPYTHON", "XDG"))
        }
        environment = {**inherited, "HOME": str(home), "BROWSER": "true", "PYTHONUNBUFFERED": "1"}
        subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True, timeout=60)
        sound = PulseServer()
        ear, mouth = Recorder(sound, "ear"), Mouth(sound)
        try:
            for name, goal in GOALS.items():
                start = time.monotonic()
                with lab(clone, environment) as address:
                    print(f"{name:7} served       {time.monotonic() - start:6.1f} s", flush=True)
                    answer(playwright, address, sound, ear, mouth)
                    total = time.monotonic() - start
                print(f"{name:7} answer heard {total:6.1f} s, goal {goal:.0f} s", flush=True)
                missed |= total > goal
        finally:
            mouth.close()
            ear.close()
            sound.close()
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
