from __future__ import annotations

import datetime
import json
from importlib import resources
from urllib.parse import urlsplit

import pytest

from stepnb.protocol import catalog

FILES = sorted(
    entry.name
    for entry in resources.files("stepnb.protocol").joinpath("data").iterdir()
    if entry.name.endswith(".json")
)
MODELS = {model.id: model for model in catalog.models()}
VOICES = {voice.id: voice for voice in catalog.voices()}
CLUSTERS = [*catalog.CLUSTERS, "local"]
# A voice may belong to a speech-synthesis model instead; those are not realtime models.
TTS_MODELS = {"stepaudio-2.5-tts", "step-tts-2", "step-tts-mini"}
GLOBAL_SEVEN = {
    "lively-girl",
    "elegantgentle-female",
    "livelybreezy-female",
    "magnetic-voiced-male",
    "soft-spoken-gentleman",
    "vibrant-youth",
    "zixinnansheng",
}


@pytest.mark.parametrize("name", FILES)
def test_every_data_file_says_when_and_from_where(name: str) -> None:
    data = json.loads(resources.files("stepnb.protocol").joinpath("data", name).read_text(encoding="utf-8"))
    dated = datetime.date.fromisoformat(data["as_of"])
    assert dated.isoformat() == catalog.as_of()[name.removesuffix(".json")]
    assert data["source"].startswith("https://")


def test_all_files_are_dated() -> None:
    assert {f"{name}.json" for name in catalog.as_of()} == set(FILES)


@pytest.mark.parametrize(("cluster", "url"), catalog.CLUSTERS.items())
def test_cluster_addresses(cluster: str, url: str) -> None:
    parts = urlsplit(url)
    assert parts.scheme == "wss"
    assert parts.hostname == ("api.stepfun.ai" if cluster == "global" else "api.stepfun.com")
    assert parts.path == ("/step_plan" if cluster.endswith("step_plan") else "") + "/v1/realtime"


# Models ----------------------------------------------------------------------------------------------------


def test_the_models_of_the_protocol_notes() -> None:
    assert list(MODELS) == [
        "stepaudio-3-realtime-preview",
        "stepaudio-2.5-realtime",
        "step-1o-audio",
        "step-audio-2",
        "step-audio-2-mini",
        "step-audio-2-think",
        "step-audio-2-mini-think",
        "step-audio-r1.1",
        "step-audio-r1.5",
    ]
    assert len(MODELS) == len(catalog.models())


def test_what_the_notes_say_of_the_models() -> None:
    thinking = {name for name, model in MODELS.items() if model.thinking}
    assert thinking == {
        "stepaudio-3-realtime-preview",
        "step-audio-2-think",
        "step-audio-2-mini-think",
        "step-audio-r1.1",
        "step-audio-r1.5",
    }
    cloned = {name for name, model in MODELS.items() if model.cloned_voices}
    assert cloned == {"stepaudio-3-realtime-preview", "stepaudio-2.5-realtime", "step-audio-2"}
    assert MODELS["step-audio-r1.5"].function_tools is False
    assert {name for name, m in MODELS.items() if "cn/step_plan" in m.clusters} == {"stepaudio-2.5-realtime"}


def test_models_name_known_clusters() -> None:
    for model in catalog.models():
        assert model.clusters
        assert set(model.clusters) <= set(catalog.CLUSTERS), model.id


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_recommended_model_is_served_there(cluster: str) -> None:
    model = catalog.capabilities(catalog.recommended_model(cluster))
    assert model is not None
    assert cluster == "local" or cluster in model.clusters
    assert model.audio_output


def test_an_unknown_model_or_cluster_is_passed_through() -> None:
    assert catalog.capabilities("step-audio-9") is None
    assert catalog.recommended_model("wss://example.org/v1/realtime") in MODELS
    assert catalog.default_voice("step-audio-9", "global") is None
    assert catalog.price("step-audio-9", "cn") is None
    assert catalog.voices("step-audio-9") == ()


# Voices ----------------------------------------------------------------------------------------------------


def test_there_are_39_voices_with_ids_of_their_own() -> None:
    assert len(catalog.voices()) == len(VOICES) == 39


def test_a_voice_names_known_models_and_voices() -> None:
    for voice in catalog.voices():
        assert set(voice.models) <= MODELS.keys() | TTS_MODELS, voice.id
        assert set(voice.models).isdisjoint(voice.rejected_by), voice.id
        assert set(voice.evidence) <= {*voice.models, *voice.rejected_by}, voice.id
        assert voice.cluster in ("global", "cn", "both"), voice.id
        assert voice.gender in ("female", "male"), voice.id
        assert voice.language in ("en", "zh"), voice.id
        if voice.cn_equivalent is not None:
            assert VOICES[voice.cn_equivalent].cluster in ("cn", "both"), voice.id
        if voice.global_equivalent is not None:
            assert VOICES[voice.global_equivalent].cluster in ("global", "both"), voice.id


def test_what_the_notes_say_of_the_voices() -> None:
    assert {v.id for v in catalog.voices("stepaudio-2.5-realtime", "global")} == GLOBAL_SEVEN
    assert {v.id for v in catalog.voices("stepaudio-3-realtime-preview", "global")} == GLOBAL_SEVEN
    assert {v.id for v in catalog.voices("step-audio-2-mini")} == {"qingchunshaonv", "wenrounansheng"}
    assert {v.id for v in catalog.voices("step-audio-2")} == {
        "qingchunshaonv",
        "wenrounansheng",
        "elegantgentle-female",
        "livelybreezy-female",
    }
    assert len(catalog.voices("step-1o-audio", "cn")) == 20
    mainland = {v.id for v in catalog.voices("stepaudio-2.5-realtime", "cn")}
    first_generation = {v.id for v in catalog.voices("step-1o-audio")}
    added = {"elegantgentle-female", "livelybreezy-female", "qingchunshaonv", "wenroushunv", "wenrounansheng"}
    # zixinnansheng is the one voice said to work on both clusters without having been in the probe of 25.
    assert mainland - {"zixinnansheng"} == first_generation | added
    rejected = {v.id for v in catalog.voices() if "stepaudio-2.5-realtime" in v.rejected_by}
    assert rejected == {"tianmeinvsheng", "wenrougongzi"}


def test_every_mainland_cluster_has_the_mainland_voices() -> None:
    mainland = catalog.voices("stepaudio-2.5-realtime", "cn")
    assert catalog.voices("stepaudio-2.5-realtime", "cn/step_plan") == mainland
    assert catalog.voices("stepaudio-2.5-realtime", "local") == mainland
    assert catalog.voices(cluster="global") != catalog.voices(cluster="cn")


def test_the_filters_of_voices_combine() -> None:
    by_model = {v.id for v in catalog.voices("stepaudio-2.5-realtime")}
    by_cluster = {v.id for v in catalog.voices(cluster="cn")}
    assert {v.id for v in catalog.voices("stepaudio-2.5-realtime", "cn")} == by_model & by_cluster


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("model", MODELS)
def test_the_default_voice_is_one_the_model_takes(model: str, cluster: str) -> None:
    voice = catalog.default_voice(model, cluster)
    if voice is not None:
        # The voices of the thinking variants are those of the models they vary.
        assert voice in {v.id for v in catalog.voices(model.removesuffix("-think"), cluster)}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_recommended_model_has_a_default_voice(cluster: str) -> None:
    assert catalog.default_voice(catalog.recommended_model(cluster), cluster) in VOICES


# Prices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "cluster", "price"),
    [
        ("stepaudio-2.5-realtime", "cn", ("CNY", 10, 2, 70)),
        ("step-audio-2", "cn", ("CNY", 10, 2, 70)),
        ("step-1o-audio", "cn", ("CNY", 25, 5, 60)),
        ("stepaudio-2.5-realtime", "global", ("USD", 1.5, 0.3, 10)),
        ("step-audio-r1.1", "cn", ("CNY", 0, 0, 0)),
        ("stepaudio-3-realtime-preview", "cn", ("CNY", 0, 0, 0)),
        ("stepaudio-3-realtime-preview", "global", ("USD", 0, 0, 0)),
    ],
)
def test_token_prices(model: str, cluster: str, price: tuple[str, float, float, float]) -> None:
    found = catalog.price(model, cluster)
    assert found is not None
    assert (found.currency, found.input, found.cached_input, found.output) == price


@pytest.mark.parametrize(
    ("model", "cluster"),
    [("step-audio-2", "global"), ("step-audio-2-mini", "cn"), ("stepaudio-2.5-realtime", "local")],
)
def test_an_unpublished_price_is_none(model: str, cluster: str) -> None:
    assert catalog.price(model, cluster) is None
