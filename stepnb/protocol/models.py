"""`Models`: the known models and what each can do, as a table for people."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any, overload

from ..errors import ConfigError
from ..optional import library
from . import catalog
from .catalog import CLUSTERS, Capabilities, ClusterName

_COLUMNS = (
    "model", "clusters", "functions", "web search, retrieval", "cloned voices", "thinking", "official voices",
    "1M tokens: in / cached / out", "remarks",
)  # fmt: skip
_LONGEST_CELL = 30
_KNOWN = {True: "yes", False: "no", None: "?"}


class Models(Sequence[Capabilities]):
    """The known models, newest first. Printed, it is a table; "?" stands for what is not documented.

    It is a hint, not a gate: a model that is not in it is passed on to the service as it is.

    Attributes
    ----------
    as_of
        The date of what is known.
    """

    def __init__(self, found: Sequence[Capabilities]) -> None:
        self._found = tuple(found)
        self.as_of = catalog.as_of()["models"]

    @overload
    def __getitem__(self, place: int) -> Capabilities: ...
    @overload
    def __getitem__(self, place: slice) -> Models: ...
    def __getitem__(self, place: int | slice) -> Capabilities | Models:
        return Models(self._found[place]) if isinstance(place, slice) else self._found[place]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Capabilities]:
        return iter(self._found)

    def df(self) -> Any:
        """Return the table as a pandas DataFrame, one row a model.

        Raises
        ------
        MissingLibrary
            pandas is not installed.
        """
        pandas = library("pandas", "A table of models", "data")
        return pandas.DataFrame([_row(model) for model in self], columns=list(_COLUMNS))

    def __repr__(self) -> str:
        table = [_COLUMNS, *(_row(model) for model in self)]
        widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table
        ]
        return "\n".join(line.rstrip() for line in lines) + f"\n(as of {self.as_of})"

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left;vertical-align:bottom'>{name}</th>" for name in _COLUMNS)
        rows = "".join(f"<tr>{''.join(map(_cell, _row(model)))}</tr>" for model in self)
        caption = f"<caption>as of {self.as_of}; ? is not documented</caption>"
        table = f"<table style='font-size:12px'>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<div style='overflow-x:auto'>{table}</div>"


def models(cluster: ClusterName | None = None) -> Models:
    """Return the known realtime models and what each can do, newest first.

    Parameters
    ----------
    cluster
        "global", "cn" or "cn/step_plan"; None for those of all clusters.

    Raises
    ------
    ConfigError
        Another cluster.
    """
    if cluster is not None and cluster not in CLUSTERS:
        raise ConfigError(f"cluster is {cluster!r}.", fix=f"Write one of {', '.join(map(repr, CLUSTERS))}.")
    return Models([model for model in catalog.models() if cluster is None or cluster in model.clusters])


def _row(model: Capabilities) -> tuple[str, ...]:
    silent = {False: "no audio; ", None: "audio not documented; "}.get(model.audio_output, "")
    return (
        model.id,
        ", ".join(model.clusters),
        _KNOWN[model.function_tools],
        _KNOWN[model.server_tools],
        _KNOWN[model.cloned_voices],
        _KNOWN[model.thinking],
        str(len(model.voices)) if model.voices else "?",
        _price(model.id),
        f"{silent}{model.summary}",
    )


def _price(model: str) -> str:
    """Return input / cached input / output, in each currency there is."""
    prices = [price for cluster in CLUSTERS if (price := catalog.price(model, cluster)) is not None]
    texts = [
        f"{price.input:g} / {price.cached_input:g} / {price.output:g} {price.currency}"
        if price.output
        else "free"
        for price in prices
    ]
    return ", ".join(dict.fromkeys(texts)) or "?"


def _cell(text: str) -> str:
    # Only the remarks may be broken into lines.
    wrap = "normal" if len(text) > _LONGEST_CELL else "nowrap"
    return f"<td style='text-align:left;vertical-align:top;white-space:{wrap}'>{html.escape(text)}</td>"
