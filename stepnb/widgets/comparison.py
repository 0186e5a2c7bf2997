"""`compare_voices`: the same texts by several voices, side by side and blind."""

from __future__ import annotations

import dataclasses
import html
import itertools
import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pybase64
import traitlets
from msgspec import Meta

from ..audio.analysis import envelope
from ..audio.pcm import PEAK
from ..errors import ConfigError
from ..optional import library
from ..protocol.catalog import Cluster
from ..rest.tables import Markup, table
from ..rest.voices import Voices
from . import messages
from .blind import BlindTest
from .page_widget import STATIC, PageWidget
from .spoken import AnyVoice, Spoken, by_sessions, by_speech, checked_texts, labelled

_BINS = 90


class Listen(messages.Message, tag="listen"):
    """A view wants to hear a cell of the grid, or a side of the current trial."""

    cell: Annotated[str, Meta(max_length=20)]


class Judge(messages.Message, tag="judge"):
    """Somebody has chosen."""

    number: Annotated[int, Meta(ge=0)]
    choice: Literal["a", "b", "tie"]


class Undo(messages.Message, tag="undo"):
    """The last choice was a slip."""


class Begin(messages.Message, tag="begin"):
    """A blind test begins anew."""


def compare_voices(
    voices: Sequence[AnyVoice] | Mapping[str, AnyVoice],
    texts: str | Sequence[str],
    *,
    way: Literal["speech", "realtime"] = "speech",
    cluster: Cluster | str | None = None,
    api_key: str | None = None,
    model: str | None = None,
    library: str | os.PathLike[str] | None = None,
) -> VoiceComparison:
    """Let several voices say the same texts, and compare how they sound. Blocks until all is said.

    Parameters
    ----------
    voices
        Two or more cloned or official voices or ids; a dict names them.
    texts
        What to say.
    way
        "speech" reads over REST, "realtime" in a session for each voice, where the model may not keep to the text.
    cluster, api_key
        As for a `Session`.
    model
        The realtime model; None for the cluster's recommended one.
    library
        As for `Voices`.

    Returns
    -------
    VoiceComparison
        As the last line of a cell: a grid to listen to, with a blind test. Where a voice was refused, it says why.

    Raises
    ------
    ConfigError
        A wrong argument.
    """
    if way not in ("speech", "realtime"):
        raise ConfigError(f"There is no way {way!r}.", fix="Write 'speech' or 'realtime'.")
    ids, wanted = labelled(voices), checked_texts(texts)
    if way == "realtime":
        return VoiceComparison(by_sessions(cluster, api_key, model, ids, wanted))
    account = Voices(cluster, api_key=api_key, library=library)
    try:
        return VoiceComparison(by_speech(account, ids, wanted))
    finally:
        account.close()


class VoiceComparison(PageWidget):
    """Texts by several voices: a grid of players, and a blind test. Made by `compare_voices`.

    ``comparison["Ada", "Hello."]`` is one `Spoken` with its clip; iterating gives all.

    Attributes
    ----------
    spoken
        What was said, voice by voice.
    voices, texts
        The labels and the texts, in order.
    """

    _page = "compare"
    _esm = STATIC / "compare.js"
    _css = STATIC / "compare.css"
    grid = traitlets.Dict().tag(sync=True)
    trial = traitlets.Dict().tag(sync=True)
    scores = traitlets.List(traitlets.Dict()).tag(sync=True)

    _messages: Any = messages.Hello | Listen | Judge | Undo | Begin

    def __init__(self, spoken: Sequence[Spoken], *, seed: int = 0) -> None:
        self.spoken = list(spoken)
        self.voices = list(dict.fromkeys(one.voice for one in spoken))
        self.texts = list(dict.fromkeys(one.text for one in spoken))
        self._by_place = {(one.voice, one.text): one for one in spoken}
        self._seeds = itertools.count(seed)
        self._test = self._new_test()
        super().__init__(grid=self._described())
        self._show_trial()

    def __getitem__(self, place: tuple[str, str]) -> Spoken:
        return self._by_place[place]

    def __iter__(self) -> Any:
        return iter(self.spoken)

    def df(self) -> Any:
        """Return the figures as a table: voice, text, duration (s), pitch (Hz), rate (words a minute), error.

        Raises
        ------
        MissingLibrary
            pandas is not installed.
        """
        names = ("voice", "text", "duration", "pitch", "rate", "error")
        return _frame([{name: getattr(one, name) for name in names} for one in self.spoken], names)

    @property
    def results(self) -> Any:
        """What was chosen in the blind test, as a table: text, a, b, choice ("a", "b" or "tie").

        Raises
        ------
        MissingLibrary
            pandas is not installed.
        """
        chosen = zip(self._test.trials, self._test.choices, strict=False)
        rows = [dataclasses.asdict(trial) | {"choice": choice} for trial, choice in chosen]
        return _frame(rows, ("text", "a", "b", "choice"))

    @property
    def preferences(self) -> Any:
        """How the voices did in the blind test, best first, as a table.

        Columns: voice, trials, wins, ties, losses, preference (the share won, a tie counting half), low and high (its
        95 % confidence interval).

        Raises
        ------
        MissingLibrary
            pandas is not installed.
        """
        names = ("voice", "trials", "wins", "ties", "losses", "preference", "low", "high")
        return _frame([dataclasses.asdict(score) for score in self._test.scores()], names)

    # From the page ----------------------------------------------------------------------------------------------------

    async def _handle(self, message: Any) -> None:
        match message:
            case Listen(cell=cell, view=view):
                self._play(cell, view)
            case Judge(number=number, choice=choice):
                if self._test.judge(number, choice):
                    self._show_trial()
            case Undo():
                self._test.undo()
                self._show_trial()
            case Begin():
                self._test = self._new_test()
                self._show_trial()

    def _play(self, cell: str, view: str) -> None:
        trial = self._test.current
        if cell in ("a", "b"):
            one = self._by_place[getattr(trial, cell), trial.text] if trial is not None else None
        else:
            one = self.spoken[int(cell)] if cell.isdecimal() and int(cell) < len(self.spoken) else None
        clip = one.clip if one is not None else None
        wav = None if clip is None else pybase64.b64encode_as_string(clip.encoded("WAV"))
        number = len(self._test.choices)
        self._say("sound", view, cell=cell, number=number, wav=wav)

    def _new_test(self) -> BlindTest:
        heard = {
            text: [voice for voice in self.voices if self._by_place[voice, text].clip is not None]
            for text in self.texts
        }
        return BlindTest(list(heard.items()), next(self._seeds))

    def _show_trial(self) -> None:
        """Show the page the current trial: not whose voices they are, which it learns at the end."""
        test, trial = self._test, self._test.current
        self.trial = {
            "number": len(test.choices),
            "total": len(test.trials),
            "text": trial.text if trial is not None else "",
        }
        self.scores = [dataclasses.asdict(score) for score in test.scores()] if trial is None else []

    # What it looks like -----------------------------------------------------------------------------------------------

    def _described(self) -> dict[str, Any]:
        cells = [
            {
                "voice": self.voices.index(one.voice),
                "text": self.texts.index(one.text),
                "figures": one.figures,
                "error": one.error,
                "peaks": _peaks(one),
            }
            for one in self.spoken
        ]
        return {"voices": self.voices, "texts": self.texts, "cells": cells}

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        data = found[0] if isinstance(found, tuple) else found
        return {**(data or {}), "text/html": self._static_html(), "text/plain": repr(self)}, {}

    def _static_html(self) -> str:
        """All of it as a table of players: what is left on a saved page."""
        rows = []
        for text in self.texts:
            cells = [self._by_place[voice, text] for voice in self.voices]
            players = [
                Markup(
                    one.clip._repr_html_() + f"<div style='font-size:11px'>{html.escape(one.figures)}</div>"
                )
                if one.clip is not None
                else one.error
                for one in cells
            ]
            rows.append((text, *players))
        return table(("", *self.voices), rows, empty="Nothing was said.")

    def __repr__(self) -> str:
        failed = sum(one.clip is None for one in self.spoken)
        said = f", {failed} failed" if failed else ""
        return f"VoiceComparison({len(self.voices)} voices, {len(self.texts)} texts{said})"


def _peaks(one: Spoken) -> list[int]:
    """Return the loudest of each stretch of a clip, 0 to 100."""
    if one.clip is None:
        return []
    low, high = envelope(one.clip.samples, _BINS)
    return [round(100 * max(-int(below), int(above)) / PEAK) for below, above in zip(low, high, strict=True)]


def _frame(rows: list[dict[str, Any]], columns: Sequence[str]) -> Any:
    pandas = library("pandas", "A table", "data")
    return pandas.DataFrame(rows, columns=list(columns))
