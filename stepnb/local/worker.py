"""The child process of the ears or of a mouth: ``python -m stepnb.local.worker ears|mouth``.

The recogniser holds the interpreter's lock for most of a second, and the speech engine is GPL code whose output for the
same text changes from call to call: both live in processes of their own. Requests come on stdin and replies go to
stdout as frames; the process ends when stdin closes, thus also when its parent is killed.

A frame is two big-endian uint32 (the sizes of header and body), a JSON header and a body of raw bytes. JSON, because a
fresh mouth is started for every sentence: importing msgspec would take longer than everything else the mouth does.
For the same reason this module imports nothing heavy at its top.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

Header = dict[str, Any]
Handler = Callable[[Header, bytes], tuple[Header, bytes]]

SIZES = struct.Struct(">II")
MAX_HEADER = 64 * 1024
MAX_BODY = 64 * 1024 * 1024  # bytes; 23 minutes of 24 kHz PCM16


class FrameError(ValueError):
    """Bytes that are not a frame, or a frame too large to be one."""


def pack(header: Header, body: bytes = b"") -> bytes:
    """Make a frame.

    Raises
    ------
    FrameError
        Header or body is larger than the other side accepts.
    """
    head = json.dumps(header).encode()
    _check(len(head), len(body))
    return SIZES.pack(len(head), len(body)) + head + body


def unpack_sizes(prefix: bytes) -> tuple[int, int]:
    """Read the sizes of header and body from the first ``SIZES.size`` bytes of a frame.

    Raises
    ------
    FrameError
        The sizes are impossible: the stream is out of step.
    """
    head, body = SIZES.unpack(prefix)
    _check(head, body)
    return head, body


def unpack_header(data: bytes) -> Header:
    """Decode the header of a frame.

    Raises
    ------
    FrameError
        It is not a JSON object.
    """
    try:
        header = json.loads(data)
    except ValueError as error:
        raise FrameError(f"the header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise FrameError("the header is not a JSON object")
    return header


def read_frame(stream: BinaryIO) -> tuple[Header, bytes] | None:
    """Read one frame; None when the stream ends, also in the middle of a frame.

    Raises
    ------
    FrameError
        What arrived is not a frame.
    """
    prefix = stream.read(SIZES.size)
    if len(prefix) < SIZES.size:
        return None
    head_size, body_size = unpack_sizes(prefix)
    head, body = stream.read(head_size), stream.read(body_size)
    if len(head) < head_size or len(body) < body_size:
        return None
    return unpack_header(head), body


def _check(head: int, body: int) -> None:
    if head > MAX_HEADER or body > MAX_BODY:
        raise FrameError(f"a frame of {head} + {body} bytes is over the limit of {MAX_HEADER} + {MAX_BODY}")


def serve(handler: Handler, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer every request until the stream ends; what the handler raises goes back as ``{"error": sentence}``."""
    while (frame := read_frame(requests)) is not None:
        try:
            reply = pack(*handler(*frame))
        except Exception as error:  # noqa: BLE001, the parent raises it
            reply = pack({"error": f"{type(error).__name__}: {error}"[:2000]})
        replies.write(reply)
        replies.flush()


def main(arguments: list[str]) -> int:
    """Run one child process; returns its exit status."""
    # The terminal sends Ctrl-C to every process of the kernel's group; the parent alone decides when a child ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries in C print where they like: frames get a private descriptor, stray prints go to stderr.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        return _run(arguments, replies)
    finally:
        with contextlib.suppress(BrokenPipeError):  # what a parent that is gone did not read
            replies.close()


def _run(arguments: list[str], replies: BinaryIO) -> int:
    try:
        match arguments:
            case ["mouth"]:
                from stepnb.local import espeak

                handler = espeak.Synthesizer().handle
            case ["ears", "phrasebook" | "general" as model]:
                from stepnb.local import sphinx

                handler = sphinx.Recognizer(model).handle
            case _:
                sys.stderr.write(
                    "usage: python -m stepnb.local.worker mouth | ears phrasebook | ears general\n"
                )
                return 2
    except Exception as error:  # noqa: BLE001, the parent raises it
        replies.write(pack({"error": f"{type(error).__name__}: {error}"[:2000]}))
        replies.flush()
        return 1
    try:
        replies.write(pack({"ready": True}))
        replies.flush()
        serve(handler, sys.stdin.buffer, replies)
    except BrokenPipeError:
        return 0  # the parent is gone
    except FrameError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
