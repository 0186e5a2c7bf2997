"""What is installed, and what is said when it is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from stepnb.checkup import here


def test_here_everything_is_installed() -> None:
    checks = (here.python, here.package, here.jupyterlab, here.ipykernel, here.widgets, here.server)
    assert {check.__name__: check().state for check in checks} == dict.fromkeys(
        ("python", "package", "jupyterlab", "ipykernel", "widgets", "server"), "ok"
    )
    assert sys.executable in here.python().text


def test_a_page_that_was_not_built(tmp_path: Path) -> None:
    row = here.package(tmp_path / "panel.js")
    assert row.state == "fails" and "make setup" in row.fix


@pytest.mark.parametrize(
    ("version", "state", "fix"),
    [
        (None, "fails", 'pip install "stepnb[lab]"'),
        ("4.3.9", "note", "jupyterlab>=4.4"),
        ("4.4.0rc1", "ok", ""),
        ("5.0", "ok", ""),
    ],
)
def test_jupyterlab_by_its_version(
    version: str | None, state: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "version_of", lambda name: version)
    row = here.jupyterlab()
    assert row.state == state and fix in row.fix


@pytest.mark.parametrize(("version", "state"), [(None, "open"), ("7.3.2", "note"), ("7.10", "ok")])
def test_ipykernel_by_its_version(version: str | None, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "version_of", lambda name: version)
    assert here.ipykernel().state == state


@pytest.fixture
def jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Jupyter whose only folder is this one."""
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path.joinpath(*parts))])
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_path", lambda: [str(tmp_path)])
    return tmp_path


def test_the_widget_manager_is_missed(jupyter: Path) -> None:
    row = here.widgets()
    assert row.state == "fails" and "pip install --force-reinstall jupyterlab_widgets" in row.fix


def test_a_disabled_widget_manager_is_found_out(jupyter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = jupyter / "labextensions" / here.MANAGER
    folder.mkdir(parents=True)
    about = {"name": here.MANAGER, "version": "5.0.16", "jupyterlab": {"_build": {"load": "x.js"}}}
    (folder / "package.json").write_text(json.dumps(about))
    assert here.widgets().state == "ok"
    monkeypatch.setattr(
        "jupyterlab_server.config.get_page_config",
        lambda folders: {"disabledExtensions": {f"{here.MANAGER}:plugin": True}},
    )
    row = here.widgets()
    assert row.state == "fails" and f"labextension enable {here.MANAGER}" in row.fix


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ('{"ServerApp": {"jpserver_extensions": {"stepnb.server_extension": true}}}', "ok"),
        ('{"ServerApp": {"jpserver_extensions": {"stepnb.server_extension": false}}}', "note"),
        ('{"ServerApp": []}', "note"),
        ("{", "note"),
        (None, "note"),
    ],
)
def test_the_server_extension_by_the_servers_settings(text: str | None, state: str, jupyter: Path) -> None:
    if text is not None:
        (jupyter / "jupyter_server_config.d").mkdir()
        (jupyter / "jupyter_server_config.d" / "stepnb.json").write_text(text)
    assert here.server().state == state


def test_without_jupyter_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("jupyter_core.paths", "jupyterlab_server.config"):
        monkeypatch.setitem(sys.modules, module, None)
    assert (here.widgets().state, here.server().state) == ("open", "open")
