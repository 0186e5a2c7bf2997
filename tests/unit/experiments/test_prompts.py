from __future__ import annotations

from pathlib import Path

import pytest

import stepnb as sn
from stepnb.experiments.prompts import Difference, as_python, difference_html


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "short.md").write_text("Answer briefly. You are in {city}.\n", encoding="utf-8")
    (tmp_path / "warm.md").write_text("Sei herzlich, 你好. {{not a variable}}", encoding="utf-8")
    return tmp_path


def test_prompts_are_files_with_variables(folder: Path) -> None:
    prompts = sn.Prompts(folder, city="Paris")
    assert dict(prompts) == {
        "short": "Answer briefly. You are in Paris.",
        "warm": "Sei herzlich, 你好. {not a variable}",
    }


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(sn.ConfigError, match=r"short\.md asks for \{city\}"):
        sn.Prompts(folder)
    with pytest.raises(sn.ConfigError, match="No prompt asks for town"):
        sn.Prompts(folder, city="Paris", town="x")
    with pytest.raises(sn.ConfigError, match="no prompts"):
        sn.Prompts(tmp_path / "elsewhere")
    (folder / "odd.md").write_text("a { b", encoding="utf-8")
    with pytest.raises(sn.ConfigError, match=r"odd\.md has braces"):
        sn.Prompts(folder, city="Paris")


def test_a_difference_is_told_word_by_word() -> None:
    difference = Difference("a", "Be kind and brief.", "b", "Be kind and very brief.")
    assert repr(difference) == "Be kind and {+very +}brief."
    assert "".join(text for kind, text in difference.parts() if kind != "new") == "Be kind and brief."
    assert "<script>" not in difference_html(Difference("a", "", "b", "<script>").parts())


def test_a_variant_becomes_python_that_runs() -> None:
    def weather(city: str) -> str:
        return city

    code = as_python(
        {
            "model": "stepaudio-2.5-realtime",
            "instructions": 'Two lines,\n"quoted" and a \\ too.',
            "vad": sn.ServerVAD(silence_duration_ms=300),
            "tools": [weather, sn.WebSearch(top_k=2)],
            "voice": None,
        }
    )
    caught: dict[str, object] = {}

    class Fake:
        def __init__(self, **settings: object) -> None:
            caught.update(settings)

    scope: dict[str, object] = {"weather": weather}
    program = code.replace("import stepnb as sn", "").replace("sn.Session(", "Fake(")
    exec(program, scope | {"sn": sn, "Fake": Fake})
    assert caught["instructions"] == 'Two lines,\n"quoted" and a \\ too.'
    assert caught["vad"] == sn.ServerVAD(silence_duration_ms=300)
    assert caught["tools"] == [weather, sn.WebSearch(top_k=2)]
    assert "voice" not in caught
