from __future__ import annotations

import pytest

import stepnb as sn
from stepnb.experiments.grid import variants_of


def names(*args: object, **kwargs: object) -> list[str]:
    return [variant.name for variant in variants_of(*args, **kwargs)]  # type: ignore[arg-type]


def test_a_product_has_every_combination() -> None:
    variants = variants_of({"voice": ["a", "b"], "noise": [None, 10]}, {"model": "m"}, "product")
    assert [variant.name for variant in variants] == [
        "a, no noise",
        "a, noise 10",
        "b, no noise",
        "b, noise 10",
    ]
    assert variants[3].settings == {"model": "m", "voice": "b"}
    assert variants[3].conditions == {"noise": 10}
    assert variants[0].conditions == {}
    assert variants[3].factors == {"voice": "b", "noise": "noise 10"}


def test_zip_takes_first_with_first() -> None:
    assert names({"voice": ["a", "b"], "model": ["m", "n"]}, {}, "zip") == ["a, m", "b, n"]
    with pytest.raises(sn.ConfigError, match="voice has 2, model has 1"):
        names({"voice": ["a", "b"], "model": ["m"]}, {}, "zip")


def test_a_list_of_variants_is_taken_as_it_is() -> None:
    variants = variants_of([{"name": "calm", "voice": "a"}, {"voice": "b"}], {}, "product")
    assert [variant.name for variant in variants] == ["calm", "variant 2"]
    assert variants[0].factors == {"variant": "calm"}


def test_names_come_from_mappings_short_texts_and_functions() -> None:
    def weather() -> str:
        return ""

    assert names({"instructions": {"kind": "Be kind, at length."}}, {}, "product") == ["kind"]
    assert names({"instructions": ["x" * 60, "y" * 60]}, {}, "product") == [
        "instructions 1",
        "instructions 2",
    ]
    assert names({"tools": [[weather], None]}, {}, "product") == ["weather", "no tools"]
    assert names({"vad": [sn.ServerVAD(), None]}, {}, "product") == ["vad 500-500-2500", "no vad"]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"voices": ["a"]}, "'voices', which a Session does not take"),
        ({"record": ["a"]}, "'record'"),
        ({"voice": "a"}, "Write a list"),
        ({"voice": []}, "no values for voice"),
        ([], "list of variants is empty"),
        (["a"], "Variant 1 is a str"),
        ([{"name": "x"}, {"name": "x"}], "Two variants are called 'x'"),
    ],
)
def test_a_wrong_grid_says_what_to_write(grid: object, message: str) -> None:
    with pytest.raises(sn.ConfigError, match=message):
        names(grid, {}, "product")
