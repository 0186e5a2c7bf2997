from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stepnb as sn
from scripts.example_conversation import Stage, room, said
from stepnb.audio import vad
from stepnb.plots import fit
from stepnb.plots.whatif import RULE, VadLab
from stepnb.protocol import events as ev
from stepnb.protocol.config import ServerVAD
from tests.unit.plots._ink import RED, inked
from tests.unit.plots.test_scene import burst, example

# Quiet and loud speech: the scale is known only as far as some of it is near the threshold.
GAINS = (0.15, 0.25, 0.5, 1.0, 2.0, 3.5)
WIRE = ServerVAD(prefix_padding_ms=300, silence_duration_ms=400, energy_awakeness_threshold=1500)


def speech(*parts: tuple[float, int]) -> sn.Clip:
    """Each part is (s, RMS)."""
    clip = sn.Clip([], 24000)
    for seconds, level in parts:
        clip += burst(seconds, level)
    return clip


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0, 900, 4000])), max_size=8), st.integers(0, 1000)
)
def test_judging_at_once_is_what_the_engine_hears_live(parts: list[tuple[int, int]], silence: int) -> None:
    clip = speech(*((frames * 0.02, level) for frames, level in parts))
    live = vad.EnergyVAD(prefix_padding_ms=300, silence_duration_ms=silence, energy_awakeness_threshold=1500)
    energy = vad.frame_energy(clip.samples, vad.FRAME)
    found = vad.decide(energy, prefix_padding_ms=300, silence_duration_ms=silence, threshold=1500)
    assert found == live.feed(clip.pcm)


def test_turns_words_and_waits_of_a_known_sound() -> None:
    # Two sentences; the first has a pause of 0.6 s in it.
    clip = speech((1.0, 0), (0.8, 4000), (0.6, 0), (0.4, 4000), (3.0, 0), (1.2, 4000), (1.0, 0))
    lab = sn.vad_lab(clip)
    assert isinstance(lab, VadLab) and len(lab.words) == 2 + 1 + 3
    patient = lab.outcome(silence_duration_ms=800)
    assert [(round(t.onset, 2), round(t.end, 2)) for t in patient.turns] == [(1.0, 3.6), (5.8, 7.8)]
    assert (patient.cut_off, patient.false_turns, patient.endless) == (0, 0, 0)
    assert patient.wait_ms == pytest.approx(800, abs=20) and patient.longest_wait_ms == pytest.approx(
        800, abs=20
    )
    hasty = lab.outcome(silence_duration_ms=300)
    assert len(hasty.turns) == 3 and hasty.cut_off == 1, "the end of the first sentence falls into the answer"
    assert hasty.wait_ms == pytest.approx(300, abs=20)
    deaf = lab.outcome(energy_awakeness_threshold=5000)
    assert not deaf.turns and deaf.cut_off == 6 and deaf.wait_ms is None
    assert "3 of 6" not in repr(hasty) and "1 of 6 words cut off" in repr(hasty)


def test_the_best_setting_follows_the_rule() -> None:
    clip = speech((1.0, 0), (0.8, 4000), (0.6, 0), (0.4, 4000), (3.0, 0), (1.2, 4000), (1.0, 0))
    lab = sn.vad_lab(clip)
    best = lab.best(silence_duration_ms=[300, 500, 700, 900], energy_awakeness_threshold=[1000, 3000, 5000])
    # Nothing cut off; of 700 and 900 the shorter wait; of 1000 and 3000 the higher threshold.
    assert (best.vad.silence_duration_ms, best.vad.energy_awakeness_threshold) == (700, 3000)
    table = lab.grid(silence_duration_ms=[300, 500, 700, 900], energy_awakeness_threshold=[1000, 3000, 5000])
    assert len(table) == 12 and table.attrs["rule"] == RULE
    first = table.iloc[0]
    assert (first.silence_duration_ms, first.energy_awakeness_threshold, first.cut_off) == (700, 3000, 0)
    with pytest.raises(sn.ConfigError, match="grid is empty"):
        lab.best(silence_duration_ms=[])


def test_noise_makes_turns_false_or_endless_and_words_stay_those_of_the_clean_sound() -> None:
    clip = speech((3.0, 0), (1.0, 6000), (2.0, 0))
    lab = sn.vad_lab(clip, noise=sn.Clip.pink_noise(10, seed=1), snr_db=6)
    assert len(lab.words) == 3
    low, high = lab.outcome(energy_awakeness_threshold=500), lab.outcome(energy_awakeness_threshold=4500)
    assert low.endless == 1 and low.wait_ms is None
    assert len(high.turns) == 1 and high.endless == 0 and high.cut_off == 0
    assert lab.best().vad.energy_awakeness_threshold >= 3500
    assert lab.with_noise(40).outcome(energy_awakeness_threshold=500).endless == 0
    with pytest.raises(sn.ConfigError, match="no noise"):
        sn.vad_lab(clip).with_noise(3)


@pytest.mark.parametrize("scale", [0.25, 1.0, 2.5])
def test_the_scale_of_a_service_that_counts_otherwise_is_found(scale: float) -> None:
    """The service of this recording hears with the same VAD, in other units."""
    speech_in_room = [(1.0 + 4 * n, said(1.2 + 0.2 * n, 30 + n, gain)) for n, gain in enumerate(GAINS)]
    clip = room(27.0, *speech_in_room)
    stage = Stage(vad=dataclasses.asdict(WIRE))
    stage.microphone(clip)
    found = vad.decide(
        vad.frame_energy(clip.samples, vad.FRAME),
        prefix_padding_ms=WIRE.prefix_padding_ms,
        silence_duration_ms=WIRE.silence_duration_ms,
        threshold=WIRE.energy_awakeness_threshold * scale,
    )
    assert len(found) >= 4
    for n, event in enumerate(found):
        if isinstance(event, vad.SpeechStarted):
            stage.came(
                event.onset / 24000 + 0.1,
                ev.SpeechStarted(item_id=f"u{n}", audio_start_ms=event.audio_start_ms),
            )
        else:
            stage.came(
                event.end / 24000 + 0.1,
                ev.SpeechStopped(item_id=f"u{n - 1}", audio_end_ms=event.audio_end_ms),
            )
    lab = sn.vad_lab(stage.recording())
    assert lab.scale == pytest.approx(scale, rel=0.15)
    assert lab.agreement is not None and lab.agreement > 0.98
    assert lab.vad == WIRE
    # Under the recording's own setting the lab does what the service did.
    stops = [event.end / 24000 for event in found if isinstance(event, vad.SpeechStopped)]
    assert [turn.end for turn in lab.outcome().turns] == pytest.approx(stops, abs=0.1)


def test_settings_that_changed_and_connections_that_broke_are_followed() -> None:
    stage = Stage(vad=dataclasses.asdict(WIRE))
    stage.microphone(room(12.0, (1.0, said(1.0, 3)), (7.0, said(1.0, 4))))
    stage.heard("u1", 1.0, 2.0, "One")
    stage.sent(
        4.0,
        ev.SessionUpdate(session=ev.SessionInfo(turn_detection=ev.TurnDetection(silence_duration_ms=900))),
    )
    stage.lost(5.0, 6.0)
    stage.heard("u2", 7.0, 8.0, "Two", stream=5.0)
    clip, heard = fit.microphone_of(stage.recording())
    assert clip.duration == 12.0
    assert [piece.vad.silence_duration_ms for piece in heard] == [400, 900]
    assert heard[1].start == pytest.approx(6.5, abs=0.05) and heard[1].end == pytest.approx(8.5, abs=0.05)


def test_the_picture_shows_words_that_are_cut_off_in_red() -> None:
    clip = speech((1.0, 0), (0.8, 4000), (0.6, 0), (0.4, 4000), (2.0, 0))
    lab = sn.vad_lab(clip)
    for silence, red in ((800, False), (300, True)):
        figure = lab.plot(ServerVAD(silence_duration_ms=silence))
        ax = figure.axes[0]
        ink = inked(figure, ax, RED)
        assert ink.any() == red
        if red:
            at = np.flatnonzero(ink.any(axis=0)) / ink.shape[1] * ax.get_xlim()[1]
            assert at.min() == pytest.approx(2.4, abs=0.05) and at.max() == pytest.approx(2.8, abs=0.05)
    assert lab.plot(since=1, until=2).axes[0].get_xlim() == (1, 2)
    with pytest.raises(sn.ConfigError, match="since is 3"):
        lab.plot(since=3, until=2)


@pytest.mark.parametrize(
    "clip",
    [
        sn.Clip.silence(1),
        sn.Clip(np.full(24000, 20000, np.int16), 24000),
        sn.Clip(np.ones(480, np.int16), 24000),
    ],
)
def test_silence_and_noise_alone_give_a_picture(clip: sn.Clip) -> None:
    lab = sn.vad_lab(clip)
    lab.plot()._repr_png_()  # type: ignore[attr-defined]
    assert lab.best().cut_off == 0


@pytest.mark.parametrize("what", [sn.Clip([], 24000), "x", Stage(keep_audio="none").recording()], ids=repr)
def test_what_has_no_sound_is_named(what: Any) -> None:
    with pytest.raises(sn.ConfigError, match="no sound"):
        sn.vad_lab(what)


def test_wrong_parameters_are_named() -> None:
    lab = sn.vad_lab(burst(1.0))
    with pytest.raises(sn.ConfigError, match="A VAD has no treshold"):
        lab.outcome(treshold=1)
    with pytest.raises(sn.ConfigError, match="energy_awakeness_threshold is 6000"):
        lab.outcome(energy_awakeness_threshold=6000)


def test_sliders_draw_what_they_say_and_the_newest_only() -> None:
    from stepnb.widgets.vad_lab import Sliders

    lab = sn.vad_lab(example(), noise=sn.Clip.pink_noise(5))
    sliders = Sliders(lab)
    before = sliders.image.value
    for value in range(1000, 4000, 100):
        sliders.threshold.value = value
    sliders.snr.value = 3
    assert sliders.settled.wait(30)
    assert lab.vad.energy_awakeness_threshold == 3900 and sliders.trouble.value == ""
    assert sliders.image.value != before
    bundle = sliders.bundle()
    assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(bundle)
    assert bundle["text/plain"].startswith("VadLab(32.0 s, ")
