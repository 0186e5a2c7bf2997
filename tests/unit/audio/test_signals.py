from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import signal

from stepnb.audio import signals, spectrum
from stepnb.audio.analysis import speech_segments
from stepnb.audio.clip import Clip
from stepnb.errors import AudioError


def tone(hz: float = 440, seconds: float = 1.0, rate: int = 24000, amplitude: float = 0.2) -> Clip:
    return Clip(amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate), rate)


def db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=float))))


@pytest.mark.parametrize("snr", [-10, 0, 7.5, 30])
@pytest.mark.parametrize("padded", [False, True])
def test_the_signal_to_noise_ratio_is_what_was_asked_for(snr: float, padded: bool) -> None:
    clip = tone()
    if padded:  # pauses do not count
        clip = Clip.silence(1) + clip + Clip.silence(3)
    noise = Clip.pink_noise(0.7, seed=3)
    mixed = clip.mix(noise, snr)
    assert mixed.duration == clip.duration
    # What part of the mix is the tone, and what is left without it.
    active = clip.samples != 0
    tones, mix = clip.samples[active].astype(float), mixed.samples[active].astype(float)
    gain = float(mix @ tones / (tones @ tones))
    rest = mixed.samples - gain * clip.samples
    assert db(gain * tones) - db(rest) == pytest.approx(snr, abs=0.2)
    assert np.abs(mixed.samples.astype(int)).max() <= 32767


def test_mixing_turns_down_instead_of_clipping() -> None:
    mixed = tone(amplitude=0.9).mix(Clip.pink_noise(1), 0)
    assert not np.abs(mixed.samples.astype(int)).max() < 32760
    assert np.count_nonzero(np.abs(mixed.samples.astype(int)) >= 32767) <= 2


def test_pink_noise_has_equal_power_in_every_octave() -> None:
    noise = Clip.pink_noise(30, seed=1)
    hz, density = signal.welch(noise.samples / 32768, 24000, nperseg=8192)
    powers = [density[(hz >= low) & (hz < 2 * low)].sum() for low in (100, 200, 400, 800, 1600, 3200)]
    assert np.ptp(10 * np.log10(powers)) < 0.7
    assert db(noise.samples / 32768) == pytest.approx(-26, abs=0.5)


def test_a_talker_sounds_like_a_voice_to_the_detectors() -> None:
    voice = signals.talker(10, seed=3)
    median = spectrum.pitch(voice).median
    assert median is not None and 80 < median < 280
    segments = speech_segments(voice, energy_awakeness_threshold=500, silence_duration_ms=200)
    assert 3 <= len(segments) <= 12  # phrases with pauses between them


def test_babble_is_many_voices_and_has_hardly_a_pause() -> None:
    speech = [signals.talker(4, seed=n) for n in range(3)]
    for babble in (Clip.babble(4, seed=2), Clip.babble(4, seed=2, speech=speech)):
        assert babble.duration == 4
        rms = np.sqrt(np.mean(np.square(babble.samples[4800:].reshape(-1, 4800).astype(float)), axis=1))
        assert rms.min() > 0.25 * rms.max()


def test_an_echo_comes_back_at_its_delay_and_level() -> None:
    click = np.zeros(2400, np.int16)
    click[100] = 20000
    heard = Clip(click, 24000).echo(250, -6)
    assert heard.duration == pytest.approx(0.1 + 0.25)
    assert np.flatnonzero(heard.samples).tolist() == [100, 100 + 6000]
    assert heard.samples[6100] == pytest.approx(20000 * 10 ** (-6 / 20), abs=1)


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1), (0.1, 1), (0.1, 5), (0.5, 3), (1.0, 1)])
def test_packets_are_lost_at_their_rate_and_in_bursts(rate: float, burst: float) -> None:
    size = 480
    clip = Clip(np.full(20000 * size, 1000, np.int16), 24000)
    lost = clip.packet_loss(rate, burst=burst, seed=5).samples.reshape(-1, size) == 0
    assert (lost.all(axis=1) | ~lost.any(axis=1)).all(), "packets are lost whole"
    packets = lost[:, 0]
    assert packets.mean() == pytest.approx(rate, abs=0.03)
    if 0 < rate < 1:
        edges = np.flatnonzero(np.diff(packets, prepend=False, append=False)).reshape(-1, 2)
        # Independent losses come in runs of 1 / (1 - rate).
        assert np.diff(edges, axis=1).mean() == pytest.approx(burst, rel=0.15)


@pytest.mark.parametrize(
    ("hz", "least", "most"), [(100, -200, -20), (1000, -3, 0.5), (2500, -3, 0.5), (6000, -200, -30)]
)
def test_the_telephone_lets_through_its_band(hz: float, least: float, most: float) -> None:
    clip = tone(hz)
    heard = clip.telephone()
    assert heard.rate == 24000 and heard.duration == clip.duration
    passed = db(heard.samples[2400:-2400] / 32768 + 1e-9) - db(clip.samples / 32768)
    assert least <= passed <= most


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: Clip.pink_noise(0.5, seed=seed),
        lambda seed: Clip.babble(0.5, seed=seed),
        lambda seed: signals.talker(0.5, seed=seed),
        lambda seed: tone().packet_loss(0.3, seed=seed),
    ],
)
def test_a_seed_gives_the_same_sound_and_another_seed_another(make: Callable[[int], Clip]) -> None:
    assert make(1) == make(1)
    assert make(1) != make(2)


def test_empty_and_tiny_clips_come_back() -> None:
    empty = Clip([], 24000)
    assert (
        empty.echo(0)
        == empty
        == empty.packet_loss(0.5)
        == empty.telephone()
        == Clip.pink_noise(0)
        == Clip.babble(0)
    )
    for size in (1, 2, 17):
        clip = Clip(np.full(size, 5000, np.int16), 24000)
        for heard in (clip.telephone(), clip.packet_loss(0.5), clip.echo(0), clip.mix(clip, 10)):
            assert heard.samples.size == size


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: tone().mix(Clip([], 24000), 0), "noise is empty"),
        (lambda: Clip([], 24000).mix(tone(), 0), "clip is empty"),
        (lambda: Clip.silence(1).mix(tone(), 0), "clip is silent"),
        (lambda: tone().mix(Clip.silence(1), 0), "noise is silent"),
        (lambda: tone().mix(tone(), float("nan")), "snr_db is nan"),
        (lambda: tone().echo(-1), "delay_ms is -1"),
        (lambda: tone().echo(10, 3), "gain_db is 3"),
        (lambda: tone().packet_loss(1.5), "rate is 1.5"),
        (lambda: tone().packet_loss(0.5, seed=-1), "seed is -1"),
        (lambda: Clip.babble(1, voices=0), "voices is 0"),
        (lambda: Clip.babble(1, speech=[Clip.silence(1)]), "silent"),
    ],
)
def test_wrong_arguments_are_named(make: Callable[[], Clip], says: str) -> None:
    with pytest.raises(AudioError, match=says):
        make()
