"""``stepnb serve``: the local engine as a program."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import ipaddress
import logging
import signal
import sys
import textwrap
import threading
from collections.abc import Iterator
from types import FrameType

from stepnb.local.choices import EARS, VADS
from stepnb.local.engine import MAX_SESSIONS, LocalEngine
from stepnb.local.faults import KINDS
from stepnb.local.profile import PROFILES, Profile

_LOOK_S = 1.0  # how often to see whether the engine still runs


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``stepnb``."""
    serve = commands.add_parser(
        "serve",
        help="run the local engine",
        description="Run the local engine: StepFun's Realtime API on this machine, without a network or an account.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.set_defaults(run=run)
    add = serve.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=8765, help="port to listen on, 0 for a free one (%(default)s)")
    add("--api-key", metavar="KEY", help="key that clients must show (a random one)")
    add(
        "--profile",
        choices=sorted(PROFILES),
        default="live",
        help="the service's habits to show (%(default)s)",
    )
    add(
        "--set",
        metavar="SWITCH=VALUE",
        action="append",
        default=[],
        help="change a habit, as epoch_times=true; may be repeated",
    )
    add(
        "--fault",
        metavar="FAULT",
        action="append",
        default=[],
        help="let something go wrong, as close:code=1011,times=1; may be repeated",
    )
    add("--seed", type=int, default=0, help="the same seed gives the same answers (%(default)s)")
    add(
        "--speed",
        type=float,
        default=4.0,
        help="audio is sent so much faster than it lasts, 0 for no pacing (%(default)g)",
    )
    add("--store", metavar="FILE", help="keep uploads, voices and vector stores in this SQLite file (memory)")
    add(
        "--brain",
        metavar="URL",
        help="a chat server with OpenAI's HTTP shape, as http://127.0.0.1:11434/v1 (rules)",
    )
    add("--brain-model", metavar="NAME", help="the model's name at that server")
    add("--ears", metavar="EARS", default="sphinx", help=f"{EARS} (%(default)s)")
    add("--vad", choices=VADS, default="energy", help="how speech is told from silence (%(default)s)")
    add(
        "--max-sessions",
        type=int,
        default=MAX_SESSIONS,
        help="sessions at the same time; more get 429 (%(default)s)",
    )
    add("--verbose", action="store_true", help="log every frame, with audio folded")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status.

    Raises
    ------
    StepnbError
        The engine did not start.
    """
    with _stop_on_signals() as stop, _log_to_stderr(options.verbose):
        if not _is_loopback(options.host):
            sys.stderr.write(
                f"stepnb: warning: {options.host} can be reached from other machines, "
                "and the key travels unencrypted.\n"
            )
        engine = LocalEngine(
            profile=f"{options.profile}:{','.join(options.set)}",
            seed=options.seed,
            host=options.host,
            port=options.port,
            api_key=options.api_key,
            speed=options.speed,
            ears=options.ears,
            brain=options.brain,
            brain_model=options.brain_model,
            vad=options.vad,
            max_sessions=options.max_sessions,
            store=options.store,
            faults=options.fault,
        )
        with engine:
            sys.stdout.write(f"stepnb local engine ready at {engine.url} with key {engine.key}\n")
            sys.stdout.flush()
            while engine.running and not stop.wait(_LOOK_S):
                pass
            if not stop.is_set():
                sys.stderr.write(f"stepnb: the engine stopped: {engine.failure}\n")
                return 1
    return 0


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextlib.contextmanager
def _log_to_stderr(verbose: bool) -> Iterator[None]:
    log, frames = logging.getLogger("stepnb"), logging.getLogger("stepnb.local.frames")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", datefmt="%H:%M:%S"))
    before = log.level, frames.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    frames.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before[0])
        frames.setLevel(before[1])


def _epilog() -> str:
    switches = ", ".join(switch.name for switch in dataclasses.fields(Profile) if switch.name != "name")
    lines = ["habits, see docs/local-engine.md:"]
    lines += textwrap.wrap(switches, 98, initial_indent="  ", subsequent_indent="  ")
    lines += ["", "faults; each takes after=N, times=N and chance=0..1 too:"]
    for name, kind in KINDS.items():
        own = [
            f"{key}={value}"
            for key, value in kind.fields().items()
            if key not in ("after", "times", "chance")
        ]
        lines.append(f"  {name}{':' if own else ''}{','.join(own)}")
        lines += textwrap.wrap(kind.summary(), 94, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines).replace("``", "").replace("%", "%%")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
