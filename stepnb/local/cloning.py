"""Cloning that can be heard: from a reference clip to the settings of the speech engine.

Pitch (median and range), speaking rate, brightness and level of the clip are measured and given to the formant
synthesizer. A low slow voice and a high fast one become different clones, and both keep their direction; nobody's voice
is imitated. It rehearses the flow of cloning and says nothing about the quality of the service's clones.

Pitch comes from the DIO and StoneMask estimators of WORLD (modified BSD licence) through ``pyworld`` (MIT). The
other measures are a few lines of NumPy each.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import pyworld
import soundfile
import soxr
from numpy.typing import NDArray

from stepnb.local.parts import SAMPLE_RATE, VoiceSettings

MIN_SECONDS = 5.0
MAX_SECONDS = 10.0
MAX_BYTES = 64 * 1024 * 1024
"""Of a clip: more than ten seconds take in any format that is read here."""

_DURATION = f"audio duration must be between {MIN_SECONDS:g} and {MAX_SECONDS:g} seconds"
_CODEC_PADDING_S = 0.1  # an MP3 encoder adds silence at both ends
_MAX_CHANNELS = 8
_MAX_RATE = 192_000
_FRAME_S = 0.01
_WINDOW = SAMPLE_RATE // 25
_FLOOR_HZ, _CEILING_HZ = 50.0, 500.0  # of the pitch of voices
_LEAP = 1.7  # farther from the median no voice goes in plain speech
_MIN_VOICED_S = 0.5
_SPEECH_DB = 25.0  # what is farther below the loudest frames is pause
_NUCLEUS_DB = 2.0  # how far the level must fall between two syllables
_PAUSE_FRAMES = 20

# Measured of espeak-ng with an English text at 175 words a minute. By variant, from dark to bright: median pitch in Hz
# at the settings of _PITCHES.
_PITCHES = (0, 25, 50, 75, 99)
_LOW = {
    "m8": (67, 70, 85, 108, 139),
    "m7": (75, 87, 106, 133, 170),
    "m1": (67, 75, 93, 120, 157),
    "m3": (71, 84, 104, 134, 173),
    "m4": (67, 76, 93, 118, 152),
}
_HIGH = {
    "f2": (127, 155, 193, 248, 322),
    "f3": (143, 171, 209, 263, 336),
    "f1": (114, 141, 179, 233, 306),
    "linda": (133, 173, 228, 307, 413),
}
_HIGH_FROM_HZ = 145.0
_DARK_DB, _BRIGHT_DB = -18.0, -4.0
_RANGES = (0, 25, 50, 75, 99)
_RANGE_SEMITONES = (1.1, 2.2, 3.6, 5.1, 5.8)
_WORDS_PER_SYLLABLE = 35.0  # words a minute for each syllable a second
_LOW_DBFS, _HIGH_DBFS = -21.0, -18.3  # their level at volume 100


class Unclonable(Exception):
    """No voice can be made of this clip; the message is a sentence for the client."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What was measured of a voice.

    Attributes
    ----------
    pitch
        Median of the fundamental frequency, Hz.
    pitch_range
        From its 10th to its 90th percentile, semitones.
    rate
        Syllables a second, pauses left out.
    brightness
        Energy between 1 and 5 kHz over that below, dB.
    level
        RMS of the speech, dB of full scale.
    """

    pitch: float
    pitch_range: float
    rate: float
    brightness: float
    level: float


def clone(data: bytes) -> VoiceSettings:
    """Make a voice of a reference clip; the same clip always gives the same voice.

    Parameters
    ----------
    data
        A WAV or MP3 file of 5 to 10 s.

    Raises
    ------
    Unclonable
        It is not audio, too short, too long, or nobody speaks in it.
    """
    return settings_of(measure(read_clip(data)))


def read_clip(data: bytes) -> NDArray[np.float64]:
    """Decode a reference clip.

    Never more than its first ten seconds and a bit, however much it would decode to.

    Returns
    -------
    (n,) float64
        Mono, 24 kHz, in [-1, 1].

    Raises
    ------
    Unclonable
        It is not audio, or not 5 to 10 s long.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            if file.channels > _MAX_CHANNELS or not 0 < file.samplerate <= _MAX_RATE:
                raise Unclonable(
                    f"the clip has {file.channels} channels at {file.samplerate} Hz; send mono speech"
                )
            rate: int = file.samplerate
            most = math.ceil((MAX_SECONDS + _CODEC_PADDING_S) * rate) + 1
            samples = file.read(most, dtype="float32", always_2d=True).mean(axis=1)
    except soundfile.LibsndfileError:
        raise Unclonable("the file is not audio that can be read: send wav or mp3") from None
    if not MIN_SECONDS * rate <= samples.size < most:
        raise Unclonable(_DURATION)
    resampled: NDArray[np.float64] = soxr.resample(samples.astype(np.float64), rate, SAMPLE_RATE)
    return np.clip(np.nan_to_num(resampled), -1.0, 1.0)


def measure(samples: NDArray[np.float64]) -> Traits:
    """Measure a voice.

    Parameters
    ----------
    samples
        (n,) mono at 24 kHz in [-1, 1], a second or more.

    Raises
    ------
    Unclonable
        There is less than half a second of voice in it.
    """
    coarse, times = pyworld.dio(samples, SAMPLE_RATE, _FLOOR_HZ, _CEILING_HZ, frame_period=_FRAME_S * 1000)
    pitch = pyworld.stonemask(samples, coarse, times, SAMPLE_RATE)
    spectrum, frequencies = _spectrogram(samples)
    frames = min(pitch.size, len(spectrum))
    pitch, spectrum = pitch[:frames], spectrum[:frames]
    energy = spectrum.sum(axis=1)
    speech = energy > np.percentile(energy, 95) * 10 ** (-_SPEECH_DB / 10)
    voiced = speech & (pitch > 0)
    if voiced.sum() * _FRAME_S < _MIN_VOICED_S:
        raise Unclonable("no speech found in the clip")
    median = np.median(pitch[voiced])
    # Every estimator takes an octave for another one now and then.
    plausible = voiced & (pitch > median / _LEAP) & (pitch < median * _LEAP)
    low, high = np.percentile(pitch[plausible], (10, 90))
    sound = spectrum[voiced].mean(axis=0)
    bright = sound[(frequencies >= 1000) & (frequencies < 5000)].sum()
    dark = sound[frequencies < 1000].sum()
    syllables = _count_nuclei(spectrum[:, (frequencies > 300) & (frequencies < 3000)].sum(axis=1), voiced)
    return Traits(
        pitch=float(median),
        pitch_range=float(12 * np.log2(high / low)),
        rate=syllables / _speaking_seconds(speech),
        brightness=float(10 * np.log10((bright + 1e-12) / (dark + 1e-12))),
        level=_level(samples, speech),
    )


def settings_of(traits: Traits) -> VoiceSettings:
    """Find the settings whose voice measures most like these traits."""
    variants, usual = (_HIGH, _HIGH_DBFS) if traits.pitch >= _HIGH_FROM_HZ else (_LOW, _LOW_DBFS)
    shade = np.interp(traits.brightness, (_DARK_DB, _BRIGHT_DB), (0, len(variants) - 1))
    variant = list(variants)[round(float(shade))]
    return VoiceSettings(
        variant=variant,
        pitch=round(float(np.interp(math.log(traits.pitch), np.log(variants[variant]), _PITCHES))),
        pitch_range=round(float(np.interp(traits.pitch_range, _RANGE_SEMITONES, _RANGES))),
        rate=round(min(max(traits.rate * _WORDS_PER_SYLLABLE, 90), 320)),
        volume=round(min(max(100 * 10 ** ((traits.level - usual) / 20), 50), 150)),
    )


def _spectrogram(samples: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the power of 40 ms windows every 10 ms, (frames, bins), and the bins' frequencies in Hz."""
    hop = round(SAMPLE_RATE * _FRAME_S)
    padded = np.pad(samples, (_WINDOW // 2, _WINDOW // 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop]
    power: NDArray[np.float64] = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW))) ** 2
    return power, np.arange(power.shape[1], dtype=np.float64) * (SAMPLE_RATE / _WINDOW)


def _count_nuclei(energy: NDArray[np.float64], voiced: NDArray[np.bool_]) -> int:
    """Count syllables: voiced peaks of the level with a dip of 2 dB before and after."""
    smooth = np.hanning(7) / np.hanning(7).sum()
    levels = np.convolve(10 * np.log10(energy + 1e-12), smooth, "same")
    threshold = float(np.percentile(levels, 95)) - _SPEECH_DB
    count, rising = 0, True
    valley, peak, at = float(levels[0]), -math.inf, 0
    for index, level in enumerate([*levels.tolist(), -math.inf]):
        if not rising:
            valley = min(valley, level)
            rising = level > valley + _NUCLEUS_DB
            peak, at = level, index
        elif level > peak:
            peak, at = level, index
        elif level < peak - _NUCLEUS_DB:
            nucleus = peak > max(threshold, valley + _NUCLEUS_DB)
            count += nucleus and bool(voiced[max(0, at - 2) : at + 3].any())
            rising, valley = False, level
    return count


def _speaking_seconds(speech: NDArray[np.bool_]) -> float:
    """Return how long was spoken: from the first to the last speech, without pauses of 0.2 s and more."""
    loud = np.flatnonzero(speech)
    steps = np.diff(loud)
    return float(1 + steps[steps <= _PAUSE_FRAMES].sum()) * _FRAME_S


def _level(samples: NDArray[np.float64], speech: NDArray[np.bool_]) -> float:
    hop = round(SAMPLE_RATE * _FRAME_S)
    frames = min(samples.size // hop, speech.size)
    power = (samples[: frames * hop].reshape(frames, hop) ** 2).mean(axis=1)[speech[:frames]].mean()
    return float(10 * np.log10(power + 1e-12))
