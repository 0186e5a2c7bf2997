"""A pytest plugin that looks for API keys in everything the tests leave behind, and fails the run when it finds one.

Keys it knows: every key that a session or a client of this process is given, and the canary, with which the keys of all
local engines begin: here, and in the kernels that notebooks and browser tests run in.

While tests run it looks at what a test printed and logged, tracebacks, outputs of notebook cells, messages of widgets,
what went between a page and its server, notices of sessions, and private spools before they are deleted. At the end it
looks at the tests' temporary folders (recordings, notebooks, databases) and at ``test-output``.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

CANARY = "canary-3f9a1c5e7b2d8046-"
# Nobody's key: what is shorter stands in too many texts.
SHORTEST = 12
# Files that hold a key because it was put there: for a session to find, and the canary itself.
EXEMPT = (".env", "00-canary.py")
_ARCHIVES = (b"PK\x03\x04",)

STARTUP = f"""
import secrets, sys
def _token(nbytes=None, _make=secrets.token_urlsafe):
    token = _make(nbytes)
    return {CANARY!r} + token if sys._getframe(1).f_globals.get("__name__") == "stepnb.local.engine" else token
secrets.token_urlsafe = _token
"""
"""What makes the keys of a process's local engines begin with the canary."""


def prepare_kernels(ipython_folder: Path) -> None:
    """Let the canary into every kernel that uses this IPYTHONDIR."""
    startup = ipython_folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-canary.py").write_text(STARTUP, encoding="utf-8")


class KeyScan:
    """Looks for keys.

    Attributes
    ----------
    looked_at
        How many things of each kind have been looked at.
    found
        Where keys were found, as sentences; the keys themselves are not in them.
    """

    def __init__(self) -> None:
        self.looked_at: Counter[str] = Counter()
        self.found: list[str] = []
        self._keys: set[str] = set()
        self._needles: dict[bytes, str] = {}
        self.know(CANARY)

    def know(self, key: str) -> None:
        """Look for a key from now on."""
        if len(key) < SHORTEST or key in self._keys or (self._keys and key.startswith(CANARY)):
            return
        self._keys.add(key)
        self._needles |= dict(_forms(key))

    def text(self, kind: str, text: str, where: str) -> None:
        """Look at a text."""
        self.data(kind, text.encode("utf-8", "surrogatepass"), where)

    def data(self, kind: str, data: bytes, where: str) -> None:
        """Look at bytes, and into them where they are an archive."""
        self.looked_at[kind] += 1
        for needle, form in self._needles.items():
            if needle in data:
                self.found.append(f"{where}: a key{form}")
        if data.startswith(_ARCHIVES):
            for name, content in _unpacked(data):
                self.data(kind, content, f"{where}, {name}")

    def folder(self, kind: str, folder: Path) -> None:
        """Look at every file below a folder, and at their names."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.name not in EXEMPT:
                self.text(kind, path.name, f"the name of {path}")
                self.data(kind, path.read_bytes(), str(path))


def _forms(key: str) -> Iterator[tuple[bytes, str]]:
    raw = key.encode()
    yield raw, ""
    yield key.encode("utf-16-le"), " in UTF-16"
    for shift in range(3):
        # Only the characters that nothing beside the key has a part in.
        first, last = (shift * 8 + 5) // 6, (shift + len(raw)) * 8 // 6
        yield base64.b64encode(bytes(shift) + raw)[first:last], " in base64"


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
        return  # damaged on purpose: what can be read of it was looked at as it is


SCAN = KeyScan()


class _LogScan(logging.Handler):
    """Looks at every log record, with its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        SCAN.text("log record", logging.Formatter().format(record), f"the log of {record.name}")


def pytest_configure(config: pytest.Config) -> None:
    """Begin: know the keys, look at what passes."""
    exec(STARTUP, {"__name__": __name__})
    folder = Path(tempfile.mkdtemp(prefix="stepnb-ipython-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    prepare_kernels(folder)
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setenv("IPYTHONDIR", str(folder))
    handler = _LogScan()
    logging.getLogger().addHandler(handler)
    config.add_cleanup(lambda: logging.getLogger().removeHandler(handler))
    _watch(patch)


def _watch(patch: pytest.MonkeyPatch) -> None:
    from ipywidgets import Widget

    from stepnb.recording.spool import Spool
    from stepnb.service.endpoint import Secret
    from stepnb.session.core import SessionCore

    def before(owner: type, name: str, look: Callable[..., None]) -> None:
        original = getattr(owner, name)

        def watched(*args: Any, **options: Any) -> Any:
            look(*args, **options)
            return original(*args, **options)

        patch.setattr(owner, name, watched)

    def spool(spool: Spool) -> None:
        if spool.folder is not None and spool.folder.exists():
            SCAN.folder("spool file", spool.folder)

    def session(core: SessionCore) -> None:
        for said in (core.hub.status, core.endpoint, *core.hub.notices):
            SCAN.text("session state", f"{said!r} {said}", "the state of a session")

    def message(widget: Widget, msg: Any, buffers: Any = None) -> None:
        SCAN.text("widget message", json.dumps(msg, default=repr), f"a message of {type(widget).__name__}")

    before(Secret, "__init__", lambda secret, value: SCAN.know(value))
    before(Spool, "close", spool)
    before(SessionCore, "close", session)
    before(Widget, "_send", message)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at what a test printed and logged, at its traceback, and at the outputs of a notebook's cell."""
    report = yield
    for name, content in report.sections:
        SCAN.text("captured output", content, f"{name} of {item.nodeid}")
    if report.longrepr is not None:
        SCAN.text("traceback", str(report.longrepr), f"the traceback of {item.nodeid}")
    if outputs := getattr(item, "test_outputs", None):
        SCAN.text("cell output", json.dumps(outputs, default=repr), f"the outputs of {item.nodeid}")
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Look at the folders that are left, and fail the run when there is a key anywhere."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is not None:
        SCAN.folder("temporary file", factory._basetemp)
    SCAN.folder("test output", session.config.rootpath / "test-output")
    if SCAN.found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was looked at and what was found."""
    terminalreporter.section("API keys")
    looked = ", ".join(f"{count} {kind}s" for kind, count in sorted(SCAN.looked_at.items()))
    terminalreporter.line(f"{len(SCAN._keys)} keys looked for in {looked or 'nothing'}")
    for place in dict.fromkeys(SCAN.found):
        terminalreporter.line(f"FOUND in {place}", red=True)
    if not SCAN.found:
        terminalreporter.line("the key is nowhere")
