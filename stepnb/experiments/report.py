"""The report: one HTML file with players, pictures, prompts and settings, that needs neither network nor kernel."""

from __future__ import annotations

import base64
import contextlib
import html
import io
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from ..audio.clip import Clip
from ..errors import ConfigError, ExperimentError, StepnbError
from ..plots.figure import PlotFigure
from ..recording.about import versions
from .grid import Variant
from .inputs import Input
from .overview import sentences, summary_html
from .prompts import as_python, difference_html, marked
from .store import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .experiment import Experiment

# About 24 kbit/s for speech at 24 kHz.
_MP3_COMPRESSION = 0.8
_MOST_MB = 25.0


def write_report(x: Experiment, path: Path, most_mb: float = _MOST_MB) -> Path:
    """Write the report of an experiment.

    Parameters
    ----------
    path
        Ends with ``.html``; an existing file is replaced once the new one is complete.
    most_mb
        What the file may take, MB. Audio that would go beyond it is left out, and the report says so.

    Raises
    ------
    ConfigError
        Another suffix.
    ExperimentError
        There are no runs yet, or the file cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"A report cannot be called {path.name!r}.", fix="End the name with .html.")
    runs = x.runs
    if not runs:
        raise ExperimentError("There is nothing to report: no run is kept.", fix="Run it first: x.run().")
    page = _page(x, runs, Players(x, most_mb))
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise ExperimentError(
            f"{str(path)!r} cannot be written: {error.strerror or error}.", fix="Choose another place."
        ) from None
    return path


class Players:
    """Players of the turns, as long as there is room.

    Parameters
    ----------
    x
        The experiment.
    most_mb
        What they may take together, MB.
    """

    def __init__(self, x: Experiment, most_mb: float) -> None:
        self._x = x
        self._room = int(most_mb * 1e6)
        self.left_out = 0

    def players(self, run: Run) -> list[str]:
        """Return a player for each turn of a run; empty where there is none."""
        try:
            clips = [turn.audio for turn in self._x.recording(run.key).turns]
        except StepnbError:
            self.left_out += len(run.turns)
            return [""] * len(run.turns)
        return [self._player(clip, f"Answer of {run.variant} to {run.input}") for clip in clips]

    def _player(self, clip: Clip, label: str) -> str:
        if not clip.duration:
            return ""
        data = base64.b64encode(_mp3(clip)).decode()
        if len(data) > self._room:
            self.left_out += 1
            return "<small>left out for size</small>"
        self._room -= len(data)
        source = f"data:audio/mpeg;base64,{data}"
        return (
            f'<audio controls preload="none" style="max-width:100%" aria-label="{html.escape(label)}" '
            f'src="{source}"></audio>'
        )


def _mp3(clip: Clip) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        clip.samples,
        clip.rate,
        format="MP3",
        bitrate_mode="VARIABLE",
        compression_level=_MP3_COMPRESSION,
    )
    return buffer.getvalue()


def _page(x: Experiment, runs: Sequence[Run], audio: Players) -> str:
    shown = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    title = html.escape(x.name)
    gallery = _gallery(x, runs, audio)  # before the head, which says what was left out
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{html.escape(_headline(x, runs, audio))}</p>",
        "<h2>What was found</h2>",
        _list(sentences(x.comparisons()))
        or "<p>Nothing was compared: there are no scores, or one variant.</p>",
        summary_html(x.summary()),
        *_pictures(x),
        "<h2>Side by side</h2>",
        gallery,
        "<h2>Variants</h2>",
        *_variants(x.variants),
        "<h2>Made with</h2>",
        *_scorers(x),
        _made_with(runs),
    ]
    # The policy lets the file load nothing: what is not in it does not exist for it.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{shown}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )


def _headline(x: Experiment, runs: Sequence[Run], audio: Players) -> str:
    failed = sum(run.error is not None for run in runs)
    last = datetime.fromtimestamp(max(run.started for run in runs), UTC)
    parts = [f"{len(x.variants)} variants, {len(x.inputs)} inputs, {len(runs)} runs"]
    if failed:
        parts.append(f"{failed} of them failed")
    parts.append(f"the last on {last:%Y-%m-%d %H:%M} UTC")
    if audio.left_out:
        parts.append(f"{audio.left_out} answers without audio, which would have made the file too large")
    return ", ".join(parts) + "."


def _pictures(x: Experiment) -> list[str]:
    figures = [_figure(x.plot(metric), f"{metric} by variant") for metric in x.metrics]
    return ["<h2>Scores</h2>", *figures] if figures else []


def _figure(figure: Figure, label: str) -> str:
    assert isinstance(figure, PlotFigure)
    width, height = figure.shown_at
    data = base64.b64encode(figure.png()).decode()
    return (
        f'<img alt="{html.escape(label)}; the figures are in the table above" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{data}">'
    )


def _gallery(x: Experiment, runs: Sequence[Run], audio: Players) -> str:
    by_cell: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        by_cell[run.input, run.variant].append(run)
    parts = []
    for one in x.inputs:
        name = one.name or ""
        first = by_cell[name, x.variants[0].name]
        shown = [
            _cell(variant, sorted(by_cell[name, variant.name], key=lambda run: run.repeat), first, audio)
            for variant in x.variants
        ]
        heading = f"<h3>{html.escape(name)}</h3>{_expected(one)}"
        parts.append(f'<section>{heading}<div class="cells">{"".join(shown)}</div></section>')
    return "".join(parts)


def _expected(one: Input) -> str:
    facts = [("said", one.said), ("expected", one.expect)]
    told = "; ".join(f"{name}: {html.escape(text)}" for name, text in facts if text)
    return f"<p><small>{told}</small></p>" if told else ""


def _cell(variant: Variant, runs: Sequence[Run], first: Sequence[Run], audio: Players) -> str:
    told = "".join(_run(run, first, audio) for run in runs) or "<p><small>no run</small></p>"
    return f"<article><h4>{html.escape(variant.name)}</h4>{told}</article>"


def _run(run: Run, first: Sequence[Run], audio: Players) -> str:
    if run.error is not None:
        return f'<div class="run"><p class="failed">failed: {html.escape(run.error)}</p></div>'
    reference = next((other for other in first if other.repeat == run.repeat and other.error is None), None)
    turns = []
    for number, (turn, player) in enumerate(zip(run.turns, audio.players(run), strict=False)):
        before = reference.turns[number].answer if reference and number < len(reference.turns) else None
        words = difference_html(marked(None if reference is run else before, turn.answer))
        facts = [turn.status] if turn.status != "completed" else []
        if turn.first_audio_ms is not None:
            facts.append(f"{turn.first_audio_ms / 1000:.2f} s to the first audio")
        facts += [f"called {name}" for name in turn.tools]
        turns.append(
            f'<p class="said">{html.escape(turn.said)}</p><p>{words}</p>{player}'
            f"<p><small>{html.escape(' · '.join(facts))}</small></p>"
        )
    return f'<div class="run">{"".join(turns)}</div>'


def _variants(variants: Sequence[Variant]) -> list[str]:
    shown = []
    for variant in variants:
        conditions = ", ".join(f"{name} {value}" for name, value in variant.conditions.items())
        told = f"<p>Input: {html.escape(conditions)}</p>" if conditions else ""
        code = html.escape(as_python(variant.settings))
        shown.append(
            f"<details><summary>{html.escape(variant.name)}</summary>{told}<pre>{code}</pre></details>"
        )
    return shown


def _scorers(x: Experiment) -> list[str]:
    """Tell what the scores were made with: settings, the prompt of a judge, the source of a function."""
    return [
        f"<details><summary>Score {html.escape(scorer.name)}</summary>"
        f"<pre>{html.escape(scorer.description)}</pre></details>"
        for scorer in x.scorers
    ]


def _made_with(runs: Sequence[Run]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(version)}</td></tr>'
        for name, version in versions().items()
    )
    places = html.escape(", ".join(sorted({run.place for run in runs})))
    return f'<table><caption>Versions</caption><tr><th scope="row">where</th><td>{places}</td></tr>{rows}</table>'


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>" if lines else ""
