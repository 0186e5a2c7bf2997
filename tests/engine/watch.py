"""Watches every session of every engine in the tests: the order rules are asserted, and all events are counted.

It stands between a session and its way out, so it sees what the sessions of stepnb and of foreign clients are sent as
well, before a fault on the wire spoils it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from stepnb.local.outbox import Entry
from stepnb.local.turns import Session, Setup
from tests.engine.order import OrderChecker

EVENTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "events.json").read_text("utf-8")
)


class _Typed(msgspec.Struct):
    type: str


_type_of = msgspec.json.Decoder(_Typed)


class Watch:
    """What was seen so far.

    Attributes
    ----------
    counts
        How often each event was seen: by direction, type and the profile's name.
    violations
        What broke the order rules; whoever reads them empties the list.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.violations: list[str] = []

    def session(self) -> type[Session]:
        """Return the class of sessions that are watched."""
        watch = self

        class Watched(Session):
            def __init__(
                self,
                setup: Setup,
                number: int,
                model: str,
                put: Callable[[Entry], None],
                *more: Any,
                **options: Any,
            ) -> None:
                profile = setup.profile.name
                order = OrderChecker()

                def seen(frame: Entry) -> None:
                    if not isinstance(frame, str):  # the end of the connection
                        put(frame)
                        return
                    event = msgspec.json.decode(frame)
                    watch.counts["server", event["type"], profile] += 1
                    try:
                        order.feed(event)
                    except AssertionError as error:
                        watch.violations.append(f"session {number}, {frame[:300]}: {error}")
                    put(frame)

                self._profile_name = profile
                super().__init__(setup, number, model, seen, *more, **options)

            def handle(self, frame: str | bytes) -> None:
                try:
                    watch.counts["client", _type_of.decode(frame).type, self._profile_name] += 1
                except (msgspec.DecodeError, ValueError, RecursionError):
                    watch.counts["client", "(no event)", self._profile_name] += 1
                super().handle(frame)

        return Watched

    def table(self) -> list[str]:
        """Return how often each documented event was seen, as lines; others are counted together."""
        lines = [f"{'':6} {'event':60} {'live':>8} {'docs':>8}  {'documented as'}"]
        known = set()
        for spec in EVENTS:
            key = spec["direction"], spec["type"]
            known.add(key)
            live, docs = (self.counts[(*key, profile)] for profile in ("live", "docs"))
            lines.append(f"{key[0]:6} {key[1]:60} {live or '-':>8} {docs or '-':>8}  {spec['status']}")
        for direction in ("client", "server"):
            live, docs = (
                sum(
                    count
                    for (way, type, profile), count in self.counts.items()
                    if way == direction and (way, type) not in known and profile == name
                )
                for name in ("live", "docs")
            )
            lines.append(f"{direction:6} {'(any other frame)':60} {live or '-':>8} {docs or '-':>8}")
        return lines


WATCH = Watch()
