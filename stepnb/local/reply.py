"""One response: from ``response.created`` to ``response.done``, with its output items in between."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Any, Literal, TypeVar

from stepnb.audio import pcm as pcm16
from stepnb.errors import EngineError
from stepnb.local.conversation import ServerItem
from stepnb.local.ids import Ids
from stepnb.local.output import CallOutput, MessageOutput, OutputItem, Stage
from stepnb.local.parts import Piece, Sentence, Thought, ToolCall
from stepnb.protocol import events as ev

MAX_CALLS = 16
"""Calls of one response; what a brain asks for beyond them is not made."""

Output = TypeVar("Output", MessageOutput, CallOutput)


class Reply:
    """A response in progress.

    Parameters
    ----------
    ids
        Where the ids of the response and its items come from.
    content
        In which form it is given.
    stage
        What it speaks with.
    """

    def __init__(self, ids: Ids, content: Literal["text", "audio"], stage: Stage) -> None:
        self.id = ids.new("response")
        self._message_id = ids.new("item")
        self._ids = ids
        self._content = content
        self._stage = stage
        self._outputs: list[OutputItem] = []
        self._open: OutputItem | None = None
        self._message: MessageOutput | None = None
        stage.emit(ev.ResponseCreated(response=self._info("in_progress", output=[])))

    @property
    def text(self) -> str:
        """What has been said or written so far."""
        return self._message.item.spoken_text if self._message else ""

    @property
    def calls(self) -> list[ToolCall]:
        """The calls that have been made so far."""
        return [output.item.call for output in self._outputs if output.item.call is not None]

    @property
    def spoken_ms(self) -> int:
        """Length of the audio sent so far."""
        return self._message.audio_bytes // pcm16.BYTES_PER_MS if self._message else 0

    async def give(self, pieces: AsyncGenerator[Piece]) -> None:
        """Give the answer: thoughts, then what is said, then the calls.

        Parameters
        ----------
        pieces
            The answer as the brain makes it; closed at the end.

        Raises
        ------
        EngineError
            There is nothing in it, or the mouth failed.
        """
        calls: list[ToolCall] = []
        async with contextlib.aclosing(pieces), contextlib.aclosing(self._sentences(pieces, calls)) as said:
            first = await anext(said, "")
            if first:
                message = self._shown_message()
                answer = message.write if self._content == "text" else message.speak
                await answer(first, said)
        if not first and not calls:
            raise EngineError("The brain gave no answer.")
        for call in calls[:MAX_CALLS]:
            await self._make(replace(call, call_id=self._ids.new("call")))

    def end(
        self, status: str, *, details: dict[str, Any] | None = None, usage: dict[str, Any] | None = None
    ) -> None:
        """Close whatever is open and the response with it. Nothing is emitted afterwards.

        Parameters
        ----------
        status
            completed, incomplete, cancelled or failed.
        details
            The response's ``status_details``.
        usage
            Its ``usage``.
        """
        self._close_item("completed" if status == "completed" else "incomplete")
        profile = self._stage.profile
        if status == profile.interrupted_status and profile.sends_response_cancelled:
            self._stage.emit(ev.ResponseCancelled(response_id=self.id))
        output = [item.to_wire() for item in self._outputs]
        self._stage.emit(
            ev.ResponseDone(response=self._info(status, output=output, details=details, usage=usage))
        )

    async def _sentences(self, pieces: AsyncIterator[Piece], calls: list[ToolCall]) -> AsyncGenerator[str]:
        """Pass the sentences on, show the thoughts before them, and put the calls aside."""
        said = False
        async for piece in pieces:
            match piece:
                case Sentence():
                    said = True
                    yield piece.text
                case Thought() if not said:
                    await self._shown_message().think(piece.text)
                case ToolCall():
                    calls.append(piece)

    def _shown_message(self) -> MessageOutput:
        if self._message is None:
            item = ServerItem(
                id=self._message_id, role="assistant", content=self._content, status="in_progress"
            )
            self._message = self._show(MessageOutput, item)
        return self._message

    async def _make(self, call: ToolCall) -> None:
        item = ServerItem(
            id=self._ids.new("call item"), role="assistant", content="text", status="in_progress", call=call
        )
        await self._show(CallOutput, item).write(call)

    def _show(self, kind: type[Output], item: ServerItem) -> Output:
        """Show an item, after the one before it has been closed."""
        self._close_item("completed")
        output = kind(self.id, len(self._outputs), item, self._stage)
        self._outputs.append(output)
        self._open = output
        return output

    def _close_item(self, status: str) -> None:
        if self._open is not None:
            self._open.close(status)
            self._open = None

    def _info(
        self,
        status: str,
        *,
        output: list[ev.Item],
        details: dict[str, Any] | None = None,
        usage: dict[str, Any] | None = None,
    ) -> ev.ResponseInfo:
        return ev.ResponseInfo(
            id=self.id,
            object="realtime.response",
            status=status,
            status_details=details,
            output=output,
            usage=usage,
        )
