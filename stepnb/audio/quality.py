"""How good a clip is as a reference for cloning: one row per question, each with a verdict and what to do.

Where the limits come from:

- Duration: 5 to 10 s is what the service takes.
- Loudness: in LUFS, by ITU-R BS.1770-4. Speech tests are done at -26 dBFS (ITU-T P.56), broadcasts aim at -23 LUFS (EBU
  R 128), audiobooks are held within -23 to -18 dBFS (ACX); a little room on both sides is good, more is fair.
- Clipping: three and more samples in a row at full scale, see `stepnb.audio.analysis.clipped`. Any is worth a retake.
- Noise floor: audiobooks must stay below -60 dBFS (ACX); up to 10 dB more is good here, because nobody listens to the
  clip itself, and up to 20 dB fair.
- Signal to noise: 20 dB is what LibriTTS asks of clean speech (Zen et al., 2019); down to 12 dB is fair.
- Pauses: read speech pauses a fifth to a third of the time. More leaves too little voice in ten seconds.
- Bandwidth: what is 60 dB below the strongest part is not there. A telephone ends at 3.4 kHz (ITU-T G.712), wideband
  speech at 7 kHz (ITU-T G.722).
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stepnb.audio import noise, pcm
from stepnb.audio.analysis import clipped
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError, MissingLibrary
from stepnb.optional import library

Verdict = Literal["good", "fair", "bad", "unknown"]

MIN_SECONDS, MAX_SECONDS = 5.0, 10.0
LOUDNESS_GOOD, LOUDNESS_FAIR = (-30.0, -14.0), (-40.0, -9.0)
CLIPPED_FAIR = 0.0005
"""Share of the samples."""
NOISE_GOOD, NOISE_FAIR = -50.0, -40.0
SNR_GOOD, SNR_FAIR = 20.0, 12.0
PAUSES_GOOD, PAUSES_FAIR = 0.4, 0.6
TELEPHONE_HZ, WIDEBAND_HZ = 4_200.0, 7_000.0

LOUDNESS_MIN_S = 0.4
"""Loudness is measured in blocks of so many seconds."""

ADVICE = {
    "short": f"Record at least {MIN_SECONDS:g} s.",
    "long": f"Cut it to {MAX_SECONDS:g} s: clip[0:{MAX_SECONDS:g}].",
    "silent": "There is no sound in it: check the microphone.",
    "quiet": "Come closer to the microphone, or try clip.normalize().",
    "loud": "Turn the microphone down, or try clip.normalize().",
    "clipped": "Turn the microphone down and record again.",
    "hum": "Switch off what hums, close the window, or go to a quieter room.",
    "noisy": "Come closer to the microphone, or go to a quieter room.",
    "pauses": "Speak without long pauses, or try clip.trim_silence().",
    "telephone": "It sounds like a telephone: record with a microphone, not in a call or with a hands-free headset.",
    "dull": "The highest sounds are missing: use a better microphone or file.",
    "missing": "Install what measures it: pip install 'stepnb[analysis]'",
}
"""What to do, by the reason why something is not good."""

_GONE_DB = 60.0
_SMOOTH_HZ = 250.0
_MARGIN_S = 0.1
_ORDER: tuple[Verdict, ...] = ("bad", "fair", "unknown", "good")
_MARKS = {
    "good": ("#2e8b57", "✓"),
    "fair": ("#b26a00", "!"),
    "bad": ("#c93a26", "✗"),
    "unknown": ("inherit", "?"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One question about a clip.

    Attributes
    ----------
    name
        "duration", "loudness", "clipping", "noise floor", "signal to noise", "pauses" or "bandwidth".
    value, unit
        What was measured: s, LUFS, samples, dBFS, dB, share of the time, Hz. None: it could not be.
    verdict
        "good", "fair", "bad" or "unknown".
    reason
        Why it is not good, one of the keys of `ADVICE`; empty for a good one.
    """

    name: str
    value: float | None
    unit: str
    verdict: Verdict
    reason: str = ""

    @property
    def advice(self) -> str:
        """What to do about it, empty for a good one."""
        return ADVICE.get(self.reason, "")

    @property
    def figure(self) -> str:
        """The value for people, without words: the page puts its own language around it."""
        if self.value is None:
            return "–"
        if self.unit == "share":
            return f"{self.value:.0%}"
        if self.unit == "Hz":
            return f"{self.value / 1000:.1f} kHz"
        if self.unit == "samples":
            return f"{self.value:.0f}"
        if self.name == "signal to noise" and self.value >= 60:
            return "≥ 60 dB"
        return f"{self.value:.1f} {self.unit}".replace("-", "\N{MINUS SIGN}")


class Quality:
    """How good a clip is as a reference; a notebook shows it as a table with the waveform.

    ``quality["clipping"]`` is one `Check`, iterating gives all.

    Attributes
    ----------
    clip
        What was judged.
    checks
        The rows.
    """

    def __init__(self, clip: Clip, checks: tuple[Check, ...]) -> None:
        self.clip = clip
        self.checks = checks

    @property
    def verdict(self) -> Verdict:
        """The worst of the rows."""
        return min((check.verdict for check in self.checks), key=_ORDER.index)

    def __getitem__(self, name: str) -> Check:
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(f"{name!r}; there are {', '.join(check.name for check in self.checks)}")

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __repr__(self) -> str:
        rows = (f"  {c.verdict:<7} {c.name:<15} {c.figure:<18} {c.advice}".rstrip() for c in self.checks)
        return "\n".join((f"Quality: {self.verdict}", *rows))

    def _repr_html_(self) -> str:
        rows = "".join(_row(check) for check in self.checks)
        return (
            f"{self.clip._repr_html_()}<div style='overflow-x:auto'>"
            f"<table style='border-collapse:collapse;font-size:13px;margin:6px 0 0'><tbody>{rows}</tbody></table></div>"
        )


def judge(clip: Clip) -> Quality:
    """Judge a clip as a reference for cloning; see `Clip.quality`."""
    if not clip.samples.any():
        silent = Check("loudness", None, "LUFS", "bad", "silent")
        return Quality(clip, (_duration(clip), silent))
    sound = noise.listen(clip)
    return Quality(
        clip,
        (
            _duration(clip),
            _loudness(clip),
            _clipping(clip),
            _noise_floor(sound),
            _signal_to_noise(sound),
            _pauses(sound),
            _bandwidth(sound),
        ),
    )


def trim_silence(clip: Clip) -> Clip:
    """Cut what is before and after the speech; see `Clip.trim_silence`."""
    if not clip.samples.any():
        return clip[0:0]
    active = np.flatnonzero(noise.listen(clip).active)
    if active.size == 0:
        return clip[0:0]
    begin, end = active[0] * noise.HOP_S - _MARGIN_S, (active[-1] + 1) * noise.HOP_S + _MARGIN_S
    return clip[max(0.0, begin) : min(end, clip.duration)]


def normalize(clip: Clip, lufs: float, peak_dbfs: float) -> Clip:
    """Bring a clip to a loudness; see `Clip.normalize`."""
    if not -70 <= lufs <= 0:
        raise AudioError(
            f"The loudness is {lufs!r}, but must be from -70 to 0 LUFS.", fix="-23 is usual for speech."
        )
    now = loudness(clip)
    if now is None:
        raise AudioError(
            f"A clip of {clip.duration:.2f} s without loud parts has no loudness.",
            fix=f"It takes {LOUDNESS_MIN_S:g} s of sound above -70 LUFS.",
        )
    samples = clip.samples / pcm.PEAK
    gain = min(10 ** ((lufs - now) / 20), 10 ** (peak_dbfs / 20) / float(np.abs(samples).max()))
    return Clip(pcm.from_float(samples * gain), clip.rate)


def loudness(clip: Clip) -> float | None:
    """Measure the integrated loudness, LUFS (ITU-R BS.1770-4); None for what is too short or too quiet to have one.

    Raises
    ------
    MissingLibrary
        pyloudnorm is not installed.
    """
    meter = library("pyloudnorm", "Loudness")
    if clip.duration < LOUDNESS_MIN_S or not clip.samples.any():
        return None
    measured = float(meter.Meter(clip.rate).integrated_loudness(clip.samples / pcm.PEAK))
    return measured if np.isfinite(measured) else None


def _duration(clip: Clip) -> Check:
    seconds = clip.duration
    reason = "short" if seconds < MIN_SECONDS else "long" if seconds > MAX_SECONDS else ""
    return Check("duration", seconds, "s", "bad" if reason else "good", reason)


def _loudness(clip: Clip) -> Check:
    try:
        value = loudness(clip)
    except MissingLibrary:
        return Check("loudness", None, "LUFS", "unknown", "missing")
    if value is None:
        return Check("loudness", None, "LUFS", "bad", "quiet")
    return _graded(
        "loudness",
        value,
        "LUFS",
        LOUDNESS_GOOD,
        LOUDNESS_FAIR,
        "loud" if value > LOUDNESS_GOOD[1] else "quiet",
    )


def _clipping(clip: Clip) -> Check:
    runs = clipped(clip.samples)
    count = int((runs[:, 1] - runs[:, 0]).sum())
    if not count:
        return Check("clipping", 0, "samples", "good")
    verdict: Verdict = "fair" if count / clip.samples.size <= CLIPPED_FAIR else "bad"
    return Check("clipping", count, "samples", verdict, "clipped")


def _noise_floor(sound: noise.Sound) -> Check:
    return _graded(
        "noise floor", sound.noise_dbfs, "dBFS", (-np.inf, NOISE_GOOD), (-np.inf, NOISE_FAIR), "hum"
    )


def _signal_to_noise(sound: noise.Sound) -> Check:
    return _graded("signal to noise", sound.snr_db, "dB", (SNR_GOOD, np.inf), (SNR_FAIR, np.inf), "noisy")


def _pauses(sound: noise.Sound) -> Check:
    share = 1 - float(sound.active.mean())
    return _graded("pauses", share, "share", (0, PAUSES_GOOD), (0, PAUSES_FAIR), "pauses")


def _bandwidth(sound: noise.Sound) -> Check:
    width = max(1, round(_SMOOTH_HZ / sound.hz[1]))
    smooth = np.convolve(sound.spectrum, np.ones(width) / width, "same")
    there = np.flatnonzero(smooth > smooth.max() * 10 ** (-_GONE_DB / 10))
    value = float(sound.hz[there[-1]]) if there.size else 0.0
    reason = "telephone" if value < TELEPHONE_HZ else "dull"
    return _graded("bandwidth", value, "Hz", (WIDEBAND_HZ, np.inf), (TELEPHONE_HZ, np.inf), reason)


def _graded(
    name: str, value: float, unit: str, good: tuple[float, float], fair: tuple[float, float], reason: str
) -> Check:
    if good[0] <= value <= good[1]:
        return Check(name, value, unit, "good")
    return Check(name, value, unit, "fair" if fair[0] <= value <= fair[1] else "bad", reason)


def _row(check: Check) -> str:
    color, mark = _MARKS[check.verdict]
    cell = "padding:3px 14px 3px 0;text-align:left;vertical-align:top"
    return (
        f"<tr><td style='{cell};color:{color};font-weight:600;white-space:nowrap'>{mark} {check.verdict}</td>"
        f"<td style='{cell};white-space:nowrap'>{check.name}</td>"
        f"<td style='{cell};white-space:nowrap;font-variant-numeric:tabular-nums'>{check.figure}</td>"
        f"<td style='{cell}'>{html.escape(check.advice)}</td></tr>"
    )
