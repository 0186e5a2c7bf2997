"""A session's function tools as the matcher sees them: words with weights, parameters with kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from stepnb.local.brain.context import is_chinese
from stepnb.local.brain.words import Said, Span, lexicon, meanings_of, name_words, word_set

Kind = Literal[
    "choice",
    "flag",
    "number",
    "date",
    "time",
    "datetime",
    "email",
    "url",
    "place",
    "person",
    "text",
    "list",
    "other",
]
Direction = Literal["from", "to", "at", ""]

MAX_TOOLS = 128
MAX_CHOICES = 200
"""Values of an enumeration that are looked for; as with the tools, what comes after them is not."""

_STOP = word_set("schema_stop")
_FROM = word_set("origin")
_TO = word_set("destination")
_PLACE = word_set("place")
_PERSON = word_set("person")
_UNITS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86400, "week": 604800}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a function.

    Attributes
    ----------
    kind
        What is looked for.
    words
        The words of its name and its description.
    direction
        Whether it is where something comes from or goes to.
    choices
        The values of an enumeration.
    whole
        Only whole numbers.
    least, most
        The range of a number.
    unit_s
        The unit of a length of time in seconds; 0 for any other number.
    items
        What a list is made of.
    """

    name: str
    required: bool
    kind: Kind
    description: str = ""
    words: tuple[str, ...] = ()
    direction: Direction = ""
    choices: tuple[Any, ...] = ()
    whole: bool = False
    least: float = float("-inf")
    most: float = float("inf")
    unit_s: int = 0
    items: Parameter | None = None

    @property
    def title(self) -> str:
        """The name as it is spoken."""
        return " ".join(name_words(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One function.

    Attributes
    ----------
    meanings
        What its words mean, with the weight each has in favour of it.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    meanings: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name as it is spoken."""
        return " ".join(name_words(self.name))

    @property
    def required(self) -> tuple[Parameter, ...]:
        """The parameters without which it cannot be called."""
        return tuple(parameter for parameter in self.parameters if parameter.required)


@dataclass
class Filled:
    """What a function's parameters got.

    Attributes
    ----------
    arguments
        By name.
    taken
        What of the sentence is used up.
    evidence
        How much of it could hardly mean anything else: a value of an enumeration, a number with its unit.
    guessed
        The parameters that got words only because nothing else accounts for them.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    taken: list[Span] = field(default_factory=list)
    evidence: float = 0.0
    guessed: set[str] = field(default_factory=set)

    def free(self, span: Span) -> bool:
        """Tell whether a place in the sentence is not used up."""
        return all(span[1] <= start or end <= span[0] for start, end in self.taken)

    def take(self, parameter: Parameter, value: Any, span: Span, evidence: float = 0.0) -> None:
        """Give a parameter its value."""
        self.arguments[parameter.name] = value
        self.taken.append(span)
        self.evidence += evidence


def read_tools(specifications: Sequence[Mapping[str, Any]]) -> tuple[Tool, ...]:
    """Read the function tools of a session, at most `MAX_TOOLS`; what is no well-formed schema has no parameters."""
    functions = (tool.get("function") for tool in specifications if tool.get("type") == "function")
    wellformed = (function for function in functions if isinstance(function, Mapping))
    return tuple(_read_tool(function) for function in islice(wellformed, MAX_TOOLS))


def _read_tool(function: Mapping[str, Any]) -> Tool:
    name, description = str(function.get("name") or ""), str(function.get("description") or "")
    schema = function.get("parameters")
    schema = schema if isinstance(schema, Mapping) else {}
    properties, required = schema.get("properties"), schema.get("required")
    properties = properties if isinstance(properties, Mapping) else {}
    wanted = required if isinstance(required, list) else []
    parameters = tuple(
        _read_parameter(str(key), value if isinstance(value, Mapping) else {}, required=key in wanted)
        for key, value in properties.items()
    )
    return Tool(
        name=name,
        description=description,
        parameters=parameters,
        meanings=_weigh(name, description, parameters),
    )


def _weigh(name: str, description: str, parameters: Sequence[Parameter]) -> dict[str, float]:
    weights: dict[str, float] = {}

    def add(word: str, weight: float) -> None:
        for meaning, strength in meanings_of(word).items():
            weights[meaning] = max(weights.get(meaning, 0.0), weight * (1.0 if strength == 1.0 else 0.4))

    weak = lexicon()["verbs"]["weak"]
    words = name_words(name)
    for place, word in enumerate(words):
        if word not in weak and word not in _STOP:
            add(word, 0.5 if place == 0 and len(words) > 1 else 1.0)
    for word in name_words(description):
        if word not in weak and word not in _STOP and not is_chinese(word):
            add(word, 0.4)
    if is_chinese(description):
        for meaning, (strength, _) in Said(description).meanings().items():
            weights[meaning] = max(weights.get(meaning, 0.0), 0.8 * strength)
    for parameter in parameters:
        for word in name_words(parameter.name):
            if word not in _STOP and word not in weak:
                add(word, 0.25)
    return weights


def _read_parameter(name: str, schema: Mapping[str, Any], *, required: bool) -> Parameter:
    description = str(schema.get("description") or "")
    names = tuple(name_words(name))
    words = names + tuple(word for word in name_words(description) if word not in names)
    kind = _kind(schema, names, words)
    numeric = schema.get("type") in ("integer", "number")
    items = schema.get("items")
    choices = schema.get("enum")
    return Parameter(
        name=name,
        required=required,
        kind=kind,
        description=description,
        words=words,
        direction=_direction(names, words),
        choices=tuple(choices[:MAX_CHOICES]) if isinstance(choices, list) else (),
        whole=schema.get("type") == "integer",
        least=_bound(schema.get("minimum"), float("-inf")),
        most=_bound(schema.get("maximum"), float("inf")),
        unit_s=_unit(words) if numeric else 0,
        items=_read_parameter(name, items, required=False) if isinstance(items, Mapping) else None,
    )


def _kind(schema: Mapping[str, Any], names: Sequence[str], words: Sequence[str]) -> Kind:
    if isinstance(schema.get("enum"), list):
        return "choice"
    declared = schema.get("type", "string")
    if isinstance(declared, list):  # ["string", "null"]
        declared = next((one for one in declared if one != "null"), "string")
    by_type: dict[str, Kind] = {"boolean": "flag", "integer": "number", "number": "number", "array": "list"}
    if declared != "string":
        return by_type.get(declared, "other")
    by_format: dict[str, Kind] = {
        "date": "date",
        "time": "time",
        "date-time": "datetime",
        "email": "email",
        "uri": "url",
    }
    if kind := by_format.get(str(schema.get("format"))):
        return kind
    for among in (names, words):  # what the name says counts before what the description says
        for kind_of, signs in _SIGNS:
            if signs & set(among):
                return kind_of
    return "text"


_SIGNS: tuple[tuple[Kind, frozenset[str]], ...] = (
    (
        "text",
        word_set("phrase"),
    ),
    ("datetime", frozenset(["datetime", "timestamp"])),
    ("date", frozenset(["date", "day", "yyyy"])),
    ("time", frozenset(["time", "hh"])),
    ("email", frozenset(["email"])),
    ("url", frozenset(["url", "link"])),
    ("place", _PLACE | frozenset(["origin", "destination"])),
    ("person", _PERSON),
)


def _direction(names: Sequence[str], words: Sequence[str]) -> Direction:
    for among in (names, words):
        if _FROM & set(among):
            return "from"
        if _TO & set(among):
            return "to"
    return ""


def _unit(words: Sequence[str]) -> int:
    return next((_UNITS[word.rstrip("s")] for word in words if word.rstrip("s") in _UNITS), 0)


def _bound(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
