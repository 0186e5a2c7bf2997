"""How long answers take: where the time of each turn goes, and how it is distributed over turns and recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from stepnb.conversation.state import TurnState
from stepnb.errors import ConfigError
from stepnb.plots.figure import SMALL, SMALLER, axes_of, quiet, sentence
from stepnb.plots.scene import Scene, Source, TurnLike, split
from stepnb.plots.theme import Palette, families, palette, readable

Measure = Literal["heard", "audio", "text", "created"]

_STAMPS: dict[Measure, str] = {
    "heard": "first_heard", "audio": "first_audio", "text": "first_text", "created": "response_created",
}  # fmt: skip
_WORDS: dict[Measure, str] = {
    "heard": "the first sample at the ear",
    "audio": "the first audio in the kernel",
    "text": "the first text in the kernel",
    "created": "response.created",
}
_INPUT_ENDED = ("speech_stopped", "input_ended", "asked")
# What was waited for before each stamp, in order. The first moment is the end of the voice, measured in the audio.
_STAGES = (
    ("speech_stopped", "the service is sure that speech has ended"),
    ("committed", "message committed"),
    ("response_created", "response.created"),
    ("first_delta", "first text or audio"),
    ("first_audio", "first audio"),
    ("first_heard", "first sample at the ear"),
)
_ROW = 0.26  # inches
_MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the wait for an answer, ms from the end of the input.

    Attributes
    ----------
    name
        The stamp that ended it.
    known
        False when the stamps before it are missing, so that it may hold more than its own part.
    """

    name: str
    start: float
    end: float
    known: bool


def stages(turn: TurnState, voice_ended: float | None) -> tuple[list[Stage], list[str]]:
    """Split the wait for a turn's answer.

    Parameters
    ----------
    turn
        With its stamps.
    voice_ended
        When the voice ended, ns on the clock of the stamps; None where it was not measured.

    Returns
    -------
    stages : list of Stage
        In order, without gaps; those whose stamp is missing are not among them.
    missing : list of str
        The stamps that are missing.
    """
    stamps: dict[str, float] = dict(turn.stamps)
    came = [stamps[name] for name in ("first_text", "first_audio") if name in stamps]
    if came:
        stamps["first_delta"] = min(came)
    spoken = "speech_started" in stamps
    begin = voice_ended if spoken and voice_ended is not None else None
    if begin is None:
        begin = next((stamps[name] for name in _INPUT_ENDED if name in stamps), None)
    if begin is None:
        return [], [name for name, _ in _STAGES if name not in stamps]
    found: list[Stage] = []
    missing: list[str] = []
    at, known = begin, True
    for name, _ in _STAGES:
        if name == "speech_stopped" and not spoken:
            continue
        if name not in stamps:
            missing.append(name)
            known = False
            continue
        # Events overtake each other: what came before its predecessor took no time of its own.
        end = max(at, stamps[name])
        found.append(Stage(name, (at - begin) / 1e6, (end - begin) / 1e6, known))
        at, known = end, True
    return found, missing


def waterfall(what: Source | TurnLike, *, ax: Axes | None = None) -> Figure:
    """Draw where the time goes between the end of a question and the first sample of the answer at the ear.

    A row per turn. Speech is counted from where the voice ends in the audio, so that the silence the service waits for
    is in the picture; text, clips and push-to-talk from when they were sent. A stage with a dashed outline holds more
    than its own, because the stamp before it is missing; what is missing at the end is named at the right.

    Parameters
    ----------
    what
        A `Session`, a `Recording` or a `Turn`; of more than 60 turns the last 60.
    ax
        Where to draw; None makes a figure.

    Returns
    -------
    Figure
        That of `ax`, if given.
    """
    source, number = split(what)
    turns = [turn for turn in source.conversation.turns.values() if number in (None, turn.id)][-_MOST_ROWS:]
    figure, ax = axes_of(ax, 1.0 + _ROW * max(len(turns), 2))
    colors = palette(ax)
    quiet(ax)
    if not turns:
        ax.set_axis_off()
        sentence(ax, "no turns yet")
        return figure
    ended = {span.turn: span.end * 1e9 + source.events.anchor for span in Scene.of(source).speech}
    shades = _shades(colors, ax)
    names = []
    longest = 0.0
    for row, turn in enumerate(turns):
        found, missing = stages(turn, ended.get(turn.id))
        for stage in found:
            ax.barh(
                row, stage.end - stage.start, left=stage.start, height=0.62, color=shades[stage.name], linewidth=0.9,
                edgecolor=colors.ink if not stage.known else "none", linestyle=(0, (2, 2)),
            )  # fmt: skip
        end = found[-1].end if found else 0.0
        longest = max(longest, end)
        text = f"{end:,.0f} ms" if found else "no answer"
        if found and "first_heard" in missing:
            text += f", {'not heard' if 'first_audio' not in missing else 'no audio'}"
        ax.annotate(
            text, (end, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=SMALLER,
            color=colors.quiet,
        )  # fmt: skip
        names.append(f"{turn.id}  {_asked(turn)}")
    ax.set_yticks(range(len(turns)), names, fontfamily=families(), parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(turns) - 0.4, -0.6)
    ax.set_xlim(0, max(longest * 1.28, 1.0))
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("from the end of the question, ms")
    ax.legend(
        handles=[Patch(facecolor=shades[name], label=f"until {label}") for name, label in _STAGES],
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=SMALLER, frameon=False,
        labelcolor=colors.quiet, handlelength=1.2, borderpad=0.2, columnspacing=1.6,
    )  # fmt: skip
    return figure


def latency(
    what: Source | Mapping[str, Source], *, measure: Measure | None = None, ax: Axes | None = None
) -> Figure:
    """Draw how response times are distributed: the share of turns that were answered within a time.

    It counts as ``turn.latency`` does, from the end of the input as the service or you declared it. Median and 95th
    percentile are marked and written; turns without the stamp are counted, not guessed.

    Parameters
    ----------
    what
        A `Session` or `Recording`, or several by name to compare: ``{"before": a, "after": b}``.
    measure
        Until when: "heard" (first sample at the ear), "audio", "text" or "created". None: the first of these that every
        one of them has.
    ax
        Where to draw; None makes a figure.

    Returns
    -------
    Figure
        That of `ax`, if given.

    Raises
    ------
    ConfigError
        Another measure.
    """
    sources = dict(what) if isinstance(what, Mapping) else {"": split(what)[0]}
    if measure is not None and measure not in _STAMPS:
        raise ConfigError(f"measure is {measure!r}.", fix=f"Write one of {', '.join(map(repr, _STAMPS))}.")
    turns = {name: list(source.conversation.turns.values()) for name, source in sources.items()}
    shared = [name for name in _STAMPS if turns and all(response_times(of, name) for of in turns.values())]
    chosen: Measure = measure or (shared[0] if shared else "heard")
    figure, ax = axes_of(ax, 2.8)
    colors = palette(ax)
    quiet(ax)
    ax.set_ylim(0, 1.02)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 0.95], ["0", "25%", "50%", "75%", "95%"])
    ax.set_ylabel("share of turns")
    ax.set_xlabel(f"from the end of the question to {_WORDS[chosen]}, ms")
    ax.grid(visible=True, axis="y", color=colors.line, linewidth=0.5, alpha=0.6)
    ax.set_axisbelow(True)
    styles = [
        (colors.step, "-"),
        (colors.you, "-"),
        (colors.tool, "-"),
        (colors.ink, "--"),
        (colors.quiet, "-."),
    ]
    longest = 0.0
    for number, (name, listed) in enumerate(turns.items()):
        times = np.sort(np.asarray(response_times(listed, chosen), np.float64))
        color, line = styles[number % len(styles)]
        label = f"{readable(name)}: " if name else ""
        if not times.size:
            ax.plot([], [], color=color, linestyle=line, label=f"{label}none of {len(listed)} turns has it")
            continue
        longest = max(longest, float(times[-1]))
        median, p95 = np.median(times), np.percentile(times, 95, method="inverted_cdf")
        counted = (
            f"{times.size} of {len(listed)} turns" if times.size < len(listed) else f"{times.size} turns"
        )
        label += f"median {median:,.0f} ms, 95% within {p95:,.0f} ms ({counted})"
        ax.ecdf(times, color=color, linestyle=line, linewidth=1.8, label=label)
        ax.plot([median, p95], [0.5, 0.95], "o", color=color, markersize=4, clip_on=False, zorder=4)
    if longest:
        ax.set_xlim(0, longest * 1.05)
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=SMALL, frameon=False, labelcolor=colors.quiet,
            prop={"family": families(), "size": SMALL}, borderpad=0.2,
        )  # fmt: skip
    else:
        ax.set_axis_off()
        sentence(ax, "no turn has been answered")
    return figure


def response_times(turns: Sequence[TurnState], measure: Measure) -> list[float]:
    """Return the response times of those turns that have one, ms, in order."""
    found = []
    for turn in turns:
        start = next((turn.stamps[name] for name in _INPUT_ENDED if name in turn.stamps), None)
        end = turn.stamps.get(_STAMPS[measure])
        if start is not None and end is not None:
            found.append((end - start) / 1e6)
    return found


def _asked(turn: TurnState) -> str:
    text = readable(turn.text or turn.user_transcript or turn.kind)
    return text if len(text) <= 24 else text[:23].rstrip() + "…"


def _shades(colors: Palette, ax: Axes) -> dict[str, tuple[float, float, float, float]]:
    """Grey while the service listens, teal while it takes the message in, violet while it answers, ink to the ear."""
    paper = np.array(to_rgba(ax.get_facecolor()))

    def tint(color: str, share: float) -> tuple[float, float, float, float]:
        mixed = share * np.array(to_rgba(color)) + (1 - share) * paper
        return (float(mixed[0]), float(mixed[1]), float(mixed[2]), 1.0)

    return {
        "speech_stopped": tint(colors.quiet, 0.4),
        "committed": tint(colors.you, 0.5),
        "response_created": tint(colors.you, 1.0),
        "first_delta": tint(colors.step, 0.45),
        "first_audio": tint(colors.step, 1.0),
        "first_heard": tint(colors.ink, 1.0),
    }
