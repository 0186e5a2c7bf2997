"""Sounds to test with: noise, babble, echo, lost packets, a telephone. The same seed gives the same sound."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stepnb.audio import pcm, vad
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError
from stepnb.optional import library

ACTIVE_DB = 30.0
"""Frames of 20 ms down to this far below the loudest are speech, the others pauses."""

_RMS_DB = -26.0  # of generated noise and babble: the level telephony tests speech at (ITU-T P.56)
_TELEPHONE_HZ = (300.0, 3400.0)
_TELEPHONE_RATE = 8_000
_MU = 255.0

# First three formants of vowels from a low to a high voice's middle, Hz (Peterson and Barney, 1952, men).
_VOWELS = ((270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
           (570, 840, 2410), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690))  # fmt: skip
_BANDWIDTHS = (80.0, 100.0, 140.0)


def active_rms(samples: NDArray[np.floating]) -> float:
    """Measure the RMS of a sound without its pauses, in the unit of the samples; 0 for silence.

    Pauses are 20 ms frames (at 24 kHz, 480 samples) more than `ACTIVE_DB` below the loudest.
    """
    size = vad.FRAME
    if samples.size < size:
        return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    frames = samples[: samples.size - samples.size % size].reshape(-1, size)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    active = power[power >= power.max() * 10 ** (-ACTIVE_DB / 10)]
    return float(np.sqrt(active.mean()))


def mix(clip: Clip, noise: Clip, snr_db: float) -> Clip:
    """Add noise at a signal-to-noise ratio; see `Clip.mix`."""
    snr = _number("snr_db", snr_db, -100, 100)
    if not clip.pcm or not noise.pcm:
        raise AudioError(f"The {'noise' if clip.pcm else 'clip'} is empty, so that there is nothing to mix.")
    wanted = _floats(clip)
    other = np.resize(_floats(noise.resample(clip.rate)), wanted.size)
    signal, rms = active_rms(wanted), float(np.sqrt(np.mean(np.square(other))))
    if not signal or not rms:
        raise AudioError(f"The {'noise' if signal else 'clip'} is silent: it has no level to compare with.")
    mixed = wanted + other * (signal / rms * 10 ** (-snr / 20))
    # Both are turned down together where they would clip, or the ratio would not be what was asked for.
    return _clip(mixed / max(1.0, float(np.abs(mixed).max()) * pcm.PEAK / (pcm.PEAK - 1)), clip.rate)


def pink_noise(seconds: float, rate: int, seed: int) -> Clip:
    """Make noise with equal power in every octave; see `Clip.pink_noise`."""
    silence = Clip.silence(seconds, rate)
    size = silence.samples.size
    if size == 0:
        return silence
    random = np.random.default_rng(_seed(seed))
    hz = np.fft.rfftfreq(size, 1 / rate)
    # Nothing below 20 Hz, where nobody hears it and it would take most of the level.
    shape = np.where(hz >= 20, 1 / np.sqrt(np.maximum(hz, 20)), 0)
    phases = np.exp(2j * np.pi * random.random(hz.size))
    return _levelled(np.fft.irfft(shape * random.rayleigh(size=hz.size) * phases, size), rate)


def babble(seconds: float, rate: int, voices: int, speech: Sequence[Clip], seed: int) -> Clip:
    """Make many people talk at once; see `Clip.babble`."""
    silence = Clip.silence(seconds, rate)
    size = silence.samples.size
    if isinstance(voices, bool) or not isinstance(voices, int) or not 1 <= voices <= 100:
        raise AudioError(f"voices is {voices!r}, but must be a whole number from 1 to 100.")
    if any(not clip.samples.any() for clip in speech):
        raise AudioError("A clip of the speech is empty or silent.", fix="Leave it out.")
    if size == 0:
        return silence
    random = np.random.default_rng(_seed(seed))
    total = np.zeros(size)
    for number in range(voices):
        if speech:
            voice = _floats(speech[number % len(speech)].resample(rate))
            voice = np.resize(np.roll(voice, int(random.integers(voice.size))), size)
        else:
            voice = _talker(size / rate, rate, random)[:size]
        total += voice / (active_rms(voice) or 1.0) * 10 ** (random.uniform(-6, 0) / 20)
    return _levelled(total, rate)


def talker(seconds: float, rate: int = pcm.RATE, seed: int = 0) -> Clip:
    """Make one voice that says syllables of no language, with pauses between phrases.

    Its pitch, formants, rhythm and level move as those of speech do: VADs and pitch trackers take it for a voice.

    Parameters
    ----------
    seconds
        Length.
    rate
        Hz.
    seed
        The same gives the same voice and syllables.

    Raises
    ------
    AudioError
        A number out of range.
    MissingLibrary
        scipy is not installed.
    """
    silence = Clip.silence(seconds, rate)
    if not silence.pcm:
        return silence
    voice = _talker(seconds, rate, np.random.default_rng(_seed(seed)))[: silence.samples.size]
    return _levelled(voice, rate)


def echo(clip: Clip, delay_ms: float, gain_db: float) -> Clip:
    """Let a sound come back later; see `Clip.echo`."""
    delay = round(_number("delay_ms", delay_ms, 0, 60_000) * clip.rate / 1000)
    gain = 10 ** (_number("gain_db", gain_db, -100, 0) / 20)
    samples = _floats(clip)
    both = np.concatenate([samples, np.zeros(delay)])
    both[delay:] += gain * samples
    return _clip(both, clip.rate)


def packet_loss(clip: Clip, rate: float, packet_ms: float, burst: float, seed: int) -> Clip:
    """Lose packets of a sound; see `Clip.packet_loss`."""
    share = _number("rate", rate, 0, 1)
    size = max(1, round(_number("packet_ms", packet_ms, 1, 1000) * clip.rate / 1000))
    mean = _number("burst", burst, 1, 1000)
    if share == 1:
        return Clip.silence(clip.duration, clip.rate)
    random = np.random.default_rng(_seed(seed))
    count = -(-clip.samples.size // size)
    # Two states, as Gilbert's model has them: bursts last `burst` packets on average and make up `rate` of all.
    begins = share / (mean * (1 - share))
    lost = np.zeros(count, bool)
    losing = bool(random.random() < share)
    for packet, chance in enumerate(random.random(count)):
        lost[packet] = losing
        losing = chance >= 1 / mean if losing else chance < min(begins, 1.0)
    samples = clip.samples.copy()
    samples[lost.repeat(size)[: samples.size]] = 0
    return Clip(samples, clip.rate)


def telephone(clip: Clip) -> Clip:
    """Let a sound come through a telephone; see `Clip.telephone`."""
    signal = library("scipy.signal", "The telephone band")
    narrow = _floats(clip.resample(_TELEPHONE_RATE))
    if not narrow.size:
        return Clip.silence(clip.duration, clip.rate)
    band = signal.butter(4, _TELEPHONE_HZ, "bandpass", fs=_TELEPHONE_RATE, output="sos")
    narrow = np.clip(signal.sosfilt(band, narrow), -1, 1)
    # 8 bits on a logarithmic scale, as G.711 has it.
    scaled = np.sign(narrow) * np.log1p(_MU * np.abs(narrow)) / math.log1p(_MU)
    coded = np.rint(scaled * 127) / 127
    decoded = np.sign(coded) * np.expm1(np.abs(coded) * math.log1p(_MU)) / _MU
    back = _clip(decoded, _TELEPHONE_RATE).resample(clip.rate).samples
    return Clip(np.pad(back, (0, max(0, clip.samples.size - back.size)))[: clip.samples.size], clip.rate)


def _talker(seconds: float, rate: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Make a voice: a buzz with a moving pitch through the resonances of one vowel after the other."""
    signal = library("scipy.signal", "A talker")
    base = 95 * 2 ** random.uniform(0, 1.2)
    tract = 2 ** random.uniform(-0.05, 0.25)
    parts: list[NDArray[np.float64]] = []
    made, until_pause = 0, int(random.integers(4, 12))
    phase = 0.0
    while made < seconds * rate:
        if until_pause == 0:
            pause = np.zeros(round(random.uniform(0.25, 0.7) * rate))
            until_pause = int(random.integers(4, 12))
            parts.append(pause)
            made += pause.size
            continue
        size = round(random.uniform(0.11, 0.26) * rate)
        pitch = base * 2 ** np.linspace(random.uniform(-0.25, 0.35), random.uniform(-0.25, 0.35), size)
        cycles = phase + np.cumsum(pitch) / rate
        phase = float(cycles[-1] % 1)
        # A saw: all harmonics, the high ones weaker, as the glottis makes them.
        syllable = 2 * (cycles % 1) - 1 + 0.01 * random.normal(size=size)
        for formant, bandwidth in zip(_VOWELS[int(random.integers(len(_VOWELS)))], _BANDWIDTHS, strict=True):
            if formant * tract < 0.45 * rate:
                radius = math.exp(-math.pi * bandwidth / rate)
                turn = 2 * math.cos(2 * math.pi * formant * tract / rate)
                syllable = signal.lfilter([1 - radius], [1, -radius * turn, radius**2], syllable)
        swell = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 0.5
        syllable *= swell * 10 ** (random.uniform(-6, 0) / 20) / (np.sqrt(np.mean(syllable**2)) or 1.0)
        parts.append(syllable)
        made += size
        until_pause -= 1
    return np.concatenate(parts)


def _levelled(samples: NDArray[np.float64], rate: int) -> Clip:
    """Bring a sound to the usual level."""
    gain = 10 ** (_RMS_DB / 20) / (active_rms(samples) or 1.0)
    return _clip(samples * min(gain, 1 / float(np.abs(samples).max(initial=1e-9))), rate)


def _floats(clip: Clip) -> NDArray[np.float64]:
    return clip.samples / pcm.PEAK


def _clip(samples: NDArray[np.float64], rate: int) -> Clip:
    return Clip(pcm.from_float(samples), rate)


def _number(name: str, value: float, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise AudioError(f"{name} is {value!r}, but must be a number from {low:g} to {high:g}.")
    return float(value)


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise AudioError(f"seed is {seed!r}, but must be a whole number, 0 or more.")
    return seed
