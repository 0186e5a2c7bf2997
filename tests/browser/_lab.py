"""A real JupyterLab with a real browser in front of it.

`LabServer` runs JupyterLab with folders of its own, `Lab` puts a browser before it that hears and speaks through
`_sound`, and `Notebook` drives one open notebook: through JupyterLab's own commands where the means does not matter,
and through `Notebook.page` (Playwright) where a person's click or key does.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat
from playwright.sync_api import (
    APIResponse,
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Response,
    WebSocket,
    expect,
)

from tests.browser._browsers import Launch
from tests.browser._server import THEMES, LabServer
from tests.key_scan import SCAN

# A machine with more work than cores takes its time.
expect.set_options(timeout=15_000)

OUTPUT = Path("test-output")
"""Where screenshots go; not tracked."""

# The page's side. `run` keeps the promise of a running cell, so that a test can go on and wait for it later.
PAGE_SCRIPT = """
window.lab = {
  runs: new Map(),
  panel: () => {
    const panel = jupyterapp.shell.currentWidget;
    if (!panel?.sessionContext) throw new Error('no notebook is open');
    return panel;
  },
  kernel: () => lab.panel().sessionContext.session?.kernel ?? null,
  ready: async () => {
    await jupyterapp.restored;
    const panel = lab.panel();
    await panel.context.ready;
    await panel.revealed;
    await panel.sessionContext.ready;
    await lab.kernel().info;
  },
  run: (index, id) => {
    const panel = lab.panel();
    panel.content.activeCellIndex = index;
    panel.content.deselectAll();
    lab.runs.set(id, jupyterapp.commands.execute('notebook:run-cell'));
  },
  within: (promise, ms, what) => Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms)),
  ]),
  outputs: (index) => lab.panel().content.widgets[index].model.outputs.toJSON(),
};
"""


class CellFailed(AssertionError):
    """A cell raised an exception; the message is its traceback."""


class Lab:
    """A browser in front of a JupyterLab server: opens notebooks."""

    def __init__(self, server: LabServer, launch: Launch, sound_env: dict[str, str]) -> None:
        self._server = server
        self._browser = launch(env={**sound_env, "HOME": str(server.notebooks.parent)})
        try:
            self.url = server.url()
            self.browser = self._browser.browser_type.name
            self._context = self._new_context()
        except BaseException:
            self._browser.close()
            raise

    def _new_context(self) -> BrowserContext:
        context = self._browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        context.add_init_script(PAGE_SCRIPT)
        return context

    def allow_microphone(self, allowed: bool) -> None:
        """Answer Chromium's question for the microphone in advance, in all pages from now on; Firefox has none."""
        if self.browser == "firefox":
            assert allowed, "WebDriver BiDi cannot deny Firefox the microphone"
        elif allowed:
            self._context.grant_permissions(["microphone"], origin=self.url.rstrip("/"))
        else:
            self._context.clear_permissions()  # it asks, and as nobody can answer a headless browser, that is a no

    def open(self, cells: Sequence[str]) -> Notebook:
        """Write a notebook of code cells, open it in a page of its own and wait for its kernel."""
        return self._show(self._write(cells))

    def _write(self, cells: Sequence[str]) -> str:
        """Write a notebook of code cells; returns its name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        name = f"{secrets.token_hex(4)}.ipynb"
        nbformat.write(notebook, self._server.notebooks / name)
        return name

    def open_file(self, path: Path) -> Notebook:
        """Open a copy of an existing notebook, in a folder of its own."""
        name = f"{secrets.token_hex(4)}/{path.name}"
        (self._server.notebooks / name).parent.mkdir()
        shutil.copy(path, self._server.notebooks / name)
        return self._show(name)

    def open_in_notebook_7(self, cells: Sequence[str]) -> Page:
        """Write a notebook of code cells and open it in Notebook 7, which the same server serves."""
        self.allow_microphone(True)
        page = self._context.new_page()
        page.on("websocket", _scan_messages)
        page.goto(f"{self.url}notebooks/{self._write(cells)}?token={self._server.token}")
        # A cell that is run before the kernel is connected is lost. "idle" is also what the page begins with; the logo
        # comes with the session, when it says "connecting".
        expect(page.locator(".jp-NotebookKernelLogo img[src]")).to_be_visible(timeout=30_000)
        status = page.locator(".jp-Notebook-ExecutionIndicator")
        expect(status).to_have_attribute("data-status", "idle", timeout=30_000)
        return page

    def page_of(self, origin: str) -> Page:
        """A page of the same browser for another server, whose microphone is allowed."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        context.grant_permissions(["microphone"], origin=origin)
        return context.new_page()

    def open_again(self, notebook: Notebook) -> Notebook:
        """Open the same notebook in a second page, with the same kernel."""
        notebook.save()
        notebook.allow_error(
            "Comm not found for comm id"
        )  # JupyterLab's, of widgets that the other page knows
        return Notebook(self, self._context.new_page(), notebook.path, notebook.session)

    def end_session(self, session: str) -> None:
        """Shut a notebook's kernel down, unless a test has done so."""
        self._request("DELETE", f"sessions/{session}", allow=404)

    def page_url(self, path: Path) -> str:
        """The address that opens a notebook, and no other that JupyterLab remembers."""
        name = path.relative_to(self._server.notebooks).as_posix()
        return f"{self.url}lab/tree/{name}?token={self._server.token}&reset"

    def _show(self, name: str) -> Notebook:
        self.allow_microphone(True)
        # The kernel starts while the page loads; the page finds the session by the notebook's path.
        session = self._request(
            "POST",
            "sessions",
            {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}},
        ).json()
        return Notebook(self, self._context.new_page(), self._server.notebooks / name, session["id"])

    def _request(
        self, method: str, path: str, data: dict[str, Any] | None = None, allow: int | None = None
    ) -> APIResponse:
        token = {"Authorization": f"token {self._server.token}"}
        answer = self._context.request.fetch(f"{self.url}api/{path}", method=method, headers=token, data=data)
        if not answer.ok and answer.status != allow:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.text()}")
        return answer

    def server_log(self) -> str:
        """What the server and its kernels have printed."""
        return self._server.log()

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()


def _scan_messages(socket: WebSocket) -> None:
    """Look for keys in what goes between the page and its kernels: comm messages, outputs, states of widgets."""

    def look(payload: str | bytes) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        SCAN.data("page message", data, "a message between a page and its server")

    socket.on("framereceived", look)
    socket.on("framesent", look)


class Running:
    """A cell that has been started."""

    def __init__(self, notebook: Notebook, index: int, run: str) -> None:
        self._notebook = notebook
        self._index = index
        self._run = run

    def wait(self, timeout: float = 30) -> str:
        """Wait for the end of the cell; returns the text of its output.

        Raises
        ------
        CellFailed
            If the cell raised an exception.
        """
        self._notebook.page.evaluate(
            "([id, ms, what]) => lab.within(lab.runs.get(id), ms, what)",
            [self._run, timeout * 1000, f"cell {self._index}"],
        )
        for output in self._notebook.outputs(self._index):
            if output["output_type"] == "error":
                raise CellFailed(_plain("\n".join(output["traceback"])))
        return self._notebook.text(self._index)


class Notebook:
    """One open notebook: `page` is its Playwright page, `path` its file."""

    def __init__(self, lab: Lab, page: Page, path: Path, session: str) -> None:
        self.page = page
        self.path = path
        self.session = session
        self._lab = lab
        self._errors: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        page.set_default_timeout(15_000)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)
        page.on("response", self._on_response)
        page.on("websocket", _scan_messages)
        page.goto(lab.page_url(path))
        self._wait_until_ready()

    def cell(self, index: int) -> Locator:
        """A cell, its output included."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def run(self, index: int, timeout: float = 30) -> str:
        """Run a cell and wait for its end; returns the text of its output. Raises CellFailed."""
        return self.start(index).wait(timeout)

    def start(self, index: int) -> Running:
        """Begin to run a cell, and go on once the kernel has been asked."""
        run = secrets.token_hex(4)
        self.page.evaluate("([index, id]) => lab.run(index, id)", [index, run])
        return Running(self, index, run)

    def add(self, source: str) -> int:
        """Add a code cell at the end; returns its index."""
        return int(
            self.page.evaluate(
                """source => {
                    const model = lab.panel().content.model.sharedModel;
                    model.insertCell(model.cells.length, {cell_type: 'code', source});
                    return model.cells.length - 1;
                }""",
                source,
            )
        )

    def execute(self, source: str, timeout: float = 30) -> str:
        """Add a code cell and run it; returns the text of its output. Raises CellFailed."""
        return self.run(self.add(source), timeout)

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """The outputs of a cell, as nbformat has them."""
        return list(self.page.evaluate("index => lab.outputs(index)", index))

    def text(self, index: int) -> str:
        """Everything that a cell's output says in plain text."""
        texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in self.outputs(index)]
        return "\n".join("".join(text).rstrip("\n") for text in texts if text)

    def wait_for_text(self, index: int, pattern: str, timeout: float = 30) -> str:
        """Wait until a cell's output says something that matches; returns the output's text."""
        self.page.wait_for_function(
            "([index, pattern]) => new RegExp(pattern).test(JSON.stringify(lab.outputs(index)))",
            arg=[index, pattern],
            timeout=timeout * 1000,
        )
        return self.text(index)

    @property
    def kernel_status(self) -> str:
        """`idle`, `busy`, `restarting` ..., as JupyterLab sees it."""
        return str(self.page.evaluate("() => lab.kernel()?.status ?? 'none'"))

    def wait_for_kernel(self, status: Literal["idle", "busy"], timeout: float = 30) -> None:
        """Wait until the kernel has that status."""
        self.page.wait_for_function(
            "status => lab.kernel()?.status === status", arg=status, timeout=timeout * 1000
        )

    def restart_kernel(self) -> None:
        """Restart the kernel and wait until it answers; outputs stay."""
        self.allow_error("Could not restore the debugger state")  # JupyterLab's own, at some restarts
        self.page.evaluate(
            """() => {
                const restarted = lab.panel().sessionContext.restartKernel().then(() => lab.kernel().info);
                return lab.within(restarted, 30000, 'restart');
            }"""
        )
        self.wait_for_kernel("idle")

    def save(self) -> None:
        """Save the notebook to its file."""
        self.page.evaluate("() => lab.within(lab.panel().context.save(), 15000, 'saving')")

    def reload(self) -> None:
        """Save, reload the page as a person does, and wait for the notebook and its kernel to be back."""
        self.save()
        self.page.reload()
        self._wait_until_ready()

    def theme(self, name: Literal["light", "dark"]) -> None:
        """Switch JupyterLab's theme."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[name]
        )
        self.page.wait_for_function(
            """([name, light]) => {
                const { jpThemeName, jpThemeLight } = document.body.dataset;
                return jpThemeName === name && jpThemeLight === light;
            }""",
            arg=[THEMES[name], str(name == "light").lower()],
        )
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def screenshot(self, name: str, part: Locator | None = None) -> Path:
        """Take a picture of the page, or of a part of it, into `test-output/`."""
        OUTPUT.mkdir(exist_ok=True)
        prefix = "" if self._lab.browser == "chromium" else f"{self._lab.browser}-"
        path = OUTPUT / f"{prefix}{name}.png"
        (part or self.page).screenshot(path=path)
        return path

    def allow_error(self, pattern: str) -> None:
        """Let errors of the page that match pass from now on: only where the test itself provokes them."""
        self._allowed.append(re.compile(pattern))

    @property
    def errors(self) -> list[str]:
        """Errors of the page so far: uncaught exceptions, console errors and failed requests, less the allowed."""
        return [e for e in self._errors if not any(pattern.search(e) for pattern in self._allowed)]

    def close(self) -> None:
        """Close the page, then shut the kernel down."""
        self.page.close()
        self._lab.end_session(self.session)

    def _wait_until_ready(self) -> None:
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext", timeout=60_000
        )
        self.page.evaluate("() => lab.within(lab.ready(), 60000, 'opening the notebook')")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_page_error(self, error: Error) -> None:
        self._errors.append(f"uncaught: {error.stack or error.message}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._errors.append(f"request: {response.status} {response.url}")


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
