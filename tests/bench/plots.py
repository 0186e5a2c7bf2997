"""How fast pictures are: ``make bench-plots``, or ``python -m tests.bench.plots`` without librosa.

waveform
    Half an hour at 24 kHz, drawn on a figure of the same size and rendered by Agg: ``Axes.plot`` of all samples,
    librosa's ``waveshow`` and ``Clip.plot``, in turns, in one process.
timeline
    ``recording.plot()`` of a session of half an hour with 20,000 events, sound of both sides included, rendered. And
    both pictures at a quarter, half, once and twice the length: how they grow.

Medians of the processor's seconds: drawing is one thread, so that on a machine with a core to spare they are those
of the clock. It ends with an error where a goal is missed.
"""

from __future__ import annotations

import importlib
import io
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

import stepnb as sn
from scripts.example_conversation import Stage
from stepnb.audio import signals

RATE = 24_000
HALF_HOUR = 1800
EVENTS = 20_000
GOAL_PLOT, GOAL_LIBROSA, GOAL_TIMELINE = 80.0, 8.0, 1.0


def sound(seconds: int) -> sn.Clip:
    """Speech-like sound, the same minute again and again, each time at another level."""
    minute = signals.talker(60, seed=5).samples
    gains = np.random.default_rng(1).uniform(0.3, 1.5, -(-seconds // 60))
    parts = [np.clip(minute * gain, -32768, 32767).astype(np.int16) for gain in gains]
    return sn.Clip(np.concatenate(parts)[: seconds * RATE], RATE)


def rendered(draw: Callable[[], Figure]) -> float:
    """Seconds to draw and render a picture."""
    start = time.process_time()
    draw().savefig(io.BytesIO(), format="raw", dpi=200)
    return time.process_time() - start


def naive(clip: sn.Clip) -> Figure:
    figure = Figure(figsize=(7.2, 1.9), layout="constrained")
    ax = figure.add_subplot()
    ax.plot(np.arange(clip.samples.size) / clip.rate, clip.samples, linewidth=0.7)
    return figure


def librosas(clip: sn.Clip) -> Callable[[], Figure] | None:
    try:
        display = importlib.import_module("librosa.display")
    except ImportError:
        return None
    samples = clip.samples.astype(np.float32) / 32768  # what librosa.load gives

    def draw() -> Figure:
        figure = Figure(figsize=(7.2, 1.9), layout="constrained")
        display.waveshow(samples, sr=clip.rate, ax=figure.add_subplot())
        return figure

    return draw


def session(seconds: int, events: int) -> sn.Recording:
    """A conversation: you speak 5 s of every 20, Step answers 10 s; the microphone is on all the time."""
    stage = Stage("bench.stepnb")
    answer = signals.talker(10, seed=8)
    turns = seconds // 20
    per_turn = 165  # frames of a turn beside the microphone: events, audio and words of the answer
    chunk_ms = max(20, round(1000 * seconds / (events - turns * per_turn)))
    stage.microphone(sound(seconds), chunk_ms=chunk_ms)
    for turn in range(turns):
        begin = 20.0 * turn + 1
        noticed = stage.heard(f"u{turn}", begin, begin + 5, f"Question {turn} about something that matters")
        text = " ".join(["word"] * 60)
        stage.answer(noticed + 0.05, text, answer, played=6.0 if turn % 7 == 3 else None)
    return stage.recording()


def waveform() -> list[str]:
    clip = sound(HALF_HOUR)
    theirs = librosas(clip)
    rivals: dict[str, Callable[[], Figure]] = {"Axes.plot": lambda: naive(clip), "Clip.plot": clip.plot}
    if theirs is not None:
        rivals["librosa.display.waveshow"] = theirs
    rendered(clip.plot)  # fonts are loaded once
    if theirs is not None:
        rendered(theirs)
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(5):
        for name, draw in rivals.items():
            if name != "Axes.plot" or turn < 3:
                times[name].append(rendered(draw))
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"waveform of {HALF_HOUR // 60} minutes at {RATE} Hz, medians")
    for name, value in median.items():
        print(f"  {name:26} {value:8.3f} s   {value / median['Clip.plot']:6.1f} x")
    missed = []
    if median["Axes.plot"] < GOAL_PLOT * median["Clip.plot"]:
        missed.append(f"less than {GOAL_PLOT:g} x faster than Axes.plot")
    if theirs is None:
        print("  librosa is not installed and left out: make bench-plots installs it")
    elif median["librosa.display.waveshow"] < GOAL_LIBROSA * median["Clip.plot"]:
        missed.append(f"less than {GOAL_LIBROSA:g} x faster than librosa")
    return missed


def timeline() -> list[str]:
    print("timeline and waveform by length, medians of 5")
    missed = []
    for share in (0.25, 0.5, 1.0, 2.0):
        seconds, events = round(HALF_HOUR * share), round(EVENTS * share)
        recording = session(seconds, events)
        clip = sound(seconds)
        rendered(recording.plot)
        line = statistics.median(rendered(recording.plot) for _ in range(5))
        wave = statistics.median(rendered(clip.plot) for _ in range(5))
        size = len(recording.events)
        print(f"  {seconds / 60:5.1f} min {size:7,} events: timeline {line:.3f} s, waveform {wave:.3f} s")
        if share == 1.0 and line >= GOAL_TIMELINE:
            missed.append(f"a timeline of half an hour takes {GOAL_TIMELINE:g} s or more")
    return missed


def main() -> None:
    missed = waveform() + timeline()
    if missed:
        sys.exit(f"Missed: {'; '.join(missed)}.")


if __name__ == "__main__":
    main()
