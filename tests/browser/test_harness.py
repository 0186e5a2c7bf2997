"""The browser tests' own instruments, tried on a bare anywidget in real JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser._lab import CellFailed, Lab, Notebook
from tests.browser._signal import RATE, Sound, espeak, silence, tone
from tests.browser._sound import Mouth, PulseServer, Recorder
from tests.browser.conftest import OpenNotebook

# Sends the microphone to the kernel as it is, 20 ms at a time, and plays a sine when told to.
PROBE = '''
import time, anywidget, numpy as np

class Probe(anywidget.AnyWidget):
    _esm = """
    const TAP = `registerProcessor("tap", class extends AudioWorkletProcessor {
      process([[input]]) { if (input) this.port.postMessage(input.slice()); return true; }
    })`;
    export default {
      render({ model, el, signal }) {
        const button = document.createElement("button");
        button.textContent = "Start";
        button.onclick = async () => {
          try {
            const context = new AudioContext({ latencyHint: "interactive" });
            const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
            const stream = await navigator.mediaDevices.getUserMedia({ audio: raw });
            await context.audioWorklet.addModule(URL.createObjectURL(new Blob([TAP], { type: "text/javascript" })));
            const tap = new AudioWorkletNode(context, "tap");
            let n = 0, frame = [];
            tap.port.onmessage = ({ data }) => {
              frame.push(...data);
              if (frame.length < context.sampleRate / 50) return;
              model.send({ n: n++ }, undefined, [Int16Array.from(frame, (x) => Math.round(x * 32767)).buffer]);
              frame = [];
            };
            context.createMediaStreamSource(stream).connect(tap);
            model.on("msg:custom", ({ hz, seconds }) => {
              const sine = new OscillatorNode(context, { frequency: hz });
              sine.connect(new GainNode(context, { gain: 0.25 })).connect(context.destination);
              sine.start();
              sine.stop(context.currentTime + seconds);
            });
            signal.addEventListener("abort", () => { stream.getTracks().forEach((t) => t.stop()); context.close(); });
            button.textContent = `Live at ${context.sampleRate} Hz`;
          } catch (error) {
            button.textContent = error.name;
          }
        };
        el.append(button);
      },
    };
    """

probe, frames = Probe(), []
probe.on_msg(lambda _, content, buffers: frames.append((content["n"], time.monotonic(), bytes(buffers[0]))))
probe
'''
SAVE = """
sizes = [len(pcm) // 2 for _, _, pcm in frames]
np.savez("frames.npz", n=[n for n, _, _ in frames], at=[at for _, at, _ in frames], size=sizes,
         samples=np.frombuffer(b"".join(pcm for _, _, pcm in frames), np.int16))
"""
PLAY = 'sent = time.monotonic(); probe.send({"hz": %s, "seconds": %s}); print(sent)'


class Frames(TypedDict):
    n: NDArray[np.int64]
    at: NDArray[np.float64]
    size: NDArray[np.int64]
    samples: NDArray[np.int16]


@pytest.fixture
def probe(open_notebook: OpenNotebook, ear: Recorder, mouth: Mouth) -> Notebook:
    """A notebook whose first cell shows the live probe."""
    notebook = open_notebook(PROBE)
    notebook.run(0)
    notebook.cell(0).get_by_role("button", name="Start").click()
    notebook.cell(0).get_by_role("button", name=f"Live at {RATE} Hz").wait_for()
    return notebook


def frames_of(probe: Notebook) -> Frames:
    probe.execute(SAVE)
    with np.load(probe.path.parent / "frames.npz") as saved:
        return Frames(n=saved["n"], at=saved["at"], size=saved["size"], samples=saved["samples"])


def arrival_of(heard: Frames, sample: int) -> float:
    """When the kernel got the frame with that sample."""
    return float(heard["at"][np.searchsorted(np.cumsum(heard["size"]), sample, side="right")])


def test_mouth_reaches_the_kernel(probe: Notebook, mouth: Mouth, figure: Callable[[str], None]) -> None:
    latencies = []
    for said in (tone(700, 0.5), tone(1900, 0.5, level=1500)):
        begun, ended = mouth.say(said).wait()
        probe.execute("pass")  # the frames sent before it have arrived when it is done
        heard = frames_of(probe)
        assert (np.diff(heard["n"]) == 1).all()
        skip = int(
            heard["size"][: np.searchsorted(heard["at"], begun)].sum()
        )  # what the kernel got before it was said
        sound = Sound(heard["samples"][skip:])
        span = sound.span()
        assert span is not None
        # On a machine with more work than cores the capture stutters: count sound, not the time between.
        assert sound.active_seconds() == pytest.approx(ended - begun, rel=0.08)
        core = Sound(sound.samples[round((span[0] + 0.05) * RATE) : round((span[1] - 0.05) * RATE)])
        assert core.dominant_hz() == pytest.approx(said.dominant_hz(), rel=0.01)
        assert np.median(core.envelope()) == pytest.approx(np.median(said.envelope()), rel=0.05)
        latencies.append(arrival_of(heard, skip + round(span[0] * RATE)) - begun)
    figure(f"harness: mouth to kernel, 20 ms frame included: {_ms(latencies)}")


def energy(sound: Sound) -> float:
    """The sum of squares: silence between makes no difference."""
    return float((sound.samples.astype(float) ** 2).sum())


def test_speech_reaches_the_kernel_undamaged(probe: Notebook, mouth: Mouth) -> None:
    begun, ended = mouth.say("What time is it?").wait()
    in_microphone = mouth.heard.between(begun, ended)
    sound = Sound(frames_of(probe)["samples"])
    assert sound.active_seconds() == pytest.approx(in_microphone.active_seconds(), rel=0.05)
    assert energy(sound) == pytest.approx(energy(in_microphone), rel=0.05)


def test_kernel_reaches_the_ear(probe: Notebook, ear: Recorder, figure: Callable[[str], None]) -> None:
    latencies = []
    for hz in (1000, 1500, 2500):
        sent = float(probe.execute(PLAY % (hz, 0.4)))
        begun = ear.wait_for_sound(after=sent)
        ended = ear.wait_for_silence(after=begun, hold_ms=100)
        # On a machine with more work than cores the browser's output stutters: count sound, not the time between.
        heard = ear.between(begun, ended)
        assert heard.active_seconds() == pytest.approx(0.4, rel=0.05)
        assert heard.dominant_hz() == pytest.approx(hz, rel=0.01)
        assert np.median(heard.envelope()) == pytest.approx(0.25 / np.sqrt(2) * 32767, rel=0.03)
        latencies.append(begun - sent)
    figure(f"harness: kernel to ear: {_ms(latencies)}")


def test_microphone_and_loudspeaker_go_on_while_a_cell_sleeps(
    probe: Notebook, ear: Recorder, mouth: Mouth
) -> None:
    """A bare comm is held up by a busy kernel, but nothing may be lost; the page goes on playing meanwhile."""
    started = float(probe.execute(PLAY % (600, 3)))
    ear.wait_for_sound(after=started)
    busy = probe.start(probe.add("time.sleep(1.5); print(time.monotonic())"))
    probe.wait_for_kernel("busy")
    begun, ended = mouth.say(tone(900, 0.3)).wait()
    woke = float(busy.wait())
    assert ended < woke, "it was said while the cell slept"
    assert ear.between(begun, woke).silent_from(hold_ms=300) is None
    heard = frames_of(probe)
    assert (np.diff(heard["n"]) == 1).all()
    assert Sound(heard["samples"]).active_seconds() == pytest.approx(0.3, abs=0.01)


def test_mouth_and_ear_agree_on_time(
    pulse: PulseServer, ear: Recorder, mouth: Mouth, figure: Callable[[str], None]
) -> None:
    latencies = pulse.loop_latency(ear)
    assert all(0 <= latency < 0.1 for latency in latencies)
    figure(f"harness: a player's pipe to the ear: {_ms(latencies)}")
    speech = mouth.say(tone(500, 5))
    begun = speech.started()
    speech.stop()
    assert mouth.heard.wait_for_silence(after=begun) - begun < 4, "it was broken off"


def test_a_cell_that_fails_says_why(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook("1 + 1", "1 / 0")
    assert notebook.run(0) == "2"
    with pytest.raises(CellFailed, match="ZeroDivisionError"):
        notebook.run(1)


def test_errors_of_the_page_are_seen(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook()
    assert notebook.errors == []
    with notebook.page.expect_event("pageerror"):
        notebook.page.evaluate(
            "() => { console.error('odd'); setTimeout(() => { throw new Error('thrown'); }); }"
        )
    assert [e.split(":")[0] for e in notebook.errors] == ["console", "uncaught"]
    notebook.allow_error("odd|thrown")
    assert notebook.errors == []


def test_restart_and_reload(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook("x = 7; print(x)")
    notebook.run(0)
    notebook.reload()
    assert notebook.text(0) == "7"
    assert notebook.execute("x") == "7", "the kernel has outlived the reload"
    notebook.restart_kernel()
    with pytest.raises(CellFailed, match="NameError"):
        notebook.execute("x")


def test_themes_and_screenshots(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook("1")
    pictures = {}
    for theme in ("dark", "light"):
        notebook.theme(theme)
        pictures[theme] = notebook.screenshot(f"harness-{theme}").read_bytes()
    assert pictures["dark"] != pictures["light"]


def test_second_page_has_the_same_kernel(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook("x = 7")
    notebook.run(0)
    second = lab.open_again(notebook)
    assert second.execute("x") == "7"
    second.page.close()


def test_the_microphone_can_be_denied(open_notebook: OpenNotebook, lab: Lab, mouth: Mouth) -> None:
    notebook = open_notebook(PROBE)
    notebook.run(0)
    lab.allow_microphone(False)
    notebook.cell(0).get_by_role("button", name="Start").click()
    notebook.cell(0).get_by_role("button", name="NotAllowedError").wait_for()


def test_sound_measures() -> None:
    sound = Sound(
        np.concatenate([silence(0.2).samples, tone(440, 0.3).samples, silence(0.5).samples]), RATE, 10.0
    )
    assert sound.onset() == pytest.approx(10.2, abs=0.002)
    assert sound.onset(after=10.4) == pytest.approx(10.4, abs=0.002)
    assert sound.onset(after=10.6) is None
    assert sound.silent_from(after=10.3) == pytest.approx(10.5, abs=0.002)
    assert sound.silent_from(after=10.0) == pytest.approx(10.0, abs=0.002)
    assert sound.silent_from(after=10.3, hold_ms=600) is None
    assert sound.span() == pytest.approx((10.2, 10.5), abs=0.002)
    assert sound.active_seconds() == pytest.approx(0.3, abs=0.002)
    assert tone(440, 0.3, level=2000).rms == pytest.approx(2000, rel=0.001)
    assert tone(440, 0.3).dominant_hz() == pytest.approx(440, rel=0.001)
    assert Sound(np.zeros(0, np.int16)).span() is None


def test_espeak_speaks(mouth: Mouth) -> None:
    speech = espeak("Hello there")
    assert 0.3 < speech.duration < 2
    assert speech.rms > 500


def _ms(seconds: list[float]) -> str:
    return f"median {np.median(seconds) * 1000:.1f} ms of {[round(s * 1000, 1) for s in seconds]}"
