"""Figures as people say them."""

from __future__ import annotations

from typing import NamedTuple


def duration(seconds: float) -> str:
    """Write a time as people say it: "40 s", "12 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Unit(NamedTuple):
    """How a score is read: its unit, and what more and less of it are called."""

    suffix: str
    more: str
    less: str


_OTHER = Unit("", "higher", "lower")
# By the beginning of the score's name.
_UNITS = {
    "latency": Unit(" ms", "slower", "faster"),
    "duration": Unit(" s", "longer", "shorter"),
    "words_per_minute": Unit(" words a minute", "quicker in speech", "calmer in speech"),
    "wer": Unit("", "less accurate", "more accurate"),
    "cer": Unit("", "less accurate", "more accurate"),
    "loudness": Unit(" LU", "louder", "quieter"),
    "pitch": Unit(" Hz", "higher", "lower"),
    "interrupted": Unit(" ms", "higher", "lower"),
}


def unit_of(metric: str) -> Unit:
    """Return how a score is read, by its name."""
    return next((unit for name, unit in _UNITS.items() if metric.partition(".")[0] == name), _OTHER)


def figure(value: float) -> str:
    """Write a number with three digits that count: "180", "0.342"."""
    if value != value:  # NaN
        return "?"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
