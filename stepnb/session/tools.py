"""Tools: plain functions the model may call.

`tool` makes one of a function: what the model is told comes from its name, its docstring and its type hints, and the
same hints convert and check the arguments before the function is called. How calls are run is in `dispatch`.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import typing
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import docstring_parser
import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from ..conversation.state import ToolStatus
from ..errors import ConfigError
from ..protocol import catalog
from ..protocol.config import FunctionTool, Retrieval, ToolSpec, WebSearch

DEFAULT_TIMEOUT = 30.0
# What the model gets of one result; more would only push the conversation out of its context.
LONGEST_OUTPUT = 20_000


@dataclasses.dataclass(frozen=True)
class Tool(FunctionTool):
    """A function as a tool; made by `tool`, and still callable.

    Attributes
    ----------
    function
        The function itself, plain or async.
    timeout
        How long a call may take, s.
    approve
        True: every call is approved first, see `Session`. False: none is. None: as the session says.
    """

    function: Callable[..., Any]
    timeout: float
    approve: bool | None
    arguments: type[msgspec.Struct] = dataclasses.field(compare=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Tool({self.name}: {', '.join(self.parameters['properties']) or 'no arguments'})"

    def decode(self, text: str) -> dict[str, Any]:
        """Return the arguments of a call, converted to the types the function asks for.

        Raises
        ------
        msgspec.DecodeError
            They are no JSON, or do not fit; the message says where.
        """
        # Not strict: models write "3" for 3. No arguments at all arrive as an empty string.
        decoded = msgspec.json.decode(text.strip() or "{}", type=self.arguments, strict=False)
        values = {name: getattr(decoded, name) for name in self.arguments.__struct_fields__}
        return {name: value for name, value in values.items() if value is not UNSET}


@dataclasses.dataclass(frozen=True)
class ToolCall:
    """One call of a tool by the model.

    Attributes
    ----------
    name, call_id
        As the service named them.
    arguments
        A dict; the bare text where the model wrote no JSON object.
    status
        "arriving", "ready", "awaiting approval", "running", "completed", "failed", "denied" or "cancelled".
    result
        What the function returned; of a session, the last 100 are kept.
    output
        The text the model got, None until there is one.
    error
        Why it failed or was denied.
    duration_ms
        How long it ran, ms; None until it has ended, and where it never ran.
    """

    name: str
    arguments: dict[str, Any] | str
    call_id: str
    status: ToolStatus
    result: Any = None
    output: str | None = None
    error: str | None = None
    duration_ms: float | None = None

    def __repr__(self) -> str:
        said = self.output or ""
        told = f", {said[:60]!r}{'...' if len(said) > 60 else ''}" if said else ""
        return f"ToolCall({self.name}, {str(self.arguments)[:200]}, {self.status}{told})"


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    approve: bool | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    approve: bool | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a plain or async function: ``@sn.tool`` or ``@sn.tool(timeout=5)``.

    Every parameter needs a type hint. The docstring tells the model what the function does; parameters described in
    numpy or Google style are described to the model too.

    Parameters
    ----------
    function
        The function.
    name
        What the model calls it; None for the function's own name.
    description
        What the model is told; None for the docstring's text.
    timeout
        How long a call may take, s, above 0, at most 600. A plain function that takes longer cannot be stopped; the
        model is told that it took too long.
    approve
        True: every call is approved first, see `Session`. False: none is. None: as the session says.

    Returns
    -------
    Tool
        Callable like the function itself.

    Raises
    ------
    ConfigError
        The function cannot be a tool; the message says why.
    """
    if function is None:
        return lambda function: _tool_of(function, name, description, timeout, approve)
    return _tool_of(function, name, description, timeout, approve)


def _tool_of(
    function: Callable[..., Any],
    name: str | None,
    description: str | None,
    timeout: float,
    approve: bool | None,
) -> Tool:
    if not inspect.isroutine(function):
        raise ConfigError(
            f"A tool is made of a function, not of {function!r}.",
            fix="Write def ...: and put @sn.tool above it.",
        )
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 600:
        raise ConfigError(f"timeout is {timeout!r}.", fix="Write a number above 0, at most 600, in seconds.")
    doc = docstring_parser.parse(inspect.getdoc(function) or "")
    arguments = _struct_of(function)
    return Tool(
        name=function.__name__ if name is None else name,
        description=(description if description is not None else doc.description or "").strip(),
        parameters=_schema_of(
            function, arguments, {param.arg_name: param.description for param in doc.params}
        ),
        function=function,
        timeout=float(timeout),
        approve=approve,
        arguments=arguments,
    )


def _struct_of(function: Callable[..., Any]) -> type[msgspec.Struct]:
    """Return a struct with the function's parameters as fields; those with defaults may be left out."""
    name = function.__name__
    try:
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
    except (NameError, TypeError, ValueError) as error:
        raise ConfigError(
            f"The type hints of {name} cannot be read: {error}.",
            fix="Use types that are defined where the function is.",
        ) from None
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ConfigError(
                f"The tool {name} takes {parameter}: a model can only give arguments by name.",
                fix="Write out its parameters.",
            )
        if parameter.name not in hints:
            raise ConfigError(
                f"The parameter {parameter.name} of the tool {name} has no type hint.",
                fix=f"Write for example {parameter.name}: str, so that the model knows what to give.",
            )
        hint = hints[parameter.name]
        if parameter.default is parameter.empty:
            fields.append((parameter.name, hint))
        else:
            # The function's own default stays the one in force, whatever kind of object it is.
            fields.append((parameter.name, hint | UnsetType, UNSET))
    try:
        struct = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)
        msgspec.json.Decoder(struct)  # some types can be described, but not told apart when they come
    except (TypeError, ValueError) as error:
        raise _undescribable(name, error) from None
    return struct


def _undescribable(name: str, error: Exception) -> ConfigError:
    reason = str(error).strip().splitlines()[-1].rstrip(".")
    return ConfigError(
        f"The arguments of the tool {name} cannot be described to the model: {reason}.",
        fix="Use str, int, float, bool, list, dict, Literal, enums, dataclasses and their combinations.",
    )


def _schema_of(
    function: Callable[..., Any], arguments: type[msgspec.Struct], descriptions: dict[str, str | None]
) -> dict[str, Any]:
    name = function.__name__
    try:
        (root,), definitions = msgspec.json.schema_components([arguments], ref_template="{name}")
    except (TypeError, ValueError) as error:
        raise _undescribable(name, error) from None
    schema: dict[str, Any] = _inlined(root, definitions, (), name)
    properties: dict[str, Any] = schema["properties"]
    for parameter in inspect.signature(function).parameters.values():
        described = properties[parameter.name]
        text = descriptions.get(parameter.name)
        if text and text.strip():
            described.setdefault("description", text.strip())
        if parameter.default is not parameter.empty:
            try:
                described.setdefault("default", msgspec.to_builtins(parameter.default))
            except (TypeError, ValueError):
                continue  # a default that has no JSON form; it is still the default
    return schema


def _inlined(node: Any, definitions: dict[str, Any], seen: tuple[str, ...], tool_name: str) -> Any:
    """Return a schema without references: not every service that takes JSON Schema follows them."""
    if isinstance(node, list):
        return [_inlined(part, definitions, seen, tool_name) for part in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if reference is None:
        # `properties` maps names to schemas, and a property may well be called "title".
        return {
            key: {name: _inlined(part, definitions, seen, tool_name) for name, part in value.items()}
            if key == "properties"
            else _inlined(value, definitions, seen, tool_name)
            for key, value in node.items()
            if key != "title"
        }
    if reference in seen:
        raise ConfigError(
            f"The tool {tool_name} takes {reference}, which contains itself; the model cannot be told of such a type.",
            fix="Take a flat list instead.",
        )
    rest = {key: value for key, value in node.items() if key != "$ref"}
    target = _inlined(definitions[reference], definitions, (*seen, reference), tool_name)
    return {**target, **rest}


# What a session gets -----------------------------------------------------------------------------------------------

AnyTool = Callable[..., Any] | Tool | WebSearch | Retrieval
Approve = Callable[[ToolCall], Any]


def approve_of(approve: Approve | bool | None) -> Approve | bool | None:
    """Check the ``approve`` of a session.

    Raises
    ------
    ConfigError
        Neither a function nor True.
    """
    if approve is not None and approve is not True and not callable(approve):
        raise ConfigError(
            f"approve is {approve!r}, not a function.",
            fix="Write a function of the call that returns True or False, or True to decide by button.",
        )
    return approve


def tool_list(tools: Sequence[AnyTool] | None, model: str) -> tuple[ToolSpec, ...]:
    """Check the ``tools`` of a session and make tools of plain functions.

    Raises
    ------
    ConfigError
        Something that is no tool, a name twice, or a model that cannot use them.
    """
    if tools is None:
        return ()
    if isinstance(tools, str | bytes | dict) or not isinstance(tools, Sequence):
        raise ConfigError(f"tools is {tools!r}, not a list.", fix="Write tools=[get_weather].")
    specs: list[ToolSpec] = []
    for given in tools:
        spec = given if isinstance(given, Tool | WebSearch | Retrieval) else _tool_of_any(given)
        name = spec.name if isinstance(spec, Tool) else None
        if name is not None and any(isinstance(other, Tool) and other.name == name for other in specs):
            raise ConfigError(
                f"Two tools are called {name}.", fix="Rename one of them: @sn.tool(name='...')."
            )
        specs.append(spec)
    if sum(isinstance(spec, WebSearch) for spec in specs) > 1:
        raise ConfigError("There are two WebSearch tools.", fix="Leave one of them out.")
    _check_model(model, specs)
    return tuple(specs)


def _tool_of_any(given: object) -> Tool:
    if isinstance(given, type) or not callable(given):
        what = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        raise ConfigError(
            f"{what} is no tool.", fix="Use functions, sn.WebSearch() or sn.Retrieval(vector_store_id)."
        )
    return tool(given)


def _check_model(model: str, specs: list[ToolSpec]) -> None:
    known = catalog.capabilities(model)
    if known is None:
        return
    kinds: tuple[tuple[Literal["functions", "server tools"], bool | None, bool], ...] = (
        ("functions", known.function_tools, any(isinstance(spec, Tool) for spec in specs)),
        ("server tools", known.server_tools, any(not isinstance(spec, Tool) for spec in specs)),
    )
    for kind, can, wanted in kinds:
        if wanted and can is False:
            what = "call functions" if kind == "functions" else "use WebSearch or Retrieval"
            raise ConfigError(
                f"The model {model} cannot {what}.",
                fix=f"Use another model, for example model={catalog.FALLBACK_MODEL!r}, or leave the tools out.",
            )


def text_for_model(value: object) -> str:
    """Return a result as text: text as it is, else JSON (of a DataFrame its rows), else ``str``.

    It is cut at 20,000 characters, with a note.

    It may call the user's code, so it does not belong on the I/O thread.
    """
    text = value if isinstance(value, str) else _json_of(value)
    if len(text) <= LONGEST_OUTPUT:
        return text
    return f"{text[:LONGEST_OUTPUT]}\n(cut: these are the first {LONGEST_OUTPUT} of {len(text)} characters)"


def _json_of(value: object) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except (TypeError, ValueError, RecursionError, NotImplementedError, OverflowError):
        return str(value)


def _plain(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    pandas = sys.modules.get("pandas")
    # Their own text leaves out columns and rows where a screen would end: the model would make them up.
    if pandas is not None and isinstance(value, pandas.DataFrame):
        table = value if isinstance(value.index, pandas.RangeIndex) else value.reset_index()
        return msgspec.Raw(table.to_json(orient="records", date_format="iso", force_ascii=False).encode())
    if pandas is not None and isinstance(value, pandas.Series):
        return msgspec.Raw(value.to_json(date_format="iso", force_ascii=False).encode())
    raise NotImplementedError
