"""A JupyterLab server for the browser tests."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.key_scan import SCAN, prepare_kernels

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

SERVER_CONFIG: dict[str, dict[str, Any]] = {
    "ServerApp": {
        "ip": "127.0.0.1",
        "port": 0,
        "open_browser": False,
        "allow_root": True,
        "shutdown_no_activity_timeout": 300,  # ends by itself when the tests were killed and could not end it
    },
    "MappingKernelManager": {"cull_idle_timeout": 240, "cull_interval": 60},
    "LabApp": {
        "expose_app_in_browser": True,
        "news_url": None,
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "extension_manager": "readonly",
    },
}
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/apputils-extension:themes": {"theme": THEMES["light"], "adaptive-theme": False},
}
"""What JupyterLab is told beyond its defaults, so that it asks no network for anything."""


class LabServer:
    """A JupyterLab server with its own configuration, settings, data and notebook folders."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="stepnb-lab-"))
        self.notebooks = self._folder / "notebooks"
        self.token = secrets.token_hex(16)
        (self._folder / "config").mkdir()
        (self._folder / "settings").mkdir()
        self.notebooks.mkdir()
        prepare_kernels(self._folder / "ipython")
        config = {
            **SERVER_CONFIG,
            "IdentityProvider": {"token": self.token},
            "LabApp": {**SERVER_CONFIG["LabApp"], "app_settings_dir": str(self._folder / "settings")},
        }
        _write_json(self._folder / "config" / "jupyter_lab_config.json", config)
        _write_json(self._folder / "settings" / "overrides.json", SETTINGS)
        self._log = self._folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", "--no-browser"],
                cwd=self.notebooks,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _environment(self) -> dict[str, str]:
        # No key and no settings of the person who runs the tests: what is tested is the road without a key.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("STEP", "JUPYTER", "IPYTHON"))}
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "user-settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        return {
            **inherited,
            **{name: str(self._folder / folder) for name, folder in folders.items()},
            "JUPYTER_PREFER_ENV_PATH": "1",
            "https_proxy": "http://127.0.0.1:9",  # nobody's: what looks for the service must not reach it
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    def url(self, timeout: float = 60) -> str:
        """The address of the server, once it answers: the server writes it into its runtime folder."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended at once:\n{self.log()}")
            for info in (self._folder / "runtime").glob("jpserver-*.json"):
                if text := info.read_text(encoding="utf-8"):
                    return str(json.loads(text)["url"])
            time.sleep(0.02)
        raise TimeoutError(f"JupyterLab did not start within {timeout} s:\n{self.log()}")

    def log(self) -> str:
        """What the server has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Stop the server and its kernels, and delete its folders."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        finally:
            self._process.kill()
            self._process.wait(timeout=10)
            SCAN.folder("lab file", self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
