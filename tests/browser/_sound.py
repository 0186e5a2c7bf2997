"""An ear and a mouth for the browser: a private PulseAudio server with a loudspeaker and a microphone of our own.

The browser plays into the null sink ``ear`` and listens to the source ``mic``, which carries whatever is played into
the null sink ``mouth``. Both sinks are recorded all the time, so what was heard, and when, is measured and never
inferred.
All times are seconds of CLOCK_MONOTONIC: what `time.monotonic` gives, in the kernel's process as well as here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.browser._signal import FRAME_S, LEVEL, RATE, Sound, espeak, tone

KEEP_S = 120

PROGRAMS = {"pulseaudio": "pulseaudio", "pactl": "pulseaudio-utils", "espeak-ng": "espeak-ng"}
"""The programs needed, each with the Debian package that has it."""

STARTUP_SCRIPT = """
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=ear rate={rate} channels=1 format=s16le norewinds=1
load-module module-null-sink sink_name=mouth rate={rate} channels=1 format=s16le norewinds=1
load-module module-remap-source source_name=mic master=mouth.monitor
set-default-sink ear
set-default-source mic
"""


def missing_programs() -> list[str]:
    """The Debian packages to install before sound can be tested."""
    return sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})


class Recorder:
    """Records one sink all the time, and keeps the last two minutes.

    A sink renders a block when its first sample is due, by CLOCK_MONOTONIC. So a sample's time is its number over the
    rate, plus a constant: the least one seen nearby, since a chunk can arrive late but never early.
    """

    def __init__(self, pulse: PulseServer, sink: str) -> None:
        self._chunks: deque[tuple[int, float, bytes]] = deque()  # number of the first sample, offset (s), PCM
        self._total = 0
        self._changed = threading.Condition()
        self._ended = False
        command = [
            "parec",
            f"--device={sink}.monitor",
            "--format=s16le",
            f"--rate={RATE}",
            "--channels=1",
            "--raw",
        ]
        self._parec = subprocess.Popen(
            [*command, "--latency-msec=10"], stdout=subprocess.PIPE, env=pulse.client_env, bufsize=0
        )
        self._thread = threading.Thread(target=self._read, name=f"recorder-{sink}", daemon=True)
        self._thread.start()
        self._wait(lambda: bool(self._chunks), until=time.monotonic() + 10, what=f"recording of {sink}")

    def close(self) -> None:
        """Stop recording."""
        self._parec.terminate()
        self._parec.wait(timeout=10)
        self._thread.join(timeout=10)
        assert self._parec.stdout is not None
        self._parec.stdout.close()

    def between(self, start: float, end: float) -> Sound:
        """What was heard between two moments, s; waits for the last of it to arrive."""
        self._wait(lambda: self._heard_until() >= end, until=end + 5, what=f"recording up to {end:.3f} s")
        with self._changed:
            near = [c for c in self._chunks if start - 2 <= c[1] + c[0] / RATE <= end + 2]
        offset = min(c[1] for c in near)
        first = round((start - offset) * RATE) - near[0][0]
        if first < 0:
            raise LookupError(
                f"only the last {KEEP_S} s are kept, and nothing from before the recorder started"
            )
        pcm = np.frombuffer(b"".join(c[2] for c in near), np.int16)
        stop = round((end - offset) * RATE) - near[0][0]
        return Sound(pcm[first:stop], RATE, start)

    def since(self, start: float) -> Sound:
        """What was heard from a moment until now."""
        return self.between(start, time.monotonic())

    def wait_for_sound(self, *, after: float, timeout: float = 10, level: float = LEVEL) -> float:
        """Wait until sound begins at or after a moment; returns when, s.

        Raises
        ------
        TimeoutError
            If nothing is heard for `timeout` seconds.
        """
        return self._watch(lambda s: s.onset(after=after, level=level), after, timeout, "sound")

    def wait_for_silence(
        self, *, after: float, hold_ms: float = 300, timeout: float = 30, level: float = LEVEL
    ) -> float:
        """Wait until it has been silent for `hold_ms`, beginning at or after a moment; returns since when, s.

        Raises
        ------
        TimeoutError
            If it does not fall silent within `timeout` seconds.
        """
        return self._watch(
            lambda s: s.silent_from(after=after, hold_ms=hold_ms, level=level), after, timeout, "silence"
        )

    def _watch(self, find: Callable[[Sound], float | None], after: float, timeout: float, what: str) -> float:
        until = time.monotonic() + timeout
        while True:
            self._wait(lambda: self._heard_until() > after + FRAME_S, until, what)
            with self._changed:
                seen = self._total
            found = find(self.between(after, self._heard_until()))
            if found is not None:
                return found
            self._wait(lambda seen=seen: self._total > seen, until, what)

    def _wait(self, ready: Callable[[], bool], until: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: ready() or self._ended, max(0.0, until - time.monotonic())):
                raise TimeoutError(f"no {what} in time")
            if self._ended:
                raise RuntimeError("the recorder has ended: is the PulseAudio server still running?")

    def _heard_until(self) -> float:
        with self._changed:
            return self._chunks[-1][1] + self._total / RATE if self._chunks else 0.0

    def _read(self) -> None:
        assert self._parec.stdout is not None
        rest = b""
        while data := self._parec.stdout.read(65_536):
            now = time.monotonic()
            data = rest + data
            rest = data[len(data) // 2 * 2 :]
            pcm = data[: len(data) // 2 * 2]
            with self._changed:
                first = self._total
                self._total += len(pcm) // 2
                self._chunks.append((first, now - first / RATE, pcm))
                while self._total - self._chunks[0][0] > KEEP_S * RATE:
                    self._chunks.popleft()
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Speech:
    """Something being said into the microphone."""

    def __init__(self, process: subprocess.Popen[bytes], heard: Recorder, said: float, sound: Sound) -> None:
        self._process = process
        self._heard = heard
        self._said = said
        self.sound = sound

    def started(self, timeout: float = 5) -> float:
        """Wait for the first audible sample in the microphone; returns when it was, s."""
        return self._heard.wait_for_sound(after=self._said, timeout=timeout)

    def wait(self) -> tuple[float, float]:
        """Wait until all is said; returns when sound began and ended in the microphone, s."""
        self._process.wait(timeout=self.sound.duration + 10)
        span = self._heard.since(self._said).span()
        if self._process.returncode or span is None:
            raise RuntimeError(f"nothing reached the microphone (pacat exit code {self._process.returncode})")
        return span

    def stop(self) -> None:
        """Break off in mid-word."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=10)


class Mouth:
    """Speaks into the browser's microphone."""

    def __init__(self, pulse: PulseServer) -> None:
        self._pulse = pulse
        self._speeches: list[Speech] = []
        self.heard = Recorder(pulse, "mouth")
        """What the microphone really carried."""

    def say(self, sound: Sound | str) -> Speech:
        """Begin to say something (a sentence is spoken by espeak-ng) and return at once."""
        if isinstance(sound, str):
            sound = espeak(sound)
        said = time.monotonic()
        speech = Speech(self._pulse.play("mouth", sound), self.heard, said, sound)
        self._speeches.append(speech)
        return speech

    def hush(self) -> None:
        """Break off everything still being said."""
        for speech in self._speeches:
            speech.stop()
        self._speeches.clear()

    def close(self) -> None:
        """Stop speaking and recording."""
        self.hush()
        self.heard.close()


class PulseServer:
    """A PulseAudio server of our own: private folder, no hardware, gone at `close`.

    Should the tests be killed before they close it, it ends by itself half an hour after its last client; tests that
    make no sound take minutes.
    """

    def __init__(self) -> None:
        self._folder = Path(
            tempfile.mkdtemp(prefix="stepnb-pulse-")
        )  # short: a socket's path has at most 107 bytes
        socket = self._folder / "native"
        script = self._folder / "startup.pa"
        script.write_text(STARTUP_SCRIPT.format(socket=socket, rate=RATE), encoding="utf-8")
        self.client_env = {**os.environ, "PULSE_SERVER": f"unix:{socket}"}
        """Environment of a program that is to hear and speak here."""
        private = ("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH")
        self._server_env = {**os.environ, **dict.fromkeys(private, str(self._folder))}
        configuration = self._folder / "daemon.conf"
        configuration.write_text(f"default-sample-rate = {RATE}\n", encoding="utf-8")  # the browser's rate
        self._server_env["PULSE_CONFIG"] = str(configuration)
        log = self._folder / "log"
        # With --daemonize the command returns when the server is ready, and fails if it cannot be.
        options = [
            "--daemonize=yes",
            "--system=no",
            "--use-pid-file=yes",
            "--exit-idle-time=1800",
            "-n",
            "-F",
            str(script),
        ]
        started = subprocess.run(
            ["pulseaudio", *options, f"--log-target=file:{log}"],
            env=self._server_env,
            capture_output=True,
            timeout=30,
        )
        if started.returncode:
            raise RuntimeError(
                f"PulseAudio did not start: {log.read_text() if log.exists() else started.stderr!r}"
            )

    def play(self, sink: str, sound: Sound) -> subprocess.Popen[bytes]:
        """Begin to play a sound into a sink; the process ends when it has been played."""
        handle, path = tempfile.mkstemp(suffix=".pcm", dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            file.write(sound.samples.tobytes())
        command = [
            "pacat",
            "--playback",
            f"--device={sink}",
            "--format=s16le",
            f"--rate={sound.rate}",
            "--channels=1",
        ]
        return subprocess.Popen([*command, "--raw", "--latency-msec=200", path], env=self.client_env)

    @contextlib.contextmanager
    def echo(self, delay_ms: int = 60) -> Iterator[None]:
        """Let the microphone hear the loudspeaker, as in a room without headphones."""
        with self._module(
            "module-loopback", "source=ear.monitor", "sink=mouth", f"latency_msec={delay_ms}", "adjust_time=0"
        ):
            yield

    @contextlib.contextmanager
    def unplugged(self) -> Iterator[None]:
        """Take the microphone away for a while."""
        modules = self._pactl("list", "short", "modules").splitlines()
        (number,) = [line.split()[0] for line in modules if "module-remap-source" in line]
        self._pactl("unload-module", number)
        try:
            yield
        finally:
            self._pactl("load-module", "module-remap-source", "source_name=mic", "master=mouth.monitor")
            self._pactl("set-default-source", "mic")

    @contextlib.contextmanager
    def _module(self, *arguments: str) -> Iterator[None]:
        number = self._pactl("load-module", *arguments)
        try:
            yield
        finally:
            self._pactl("unload-module", number)

    def _pactl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pactl", *arguments], env=self.client_env, check=True, timeout=10, capture_output=True, text=True
        )
        return done.stdout.strip()

    def loop_latency(self, ear: Recorder, repeats: int = 5) -> list[float]:
        """How long a click takes from a player's pipe to the recorder, s: the error of everything measured here."""
        command = [
            "pacat",
            "--playback",
            "--device=ear",
            "--format=s16le",
            f"--rate={RATE}",
            "--channels=1",
            "--raw",
        ]
        player = subprocess.Popen(
            [*command, "--latency-msec=10"], stdin=subprocess.PIPE, env=self.client_env, bufsize=0
        )
        assert player.stdin is not None
        latencies = []
        try:
            for _ in range(repeats + 1):
                written = time.monotonic()
                player.stdin.write(tone(1000, 0.03).samples.tobytes())
                latencies.append(ear.wait_for_sound(after=written) - written)
                ear.wait_for_silence(after=written + 0.02, hold_ms=100)
        finally:
            player.stdin.close()
            player.terminate()
            player.wait(timeout=10)
        return latencies[1:]  # the first one counts the player's own start

    def close(self) -> None:
        """Stop the server and wait for its end."""
        subprocess.run(
            ["pulseaudio", "--kill"], env=self._server_env, check=True, timeout=10, capture_output=True
        )
        shutil.rmtree(self._folder, ignore_errors=True)
