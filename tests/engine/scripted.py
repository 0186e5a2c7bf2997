"""A strict scripted server over a real socket.

Each step names the client event it expects and the events it answers with. An event nobody expects, one that is not as
expected, and a step that was never reached fail the test when the server's ``with`` block ends.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

Event = dict[str, Any]
WAIT_S = 10.0


@dataclass(frozen=True)
class Step:
    """``expects``: a client event, or the part of it that matters; ``then``: what it triggers."""

    expects: Event
    then: tuple[Event, ...] | Callable[[Event], Iterable[Event]] = ()


def on(type: str, *then: Event, **expected: Any) -> Step:
    """A step: on this client event, with these fields, send those events."""
    return Step({"type": type, **expected}, then)


class ScriptedServer:
    """Serves one connection after the other on loopback; every connection begins with ``session.created``.

    Parameters
    ----------
    steps
        In the order in which the client has to send.
    settings
        Whether ``session.update`` is answered with an echo, outside the steps.
    ignored
        Types of client events that may come at any time and mean nothing to the script.
    """

    def __init__(
        self,
        *steps: Step,
        settings: bool = True,
        ignored: tuple[str, ...] = ("input_audio_buffer.append",),
    ) -> None:
        self.steps = list(steps)
        self.received: list[Event] = []
        self.faults: list[str] = []
        self._settings = settings
        self._ignored = ignored
        self._ids = itertools.count(1)
        self._done = threading.Condition()
        self._turn = threading.Lock()
        self._reached = 0
        self._socket: ServerConnection | None = None
        self._server: Server = serve(self._serve, "127.0.0.1", 0, compression=None, max_size=None)
        self._thread = threading.Thread(target=self._server.serve_forever, name="scripted-server")

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(WAIT_S)
        if kind is not None:
            return  # the test failed by itself; what the script says comes second
        assert not self.faults, "\n".join(self.faults)
        left = self.steps[self._reached :]
        assert not left, f"{len(left)} steps were never reached, the first is {left[0].expects}"

    def reached(self, count: int) -> None:
        """Wait until so many steps have been taken."""
        with self._done:
            ok = self._done.wait_for(lambda: self._reached >= count or bool(self.faults), WAIT_S)
        assert not self.faults, "\n".join(self.faults)
        assert ok, f"step {self._reached} was not reached: {self.steps[self._reached].expects}"

    def came(self, type: str, count: int) -> None:
        """Wait until so many events of a type have come, whether a step expects them or not."""
        with self._done:
            assert self._done.wait_for(lambda: len(self.of(type)) >= count or bool(self.faults), WAIT_S)
        assert not self.faults, "\n".join(self.faults)

    def send(self, *events: Event) -> None:
        """Send events that no client event triggers."""
        assert self._socket is not None
        self._send(self._socket, events)

    def close(self, code: int = 1000) -> None:
        """Close the connection of the moment."""
        assert self._socket is not None
        self._socket.close(code)

    def _serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        try:
            self._send(
                socket, [{"type": "session.created", "session": {"id": "sess_1", "model": "scripted"}}]
            )
            for frame in socket:
                # A client may be on its next connection while this one is still being answered.
                with self._turn:
                    self._take(socket, json.loads(frame))
        except ConnectionClosed:
            pass

    def _send(self, socket: ServerConnection, events: Iterable[Event]) -> None:
        for event in events:
            socket.send(json.dumps({"event_id": f"s{next(self._ids)}", **event}))

    def _take(self, socket: ServerConnection, event: Event) -> None:
        with self._done:
            self.received.append(event)
            self._done.notify_all()
        if self._settings and event["type"] == "session.update":
            self._send(socket, [{"type": "session.updated", "session": event["session"]}])
            return
        if event["type"] in self._ignored:
            return
        step = self.steps[self._reached] if self._reached < len(self.steps) else None
        if step is None or not _fits(step.expects, event):
            wanted = step.expects if step else "nothing more"
            with self._done:
                self.faults.append(f"expected {wanted}, got {event}")
                self._done.notify_all()
            socket.close(1008)
            return
        try:
            self._send(socket, step.then(event) if callable(step.then) else step.then)
        finally:  # a client that leaves in the middle has taken the step
            with self._done:
                self._reached += 1
                self._done.notify_all()

    def of(self, type: str) -> list[Event]:
        """What the client sent of a type."""
        return [event for event in self.received if event["type"] == type]


def _fits(expected: Any, given: Any) -> bool:
    """Whether everything expected is there; more may be."""
    if isinstance(expected, dict):
        return isinstance(given, dict) and all(
            key in given and _fits(value, given[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(given, list) and len(given) == len(expected) and all(map(_fits, expected, given))
    return bool(expected == given)


# The service's side of a conversation, in its usual order -----------------------------------------------------------


def created(response: str) -> Event:
    info = {"id": response, "object": "realtime.response", "status": "in_progress", "output": []}
    return {"type": "response.created", "response": info}


def done(response: str, *output: Event, status: str = "completed") -> Event:
    info = {"id": response, "object": "realtime.response", "status": status, "output": list(output)}
    return {"type": "response.done", "response": info}


def message(response: str, item: str, text: str) -> list[Event]:
    """The events of a spoken message, without audio."""
    ids = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    body = {"id": item, "type": "message", "role": "assistant"}
    added = {"type": "response.output_item.added", "response_id": response, "item": body}
    part = {"type": "audio", "transcript": text}
    return [
        added | {"item": body | {"status": "in_progress", "content": []}},
        {"type": "conversation.item.created", "item": body},
        {"type": "response.content_part.added", **ids, "part": {"type": "audio", "transcript": ""}},
        {"type": "response.audio_transcript.delta", **ids, "delta": text},
        {"type": "response.audio_transcript.done", **ids, "transcript": text},
        {"type": "response.content_part.done", **ids, "part": part},
        added | {"type": "response.output_item.done", "item": body | {"status": "completed"}},
    ]


def function_call(response: str, call: str, name: str, arguments: str) -> list[Event]:
    """The events of a function call, as the live service sends them."""
    ids = {"response_id": response, "item_id": f"item_{call}", "output_index": 1, "call_id": call}
    body = {"id": f"item_{call}", "type": "function_call", "call_id": call, "name": name}
    added = {"type": "response.output_item.added", "response_id": response}
    half = len(arguments) // 2
    kind = "response.function_call_arguments"
    return [
        added | {"item": body | {"status": "in_progress"}},
        {"type": "conversation.item.created", "item": body | {"status": "incomplete"}},
        {"type": f"{kind}.delta", **ids, "delta": arguments[:half], "arguments": arguments[:half]},
        {"type": f"{kind}.delta", **ids, "delta": arguments[half:], "arguments": arguments[half:]},
        {"type": f"{kind}.done", **ids, "name": name, "arguments": arguments},
        added
        | {
            "type": "response.output_item.done",
            "item": body | {"status": "completed", "arguments": arguments},
        },
    ]
