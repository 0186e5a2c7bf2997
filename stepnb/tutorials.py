"""``stepnb notebooks`` and ``stepnb lab``: the tutorials in a folder of your own, and JupyterLab on them."""

from __future__ import annotations

import argparse
import enum
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from stepnb.errors import StepnbError
from stepnb.optional import library

FOLDER = "stepnb-tutorials"
FIRST = "01_quickstart.ipynb"
# What was copied, by its hash: a file that differs from it was changed by its owner.
_COPIED = ".stepnb-copied.json"


class Fate(enum.Enum):
    """What became of a tutorial."""

    COPIED = "copied"
    UPDATED = "updated"
    CURRENT = "is there already"
    KEPT = "kept as you changed it"


def shipped() -> Path:
    """Return the folder with the tutorials: a part of the package, or of the source checkout it runs from."""
    package = Path(__file__).parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / FIRST).is_file():
            return folder
    raise StepnbError("This installation has no tutorials.", fix="Install it again: pip install stepnb.")


def copy_tutorials(folder: Path) -> dict[str, Fate]:
    """Copy the tutorials into a folder, which is made; no file that was changed there is touched.

    Parameters
    ----------
    folder
        Where to. A tutorial that is as it was copied is replaced by a newer one of this version.

    Returns
    -------
    dict
        What became of each, by its path in the folder.

    Raises
    ------
    StepnbError
        The folder cannot be written.
    """
    source = shipped()
    if folder.resolve() == source.resolve():
        raise StepnbError(f"{folder} holds the tutorials themselves.", fix="Name another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copied = _copied(folder / _COPIED)
        fates = {}
        for name in _names(source):
            data = (source / name).read_bytes()
            fates[name] = fate = _fate(folder / name, _hash(data), copied.get(name))
            if fate in (Fate.COPIED, Fate.UPDATED):
                _write(folder / name, data)
            if fate is not Fate.KEPT:
                copied[name] = _hash(data)
        _write(folder / _COPIED, json.dumps(copied, indent=1).encode())
    except OSError as error:
        raise StepnbError(
            f"The tutorials cannot be written to {folder}: {error.strerror or error}.",
            fix="Name a folder of yours.",
        ) from error
    return fates


def _names(source: Path) -> Iterator[str]:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix()


def _fate(target: Path, new: str, copied: str | None) -> Fate:
    if not os.path.lexists(target):
        return Fate.COPIED
    found = _hash(target.read_bytes()) if target.is_file() else None
    if found == new:
        return Fate.CURRENT
    return Fate.UPDATED if found is not None and found == copied else Fate.KEPT


def _copied(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}  # then everything that differs counts as changed
    return found if isinstance(found, dict) else {}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_bytes(data)
    unfinished.replace(path)


# The commands ----------------------------------------------------------------------------------------------------


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to those of ``stepnb``."""
    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the tutorials",
        description="Copy the tutorials into a folder and open JupyterLab on the first. Files that you changed stay.",
    )
    lab.add_argument("folder", metavar="DIR", nargs="?", default=FOLDER, help="the folder (%(default)s)")
    lab.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    lab.add_argument("--port", type=int, help="port to serve on (8888, or the next that is free)")
    lab.set_defaults(run=run_lab)
    notebooks = commands.add_parser(
        "notebooks",
        help="copy the tutorials into a folder",
        description="Copy the tutorials into a folder. Files that you changed stay.",
    )
    notebooks.add_argument("folder", metavar="DIR", help="the folder")
    notebooks.set_defaults(run=run_notebooks)


def run_notebooks(options: argparse.Namespace) -> int:
    """Copy, and say what became of each tutorial."""
    _copy(Path(options.folder).expanduser())
    return 0


def _copy(folder: Path) -> dict[str, Fate]:
    fates = copy_tutorials(folder)
    for name, fate in fates.items():
        sys.stdout.write(f"{name}: {fate.value}\n")
    if Fate.KEPT in fates.values():
        sys.stdout.write("For a fresh copy of what was kept name another folder.\n")
    return fates


def run_lab(options: argparse.Namespace) -> int:
    """Copy, and serve JupyterLab until it is stopped."""
    labapp = library("jupyterlab.labapp", "stepnb lab", "lab")
    folder = Path(options.folder).expanduser().resolve()
    fates = _copy(folder)
    trust([folder / name for name, fate in fates.items() if fate is not Fate.KEPT])
    labapp.LabApp.launch_instance(argv=lab_arguments(folder, options))
    return 0


def trust(paths: Iterable[Path]) -> None:
    """Sign notebooks as ``jupyter trust`` does: else JupyterLab shows neither their players nor their conversations."""
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in paths:
        if path.suffix == ".ipynb":
            notary.sign(nbformat.read(path, as_version=4))


def lab_arguments(folder: Path, options: argparse.Namespace) -> list[str]:
    """Return what JupyterLab is started with."""
    # By its URL, so that the printed address leads to the notebook too where no browser can be opened.
    arguments = [f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    if options.no_browser:
        arguments.append("--no-browser")
    if options.port is not None:
        arguments.append(f"--ServerApp.port={options.port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append(
            "--allow-root"
        )  # Jupyter refuses root otherwise; who says `stepnb lab` as root means it
    return arguments
