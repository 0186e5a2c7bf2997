"""The order rules of a response (protocol notes, sections 7 and 8), checked event by event as they arrive."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]

_DONE_OF = {"audio": "response.audio_transcript.done", "text": "response.text.done"}


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
        self._item: str | None = None
        self._announced = False
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
        if kind == "conversation.item.created" and event["item"].get("role") == "assistant" and self._item:
            self._assistant_item(event)
        elif kind.startswith("response."):
            getattr(self, "_on_" + kind.removeprefix("response.").replace(".", "_"))(event)

    def _assistant_item(self, event: Event) -> None:
        if event["item"]["id"] == self._item:
            assert not self._announced and self._part is None
            assert event["previous_item_id"] != self._item
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
        assert self._item is None and event["output_index"] == 0
        assert event["item"]["status"] == "in_progress" and event["item"]["role"] == "assistant"
        assert not event["item"].get("content")
        self._item = event["item"]["id"]

    def _on_content_part_added(self, event: Event) -> None:
        self._belongs(event)
        assert self._announced and self._part is None and event["item_id"] == self._item
        part = event["part"]
        assert part in ({"type": "text", "text": ""}, {"type": "audio", "transcript": ""})
        self._part = part["type"]

    def _delta(self, event: Event, part: str) -> None:
        self._belongs(event)
        assert self._part == part and not self._dones and event["item_id"] == self._item
        assert event["content_index"] == 0 and event["delta"]

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
        assert event["part"] == {
            "type": self._part,
            "transcript" if self._part == "audio" else "text": self._text,
        }

    def _on_output_item_done(self, event: Event) -> None:
        self._belongs(event)
        assert self._dones[-1] == "response.content_part.done"
        assert event["item"]["id"] == self._item and event["item"]["status"] in ("completed", "incomplete")
        self._dones.append(event["type"])

    def _on_cancelled(self, event: Event) -> None:
        self._belongs(event)

    def _on_done(self, event: Event) -> None:
        response = event["response"]
        assert response["id"] == self._response, "response.done of another response"
        status = response["status"]
        assert status in ("completed", "incomplete", "cancelled", "failed")
        if self._item is None:
            assert response["output"] == [] and status != "completed"
        else:
            assert self._dones[-1] == "response.output_item.done"
            (item,) = response["output"]
            assert item["id"] == self._item
            assert item["status"] == ("completed" if status == "completed" else "incomplete")
        if status == "completed":
            usage = response["usage"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        self._response = None
        self._reset()
        self.finished += 1

    def _belongs(self, event: Event) -> None:
        assert self._response is not None, f"{event['type']} outside of a response"
        assert event.get("response_id", self._response) == self._response
