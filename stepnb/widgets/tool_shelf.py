"""`ToolShelf`: the tools a session has or had, as entries of a list with a switch each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ..errors import ConfigError
from ..protocol import catalog
from ..protocol.config import Retrieval, ToolSpec, WebSearch
from ..session.tools import AnyTool, Tool

Entry = dict[str, Any]
Key = tuple[str, str]  # kind, name

_APPROVALS: dict[str, bool | None] = {"session": None, "ask": True, "never": False}


class ToolShelf:
    """Entries for the page, and the way back to what a session takes.

    Every tool has an entry ``{"name", "kind", "on", ...}``; one that is switched off keeps its values. Functions have
    ``description`` and ``approval`` ("session", "ask", "never"), a web search ``top_k`` and ``timeout_seconds``, a
    retrieval ``vector_store_id`` and ``prompt_template``.

    Parameters
    ----------
    model
        Web search and retrieval are offered unless the model is known to have none.
    """

    def __init__(self, model: str) -> None:
        self._specs: dict[Key, Tool | WebSearch | Retrieval] = {}
        self._entries: dict[Key, Entry] = {}
        known = catalog.capabilities(model)
        if known is None or known.server_tools is not False:
            self._keep(WebSearch(), 0)
            self._put(_retrieval_entry(0, "", ""))

    def entries(self, tools: Sequence[ToolSpec]) -> list[Entry]:
        """Return every tool there is, or was; those that are in force are on, with the values in force."""
        for entry in self._entries.values():
            entry["on"] = False
        retrievals = 0
        for spec in tools:
            self._keep(spec, retrievals)["on"] = True
            retrievals += isinstance(spec, Retrieval)
        return [dict(entry) for entry in self._entries.values()]

    def _keep(self, spec: ToolSpec, retrievals: int) -> Entry:
        entry: Entry
        match spec:
            case Tool():
                approval = next(name for name, approve in _APPROVALS.items() if approve is spec.approve)
                entry = {"name": spec.name, "kind": "function", "description": spec.description}
                entry |= {"approval": approval}
            case WebSearch():
                entry = {"name": "web_search", "kind": "web_search", "top_k": spec.top_k}
                entry |= {"timeout_seconds": spec.timeout_seconds}
            case Retrieval():
                entry = _retrieval_entry(retrievals, spec.vector_store_id, spec.prompt_template or "")
            case _:
                raise ConfigError(f"{spec!r} is no tool.")
        self._specs[_key(entry)] = spec
        return self._put(entry)

    def _put(self, entry: Entry) -> Entry:
        self._entries[_key(entry)] = entry
        entry["on"] = False
        return entry

    def specs(self, entries: object) -> list[AnyTool]:
        """Return what is on, as a session takes it, and keep the values of what is off.

        Raises
        ------
        ConfigError
            An entry that is none of these tools, or a value no tool takes.
        """
        if not isinstance(entries, list):
            raise ConfigError(
                f"tools is {entries!r}, not a list.", fix="Change a copy of the widget's own list."
            )
        specs = [self._spec(entry) for entry in entries if _is_on(entry)]
        for entry in entries:
            kept = self._entries.get(_key(entry))
            if kept is not None and not entry["on"]:
                kept |= {key: entry[key] for key in kept.keys() & entry.keys()}
        return specs

    def _spec(self, entry: Entry) -> AnyTool:
        kept = self._entries.get(_key(entry))
        if kept is None:
            raise ConfigError(
                f"The session has no tool called {entry.get('name')!r}.",
                fix="Add it in code: s.update(tools=[...]).",
            )
        values = kept | entry
        match self._specs.get(_key(entry)):
            case Tool() as tool:
                if values["approval"] not in _APPROVALS:
                    raise ConfigError(
                        f"approval is {values['approval']!r}.", fix="Write session, ask or never."
                    )
                return dataclasses.replace(tool, approve=_APPROVALS[values["approval"]])
            case WebSearch() as search:
                return dataclasses.replace(
                    search, top_k=values["top_k"], timeout_seconds=values["timeout_seconds"]
                )
            case spec:
                store, template = values["vector_store_id"], values["prompt_template"] or None
                if spec is None:
                    return Retrieval(store, prompt_template=template)
                return dataclasses.replace(spec, vector_store_id=store, prompt_template=template)


def _key(entry: Entry) -> Key:
    return str(entry.get("kind")), str(entry.get("name"))


def _retrieval_entry(number: int, store: str, template: str) -> Entry:
    name = f"retrieval {number + 1}" if number else "retrieval"
    return {"name": name, "kind": "retrieval", "vector_store_id": store, "prompt_template": template}


def _is_on(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("on"), bool):
        raise ConfigError(f"{entry!r} is no tool's entry.", fix="Change a copy of the widget's own list.")
    return bool(entry["on"])
