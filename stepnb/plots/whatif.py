"""`VadLab`: where turns would have begun and ended under other VAD settings, on sound that was recorded. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepnb.audio import analysis, vad
from stepnb.audio.analysis import SpeechSegment
from stepnb.audio.clip import Clip
from stepnb.errors import ConfigError
from stepnb.optional import library
from stepnb.plots import fit
from stepnb.plots.scene import Source
from stepnb.protocol.config import ServerVAD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FRAME_S = vad.FRAME_MS / 1000
# Who goes on within this time after the turn was ended had not finished.
PATIENCE_S = 1.0
# The onset and the fading of a word may be missed by so much before it counts as cut.
_NIBBLE_S = 0.06

_WORD_S = 0.4  # no word is said more slowly
_TAIL_S = 2.0  # of silence after a sound, with the noise
_TAIL_FRAMES = int(_TAIL_S / _FRAME_S)

_THRESHOLDS = (300, 600, 900, 1200, 1800, 2500, 3500, 5000)
_SILENCES = (200, 300, 500, 700, 1000)
RULE = (
    "Of the settings with the fewest words cut off, false turns and turns without end (summed), the one that keeps "
    "people waiting least; then the one with the highest threshold."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one setting of the VAD would have done.

    Attributes
    ----------
    vad
        The setting.
    turns
        Where turns would have begun and ended, s; see `stepnb.audio.analysis.SpeechSegment`.
    words
        Pieces of voice of the length of a word; nothing here recognises speech.
    cut_off
        Of them: not in any turn's audio, or spoken within a second after the turn had been ended, when the answer
        already begins.
    false_turns
        Turns without a word in them.
    endless
        Turns that the noise keeps from ending.
    wait_ms
        From the last word of a turn until it is ended, ms: median and longest; None without turns that end.
    """

    vad: ServerVAD
    turns: tuple[SpeechSegment, ...]
    words: int
    cut_off: int
    false_turns: int
    endless: int
    wait_ms: float | None
    longest_wait_ms: float | None

    def __repr__(self) -> str:
        wait = f", {self.wait_ms:.0f} ms wait" if self.wait_ms is not None else ""
        v = self.vad
        return (
            f"Outcome({v.prefix_padding_ms} ms, {v.silence_duration_ms} ms, {v.energy_awakeness_threshold}: "
            f"{len(self.turns)} turns, {self.cut_off} of {self.words} words cut off, "
            f"{self.false_turns} false turns{f', {self.endless} without end' if self.endless else ''}{wait})"
        )


class VadLab:
    """Other VAD settings, tried on a recording or a clip; made by `stepnb.vad_lab`.

    As the last line of a cell it shows sliders and where turns would have begun and ended.

    Attributes
    ----------
    clip
        The sound, 24 kHz, with the noise.
    vad
        The setting shown: that of the recording, or the usual one.
    scale
        How many int16 RMS units one unit of the service's threshold is: 1 by assumption, or fitted to a recording in
        which the service itself said where speech began and ended.
    agreement
        Share of the time, 0 to 1, in which the fitted VAD and the service in the recording said the same about whether
        somebody spoke, of the time either said so; None where there is nothing to fit to.
    """

    def __init__(
        self,
        clip: Clip,
        noise: Clip | None = None,
        snr_db: float | None = None,
        *,
        heard: Sequence[fit.Heard] = (),
    ) -> None:
        # What comes after the last word decides when its turn ends.
        self.clean = clip + Clip.silence(_TAIL_S, clip.rate)
        self.clip = self.clean if noise is None else self.clean.mix(noise, 20.0 if snr_db is None else snr_db)
        self._sound = clip
        self._noise = noise
        self._heard = list(heard)
        self.vad = self._heard[-1].vad if self._heard else ServerVAD()
        self.scale, self.agreement = fit.scale_of(self._clean_energy, self._heard)

    def with_noise(self, snr_db: float) -> VadLab:
        """Return a lab of the same sound with the same noise at another ratio.

        Raises
        ------
        ConfigError
            This one has no noise.
        """
        if self._noise is None:
            raise ConfigError(
                "There is no noise in it.", fix="Give some: sn.vad_lab(clip, noise=sn.Clip.babble(10))."
            )
        other = VadLab(self._sound, self._noise, snr_db, heard=self._heard)
        other.vad = self.vad
        return other

    @property
    def noisy(self) -> bool:
        """Whether noise was mixed in."""
        return self._noise is not None

    @cached_property
    def _clean_energy(self) -> NDArray[np.int64]:
        return vad.frame_energy(self.clean.samples, vad.FRAME)

    @cached_property
    def _energy(self) -> NDArray[np.int64]:
        return vad.frame_energy(self.clip.samples, vad.FRAME) if self.noisy else self._clean_energy

    @cached_property
    def words(self) -> NDArray[np.float64]:
        """(k, 2) s: pieces of voice in the sound without the noise, at most as long as a word; begin and end."""
        pieces = []
        for first, last in analysis.bursts(np.sqrt(self._clean_energy / vad.FRAME)) * _FRAME_S:
            edges = np.linspace(first, last, 1 + int(np.ceil((last - first) / _WORD_S - 1e-9)))
            pieces.append(np.stack([edges[:-1], edges[1:]], axis=1))
        return np.concatenate(pieces) if pieces else np.empty((0, 2))

    @cached_property
    def rms(self) -> NDArray[np.float64]:
        """(n,) level of the 20 ms frames in the service's energy units, noise included."""
        return np.asarray(np.sqrt(self._energy / vad.FRAME) / self.scale, np.float64)

    def outcome(self, setting: ServerVAD | None = None, **changes: int) -> Outcome:
        """Run the energy VAD of the local engine with a setting.

        Parameters
        ----------
        setting
            None for `vad`.
        changes
            Single parameters of it to change, as in ``lab.outcome(silence_duration_ms=300)``.

        Raises
        ------
        ConfigError
            A parameter is out of range or unknown.
        """
        setting = self._changed(setting, changes)
        turns = self._turns(setting)
        starts, ends = self.words[:, 0], self.words[:, 1]
        waits = []
        false = endless = 0
        for turn in turns:
            inside = (starts < turn.end) & (ends > turn.start)
            if not inside.any():
                false += 1
            elif turn.end == float("inf"):
                endless += 1
            else:
                waits.append(1000 * (turn.end - float(ends[inside].max())))
        return Outcome(
            vad=setting,
            turns=tuple(turns),
            words=len(starts),
            cut_off=int(self.cut(turns).sum()),
            false_turns=false,
            endless=endless,
            wait_ms=float(np.median(waits)) if waits else None,
            longest_wait_ms=max(waits) if waits else None,
        )

    def cut(self, turns: Sequence[SpeechSegment]) -> NDArray[np.bool_]:
        """Tell of every word whether these turns would cut it off: (k,) bool."""
        starts, ends = self.words[:, 0], self.words[:, 1]
        cut = np.ones(len(starts), bool)
        for turn in turns:
            cut[(starts >= turn.start - _NIBBLE_S) & (ends <= turn.end + _NIBBLE_S)] = False
        for turn in turns:
            cut |= (starts >= turn.end - _FRAME_S) & (starts < turn.end + PATIENCE_S)
        return cut

    def outcomes(
        self,
        *,
        energy_awakeness_threshold: Iterable[int] = _THRESHOLDS,
        silence_duration_ms: Iterable[int] = _SILENCES,
        prefix_padding_ms: Iterable[int] = (),
    ) -> list[Outcome]:
        """Try every combination of some values; without `prefix_padding_ms` that of `vad`."""
        prefixes = list(prefix_padding_ms) or [self.vad.prefix_padding_ms]
        grid = itertools.product(prefixes, list(silence_duration_ms), list(energy_awakeness_threshold))
        return [
            self.outcome(
                prefix_padding_ms=prefix, silence_duration_ms=silence, energy_awakeness_threshold=threshold
            )
            for prefix, silence, threshold in grid
        ]

    def grid(self, **values: Iterable[int]) -> Any:
        """Return a table of what every combination would have done; the best by `RULE` first.

        Parameters
        ----------
        values
            Those of `outcomes`.

        Returns
        -------
        pandas.DataFrame
            One row a setting: the three parameters, and what `Outcome` has.

        Raises
        ------
        ConfigError
            A value is out of range.
        MissingLibrary
            pandas is not installed.
        """
        pandas = library("pandas", "A grid", "data")
        rows = [
            {
                "prefix_padding_ms": found.vad.prefix_padding_ms,
                "silence_duration_ms": found.vad.silence_duration_ms,
                "energy_awakeness_threshold": found.vad.energy_awakeness_threshold,
                "turns": len(found.turns),
                "words": found.words,
                "cut_off": found.cut_off,
                "false_turns": found.false_turns,
                "endless": found.endless,
                "wait_ms": found.wait_ms,
                "longest_wait_ms": found.longest_wait_ms,
            }
            for found in sorted(self.outcomes(**values), key=_badness)
        ]
        table = pandas.DataFrame(rows)
        table.attrs["rule"] = RULE
        return table

    def best(self, **values: Iterable[int]) -> Outcome:
        """Return the best of a grid by `RULE`; `values` are those of `outcomes`."""
        found = self.outcomes(**values)
        if not found:
            raise ConfigError("The grid is empty.", fix="Give at least one value of each parameter.")
        return min(found, key=_badness)

    def plot(self, setting: ServerVAD | None = None, **options: Any) -> Figure:
        """Draw where turns would begin and end; the options are those of `stepnb.plots.vad.draw`."""
        from stepnb.plots.vad import draw

        return draw(self, self._changed(setting, {}), **options)

    def _changed(self, setting: ServerVAD | None, changes: dict[str, int]) -> ServerVAD:
        try:
            return replace(setting or self.vad, **changes)
        except TypeError:
            raise ConfigError(
                f"A VAD has no {', '.join(changes)}.",
                fix="It has prefix_padding_ms, silence_duration_ms and energy_awakeness_threshold.",
            ) from None

    def _turns(self, setting: ServerVAD) -> list[SpeechSegment]:
        # What follows the last word goes on long enough for any silence.
        tail = np.resize(self._energy[-_TAIL_FRAMES:], 2 + setting.silence_duration_ms // vad.FRAME_MS)
        events = vad.decide(
            np.concatenate([self._energy, tail]),
            prefix_padding_ms=setting.prefix_padding_ms,
            silence_duration_ms=setting.silence_duration_ms,
            threshold=setting.energy_awakeness_threshold * self.scale,
        )
        turns = []
        for started, stopped in zip(events[::2], events[1::2], strict=False):
            assert isinstance(started, vad.SpeechStarted) and isinstance(stopped, vad.SpeechStopped)
            places = (started.start, started.onset, stopped.offset, stopped.end)
            turns.append(SpeechSegment(*(place / fit.RATE for place in places)))
        if len(events) % 2:
            last = events[-1]
            assert isinstance(last, vad.SpeechStarted)
            start, onset = last.start / fit.RATE, last.onset / fit.RATE
            turns.append(SpeechSegment(start, onset, self.clip.duration, float("inf")))
        return turns

    def __repr__(self) -> str:
        scale = (
            f", scale {self.scale:.2f} (agreement {self.agreement:.0%})" if self.agreement is not None else ""
        )
        return f"VadLab({self._sound.duration:.1f} s, {len(self.words)} words{scale})"

    def _ipython_display_(self) -> None:
        from stepnb.widgets.vad_lab import show

        show(self)


def vad_lab(what: Clip | Source, *, noise: Clip | None = None, snr_db: float | None = None) -> VadLab:
    """Try other VAD settings on recorded sound: where turns would begin and end, and what would be cut off.

    The VAD is the local engine's. That its units are the service's is an assumption; with a recording in which the
    service itself found speech, the scale between them is fitted first.

    Parameters
    ----------
    what
        A `Clip`, or a `Recording` or `Session`, of which what the microphone sent is taken.
    noise
        Mixed in, repeated or cut to the length; words are still those of the sound without it.
    snr_db
        At which ratio; None for 20 dB.

    Returns
    -------
    VadLab
        Shows itself with sliders; ``lab.grid()`` is a table, ``lab.best()`` the best setting by a stated rule.

    Raises
    ------
    ConfigError
        There is no sound in it.
    AudioError
        The noise is silent.
    """
    heard: list[fit.Heard] = []
    if isinstance(what, Clip):
        clip = what.resample(fit.RATE)
    elif hasattr(what, "conversation"):
        clip, heard = fit.microphone_of(what)
    else:
        raise ConfigError(
            f"A {type(what).__name__} has no sound.", fix="Give a Clip, a Recording or a Session."
        )
    if clip.samples.size < vad.FRAME:
        raise ConfigError(
            "There is no sound of a microphone in it.",
            fix="Give a Clip, or a recording made with keep_audio='all'.",
        )
    return VadLab(clip, noise, snr_db, heard=heard)


def _badness(outcome: Outcome) -> tuple[float, float, float]:
    """Order outcomes by `RULE`, the best first."""
    wait = outcome.wait_ms if outcome.wait_ms is not None else float("inf")
    return (
        outcome.cut_off + outcome.false_turns + outcome.endless,
        wait,
        -outcome.vad.energy_awakeness_threshold,
    )
