"""The order rules of a response (protocol notes, sections 7 and 8), checked event by event as they arrive."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]

_DONE_OF = {
    "audio": "response.audio_transcript.done",
    "text": "response.text.done",
    "thinking": "response.thinking.done",
}


class OrderChecker:
    """Feed it every event of a session; it asserts."""

    def __init__(self) -> None:
        self._seen_ids: set[str] = set()
        self._response: str | None = None
        self._past: set[str] = set()
        self._first = True
        self._reset()
        self.finished = 0

    @property
    def open(self) -> bool:
        return self._response is not None

    def _reset(self) -> None:
        self._output: list[Event] = []  # the items that are done
        self._next_item()

    def _next_item(self) -> None:
        self._item: str | None = None
        self._is_call = False
        self._announced = False
        self._arguments: str | None = None
        self._arguments_done = False
        self._parts: list[Event] = []  # those that are done
        self._part: str | None = None
        self._dones: list[str] = []
        self._text = ""

    def feed(self, event: Event) -> None:
        kind = event["type"]
        assert isinstance(event.get("event_id"), str) and event["event_id"], event
        assert event["event_id"] not in self._seen_ids, "an event_id was used twice"
        self._seen_ids.add(event["event_id"])
        assert (kind == "session.created") == self._first, "session.created is first, and only first"
        self._first = False
        if kind == "conversation.item.created" and self._item == event["item"]["id"]:
            self._assistant_item(event)
        elif kind.startswith("response."):
            getattr(self, "_on_" + kind.removeprefix("response.").replace(".", "_"))(event)

    def _assistant_item(self, event: Event) -> None:
        assert not self._announced and self._part is None
        assert event.get("previous_item_id") != self._item
        self._announced = True

    def _on_created(self, event: Event) -> None:
        assert self._response is None, "two responses at a time"
        response = event["response"]
        assert response["status"] == "in_progress" and response["output"] == []
        assert response["id"] not in self._past
        self._response = response["id"]
        self._past.add(response["id"])
        self._reset()

    def _on_output_item_added(self, event: Event) -> None:
        self._belongs(event)
        assert self._item is None and event["output_index"] == len(self._output)
        item = event["item"]
        if item["type"] == "function_call":
            assert item["status"] == "incomplete" and item["call_id"] and item["name"]
            assert "arguments" not in item and "role" not in item
            self._is_call = True
            self._arguments = ""
        else:
            assert item["status"] == "in_progress" and item["role"] == "assistant"
            assert not item.get("content")
        self._item = item["id"]

    def _on_content_part_added(self, event: Event) -> None:
        self._belongs(event)
        assert self._announced and self._part is None and event["item_id"] == self._item
        assert event["content_index"] == len(self._parts) and not self._is_call
        part = event["part"]
        assert part in (
            {"type": "text", "text": ""},
            {"type": "audio", "transcript": ""},
            {"type": "thinking", "thinking": ""},
        )
        assert part["type"] != "thinking" or not self._parts, "thoughts come first"
        self._part = part["type"]
        self._dones = []
        self._text = ""

    def _delta(self, event: Event, part: str) -> None:
        self._belongs(event)
        assert self._part == part and not self._dones and event["item_id"] == self._item
        assert event["content_index"] == len(self._parts) and event["delta"]

    def _on_thinking_delta(self, event: Event) -> None:
        self._delta(event, "thinking")
        self._text += event["delta"]

    def _on_thinking_done(self, event: Event) -> None:
        self._done(event)
        assert self._part == "thinking" and event["thinking"] == self._text

    def _on_function_call_arguments_delta(self, event: Event) -> None:
        self._belongs(event)
        assert self._announced and self._is_call and not self._arguments_done
        assert self._arguments is not None and event.get("delta", event["arguments"]) == event["arguments"]
        self._arguments += event["arguments"]

    def _on_function_call_arguments_done(self, event: Event) -> None:
        self._belongs(event)
        assert self._is_call and not self._arguments_done and event["arguments"] == self._arguments
        self._arguments_done = True

    def _on_text_delta(self, event: Event) -> None:
        self._delta(event, "text")
        self._text += event["delta"]

    def _on_audio_transcript_delta(self, event: Event) -> None:
        self._delta(event, "audio")
        self._text += event["delta"]

    def _on_audio_delta(self, event: Event) -> None:
        self._delta(event, "audio")

    def _done(self, event: Event) -> None:
        self._belongs(event)
        assert self._part is not None and event["item_id"] == self._item
        self._dones.append(event["type"])

    def _on_audio_done(self, event: Event) -> None:
        self._done(event)
        assert self._part == "audio"

    def _on_audio_transcript_done(self, event: Event) -> None:
        self._done(event)
        assert self._dones == ["response.audio.done", "response.audio_transcript.done"]
        assert event["transcript"] == self._text

    def _on_text_done(self, event: Event) -> None:
        self._done(event)
        assert self._part == "text" and event["text"] == self._text

    def _on_content_part_done(self, event: Event) -> None:
        self._done(event)
        assert self._part is not None
        assert self._dones[-2] == _DONE_OF[self._part]
        key = {"audio": "transcript"}.get(self._part, self._part)
        assert event["part"] == {"type": self._part, key: self._text}
        self._parts.append(event["part"])
        self._part = None

    def _on_output_item_done(self, event: Event) -> None:
        self._belongs(event)
        item = event["item"]
        assert self._part is None and item["id"] == self._item
        assert item["status"] in ("completed", "incomplete")
        if not self._is_call:
            assert item["content"] == self._parts
        elif item["status"] == "completed":
            assert self._arguments_done and item["arguments"] == self._arguments
        self._output.append(item)
        self._next_item()

    def _on_cancelled(self, event: Event) -> None:
        self._belongs(event)

    def _on_done(self, event: Event) -> None:
        response = event["response"]
        assert response["id"] == self._response, "response.done of another response"
        status = response["status"]
        assert status in ("completed", "incomplete", "cancelled", "failed")
        assert self._item is None, "an item is still open"
        assert response["output"] == self._output
        if status == "completed":
            assert self._output and all(item["status"] == "completed" for item in self._output)
            usage = response["usage"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        self._response = None
        self._reset()
        self.finished += 1

    def _belongs(self, event: Event) -> None:
        assert self._response is not None, f"{event['type']} outside of a response"
        assert event.get("response_id", self._response) == self._response
