"""What is known about clusters, models, voices and prices: dated data files and lookups.

The files under ``data/`` carry ``as_of`` and ``source``. They are hints, never gates: an unknown model or
voice is passed through, because the service changes faster than a package.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any, Literal, TypeVar

import msgspec

ClusterName = Literal["global", "cn", "cn/step_plan"]
Cluster = ClusterName | Literal["local"]
"""What a session may be told besides a URL."""

CLUSTERS: dict[str, str] = {
    "global": "wss://api.stepfun.ai/v1/realtime",
    "cn": "wss://api.stepfun.com/v1/realtime",
    "cn/step_plan": "wss://api.stepfun.com/step_plan/v1/realtime",
}
FALLBACK_MODEL = "stepaudio-2.5-realtime"


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a model can do; None means not documented.

    Attributes
    ----------
    clusters
        Where it is served.
    function_tools, server_tools
        Whether it calls functions; whether the service searches the web and documents for it.
    cloned_voices
        Whether it speaks with a cloned voice.
    thinking
        Whether it thinks aloud.
    audio_output
        Whether it speaks at all.
    """

    id: str
    summary: str
    status: str
    clusters: tuple[str, ...]
    function_tools: bool | None
    server_tools: bool | None
    cloned_voices: bool | None
    thinking: bool | None
    audio_output: bool | None

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The official voices known to be taken."""
        return voices(self.id)


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """An official voice and what is known of its acceptance."""

    id: str
    name_en: str
    name_zh: str
    gender: str
    language: str
    description_en: str
    models: tuple[str, ...]
    cluster: str
    evidence: dict[str, str] = {}
    rejected_by: tuple[str, ...] = ()
    cn_equivalent: str | None = None
    global_equivalent: str | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """Price of a model's tokens, per million."""

    model: str
    cluster: str
    currency: Literal["CNY", "USD"]
    input: float
    cached_input: float
    output: float


class _Models(msgspec.Struct):
    as_of: str
    recommended: dict[str, str]
    default_voice: dict[str, dict[str, str]]
    models: tuple[Capabilities, ...]


class _Voices(msgspec.Struct):
    as_of: str
    voices: tuple[Voice, ...]


class _Prices(msgspec.Struct):
    as_of: str
    tokens: tuple[Price, ...]
    items: dict[str, dict[str, float]]


class _Templates(msgspec.Struct):
    as_of: str
    events: list[dict[str, Any]]


_File = TypeVar("_File", _Models, _Voices, _Prices, _Templates)


def _load(name: str, kind: type[_File]) -> _File:
    data = resources.files(__package__).joinpath("data", name).read_bytes()
    return msgspec.json.decode(data, type=kind)


@functools.cache
def _models() -> _Models:
    return _load("models.json", _Models)


@functools.cache
def _voices() -> _Voices:
    return _load("voices.json", _Voices)


@functools.cache
def _prices() -> _Prices:
    return _load("prices.json", _Prices)


@functools.cache
def _templates() -> _Templates:
    return _load("templates.json", _Templates)


def event_templates() -> list[dict[str, Any]]:
    """Return an example of every client event, without an id."""
    return _templates().events


def models() -> tuple[Capabilities, ...]:
    """Return every known model, newest first."""
    return _models().models


def capabilities(model: str) -> Capabilities | None:
    """Return what is known of a model, None for an unknown one."""
    return next((known for known in models() if known.id == model), None)


def recommended_model(cluster: str) -> str:
    """Return the model to use on a cluster when the user names none."""
    return _models().recommended.get(cluster, FALLBACK_MODEL)


def default_voice(model: str, cluster: str) -> str | None:
    """Return the voice to ask for when the user names none, None to leave it to the service."""
    by_cluster = _models().default_voice.get(model, {})
    return by_cluster.get(_region(cluster))


def _region(cluster: str) -> str:
    """Return which set of voices a cluster takes; the local engine takes the mainland one."""
    return "global" if cluster == "global" else "cn"


def voices(model: str | None = None, cluster: str | None = None) -> tuple[Voice, ...]:
    """Return the official voices, all of them or those known for a model and a cluster."""
    found = _voices().voices
    if model is not None:
        found = tuple(voice for voice in found if model in voice.models)
    if cluster is not None:
        found = tuple(voice for voice in found if voice.cluster in (_region(cluster), "both"))
    return found


def voice_doubt(voice: str, model: str, cluster: str) -> tuple[str, str] | None:
    """Return why a voice will hardly be taken, and what to do, as sentences; None for all that may well be."""
    known = next((entry for entry in _voices().voices if entry.id == voice), None)
    if known is None:
        return None
    if model in known.rejected_by:
        return f"The voice {voice!r} was refused for {model} when it was tried.", "Choose another, or try it."
    served = cluster in CLUSTERS and known.cluster not in (_region(cluster), "both")
    if not served:
        return None
    there = known.cn_equivalent if _region(cluster) == "cn" else known.global_equivalent
    instead = f" {there!r} is its like there." if there else ""
    return (
        f"The voice {voice!r} is not one of the cluster {cluster!r}.{instead}",
        "Choose another, or try it.",
    )


def price(model: str, cluster: str) -> Price | None:
    """Return the token price of a model on a cluster ("global" or "cn"), None when none is published."""
    return next((p for p in _prices().tokens if p.model == model and p.cluster == cluster), None)


def item_price(name: str, currency: str) -> float | None:
    """Return what one of something costs ("web_search_call", "voice_clone"), None when no price is published."""
    return _prices().items.get(name, {}).get(currency)


def equivalent(voice: str, cluster: str) -> str | None:
    """Return the voice of a cluster that is most like a voice of the other one; itself where it is known there.

    The pairs are an integrator's, not the service's; None: there is none.
    """
    found = next((known for known in _voices().voices if known.id == voice), None)
    if found is None:
        return None
    region = _region(cluster)
    if found.cluster in (region, "both"):
        return found.id
    return found.global_equivalent if region == "global" else found.cn_equivalent


def as_of() -> dict[str, str]:
    """Return the date of each data file."""
    return {
        "models": _models().as_of,
        "voices": _voices().as_of,
        "prices": _prices().as_of,
        "templates": _templates().as_of,
    }
