"""`Views`: what is known of each rendered view, and its messages in the order in which it sent them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from . import messages as m
from .ordering import InOrder

Received = tuple[m.AnyMessage, int]
"""A checked message and when it came, monotonic ns."""

# Views remembered for their sequence numbers and clocks; an old one that speaks again starts anew.
MAX_VIEWS = 32
# How long messages wait for one that was sent before them, s.
PATIENCE = 1.0
# Microphone messages whose lag is kept: 20 s of them.
LAGS = 500


@dataclass
class ViewLink:
    """What is known of one view.

    Attributes
    ----------
    order
        Brings its messages into the order in which it sent them.
    offset_ms, rtt_ms
        Kernel clock minus page clock and the round trip, as the page measured them; None at first.
    heard_at
        When it last said something, loop time, s.
    underruns, buffered_ms
        How often its loudspeaker has run dry in the middle of speech, and how much speech it last had waiting, ms.
    lags_ms
        How long its last microphone messages were on their way, ms: from the page's sending to the arrival in the
        kernel. The page's clock is mapped with ``offset_ms``, which takes both ways for equally long.
    """

    order: InOrder[Received]
    offset_ms: float | None = None
    rtt_ms: float | None = None
    heard_at: float = 0.0
    underruns: int = 0
    buffered_ms: float = 0.0
    lags_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LAGS))

    def kernel_ns(self, page_ms: float, received_ns: int) -> int:
        """Map a page time to the kernel's clock; without a measured offset the time of arrival has to do."""
        return received_ns if self.offset_ms is None else int((page_ms + self.offset_ms) * 1e6)


class Views(dict[str, ViewLink]):
    """The views by their ids. I/O thread only.

    Parameters
    ----------
    carry_out
        Called with each message when those before it have been carried out.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, carry_out: Callable[[ViewLink, m.AnyMessage, int], None]
    ) -> None:
        super().__init__()
        self._loop = loop
        self._carry_out = carry_out

    @property
    def gaps(self) -> int:
        """Messages of the views known now that never came."""
        return sum(link.order.gaps for link in self.values())

    def receive(self, message: m.AnyMessage, received_ns: int) -> None:
        """Take in a checked message."""
        link = self.get(message.view)
        if link is None:
            while len(self) >= MAX_VIEWS:
                del self[next(iter(self))]
            link = self[message.view] = ViewLink(InOrder(message.seq))
        link.heard_at = self._loop.time()
        self._push(link, message.seq, (message, received_ns))

    def pass_over(self, view: object, seq: object) -> None:
        """The message with this number was refused: nothing waits for it."""
        link = self.get(view) if isinstance(view, str) else None
        if link is not None and isinstance(seq, int):
            self._push(link, seq, None)

    def _push(self, link: ViewLink, seq: int, received: Received | None) -> None:
        waited = link.order.waiting
        for ready in link.order.push(seq, received):
            self._carry_out(link, *ready)
        if link.order.waiting and not waited:
            self._loop.call_later(PATIENCE, self._give_up, link)

    def _give_up(self, link: ViewLink) -> None:
        for ready in link.order.give_up():
            self._carry_out(link, *ready)
