"""The voice panel as a person meets it, and the kernel behind it as a test asks it."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser._lab import Notebook
from tests.browser._sound import Mouth

SESSION = "import stepnb as sn\ns = sn.Session()\ns"
"""The first cell of most tests."""
QUESTION = "can you tell me a joke"
"""A sentence the engine recognises well through the microphone."""
LONG = (
    "Repeat after me: we were all walking along a long narrow lane in May while our young uncle was reading aloud "
    "from a yellow manual and many wild animals were running around near a lonely island all morning long"
)
"""A message with a long answer that has no pause in it."""

# Evaluated beside the cells: it leaves no output. It waits for a busy cell, as they do. The notebook need not be the
# current widget: that is the one with the focus, which may be a view of an output.
EVALUATE = """code => {
    const notebook = [...jupyterapp.shell.widgets('main')].find((widget) => widget.sessionContext?.session);
    const request = { code: '', user_expressions: { value: code }, store_history: false };
    const done = notebook.sessionContext.session.kernel.requestExecute(request).done.then(({ content }) => {
        const { value } = content.user_expressions;
        if (value.status !== 'ok') throw new Error(`${code}: ${value.ename}: ${value.evalue}`);
        return value.data['text/plain'];
    });
    return lab.within(done, 30000, code);
}"""
# Every microphone the page opens, so that those still live can be counted.
WATCH_MICROPHONES = """() => {
    const devices = navigator.mediaDevices;
    window.microphones = [];
    const getUserMedia = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
        const stream = await getUserMedia(wanted);
        window.microphones.push(...stream.getTracks());
        return stream;
    };
}"""


def evaluate(notebook: Notebook, expression: str) -> Any:
    """Evaluate a Python expression in the notebook's kernel; the value comes as JSON."""
    text = notebook.page.evaluate(EVALUATE, f"__import__('json').dumps({expression})")
    return json.loads(ast.literal_eval(text))


def times_of(notebook: Notebook, kind: str, *, after: int = 0) -> list[float]:
    """When the session's log has that kind of record, from record number `after` on, s."""
    found = evaluate(notebook, f"[r.t for r in list(s.events)[{after}:] if r.kind == {kind!r}]")
    return [t / 1e9 for t in found]


def records(notebook: Notebook) -> int:
    """How many records the session's log has."""
    return int(evaluate(notebook, "len(s.events)"))


def watch_microphones(page: Page) -> None:
    """Count the page's microphones from now on, reloads included."""
    page.add_init_script(f"({WATCH_MICROPHONES})()")
    page.evaluate(WATCH_MICROPHONES)


def live_microphones(page: Page) -> int:
    """How many microphones are live on a watched page."""
    return int(page.evaluate("() => window.microphones.filter((t) => t.readyState === 'live').length"))


class Panel:
    """One view of the panel.

    Parameters
    ----------
    output
        What contains the view: the notebook's page, a cell or another part of it.
    """

    def __init__(self, notebook: Notebook, output: Locator | None = None) -> None:
        self.notebook = notebook
        self.root = (output or notebook.cell(0)).locator(".stepnb")
        self.message = self.root.get_by_role("textbox", name="Message")
        self.talk_button = self.root.locator(".sn-talk")

    def button(self, name: str) -> Locator:
        """A button, by what a screen reader calls it."""
        return self.root.get_by_role("button", name=name, exact=True)

    def note(self, subject: str) -> Locator:
        """The note about a subject: `status`, `mic`, `kernel`, `owner` ..."""
        return self.root.locator(f'.sn-note[data-note^="{subject}"]')

    def rows(self, who: str) -> Locator:
        """The transcript's rows of `you` or of `step`."""
        return self.root.locator(f'.sn-row[data-who="{who}"]')

    @property
    def view(self) -> str:
        """The id of this view."""
        return self.root.get_attribute("data-view") or ""

    def wait_for(self, timeout: float = 15, **attributes: str) -> None:
        """Wait until the panel's `data-` attributes have these values, one after the other."""
        for name, value in attributes.items():
            expect(self.root).to_have_attribute(f"data-{name}", value, timeout=timeout * 1000)

    def ready(self) -> Panel:
        """Wait until the session is connected and this view has its transcript."""
        self.wait_for(30, state="ready", welcome="true")
        return self

    def talk(self) -> None:
        """Click Talk and wait until this view's microphone is live and the kernel knows it."""
        self.talk_button.click()
        self.wait_for(mic="live", owner=self.view)

    def say(self, text: str) -> None:
        """Type a message and send it."""
        self.message.fill(text)
        self.message.press("Enter")

    def answers(self, question: str, answer: str) -> None:
        """Ask by text and wait for the complete answer, spoken to its end."""
        asked = self.rows("you").count()
        self.say(question)
        row = self.rows("you").nth(asked)
        expect(row).to_contain_text(question)
        turn = (row.get_attribute("data-row") or "").removesuffix("-you")
        reply = self.root.locator(f'[data-row="{turn}-step"]')
        expect(reply).to_contain_text(answer)
        expect(reply).to_have_attribute("data-state", "done")
        self.wait_for(40, answering="false")

    def hears(self, mouth: Mouth, said: str = QUESTION) -> None:
        """Speak into the live microphone and wait for words in the transcript and for the end of the answer."""
        heard, told = self.rows("you").count(), self.rows("step").count()
        mouth.say(said).wait()
        expect(self.rows("you").nth(heard).locator(".sn-heard")).not_to_be_empty()
        expect(self.rows("step").nth(told)).to_have_attribute("data-state", "done")
        self.wait_for(40, answering="false")


def soon(condition: Callable[[], bool], what: str, timeout: float = 10) -> None:
    """Wait for something only the kernel can be asked about."""
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {timeout} s"
