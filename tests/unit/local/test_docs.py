"""The local engine's page in the documentation: its tables are the code's.

``python -m tests.unit.local.test_docs`` writes the tables anew.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import docstring_parser

from stepnb.local import conversation, hearing, inbuffer, rest_files, rest_wire, server, store
from stepnb.local.engine import MAX_SESSIONS
from stepnb.local.faults import KINDS
from stepnb.local.profile import ALWAYS, DOCS, LIVE, Profile

PAGE = Path(__file__).parents[3] / "docs" / "local-engine.md"
COMMON = ("after", "times", "chance")


def code(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def prose(text: str | None) -> str:
    """A docstring's text as one line of Markdown in a table."""
    return re.sub(r"``(.+?)``", r"`\1`", " ".join((text or "").split())).replace("|", r"\|")


def habits() -> str:
    described = {
        entry.arg_name: entry.description for entry in docstring_parser.parse(Profile.__doc__ or "").params
    }
    rows: list[tuple[int, str]] = [
        (row, f"| {row} | | | | always: {prose(text)} |") for row, text in ALWAYS.items()
    ]
    for switch in dataclasses.fields(Profile):
        if switch.name != "name":
            live, docs = (code(getattr(profile, switch.name)) for profile in (LIVE, DOCS))
            text = prose(described[switch.name])
            row = switch.metadata["row"]
            rows.append((row, f"| {row} | `{switch.name}` | {live} | {docs} | {text} |"))
    rows.sort(key=lambda entry: entry[0])
    return "\n".join(["| | switch | live | docs | |", "|---|---|---|---|---|", *(line for _, line in rows)])


def faults() -> str:
    lines = ["| fault | strikes on | values | what a client sees |", "|---|---|---|---|"]
    for name, kind in KINDS.items():
        values = [
            code(f"{key}={default}")
            for key, default in kind.fields().items()
            if (key not in COMMON or default != {"after": 0, "times": None, "chance": 1.0}[key])
            and default != ""
        ]
        values += [code(f"{key}=") for key, default in kind.fields().items() if default == ""]
        lines.append(f"| `{name}` | every {kind.occasion} | {' '.join(values)} | {prose(kind.summary())} |")
    return "\n".join(lines)


def with_tables(page: str) -> str:
    for name, table in (("habits", habits()), ("faults", faults())):
        page = re.sub(
            rf"<!-- {name} -->.*?<!-- end -->",
            lambda _, name=name, table=table: f"<!-- {name} -->\n{table}\n<!-- end -->",  # type: ignore[misc]
            page,
            flags=re.DOTALL,
        )
    return page


def test_the_tables_are_the_codes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "write them anew: python -m tests.unit.local.test_docs"
    assert habits() in page and faults() in page


def test_the_limits_are_the_codes() -> None:
    mib = 1024 * 1024
    told = dict(re.findall(r"^\| (\w[^|`]+) \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    limits = {
        "sessions at the same time": f"{MAX_SESSIONS},",
        "one session": f"{LIVE.session_limit_s / 60:g} minutes",
        "one frame; the audio in it": f"{server.MAX_FRAME // mib} MiB; {inbuffer.MAX_APPEND // mib} MB",
        "audio waiting for a commit or for the end of speech": f"{inbuffer.MAX_BUFFER // mib} MiB",
        "recordings waiting for the ears, in a session": f"{hearing.MAX_WAITING}",
        "the conversation": f"{conversation.MAX_ITEMS} items of {conversation.MAX_TEXT:,} characters, "
        f"{conversation.MAX_MEMORY:,} together",
        "REST requests at the same time": f"{rest_wire.MAX_REQUESTS}",
        "files": f"{rest_files.MAX_STORAGE // mib} MB each (documents {rest_files.MAX_DOCUMENT // mib} MB), "
        f"{store.MAX_FILES}, {store.MAX_TOTAL_BYTES // 1024**3} GiB",
    }
    for what, limit in limits.items():
        assert told[what].startswith(limit), what


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
