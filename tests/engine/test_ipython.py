"""``%load_ext stepnb`` in a real kernel: the magics, and what Tab offers, with Jedi and without."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.kernel import Kernel
from tests.key_scan import prepare_kernels


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("ipython")
    prepare_kernels(folder / "ipython")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("STEPNB_CLUSTER", "local")
        kernel = Kernel(dict(os.environ), folder)
    try:
        kernel.cell("import stepnb as sn, json\n%load_ext stepnb\n%load_ext stepnb")
        yield kernel
    finally:
        kernel.close()


def run(kernel: Kernel, code: str) -> str:
    """Run a cell of its own: a cell that runs again closes the sessions it made."""
    return kernel.cell(code, cell=secrets.token_hex(4))


def offered(kernel: Kernel, code: str) -> list[str]:
    """What Tab offers at the end of some code, as a front end asks for it."""
    kernel.client.complete(code)
    content = kernel.client.get_shell_msg(timeout=60)["content"]
    while content.get("matches") is None:  # replies to cells, which nobody has read
        content = kernel.client.get_shell_msg(timeout=60)["content"]
    return list(content["matches"])


def value(kernel: Kernel, expression: str) -> Any:
    return json.loads(run(kernel, f"print(json.dumps({expression}))"))


@pytest.mark.parametrize("jedi", [False, True])
def test_tab_offers_names_options_and_their_values(kernel: Kernel, jedi: bool) -> None:
    run(kernel, f"%config Completer.use_jedi = {jedi}")
    assert any(text.endswith("Session") for text in offered(kernel, "sn.Ses"))
    assert any(text.endswith("instructions=") for text in offered(kernel, "sn.Session(instr"))
    assert any(text.endswith("silence_duration_ms=") for text in offered(kernel, "sn.ServerVAD(sil"))
    assert offered(kernel, "sn.Session(cluster='") == ["cn", "cn/step_plan", "global", "local"]
    assert offered(kernel, "sn.Session(keep_audio='o") == ["output"]
    assert offered(kernel, "sn.Session(voice='linjiaj") == ["linjiajiejie"]


def test_say_makes_a_session_and_returns_its_turn(kernel: Kernel) -> None:
    run(kernel, "%%say\nWhat is seven times six?")
    assert "42" in value(kernel, "_.transcript") and value(kernel, "_.status") == "completed"
    run(kernel, "first = _.source\nother = sn.Session()")
    run(kernel, "%%say --to first --no-wait\nWho are you?")
    run(kernel, "_.wait(30)")
    assert value(kernel, "len(first.turns)") == 2 and value(kernel, "len(other.turns)") == 0
    run(kernel, '%%say --voice cixingnansheng --instructions "Answer in one word."\nHello!')
    assert value(kernel, "[len(other.turns), other.config.voice, other.config.instructions]") == [
        1,
        "cixingnansheng",
        "Answer in one word.",
    ]


def test_voice_after_the_first_audio_begins_anew_with_the_conversation(kernel: Kernel) -> None:
    run(kernel, "third = sn.Session()\n")
    run(kernel, "%%say --voice linjiajiejie\nMy name is Ada.")
    run(kernel, "%%say --voice cixingnansheng\nWhat is my name?")
    assert value(kernel, "[len(third.turns), third.config.voice]") == [2, "cixingnansheng"]
    assert "Ada" in value(kernel, "third.turns[1].transcript")


def test_voice_tells_how_the_newest_open_session_is_doing(kernel: Kernel) -> None:
    run(kernel, "mine = sn.Session(vad=None)\nmine.ask('Hello!').wait(30)")
    said = run(kernel, "%voice")
    assert said.startswith("Session(") and "local engine" in said and "push to talk" in said
    assert "last: Turn(" in said and "more open; %voice NAME" in said
    run(kernel, "mine.close()\nnewer = sn.Session(vad=sn.ServerVAD(silence_duration_ms=777))")
    assert "/777 ms" in run(kernel, "%voice") and "push to talk" in run(kernel, "%voice mine")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("%%say --to nobody\nHello", "UsageError: nobody does not exist, and not a session."),
        ("%%say --to sn\nHello", "UsageError: sn is a module, and not a session."),
        ("%%say\n  ", "UsageError: There is nothing to ask: the text is empty."),
        ("%%say --timeout 0.001\nTell me a joke.", "has not ended within 0.001 s"),
        ("%%say --loud\nHello", "unrecognized arguments: --loud"),
        ("%voice nobody", "UsageError: nobody does not exist"),
    ],
)
def test_errors_are_sentences(kernel: Kernel, code: str, sentence: str) -> None:
    said: list[str] = []

    def on_message(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
            said.append(message["content"]["text"])

    kernel.cell(code, cell="errors", on_message=on_message)
    assert sentence in "".join(said) and "Traceback" not in "".join(said)


def test_it_is_taken_out_again(kernel: Kernel) -> None:
    run(kernel, "for session in (first, other, third, newer): session.close()")
    assert run(kernel, "%voice") == "No session is open. Make one: s = sn.Session().\n"
    run(kernel, "%unload_ext stepnb")
    assert "local" not in offered(kernel, "sn.Session(cluster='lo")
    assert "No session" not in run(kernel, "%voice")
    run(kernel, "%load_ext stepnb")
    assert offered(kernel, "sn.Session(cluster='lo") == ["local"]
