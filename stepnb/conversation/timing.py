"""When things happened in a turn, and how long the answer took: pure functions of the stamps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Stamp:
    """A moment.

    Attributes
    ----------
    ns
        On the kernel's monotonic clock.
    s
        Seconds into the log, the column ``seconds`` of ``events.df()``.
    """

    ns: int
    s: float

    def __repr__(self) -> str:
        return f"{self.s:.3f} s"


@dataclass(frozen=True)
class Stamps:
    """When what happened in a turn; None for what has not, or never will.

    Attributes
    ----------
    asked
        The turn was begun: by `Session.ask` and its like, by Talk. None for speech the service found by itself.
    speech_started, speech_stopped
        The service said that it heard speech start, and stop.
    last_input
        The last sample of the question was sent: of the speech, as far as the service counts it, of what was said
        with push-to-talk, or of a clip.
    input_ended
        Push-to-talk was let go.
    committed
        The service took the message in.
    response_created, first_text, first_audio, last_audio
        The first answer began; its first text, its first and the turn's last audio came.
    first_heard, last_heard
        The first and the last sample so far were rendered in the page. The first is the moment of the sample, output
        latency included; the last is when the page told, at most a quarter of a second later.
    cancelled
        The answer was interrupted.
    done
        The turn ended.
    """

    asked: Stamp | None = None
    speech_started: Stamp | None = None
    speech_stopped: Stamp | None = None
    last_input: Stamp | None = None
    input_ended: Stamp | None = None
    committed: Stamp | None = None
    response_created: Stamp | None = None
    first_text: Stamp | None = None
    first_audio: Stamp | None = None
    last_audio: Stamp | None = None
    first_heard: Stamp | None = None
    last_heard: Stamp | None = None
    cancelled: Stamp | None = None
    done: Stamp | None = None

    @classmethod
    def of(cls, times: Mapping[str, int], anchor: int) -> Stamps:
        """Make the stamps of times in ns; anchor is when the log began."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: Stamp(ns, (ns - anchor) / 1e9) for name, ns in times.items() if name in known})

    @property
    def first_delta(self) -> Stamp | None:
        """The first text or audio of the answer came."""
        came = [stamp for stamp in (self.first_text, self.first_audio) if stamp is not None]
        return min(came, key=lambda stamp: stamp.ns, default=None)

    @property
    def ns(self) -> dict[str, int]:
        """What happened, ns, by name."""
        return {name: stamp.ns for name, stamp in self}

    def __iter__(self) -> Iterator[tuple[str, Stamp]]:
        """Yield (name, stamp) of what happened, in the order in which it did."""
        happened = [(field.name, getattr(self, field.name)) for field in fields(self)]
        yield from sorted((pair for pair in happened if pair[1] is not None), key=lambda pair: pair[1].ns)

    def __repr__(self) -> str:
        return f"Stamps({', '.join(f'{name}={stamp!r}' for name, stamp in self)})"


@dataclass(frozen=True)
class Latency:
    """How long the answer took, in ms from the end of the input; None where it never happened.

    The input ends when the service hears speech stop, when push-to-talk is let go, or, for text and complete clips,
    when it is asked.

    Attributes
    ----------
    response_created, first_text, first_audio
        When that event arrived in the kernel.
    first_heard
        When the first sample was rendered in the page, output latency included.
    turn_detection
        From ``last_input`` to the service's word that speech has stopped; the silence it waited for lies before, where
        the service counts that as part of the speech.
    silence
        From an interruption to the last sample rendered.
    """

    response_created: float | None = None
    first_text: float | None = None
    first_audio: float | None = None
    first_heard: float | None = None
    turn_detection: float | None = None
    silence: float | None = None

    @classmethod
    def of(cls, times: Mapping[str, int]) -> Latency:
        """Derive the figures from the times of a turn, ns."""
        ended = next(
            (times[name] for name in ("speech_stopped", "input_ended", "asked") if name in times), None
        )

        def between(start: int | None, name: str) -> float | None:
            return (times[name] - start) / 1e6 if start is not None and name in times else None

        return cls(
            response_created=between(ended, "response_created"),
            first_text=between(ended, "first_text"),
            first_audio=between(ended, "first_audio"),
            first_heard=between(ended, "first_heard"),
            turn_detection=between(times.get("last_input"), "speech_stopped"),
            silence=between(times.get("cancelled"), "last_heard"),
        )
