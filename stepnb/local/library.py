"""What retrieval reads: the passages of a vector store, wherever they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, short enough to be quoted in an answer.

    Attributes
    ----------
    text
        Its text.
    source
        The document it is from: a file name or a title.
    """

    text: str
    source: str


class Library(Protocol):
    """The documents that were uploaded to the engine."""

    def passages(self, vector_store_id: str) -> list[Passage] | None:
        """Return the passages of a vector store in the order of its documents; None when there is no such store.

        Called from a worker thread, so it must not depend on the thread it is called from.
        """
        ...
