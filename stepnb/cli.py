"""The command line: ``stepnb serve``."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from stepnb.errors import StepnbError
from stepnb.local.choices import EARS, VADS
from stepnb.local.engine import LocalEngine
from stepnb.local.profile import PROFILES

_LOOK_S = 1.0  # how often to see whether the engine still runs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        What follows the program's name; None: what it was started with.

    Returns
    -------
    int
        The exit status: 0, or 1 after a failure that was explained on stderr.
    """
    options = _parser().parse_args(arguments)
    try:
        return _serve(options)
    except StepnbError as error:
        _tell(str(error))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stepnb", description="Realtime voice in Jupyter.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="run the local engine",
        description="Run the local engine: StepFun's Realtime API on this machine, without a network or an account.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument(
        "--port", type=int, default=8765, help="port to listen on, 0 for a free one (%(default)s)"
    )
    serve.add_argument("--api-key", metavar="KEY", help="key that clients must show (a random one)")
    serve.add_argument(
        "--profile",
        choices=sorted(PROFILES),
        default="live",
        help="the service's habits to show (%(default)s)",
    )
    serve.add_argument(
        "--seed", type=int, default=0, help="the same seed gives the same answers (%(default)s)"
    )
    serve.add_argument(
        "--brain",
        metavar="URL",
        help="a chat server with OpenAI's HTTP shape, as http://127.0.0.1:11434/v1 (rules)",
    )
    serve.add_argument("--brain-model", metavar="NAME", help="the model's name at that server")
    serve.add_argument("--ears", metavar="EARS", default="sphinx", help=f"{EARS} (%(default)s)")
    serve.add_argument(
        "--vad", choices=VADS, default="energy", help="how speech is told from silence (%(default)s)"
    )
    return parser


def _serve(options: argparse.Namespace) -> int:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    log = logging.getLogger("stepnb")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    if not _is_loopback(options.host):
        _tell(f"{options.host} can be reached from other machines, and the key travels unencrypted.")
    try:
        engine = LocalEngine(
            profile=options.profile,
            seed=options.seed,
            host=options.host,
            port=options.port,
            api_key=options.api_key,
            ears=options.ears,
            brain=options.brain,
            brain_model=options.brain_model,
            vad=options.vad,
        )
        with engine:
            sys.stdout.write(f"stepnb local engine ready at {engine.url} with key {engine.key}\n")
            sys.stdout.flush()
            while engine.running and not stop.wait(_LOOK_S):
                pass
            if not stop.is_set():
                _tell(f"the engine stopped: {engine.failure}")
                return 1
        return 0
    finally:
        log.removeHandler(handler)
        for number, previous in before.items():
            signal.signal(number, previous)


def _tell(sentence: str) -> None:
    sys.stderr.write(f"stepnb: {sentence}\n")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
