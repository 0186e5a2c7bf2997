"""The documentation's examples, run: each page in one namespace, from top to bottom, on the local engine.

Blocks of ``python`` are run as cells are: the value of a last expression is shown, and ``await`` may stand at the
top. Blocks of ``python test`` are a test module, run by a pytest of their own. Commands of ``bash`` blocks are held
against what there is: Makefile, extras, command line, modules, files. Every other block says what it is (``text``).

A block that cannot be run has a comment before it that says why: ``<!-- skip: next "needs Colab" -->``. What a reader
need not see, as a clip that would be their own, stands in ``<!-- invisible-code: python ... -->``.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import linecache
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown import CodeBlockParser, SkipParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

ROOT = Path(__file__).parents[1]
PAGES = ("README*.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "docs/*.md", "docs/*/*.md")
# What is in a page's folder while it runs, spoken by the local engine's mouth.
SPOKEN = {
    "question.wav": "What time is it?",
    "me.wav": "My name is Ada. I was born in London, and I like the rain in the morning, and a cup of tea with it.",
}
WRITTEN = {"manual.md": "# The coffee machine\n\nClean the filter every week.\n"}
_SHOWN_BY = ("__repr__", "_repr_html_", "_repr_png_", "_repr_mimebundle_", "_ipython_display_")


class Page:
    """What a page's examples share: a folder, a namespace, an event loop, and settings that are theirs alone."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._closing = contextlib.ExitStack()

    def open(self) -> None:
        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="page-"))
        patch = self._closing.enter_context(pytest.MonkeyPatch.context())
        for name in ("STEPFUN_API_KEY", "STEP_API_KEY"):
            patch.delenv(name, raising=False)
        patch.setenv("STEPNB_CLUSTER", "local")
        patch.setenv("STEPNB_LIBRARY", str(Path(folder) / "voices.sqlite"))
        patch.chdir(folder)
        for name, pcm in speech().items():
            Path(name).write_bytes(pcm)
        for name, text in WRITTEN.items():
            Path(name).write_text(text, encoding="utf-8")
        self._namespace["__name__"] = "page"
        self._namespace["__runner__"] = self._closing.enter_context(asyncio.Runner())
        self._closing.callback(self._restore)

    def _restore(self) -> None:
        import stepnb as sn

        for value in list(self._namespace.values()):
            if isinstance(value, sn.Session | sn.LocalEngine):
                value.close()
        sn.style()
        sn.set_language(None)

    def close(self) -> None:
        self._closing.close()
        self._namespace.clear()


_spoken: dict[str, bytes] = {}


def speech() -> dict[str, bytes]:
    """Return the sounds that pages load, as files: {name: WAV}."""
    from stepnb.audio.clip import Clip
    from stepnb.local.mouth import EspeakMouth
    from stepnb.local.parts import VoiceSettings

    async def speak(text: str) -> Clip:
        mouth = EspeakMouth()
        try:
            return Clip.from_pcm(await mouth.speak(text, VoiceSettings(variant="f3")))
        finally:
            await mouth.close()

    for name, text in SPOKEN.items():
        if name not in _spoken:
            path = Path(name)
            asyncio.run(speak(text)).save(path)
            _spoken[name] = path.read_bytes()
    return _spoken


def run_python(example: Example) -> None:
    """Run a block as a notebook's cell."""
    first = example.line + example.parsed.line_offset
    source = "\n" * first + example.parsed
    # So that a traceback, and whoever looks for a function's source, finds the page's text.
    linecache.checkcache(example.path)
    body = ast.parse(source, example.path).body
    if not body:
        return
    *statements, last = body
    shows = isinstance(last, ast.Expr)
    _execute(ast.Module(statements if shows else body, []), "exec", example)
    if shows:
        assert isinstance(last, ast.Expr)
        show(_execute(ast.Expression(last.value), "eval", example))


def _execute(tree: ast.Module | ast.Expression, mode: str, example: Example) -> object:
    code = compile(tree, example.path, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    value = eval(code, example.namespace)
    if code.co_flags & inspect.CO_COROUTINE:
        return example.namespace["__runner__"].run(value)
    return value


def show(value: object) -> None:
    """Make everything that a notebook would make of a cell's last value."""
    for name in _SHOWN_BY:
        method = getattr(value, name, None)
        if callable(method) and not inspect.isclass(value):
            method()


def run_tests(example: Example) -> None:
    """Run a block as a test module."""
    Path("test_page.py").write_text(str(example.parsed), encoding="utf-8")
    # The plugins of this suite are slow to load, and none of the example's.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"],
        capture_output=True,
        text=True,
        timeout=100,
        env=environment,
    )
    assert re.fullmatch(r"\d+ passed in .*", done.stdout.strip().splitlines()[-1]), done.stdout + done.stderr


def check_commands(example: Example) -> None:
    """Hold every command of a block against what there is."""
    for line in str(example.parsed).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and "=" in words[0]:
            words.pop(0)
        if words:
            check = COMMANDS.get(words[0])
            assert check is not None, (
                f"{words[0]}: nobody knows how to check this command (tests/snippets.py)"
            )
            check(words[1:])


def _make(words: list[str]) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for word in words:
        assert "=" in word or word in targets, f"make {word}"


def _pip(words: list[str]) -> None:
    assert words[0] == "install", words
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for word in words[1:]:
        if match := re.fullmatch(r"stepnb\[(.+)\](?: @ .+)?", word):
            for extra in match[1].split(","):
                assert extra in project["optional-dependencies"], extra


def _stepnb(words: list[str]) -> None:
    from stepnb import cli

    cli.parser().parse_args(words)


def _python(words: list[str]) -> None:
    assert words[0] == "-m" and find_spec(words[1]) is not None, words


def _pytest(words: list[str]) -> None:
    for word in words:
        assert word.startswith("-") or (ROOT / word.partition("::")[0]).exists(), word


def _export(words: list[str]) -> None:
    assert all(re.fullmatch(r"\w+=.*", word) for word in words), words


COMMANDS: dict[str, Callable[[list[str]], object]] = {
    "make": _make,
    "pip": _pip,
    "stepnb": _stepnb,
    "python": _python,
    ".venv/bin/pytest": _pytest,
    "export": _export,
}
RUN = {"python": run_python, "python test": run_tests, "bash": check_commands}
NOT_RUN = {"text", "json", "yaml", "toml", "markdown"}


def unknown_blocks(document: Document) -> Iterator[Region]:
    """Find the blocks nobody said how to take: they would not be run, and nobody would notice."""
    for block in RawFencedCodeBlockLexer(re.compile(r"(?P<info>.*)$\n", re.MULTILINE))(document):
        info = block.lexemes["info"].strip()
        if info not in RUN and info not in NOT_RUN and not info.startswith("{"):
            yield Region(block.start, block.end, info, refuse)


def refuse(example: Example) -> None:
    pytest.fail(
        f"a block of {example.parsed!r}; there are {', '.join([*RUN, *sorted(NOT_RUN)])}", pytrace=False
    )


def sybil() -> Sybil:
    """Make what collects the pages."""
    pages: dict[int, Page] = {}

    def setup(namespace: dict[str, Any]) -> None:
        pages[id(namespace)] = page = Page(namespace)
        page.open()

    def teardown(namespace: dict[str, Any]) -> None:
        pages.pop(id(namespace)).close()

    return Sybil(
        parsers=[
            unknown_blocks,
            *(CodeBlockParser(language, evaluator) for language, evaluator in RUN.items()),
            SkipParser(),
        ],
        patterns=PAGES,
        path=str(ROOT),
        setup=setup,
        teardown=teardown,
    )


pytest_collect_file = sybil().pytest()
