"""From a request to the pieces of an answer, whichever kind of brain gives it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from stepnb.errors import EngineError
from stepnb.local.faults import InternalError
from stepnb.local.parts import Brain, BrainRequest, Piece, Sentence, StreamingBrain, Thought, ToolCall
from stepnb.protocol import catalog

BRAIN_TIMEOUT_S = 60.0
"""Longest wait for an answer, or for the next piece of one that streams."""


async def pieces(
    brain: Brain | StreamingBrain, request: BrainRequest, failure: InternalError | None = None
) -> AsyncGenerator[Piece]:
    """Ask a brain; one that does not stream thinks in a thread, because the other sessions must go on.

    Parameters
    ----------
    brain, request
        Who is asked, and what.
    failure
        What goes wrong with the answer.

    Yields
    ------
    Thought, Sentence or ToolCall
        Thoughts only if the request asks for them; calls only if the model can make them, else it says them.

    Raises
    ------
    TimeoutError
        The brain took too long.
    EngineError
        The failure.
    """
    model = catalog.capabilities(request.model)
    says_calls = model is not None and model.function_tools is False
    sentences = 0
    found = _streamed(brain, request) if isinstance(brain, StreamingBrain) else _replied(brain, request)
    async with contextlib.aclosing(found):
        async for piece in found:
            if failure is not None and sentences >= failure.sentences:
                raise EngineError(failure.message)
            sentences += isinstance(piece, Sentence)
            if says_calls and isinstance(piece, ToolCall):
                piece = Sentence(f"{piece.name}({piece.arguments})")
            if request.thinking or not isinstance(piece, Thought):
                yield piece
    if failure is not None:  # the answer was too short
        raise EngineError(failure.message)


async def _streamed(brain: StreamingBrain, request: BrainRequest) -> AsyncGenerator[Piece]:
    async with contextlib.aclosing(brain.stream(request)) as stream:
        while True:
            async with asyncio.timeout(BRAIN_TIMEOUT_S):
                piece = await anext(stream, None)
            if piece is None:
                return
            yield piece


async def _replied(brain: Brain, request: BrainRequest) -> AsyncGenerator[Piece]:
    async with asyncio.timeout(BRAIN_TIMEOUT_S):
        reply = await asyncio.to_thread(brain.reply, request)
    if reply.thinking:
        yield Thought(reply.thinking)
    for sentence in reply.sentences:
        yield Sentence(sentence)
    for call in reply.calls:
        yield call
