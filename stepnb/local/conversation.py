"""The server's side of a conversation: items in order, their shapes on the wire, and what the brain gets to read.

Deliberately not shared with the client's own log of the conversation: one bug cannot hide on both sides. Items hold
text only; audio is let go as soon as the ears have heard it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from stepnb.audio import pcm as pcm16
from stepnb.errors import AudioError
from stepnb.local.ids import Ids
from stepnb.local.inbuffer import MAX_APPEND
from stepnb.local.parts import Message, ToolCall
from stepnb.local.profile import Profile
from stepnb.local.refusals import (
    BAD_ITEM_TYPE,
    BAD_ROLE,
    NO_PREVIOUS_ITEM,
    Refused,
    invalid_format,
    invalid_value,
)
from stepnb.protocol.events import Item, Part

MAX_ITEMS = 1000
"""Older items are forgotten."""

MAX_TEXT = 32_000
"""Characters of one item."""

MAX_MEMORY = 1_000_000
"""Characters of all items together; beyond it the oldest are forgotten."""

Role = Literal["user", "assistant", "tool"]
Content = Literal["text", "audio"]


@dataclass(slots=True, kw_only=True, eq=False)
class ServerItem:
    """One contribution.

    Attributes
    ----------
    role
        ``tool`` is the output of a function call.
    content
        In which form it came or goes.
    text
        The text or transcript; for a reply see `words`.
    words
        A reply's words, each with the ms of its audio at which it begins.
    thinking
        The thoughts before a reply, which are neither spoken nor remembered.
    parts
        The types of a reply's content parts, in order.
    call
        The function call this item is.
    call_id
        The call whose output this is.
    cut_ms
        Where a truncation cut a reply, ms of its audio.
    audio_ms
        Length of the user's recording.
    failure
        Why the audio could not be transcribed.
    """

    id: str
    role: Role
    content: Content
    text: str = ""
    words: list[tuple[int, str]] = field(default_factory=list)
    thinking: str = ""
    parts: list[str] = field(default_factory=list)
    call: ToolCall | None = None
    cut_ms: int | None = None
    status: str = "completed"
    call_id: str | None = None
    audio_ms: int = 0
    failure: str | None = None

    @property
    def known_text(self) -> str:
        """What of it was said and, as far as the client told, heard."""
        if not self.words:
            return self.text
        return "".join(word for start, word in self.words if self.cut_ms is None or start < self.cut_ms)

    @property
    def spoken_text(self) -> str:
        """All of it, heard or not."""
        return "".join(word for _, word in self.words) if self.words else self.text

    def echo(self, profile: Profile) -> Item:
        """Return the item of the ``conversation.item.created`` that answers the client."""
        if self.role == "tool":
            return Item(
                id=self.id,
                object="realtime.item",
                type="function_call_output",
                status=self.status,
                call_id=self.call_id,
                output=self.text,
            )
        if self.role == "assistant":
            return self._message([Part(type="text", text=self.text)])
        if profile.text_echoed_as_audio:
            item = self._message([Part(type="audio", transcript=self.text)])
            item.status = "in_progress"
            return item
        kind = "input_audio" if self.content == "audio" else "input_text"
        return self._message([Part(type=kind, transcript=self.text)])

    def reply(self, profile: Profile) -> Item:
        """Return a reply's item: without its content, or a call's arguments, until it is over."""
        if self.call is not None:
            over = self.status == "completed"
            return Item(
                id=self.id,
                object="realtime.item",
                type="function_call",
                status="completed" if over else "incomplete",
                name=self.call.name,
                call_id=self.call.call_id,
                arguments=self.call.arguments if over else None,
            )
        if self.status == "in_progress":
            return self._message([] if profile.fresh_content == "empty" else None)
        return self._message([self.part(kind) for kind in self.parts])

    def part(self, kind: str) -> Part:
        """Return a reply's content part of this type as far as it has come."""
        if kind == "thinking":
            return Part(type="thinking", thinking=self.thinking)
        if kind == "text":
            return Part(type="text", text=self.spoken_text)
        return Part(type="audio", transcript=self.spoken_text)

    def _message(self, content: list[Part] | None) -> Item:
        return Item(
            id=self.id,
            object="realtime.item",
            type="message",
            status=self.status,
            role=self.role,
            content=content,
        )


class Conversation:
    """The items of a session.

    Parameters
    ----------
    ids
        Where item ids come from.
    keep_client_ids
        Whether an id the client chose is kept.
    """

    def __init__(self, ids: Ids, *, keep_client_ids: bool = False) -> None:
        self._ids = ids
        self._keep_client_ids = keep_client_ids
        self._items: list[ServerItem] = []

    def __len__(self) -> int:
        return len(self._items)

    @property
    def last_id(self) -> str | None:
        """The id of the last item."""
        return self._items[-1].id if self._items else None

    @property
    def audio_ms(self) -> int:
        """Length of the user's recordings, ms."""
        return sum(item.audio_ms for item in self._items)

    def new_id(self, wanted: str | None = None) -> str:
        """Return an id for the next item, the client's own if that is kept.

        Raises
        ------
        Refused
            The client's own is taken.
        """
        if not (wanted and self._keep_client_ids):
            return self._ids.new("item")
        if self.find(wanted) is not None:
            raise Refused(f"item {wanted[:100]} already exists", code="invalid_value", param="item.id")
        return wanted

    def find(self, item_id: str) -> ServerItem | None:
        """Return the item with this id."""
        return next((item for item in reversed(self._items) if item.id == item_id), None)

    def add(self, item: ServerItem, after: str | None = None) -> str | None:
        """Put an item at the end, or after another.

        Returns
        -------
        str or None
            The id of the item before it.

        Raises
        ------
        Refused
            There is no such other.
        """
        position = len(self._items)
        if after is not None:
            before = self.find(after)
            if before is None:
                raise Refused(NO_PREVIOUS_ITEM, code="invalid_value", param="previous_item_id")
            position = self._items.index(before) + 1
        previous = self._items[position - 1].id if position else None
        self._items.insert(position, item)
        del self._items[:-MAX_ITEMS]
        self._forget()
        return previous

    def delete(self, item_id: str) -> None:
        """Take an item out.

        Raises
        ------
        Refused
            There is no such item.
        """
        self._items.remove(self._known(item_id))

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Forget what of a reply comes after `audio_end_ms` of its audio.

        Raises
        ------
        Refused
            There is no such item, or it is not a spoken reply.
        """
        item = self._known(item_id)
        if item.role != "assistant" or item.content != "audio":
            raise Refused("only assistant audio can be truncated", code="invalid_value", param="item_id")
        if audio_end_ms < 0:
            raise Refused("audio_end_ms must be 0 or more", code="invalid_value", param="audio_end_ms")
        item.cut_ms = audio_end_ms if item.cut_ms is None else min(item.cut_ms, audio_end_ms)

    def last_user_item(self) -> ServerItem | None:
        """Return the last item of the user."""
        return next((item for item in reversed(self._items) if item.role == "user"), None)

    def history(self) -> tuple[Message, ...]:
        """Return what the brain may know: every item as text, replies as far as they were heard."""
        return tuple(filter(None, map(_remembered, self._items)))

    def _forget(self) -> None:
        """Drop the oldest items until the others fit; the newest stays."""
        kept = 0
        for count, item in enumerate(reversed(self._items)):
            kept += len(item.spoken_text)
            if kept > MAX_MEMORY and count:
                del self._items[:-count]
                return

    def _known(self, item_id: str) -> ServerItem:
        item = self.find(item_id)
        if item is None:
            raise Refused(f"cannot find item {item_id[:100]}", code="invalid_value", param="item_id")
        return item


def _remembered(item: ServerItem) -> Message | None:
    """Return what the brain gets to read of an item; a reply nobody heard and a call nobody got are nothing."""
    if item.call is not None:
        return Message("assistant", "", calls=(item.call,)) if item.status == "completed" else None
    text = item.known_text.strip()
    if item.role == "assistant" and not text:
        return None
    return Message(item.role, text, call_id=item.call_id or "")


def item_from_client(
    wanted: Item, new_id: Callable[[str | None], str], *, system_closes: bool = False
) -> tuple[ServerItem, bytes]:
    """Make the item of a ``conversation.item.create``.

    Parameters
    ----------
    wanted
        The client's item.
    new_id
        Gives the item its id, from the client's own.
    system_closes
        Whether the role ``system`` ends the session.

    Returns
    -------
    item, pcm
        The item, and its audio (PCM16LE mono 24 kHz) if it is spoken.

    Raises
    ------
    Refused
        There can be no such item.
    """
    if wanted.type == "function_call_output":
        if wanted.call_id is None or wanted.output is None:
            raise invalid_format("a function_call_output needs call_id and output", param="item")
        text = _checked_text(wanted.output)
        return ServerItem(
            id=new_id(wanted.id), role="tool", content="text", text=text, call_id=wanted.call_id
        ), b""
    if wanted.type != "message":
        raise invalid_value(BAD_ITEM_TYPE, "item.type")
    if wanted.role not in ("user", "assistant"):
        closes = system_closes and wanted.role == "system"
        raise Refused(BAD_ROLE, code="invalid_value", param="item.role", closes=closes)
    texts: list[str] = []
    audio: list[bytes] = []
    for part in wanted.content or []:
        if part.type == "input_audio" and wanted.role == "user":
            audio.append(_decoded(part.audio or ""))
        elif part.type in ("input_text", "text"):
            texts.append(part.text or "")
        else:
            raise invalid_value(f"a {wanted.role} message has no part of type {part.type!r}", "item.content")
    pcm = b"".join(audio)
    if not pcm and not any(texts):
        raise invalid_value("the message is empty", "item.content")
    item = ServerItem(
        id=new_id(wanted.id),
        role="user" if wanted.role == "user" else "assistant",
        content="audio" if pcm else "text",
        text=_checked_text("\n".join(texts)),
        audio_ms=len(pcm) // pcm16.BYTES_PER_MS,
    )
    return item, pcm


def _decoded(b64: str) -> bytes:
    try:
        audio = pcm16.decode(b64)
    except AudioError as error:
        raise invalid_format(error.message, param="item.content") from None
    if len(audio) > MAX_APPEND:
        raise invalid_value("the audio of one item is over 15 MB", "item.content")
    return audio


def _checked_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise invalid_value(f"the text is longer than {MAX_TEXT} characters", "item")
    return text
