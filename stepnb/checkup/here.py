"""What is installed: Python, this package, JupyterLab and what it needs of us. No network, nothing is started."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import sys
from pathlib import Path

import stepnb

from .row import Row

OLDEST_PYTHON = (3, 11)
OLDEST_LAB = (4, 4)
OLDEST_IPYKERNEL = (7, 4)
UPDATE = (
    'Update both where they run: pip install --upgrade "ipykernel>=7.4" "jupyterlab>=4.4". '
    "Until then write `await t` in cells, not t.wait()."
)
MANAGER = "@jupyter-widgets/jupyterlab-manager"
_PAGE = Path(stepnb.__file__).parent / "widgets" / "static" / "panel.js"


def python() -> Row:
    """Look at the interpreter."""
    found = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        return Row("python", "fails", f"{found} is too old.", "Use Python 3.11 or newer.")
    return Row("python", "ok", found)


def package(page: Path = _PAGE) -> Row:
    """Look whether the widgets' page was built."""
    found = f"{stepnb.__version__}, {Path(stepnb.__file__).parent}"
    if not page.is_file():
        fix = (
            "In a source checkout run: make setup. Else install again: pip install --force-reinstall stepnb."
        )
        return Row("package", "fails", f"{found}: the widgets' page is missing.", fix)
    return Row("package", "ok", found)


def jupyterlab() -> Row:
    """Look for JupyterLab in this environment."""
    version = version_of("jupyterlab")
    if version is None:
        fix = 'Install it: pip install "stepnb[lab]". Or open the notebook where a Jupyter is, and choose this kernel.'
        return Row("jupyterlab", "fails", "It is not installed in this environment.", fix)
    if numbers(version) < OLDEST_LAB:
        fix = 'Update it: pip install --upgrade "jupyterlab>=4.4".'
        return Row("jupyterlab", "note", f"{version}: messages of widgets wait for running cells.", fix)
    return Row("jupyterlab", "ok", version)


def ipykernel() -> Row:
    """Look at the kernel's own library, in a running kernel."""
    version = version_of("ipykernel")
    if version is None:
        return Row("kernel", "open", "No ipykernel: what a busy cell does to messages is not known.")
    if numbers(version) < OLDEST_IPYKERNEL:
        return Row("kernel", "note", f"ipykernel {version}: a busy cell may hold back messages.", UPDATE)
    return Row("kernel", "ok", f"ipykernel {version}")


def widgets() -> Row:
    """Look for the extension of JupyterLab that shows widgets."""
    try:
        from jupyter_core.paths import jupyter_path
        from jupyterlab_server.config import get_federated_extensions, get_page_config
    except ImportError:
        return Row("widgets", "open", "JupyterLab is not in this environment.")
    folders = jupyter_path("labextensions")
    found = get_federated_extensions(folders).get(MANAGER)
    if found is None:
        fix = "Install it where JupyterLab is: pip install --force-reinstall jupyterlab_widgets."
        return Row("widgets", "fails", f"{MANAGER} is not installed.", fix)
    disabled = get_page_config(folders).get("disabledExtensions", {})
    if any(name.split(":")[0] == MANAGER for name in disabled):
        fix = f"Enable it: jupyter labextension enable {MANAGER}"
        return Row("widgets", "fails", f"{MANAGER} is disabled.", fix)
    return Row("widgets", "ok", f"{MANAGER} {found.get('version', '')}".strip())


def server() -> Row:
    """Look whether the Jupyter server here sends the kernel's messages at once."""
    try:
        from jupyter_core.paths import jupyter_config_path
    except ImportError:
        return Row("server", "open", "Jupyter is not in this environment.")
    enabled = None
    for folder in jupyter_config_path():
        for path in (Path(folder) / "jupyter_server_config.d").glob("*.json"):
            if enabled is None:
                enabled = _switch(path)
    if not enabled:
        fix = "Enable it where the Jupyter server is: jupyter server extension enable stepnb.server_extension"
        return Row("server", "note", "Not enabled here: an interruption is heard 20 ms later.", fix)
    return Row("server", "ok", "enabled: messages go to the page at once")


def _switch(path: Path) -> bool | None:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        switch = settings["ServerApp"]["jpserver_extensions"]["stepnb.server_extension"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return bool(switch)


def version_of(distribution: str) -> str | None:
    """Return the installed version of a distribution, None when it is not there."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, to compare: "4.4.0rc1" is (4, 4, 0)."""
    return tuple(int(n) for n in re.findall(r"\d+", re.match(r"[\d.]*", version)[0]))  # type: ignore[index]
