"""The models as a table."""

from __future__ import annotations

import pytest

import stepnb as sn
from stepnb.protocol import catalog
from stepnb.protocol.models import Models


def test_every_model_is_a_row_that_says_what_it_can_do() -> None:
    table = sn.models()
    assert len(table) == len(catalog.models()) and list(table) == list(catalog.models())
    lines = repr(table).splitlines()
    assert len(lines) == len(table) + 2 and lines[-1] == f"(as of {table.as_of})"
    (row,) = [line for line in lines if line.startswith("stepaudio-2.5-realtime ")]
    assert "global, cn, cn/step_plan" in row and "1.5 / 0.3 / 10 USD, 10 / 2 / 70 CNY" in row
    (row,) = [line for line in lines if line.startswith("step-audio-r1.5 ")]
    assert [cell for cell in row.split("  ") if cell][2].strip() == "no" and "?" in row
    assert "free" in next(line for line in lines if line.startswith("stepaudio-3-realtime-preview "))


def test_it_is_a_sequence_that_can_be_cut() -> None:
    table = sn.models()
    assert table[0].id == "stepaudio-3-realtime-preview" and table[0].voices
    assert isinstance(table[:2], Models) and len(table[:2]) == 2


def test_it_is_html_and_a_data_frame() -> None:
    page = sn.models()._repr_html_()
    assert page.count("<tr>") == len(sn.models()) + 1 and "step-1o-audio" in page
    frame = sn.models().df()
    assert list(frame["model"]) == [model.id for model in sn.models()]


def test_models_of_a_cluster() -> None:
    assert [model.id for model in sn.models("cn/step_plan")] == ["stepaudio-2.5-realtime"]
    assert all("global" in model.clusters for model in sn.models("global"))
    with pytest.raises(sn.ConfigError, match="mars"):
        sn.models("mars")


@pytest.mark.parametrize(
    ("voice", "model", "cluster", "said"),
    [
        ("tianmeinvsheng", "stepaudio-2.5-realtime", "cn", "was refused for stepaudio-2.5-realtime"),
        ("linjiajiejie", "stepaudio-2.5-realtime", "global", "'elegantgentle-female' is its like there"),
        ("lively-girl", "stepaudio-2.5-realtime", "cn", "'yuanqishaonv' is its like there"),
        ("linjiajiejie", "stepaudio-2.5-realtime", "cn", None),
        ("elegantgentle-female", "stepaudio-2.5-realtime", "global", None),
        ("lively-girl", "stepaudio-2.5-realtime", "custom", None),
        ("voice-tone-12345", "stepaudio-2.5-realtime", "global", None),
        ("a-voice-of-tomorrow", "stepaudio-2.5-realtime", "cn", None),
    ],
)
def test_only_what_is_known_to_be_refused_is_doubted(
    voice: str, model: str, cluster: str, said: str | None
) -> None:
    doubt = catalog.voice_doubt(voice, model, cluster)
    assert (doubt is None) if said is None else (doubt is not None and said in doubt[0] and doubt[1])
