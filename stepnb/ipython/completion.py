"""What may be written between the quotes of an option: ``sn.Session(cluster="`` and Tab.

IPython completes the names of options, but not the values that signatures list as ``Literal``. Voices, models and event
types are more than a signature should list, and come from the catalogue.
"""

from __future__ import annotations

import inspect
import io
import re
import sys
import tokenize
import types
from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args, get_origin

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from ..protocol import catalog, events

# The end of the code before the cursor: a string that is being written, perhaps for a named option.
_WRITING = re.compile(r"""(?:(?P<option>[^\W\d]\w*)\s*=\s*)?["'](?P<begun>[^"'\n\\]*)$""")
_CATALOGUE: dict[str, Callable[[], Iterable[str]]] = {
    "voice": lambda: (voice.id for voice in catalog.voices()),
    "model": lambda: (model.id for model in catalog.models()),
    "type": lambda: (str(kind.__struct_config__.tag) for kind in events.ServerEvent.__subclasses__()),
}


class OptionValues:
    """Completes the values of options of this package's functions and classes, for one shell."""

    def __init__(self, shell: Any) -> None:
        @context_matcher()  # type: ignore[untyped-decorator]
        def matcher(context: CompletionContext) -> SimpleMatcherResult:
            lines = context.full_text.split("\n")
            before = [*lines[: context.cursor_line], lines[context.cursor_line][: context.cursor_position]]
            begun, values = values_at("\n".join(before), shell.user_ns)
            found = [SimpleCompletion(text=value, type="text") for value in values]
            return {"completions": found, "matched_fragment": begun, "suppress": bool(found)}

        self.matcher = matcher


def values_at(code: str, names: dict[str, Any]) -> tuple[str, list[str]]:
    """Return what was begun of a value at the end of some code, and the values that begin so.

    Parameters
    ----------
    code
        What stands before the cursor.
    names
        The variables there are.
    """
    writing = _WRITING.search(code)
    call = _open_call(code[: writing.start()]) if writing is not None else None
    if writing is None or call is None:
        return "", []
    path, position = call
    begun = writing["begun"]
    parameter = _parameter(_resolve(path, names), writing["option"], position)
    return begun, [value for value in parameter if value.startswith(begun)]


def _open_call(code: str) -> tuple[list[str], int] | None:
    """Find the call whose arguments are being written: the dotted name called, and how many arguments came before."""
    stack: list[tuple[list[str], int]] = []
    before: list[str] = []  # the dotted name that ends here
    for token in _tokens(code):
        if token.type == tokenize.OP and token.string in "([{":
            stack.append((before if token.string == "(" else [], 0))
        elif token.type == tokenize.OP and token.string in ")]}" and stack:
            stack.pop()
        elif token.type == tokenize.OP and token.string == "," and stack:
            stack[-1] = (stack[-1][0], stack[-1][1] + 1)
        if token.type == tokenize.NAME:
            before = [*before[:-1], token.string] if before[-1:] == [""] else [token.string]
        elif token.string == "." and before and before[-1]:
            before = [*before, ""]
        else:
            before = []
    return stack[-1] if stack and stack[-1][0] else None


def _tokens(code: str) -> list[tokenize.TokenInfo]:
    """Return the tokens of code that breaks off, none when it does so within a string."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.ERRORTOKEN and token.string.strip():
                return []
            found.append(token)
    except tokenize.TokenError as error:
        if "multi-line statement" not in str(error):
            return []
    except SyntaxError:
        return []
    return found


def _resolve(path: list[str], names: dict[str, Any]) -> tuple[Any, bool]:
    """Find a function by its dotted name, without calling a property; and whether it is bound to an object."""
    found, bound = names.get(path[0]), False
    for name in path[1:]:
        bound = not isinstance(found, types.ModuleType | type)
        found = getattr(type(found) if bound else found, name, None)
    return found, bound


def _parameter(function: tuple[Any, bool], option: str | None, position: int) -> list[str]:
    """Return the values of an option: by its name, or by its position."""
    called, bound = inspect.unwrap(function[0]), function[1]
    if not str(getattr(called, "__module__", "")).startswith("stepnb."):
        return []
    try:
        parameters = list(inspect.signature(called).parameters.values())[1 if bound else 0 :]
    except (TypeError, ValueError):
        return []
    if option is None:
        ordered = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        chosen = ordered[position : position + 1] or [p for p in parameters if p.kind is p.VAR_POSITIONAL]
    else:
        chosen = [p for p in parameters if p.name == option]
    if not chosen:
        return []
    literals = list(dict.fromkeys(_literals(_annotation(called, chosen[0].annotation))))
    return literals or list(_CATALOGUE.get(chosen[0].name, list)())


def _annotation(called: Any, annotation: Any) -> Any:
    """Return the type an annotation names; it is text, for the package postpones their evaluation."""
    if not isinstance(annotation, str):
        return annotation
    function = called.__init__ if isinstance(called, type) else called  # type: ignore[misc]
    module = sys.modules[function.__module__]
    try:
        return eval(annotation, vars(module))
    except NameError:
        return None  # a name for type checkers only


def _literals(annotation: Any) -> Iterable[str]:
    if get_origin(annotation) is Literal:
        yield from (value for value in get_args(annotation) if isinstance(value, str))
    else:
        for part in get_args(annotation):
            yield from _literals(part)
