"""The house rules that a machine can check: imports point down, nothing goes in circles, modules stay short."""

from __future__ import annotations

import ast
import graphlib
import importlib
import inspect
from pathlib import Path

import pytest

import stepnb as sn
from stepnb.rest.both import both

ROOT = Path(sn.__file__).parent
# What a package may import at module level, besides itself.
BELOW = {
    "errors": set(),
    "optional": {"errors"},
    "protocol": {"errors", "optional"},
    "troubleshooting": {"errors"},
    "audio": {"errors", "optional"},
    "conversation": {"errors", "protocol", "audio"},
    "service": {"errors", "protocol"},
    # A recording is replayed as a session, and a session is recorded: one floor.
    "recording": {"errors", "optional", "protocol", "audio", "conversation", "service", "session"},
    "plots": {"errors", "optional", "protocol", "audio", "conversation", "recording"},
    "rest": {"errors", "protocol", "audio", "service"},
    "session": {"errors", "protocol", "audio", "conversation", "service", "recording", "rest"},
    "widgets": {
        "errors",
        "optional",
        "protocol",
        "audio",
        "conversation",
        "service",
        "recording",
        "session",
        "plots",
        "rest",
        "checkup",
        "device",
    },
    "experiments": {
        "errors",
        "optional",
        "protocol",
        "audio",
        "conversation",
        "service",
        "recording",
        "session",
        "plots",
    },
    "device": {"errors", "optional", "audio", "conversation", "session"},
    "local": {"errors", "protocol", "audio"},
    "ipython": {"errors", "protocol", "session"},
    "tutorials": {"errors", "optional"},
    "checkup": {"errors", "protocol", "audio", "service", "local"},
    "cli": {"errors", "local", "tutorials", "checkup"},
    "__init__": set(),
}
LONGEST_MODULE = 400


def modules() -> dict[str, Path]:
    return {
        ".".join(("stepnb", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in sorted(ROOT.rglob("*.py"))
    }


def imports_of(name: str, path: Path) -> set[str]:
    """Modules of ours that are imported when this one is; not in functions, not for type checkers alone."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    statements = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while statements:
        match statements.pop():
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=module, level=level, names=names):
                base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                source = ".".join([*base, *([module] if module else [])])
                found |= {source} | {f"{source}.{alias.name}" for alias in names}
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=orelse):
                statements += orelse
            case ast.If(body=body, orelse=orelse) | ast.Try(body=body, orelse=orelse):
                statements += [*body, *orelse]
    known = modules()
    return {module for module in found if module in known} - {name, "stepnb"}


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_down(module: str) -> None:
    package = package_of(module)
    wrong = {
        other
        for other in imports_of(module, modules()[module])
        if package_of(other) != package and package_of(other) not in BELOW[package]
    }
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        name: {other for other in imports_of(name, path) if not name.startswith(f"{other}.")}
        for name, path in modules().items()
    }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("module", sorted(modules()))
def test_modules_stay_short(module: str) -> None:
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("name", [name for name in sn.__all__ if name != "__version__"])
def test_everything_public_is_documented(name: str) -> None:
    thing = getattr(sn, name)
    assert inspect.getdoc(thing)
    if not inspect.isclass(thing) or issubclass(thing, BaseException):
        return
    for member, value in vars(thing).items():
        if not member.startswith("_") and (
            inspect.isfunction(value) or isinstance(value, property | classmethod | both)
        ):
            assert inspect.getdoc(value), f"{name}.{member} has no docstring"


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    import subprocess
    import sys

    code = "import sys, stepnb; print(sorted(m for m in sys.modules if m.startswith('stepnb')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['stepnb']"


def test_every_public_name_is_there() -> None:
    for name in sn.__all__:
        getattr(sn, name)
    with pytest.raises(AttributeError, match="nonsense"):
        importlib.import_module("stepnb").nonsense  # noqa: B018
