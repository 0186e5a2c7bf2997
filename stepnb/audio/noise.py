"""The noise behind a voice, and which parts of a clip are voice. Pure.

The noise is estimated per band from its quietest moments, as minimum statistics do (Martin, 2001): speech leaves every
band free now and then, even where it makes no pause. The low percentile that is taken is corrected for how far below
its mean the power of noise then lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepnb.audio import pcm
from stepnb.audio.clip import Clip

HOP_S = 0.01
ACTIVE_DB = 30.0
"""Frames down to this far below the loudest are speech, where they stand out from the noise; as in `Clip.mix`."""

_WINDOW_S = 0.032
_SMOOTHED = 3  # frames
_PERCENTILE, _PERCENTILE_Z = 2, -2.054
_INDEPENDENT = 1.5  # neighbouring bins of a Hann window are as good as one in so many
_ABOVE_NOISE = 1.3  # in power
_LINEAR_HZ, _LINEAR_TO_HZ, _LOWEST_HZ, _WIDE_BANDS = 125.0, 2000.0, 60.0, 14
_SILENCE = 1e-12


@dataclass(frozen=True, slots=True)
class Sound:
    """What was measured frame by frame; powers are mean squares, full scale is 1.

    Attributes
    ----------
    active
        (n,) whether somebody speaks, every 10 ms.
    speech, noise
        Power of the speech without the noise, and of the noise.
    hz, spectrum
        (f,) Hz, and (f,) the mean power spectrum of the frames with speech.
    """

    active: NDArray[np.bool_]
    speech: float
    noise: float
    hz: NDArray[np.float64]
    spectrum: NDArray[np.float64]

    @property
    def snr_db(self) -> float:
        """Speech over noise, dB."""
        return 10 * math.log10((self.speech + _SILENCE) / (self.noise + _SILENCE))

    @property
    def noise_dbfs(self) -> float:
        """Level of the noise, dB of full scale; -120 for none."""
        return 10 * math.log10(self.noise + _SILENCE)


def listen(clip: Clip) -> Sound:
    """Tell speech from noise.

    Parameters
    ----------
    clip
        With at least one sample; the estimate wants a few seconds of speech. It is then at most 3 dB off between 5 and
        30 dB. Noise that talks (babble) is heard as less than it is.
    """
    power, hz = _spectra(clip)
    total = power.sum(axis=1)
    noise = _noise(power, hz)
    threshold = max(float(total.max()) * 10 ** (-ACTIVE_DB / 10), noise * _ABOVE_NOISE, _SILENCE)
    active = total > threshold
    if not active.any():
        return Sound(active, 0.0, noise, hz, power.mean(axis=0))
    speech = float(np.maximum(total[active] - noise, 0).mean())
    return Sound(active, speech, noise, hz, power[active].mean(axis=0))


def _spectra(clip: Clip) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the power of 32 ms windows every 10 ms, (frames, bins), whose sum is a frame's mean square, and Hz."""
    size, hop = round(clip.rate * _WINDOW_S), round(clip.rate * HOP_S)
    samples = clip.samples / pcm.PEAK
    samples = samples - samples.mean()
    # Frame n stands around 10 n ms.
    samples = np.pad(samples, (size // 2, size - size // 2))
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    shape = np.hanning(size)
    power = np.abs(np.fft.rfft(windows * (shape / math.sqrt(float(np.mean(shape**2)))), axis=1)) ** 2
    power[:, 1 : (size + 1) // 2] *= 2
    return power / size**2, np.asarray(np.fft.rfftfreq(size, 1 / clip.rate), np.float64)


def _noise(power: NDArray[np.float64], hz: NDArray[np.float64]) -> float:
    """Estimate the mean square of the noise."""
    limits = np.arange(_LOWEST_HZ, _LINEAR_TO_HZ, _LINEAR_HZ)
    if hz[-1] > _LINEAR_TO_HZ:
        limits = np.concatenate([limits, np.geomspace(_LINEAR_TO_HZ, hz[-1], _WIDE_BANDS)])
    edges = np.unique(np.minimum(np.rint(limits / hz[1]).astype(int), hz.size - 1))
    sizes = np.diff(edges)
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    if len(bands) > _SMOOTHED:
        bands = np.lib.stride_tricks.sliding_window_view(bands, _SMOOTHED, axis=0).mean(axis=-1)
    # Degrees of freedom of a band's power, and the share of its mean that the percentile then is (Wilson and Hilferty).
    freedom = 2 * sizes / _INDEPENDENT * (1 + (_SMOOTHED - 1) / 2) + 1
    spread = 2 / (9 * freedom)
    share = (1 - spread + _PERCENTILE_Z * np.sqrt(spread)) ** 3
    return float((np.percentile(bands, _PERCENTILE, axis=0) / share).sum())
