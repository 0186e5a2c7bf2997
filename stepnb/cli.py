"""The command line: ``stepnb lab``, ``notebooks``, ``doctor`` and ``serve``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from stepnb import tutorials
from stepnb.checkup import command as doctor
from stepnb.errors import StepnbError
from stepnb.local import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        What follows the program's name; None: what it was started with.

    Returns
    -------
    int
        The exit status: 0, 1 after a failure that was explained, or 130 after Ctrl-C.
    """
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except StepnbError as error:
        sys.stderr.write(f"stepnb: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell counts it
    return status


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(prog="stepnb", description="Realtime voice in Jupyter.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    tutorials.add_parsers(commands)
    doctor.add_parser(commands)
    serve.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
