"""``stepnb doctor``."""

from __future__ import annotations

import argparse
import shutil
import sys

from .row import lines
from .run import in_terminal

_EPILOG = """\
"FAILS" is what voice does not work without, even offline; then the exit status is 1.
The key is looked for, and never sent or shown. In a notebook, sn.doctor() also looks at
the page, the microphone and the loudspeaker.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``stepnb``."""
    doctor = commands.add_parser(
        "doctor",
        help="look whether everything is here that voice needs",
        description="Look whether everything is here that voice needs; it takes some seconds, at most thirty.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doctor.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print each row as it comes; returns 1 when one fails."""
    width = shutil.get_terminal_size((110, 24)).columns
    status = 0
    for row in in_terminal():
        sys.stdout.write(lines(row, min(width, 110)) + "\n")
        sys.stdout.flush()
        if row.state == "fails":
            status = 1
    return status
